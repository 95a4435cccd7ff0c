"""What the checks of this suite share: searches for a history that can't be, and what they count as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.histories.kinds import DRIVER, KINDS
from conformance.histories.lanes import lane_data, lanes
from conformance.histories.operation import UPKEEP, History, Operation
from conformance.histories.replay import Repeat, switch_lines
from conformance.histories.rounds.ways import Way
from conformance.histories.search import BY_THEMSELVES, Found, Order, Searched, search_in_child
from conformance.histories.smallest import smallest, stops_at
from conformance.result import Inconclusive, Violation
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

#: Why a check is inconclusive where the store lets only one worker change anything.
REFUSED = "at most one worker could change anything while others were there: {}"
#: Longer than any round.
_EVER_S = 3_600.0
#: Calls that are shown at most beside one that raised.
_BESIDE = 5
#: Of these the checker knows which contradict each other, and nothing else is shown.
_SHOWN_ALONE = ("list", "transaction")
#: Workers, calls of each, and the greatest age of the store. A scheduler finds a race in the smallest plans, of which
#: it tries hundreds; who hammers needs long ones.
_SIZES: dict[Way, tuple[int, int, int]] = {
    "scheduled": (2, 3, 6),
    "free": (4, 40, 20),
    "processes": (2, 50, 40),
    "paused": (2, 12, 30),
    "killed": (2, 20, 8),
    "all killed": (2, 20, 8),
    "handles": (2, 3, 3),
    "openers": (2, 4, 3),
    "opener stopped": (2, 2, 2),
    "stopped": (2, 6, 3),
    "holder killed": (2, 4, 3),
    "tasks": (3, 4, 6),
    "cancelled": (3, 5, 6),
}
#: Where a round takes long, as processes are killed and made, rounds get more time than others.
_LONGER: dict[Way, float] = {"openers": 1.5, "opener stopped": 1.5}
THREADS: tuple[Way, ...] = ("scheduled", "free")
PROCESSES: tuple[Way, ...] = ("processes", "paused")
KILLS: tuple[Way, ...] = ("killed", "all killed")


def crew_of(trial: Trial) -> Crew:
    """Return the workers of a trial's contract; all checks of a bench share them.

    Raises:
        WorkerError: They could not be started.
    """
    contract = trial.check.contract
    return trial.bench.room(("concurrency", contract), lambda: closing(Crew(trial.backend, contract)))


def require(trial: Trial, plan: str, ways: Sequence[Way]) -> int:
    """Require that what workers see of a plan can be put into one order, call after call, each in its own time.

    Some kinds of plans ask for less, or for more. Returns what the kind counts.

    Args:
        trial: The trial.
        plan: The name of the kind of plan.
        ways: How the workers meet.

    Raises:
        Violation: Some history can't be; the smallest that was found is shown.
        Inconclusive: No process could be started, no two calls overlapped, only one worker could change anything, or
            a history was not decided.
    """
    found: list[Searched] = []
    for orders in _at_once(_repeated(trial, [_order(trial, plan, way) for way in ways])):
        for order, searched in _searched(trial, orders):
            _count(trial, searched)
            if searched.found is not None:
                raise _violation(trial, order, searched.found)
            found.append(searched)
    if alone := next((searched.alone for searched in found if searched.alone), ""):
        raise Inconclusive(REFUSED.format(alone))
    if not sum(searched.overlapping for searched in found):
        raise Inconclusive("no two calls were ever made at the same time")
    if unknown := sum(searched.unknown for searched in found):
        raise Inconclusive(f"{unknown} histories could not be decided")
    return sum(searched.counted for searched in found)


def _at_once(orders: list[Order]) -> list[list[Order]]:
    """Return what is searched at the same time: processes meet less often where others keep the cores busy."""
    if all(order.way in BY_THEMSELVES for order in orders):
        return [orders]
    return [[order] for order in orders]


def _searched(trial: Trial, orders: list[Order]) -> list[tuple[Order, Searched]]:
    try:
        return sorted(crew_of(trial).spread(search_in_child, orders), key=lambda one: orders.index(one[0]))
    except WorkerError as error:
        raise Inconclusive(str(error)) from error


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
        seconds=trial.effort.round_seconds * _LONGER.get(way, 1.0),
    )


def _repeated(trial: Trial, orders: list[Order]) -> list[Order]:
    """Return the orders of a run; where one round is to be carried out again, that alone, however long it takes."""
    only = trial.bench.case
    if not isinstance(only, Repeat):
        return orders
    found = [replace(order, only=only, seconds=_EVER_S) for order in orders if order.way == "scheduled"]
    if not found:
        raise Inconclusive(f"no threads are scheduled in {trial.check.code}: there is no such round")
    return found


def _count(trial: Trial, searched: Searched) -> None:
    trial.count("histories", searched.rounds)
    trial.count("operations", searched.operations)
    trial.count("comparisons", searched.overlapping)
    if searched.raised:
        trial.count("calls that raised", searched.raised)


def _violation(trial: Trial, order: Order, found: Found) -> Violation:
    one, verdict = found.round, found.verdict
    history: History
    stops = None
    marked = verdict.witness
    if one.stuck:
        history, marked = marked, ()
    elif verdict.checker == DRIVER:
        history = [each for witness in marked for each in _beside(witness, one.history)]
    else:
        judge = KINDS[order.plan].judge
        trial.bench.progress(f"{trial.check.code}: looking for the smallest history")
        if any(operation.verb in _SHOWN_ALONE for operation in verdict.witness):
            history = verdict.witness
        else:
            history = smallest(one.history, lambda part: judge(part).broken)
            verdict = judge(history)
            marked = verdict.witness
            stops = stops_at(history, lambda part: judge(part).broken)
            history = [*history, *_upkeep_beside(history, one.history)]
    who = "threads" if order.way in (*THREADS, "handles") else "processes"
    who = "tasks" if order.way in ("tasks", "cancelled") else who
    scheduled = order.way == "scheduled" and not one.stuck
    return Violation(
        f"{order.plan}, by {order.workers} {who}; the smallest part of round {found.number} that can't be",
        expected=KINDS[order.plan].expected,
        got=verdict.why or "there is none",
        story=(*lanes(history, marked, _named), *(switch_lines(one.switches) if scheduled else ())),
        history=lane_data(history, marked, _named, stops),
        repeat=str(Repeat(trial.check.code, found.number, tuple(one.switches))) if scheduled else "",
    )


def _named(worker: int) -> str:
    return f"w{worker + 1}"


def _upkeep_beside(part: History, history: History) -> list[Operation]:
    """Return what was done meanwhile to look after the store: it is not judged, but it may be the culprit."""
    known = {(each.worker, each.call) for each in part}
    begin = min((each.call for each in part), default=0)
    end = max((each.call for each in part), default=0)
    upkeep = [each for each in history if each.verb in UPKEEP and (each.worker, each.call) not in known]
    return [each for each in upkeep if each.end > begin and each.call < end][:_BESIDE]


def _beside(one: Operation, history: History) -> list[Operation]:
    """Return a call that never returned, and some that were made by others from then on."""
    others = [each for each in history if each.worker != one.worker and each.end > one.call]
    return [one, *others[:_BESIDE]]
