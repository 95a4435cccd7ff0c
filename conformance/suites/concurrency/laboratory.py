"""What the checks of this suite share: searches for a history that can't be, and what they count as evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from conformance.frames import shown_path
from conformance.histories.drivers.schedule import Switch
from conformance.histories.kinds import DRIVER, KINDS
from conformance.histories.lanes import lanes
from conformance.histories.operation import History, Operation
from conformance.histories.rounds.ways import Way
from conformance.histories.search import Found, Order, Searched, search_in_child
from conformance.histories.smallest import smallest
from conformance.result import Inconclusive, Violation
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

#: Switches that are shown at most.
_SHOWN = 12
#: Calls that are shown at most beside one that raised.
_BESIDE = 5
#: Workers, calls of each, and the greatest age of the store. A scheduler finds a race in the smallest plans, of which
#: it tries hundreds; who hammers needs long ones.
_SIZES: dict[Way, tuple[int, int, int]] = {
    "scheduled": (2, 3, 6),
    "free": (4, 40, 20),
    "processes": (2, 30, 40),
    "paused": (2, 8, 40),
}
THREADS: tuple[Way, ...] = ("scheduled", "free")
PROCESSES: tuple[Way, ...] = ("processes", "paused")


@contextmanager
def _crew(trial: Trial) -> Iterator[Crew]:
    with closing(Crew(trial.backend, trial.check.contract)) as crew:
        yield crew


def require(trial: Trial, plan: str, ways: Sequence[Way]) -> None:
    """Require that what workers see of a plan can be put into one order, call after call, each in its own time.

    Args:
        trial: The trial.
        plan: The name of the kind of plan.
        ways: How the workers meet.

    Raises:
        Violation: Some history can't be; the smallest that was found is shown.
        Inconclusive: No process could be started, no two calls overlapped, or a history was not decided.
    """
    try:
        crew = trial.bench.room(("concurrency", trial.check.contract), lambda: _crew(trial))
        orders = [_order(trial, plan, way) for way in ways]
        found = sorted(crew.spread(search_in_child, orders), key=lambda one: orders.index(one[0]))
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    for order, searched in found:
        _count(trial, searched)
        if searched.found is not None:
            raise _violation(trial, order, searched.found)
    if not sum(searched.overlapping for _, searched in found):
        raise Inconclusive("no two calls were ever made at the same time")
    if unknown := sum(searched.unknown for _, searched in found):
        raise Inconclusive(f"{unknown} histories could not be decided")


def _order(trial: Trial, plan: str, way: Way) -> Order:
    workers, length, age = _SIZES[way]
    return Order(
        plan,
        way,
        trial.seed,
        workers,
        length,
        age,
        rounds=trial.effort.rounds,
        seconds=trial.effort.round_seconds,
    )


def _count(trial: Trial, searched: Searched) -> None:
    trial.count("histories", searched.rounds)
    trial.count("operations", searched.operations)
    trial.count("comparisons", searched.overlapping)
    if searched.raised:
        trial.count("calls that raised", searched.raised)


def _violation(trial: Trial, order: Order, found: Found) -> Violation:
    one, verdict = found.round, found.verdict
    history: History = []
    if verdict.checker == DRIVER:
        history = [each for witness in verdict.witness for each in _beside(witness, one.history)]
    else:
        judge = KINDS[order.plan].judge
        trial.bench.progress(f"{trial.check.code}: looking for the smallest history")
        if any(operation.verb == "list" for operation in verdict.witness):
            history = verdict.witness  # a listing contradicts one other call, and its checker knows which
        else:
            history = smallest(one.history, lambda part: judge(part).broken)
            verdict = judge(history)
    who = "processes" if order.way in PROCESSES else "threads"
    switches = [f"switch to worker {switch.worker + 1} at {where(switch)}" for switch in one.switches if switch.line]
    return Violation(
        f"{order.plan}, by {order.workers} {who}; the smallest part of round {found.number} that can't be",
        expected="an order of these calls, one after the other, in which each answers as it did",
        got=verdict.why or "there is none",
        story=(*lanes(history, verdict.witness), *switches[:_SHOWN]),
    )


def _beside(one: Operation, history: History) -> list[Operation]:
    """Return a call that never returned, and some that were made by others from then on."""
    others = [each for each in history if each.worker != one.worker and each.end > one.call]
    return [one, *others[:_BESIDE]]


def where(switch: Switch) -> str:
    """Return the place of a switch in the store's code."""
    return f"{shown_path(switch.file)}:{switch.line}"
