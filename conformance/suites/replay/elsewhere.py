"""Processes of other worlds that do what this one does, and what of their world makes the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from conformance.replay.errands import Errand, Outcome, carry_out
from conformance.replay.files import kept
from conformance.replay.replay import Replay, parting
from conformance.replay.worlds import PLAIN, WORLDS, World, can_travel, parts
from conformance.result import Inconclusive, Violation
from conformance.suites.replay.laboratory import FOLD, agree
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.backend import Backend, Where
    from conformance.trial import Trial

_THERE = ("there", "here")
#: How often a process is tried once more that differs in nothing.
_TRIES = 3


@contextmanager
def _crew(backend: Backend, environments: Sequence[Mapping[str, str]]) -> Iterator[Crew]:
    # It knows nothing of the bench, which would never end if what it keeps kept it.
    with closing(Crew(backend, "log", environments=environments)) as crew:
        yield crew


def worlds_of(trial: Trial) -> Crew:
    """Return a crew with a worker in each world; all checks of a bench share it.

    Raises:
        Inconclusive: No process could be started there.
    """
    trial.conditions["wall clock"] = "moved" if can_travel() else "not moved: time-machine is not installed"
    environments = [world.environment for world in WORLDS]
    try:
        return trial.bench.room(("replay", "worlds"), lambda: _crew(trial.backend, environments))
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
            outcome = sent(trial, crew, number, Errand(task, world, where, arguments))
            if outcome.error or parting(outcome.value, expected, _THERE):
                story = (f"the process: {world.name}", _culprit(trial, world, task, where, arguments, restore))
                elsewhere = f"{what}, in another process"
                if outcome.error:
                    told = "what this process reads"
                    raise Violation(elsewhere, expected=told, got=outcome.error, story=story)
                agree(trial, outcome.value, expected, elsewhere, _THERE, story, state_of)
            trial.count("comparisons", len(expected.entries) + 1)


def _culprit(
    trial: Trial,
    world: World,
    task: Callable[..., Any],
    where: Where | None,
    arguments: tuple[Any, ...],
    restore: Callable[[], None],
) -> str:
    """Return a line that says which point of a world is enough by itself."""
    trial.bench.progress(f"{trial.check.code}: looking for what makes the difference")
    points = parts(world)
    environments = [PLAIN.environment, *(one.environment for one in points if one.environment != PLAIN.environment)]
    crew = trial.bench.room(("replay", world.name), lambda: _crew(trial.backend, environments))

    def tried(one: World) -> Outcome:
        restore()
        return sent(trial, crew, environments.index(one.environment), Errand(task, one, where, arguments))

    plain = tried(PLAIN)
    if any(_differ(plain, tried(PLAIN)) for _ in range(_TRIES)):
        return "it is another one each time, in processes that differ in nothing"
    enough = [one.name for one in points if _differ(plain, tried(one))]
    if enough:
        return f"this alone is enough: {', or '.join(enough)}"
    return "nothing that is different there is enough by itself; any new process gives something else than this one"


def _differ(one: Outcome, other: Outcome) -> bool:
    if one.error or other.error:
        return bool(one.error) != bool(other.error)
    return parting(one.value, other.value, _THERE) is not None


def _nothing() -> None:
    """Do nothing."""
