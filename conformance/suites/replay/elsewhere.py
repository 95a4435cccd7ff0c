"""Processes of other worlds that do what this one does, and what of their world makes the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.replay.errands import Errand, Outcome, carry_out
from conformance.replay.files import kept
from conformance.replay.replay import Replay, parting
from conformance.replay.worlds import PLAIN, WORLDS, World, can_travel, parts
from conformance.result import Inconclusive, Violation
from conformance.suites.replay.laboratory import FOLD, agree
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.backend import Where
    from conformance.trial import Trial

_THERE = ("there", "here")
#: How often a process is tried once more that differs in nothing.
_TRIES = 3


def worlds_of(trial: Trial) -> Crew:
    """Return a crew with a worker in each world; all checks of a contract share it.

    Raises:
        Inconclusive: No process could be started there.
    """
    trial.conditions["wall clock"] = "moved" if can_travel() else "not moved: time-machine is not installed"
    return _crew(trial, "worlds", WORLDS)


def _crew(trial: Trial, name: str, worlds: Sequence[World]) -> Crew:
    contract, environments = trial.check.contract, [world.environment for world in worlds]
    try:
        return trial.bench.room(
            ("replay", contract, name), lambda: closing(Crew(trial.backend, contract, environments=environments))
        )
    except WorkerError as error:
        raise Inconclusive(str(error)) from error


def sent(trial: Trial, crew: Crew, worker: int, errand: Errand) -> Outcome:
    """Have an errand carried out by a worker.

    Raises:
        Inconclusive: The fold can't be used, or the worker died.
    """
    try:
        outcome: Outcome = crew.call(carry_out, errand, worker=worker)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    if outcome.fold_error:
        raise Inconclusive(f"{outcome.fold_error}; in a process with {errand.world.name}")
    trial.count("processes")
    return outcome


def sent_to_all(trial: Trial, crew: Crew, errands: Sequence[Errand]) -> list[Outcome]:
    """Have each worker carry out an errand of its own, all at the same time.

    Raises:
        Inconclusive: A worker died.
    """
    try:
        outcomes: list[Outcome] = crew.each(carry_out, errands)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    trial.count("processes", len(outcomes))
    return outcomes


def same_in_all_worlds(
    trial: Trial,
    task: Callable[..., Any],
    where: Where | None,
    arguments: tuple[Any, ...],
    expected: Replay,
    what: str,
    state_of: str = FOLD,
) -> None:
    """Require that processes of all worlds come to the same replay as this one.

    Args:
        trial: The trial.
        task: What each process does.
        where: The place of the log, which nobody has open; None for a task that needs none.
        arguments: Of the task.
        expected: The replay of this process.
        what: What is being done.
        state_of: Who gives the states.

    Raises:
        Violation: One does not; what of its world is enough is named.
    """
    crew = worlds_of(trial)
    with nullcontext(_nothing) if where is None else kept(where.path) as restore:
        for number, world in enumerate(WORLDS):
            errand = Errand(task, world, where, arguments)
            outcome = sent(trial, crew, number, errand)
            if outcome.error or _differ(outcome.value, expected):
                story = blamed(trial, errand, _differ, restore)
                elsewhere = f"{what}, in another process"
                if outcome.error:
                    told = "what this process reads"
                    raise Violation(elsewhere, expected=told, got=outcome.error, story=story)
                agree(trial, outcome.value, expected, elsewhere, _THERE, story, state_of)
            trial.count("comparisons", len(expected.entries) + 1)


def _differ(one: Replay, other: Replay) -> bool:
    return parting(one, other, _THERE) is not None


def blamed(
    trial: Trial, errand: Errand, differ: Callable[[Any, Any], bool], restore: Callable[[], None]
) -> tuple[str, ...]:
    """Return lines that say where an errand gave something else than here, and what of that world is enough.

    Args:
        trial: The trial.
        errand: The errand.
        differ: Tells whether what two processes brought back differs.
        restore: Makes the place as it was before the errand.

    Raises:
        Inconclusive: A process could not be started, or died.
    """
    return f"the process: {errand.world.name}", _culprit(trial, errand, differ, restore)


def _culprit(trial: Trial, errand: Errand, differ: Callable[[Any, Any], bool], restore: Callable[[], None]) -> str:
    trial.bench.progress(f"{trial.check.code}: looking for what makes the difference")
    points = parts(errand.world)
    different = [PLAIN, *(one for one in points if one.environment != PLAIN.environment)]
    environments = [one.environment for one in different]
    crew = _crew(trial, errand.world.name, different)

    def tried(one: World) -> Outcome:
        restore()
        return sent(trial, crew, environments.index(one.environment), replace(errand, world=one))

    def differs(one: Outcome) -> bool:
        if plain.error or one.error:
            return bool(plain.error) != bool(one.error)
        return differ(plain.value, one.value)

    plain = tried(PLAIN)
    if any(differs(tried(PLAIN)) for _ in range(_TRIES)):
        return "it is another one each time, in processes that differ in nothing"
    enough = [one.name for one in points if differs(tried(one))]
    if enough:
        return f"this alone is enough: {', or '.join(enough)}"
    return "nothing that is different there is enough by itself; any new process gives something else than this one"


def _nothing() -> None:
    """Do nothing."""
