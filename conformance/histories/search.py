"""Searching for a history that can't be: round after round, each on a fresh store, until one is found or time is up."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NoReturn

from conformance.backend import Backend
from conformance.histories.checkers.listing import check_listing
from conformance.histories.checkers.log import check_log
from conformance.histories.checkers.register import check_register
from conformance.histories.drivers.processes import Team
from conformance.histories.operation import History
from conformance.histories.plan import PLANS, Plan
from conformance.histories.rounds import LIMIT_S, Round, Way, in_processes, in_threads
from conformance.histories.verdict import Verdict
from conformance.workers import Bay

#: Decides on what no checker is asked about: what hung, died or raised.
DRIVER = "the driver"
#: Calls that only look: no other call may make them fail.
_LOOKS = ("get", "list", "read")
#: What decides on a history, by the plan that it comes of, where that is not the checker of registers.
_JUDGES: Mapping[str, Callable[[History], Verdict]] = {"appends": check_log, "listings": check_listing}


@dataclass(frozen=True)
class Order:
    """What is searched.

    Args:
        plan: The name of the kind of plan.
        way: How workers meet.
        seed: Of all plans and schedules.
        workers: How many ask at once.
        length: How often each asks.
        age: Calls that a store is old at most, when the workers begin.
        rounds: So many at most.
        seconds: No round is begun after so long.
    """

    plan: str
    way: Way
    seed: int
    workers: int
    length: int
    age: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Found:
    """A round that can't be.

    Args:
        number: Of the round, from 0; with the order it tells the plan and the schedule.
        round: What happened.
        verdict: Why it can't be.
    """

    number: int
    round: Round
    verdict: Verdict


@dataclass(frozen=True)
class Searched:
    """What came of a search.

    Args:
        rounds: That were judged.
        operations: In all of them.
        overlapping: Rounds in which some calls of different workers overlapped.
        unknown: Rounds that the checker could not decide.
        raised: Calls that raised.
        found: The first that can't be.
    """

    rounds: int = 0
    operations: int = 0
    overlapping: int = 0
    unknown: int = 0
    raised: int = 0
    found: Found | None = None


def plan_of(order: Order, number: int) -> Plan:
    """Return the plan of a round."""
    return PLANS[order.plan](_seed(order, number), order.workers, order.length, order.age)


def search(backend: Backend, contract: str, folder: Path, order: Order) -> Searched:
    """Carry out rounds until one can't be, or the order's limits are reached."""
    until = time.monotonic() + order.seconds
    counts: dict[str, Any] = dict.fromkeys(("rounds", "operations", "overlapping", "unknown", "raised"), 0)
    processes = order.way in ("processes", "paused")
    state = {"backend": backend, "contract": contract}
    with closing(Team(order.workers, state)) if processes else nullcontext() as team:
        for number in range(order.rounds):
            place = folder / f"round-{number}"
            place.mkdir(parents=True)
            plan, seed = plan_of(order, number), _seed(order, number)
            one = _carried_out(backend, contract, team, place, order, plan, seed)
            if one.stuck and team is None:  # once more: on a busy machine a thread may get no time at all
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                one = _carried_out(backend, contract, team, place, order, plan, seed)
            verdict = judged(order.plan, one)
            for name, more in (
                ("rounds", 1),
                ("operations", len(one.history)),
                ("overlapping", _overlaps(one.history)),
                ("unknown", verdict.answer == "unknown"),
                ("raised", len(one.raised)),
            ):
                counts[name] += more
            if verdict.broken:
                return Searched(**counts, found=Found(number, one, verdict))
            shutil.rmtree(place, ignore_errors=True)
            if time.monotonic() > until:
                break
    return Searched(**counts)


def _carried_out(
    backend: Backend, contract: str, team: Team | None, place: Path, order: Order, plan: Plan, seed: int
) -> Round:
    if team is not None:
        return in_processes(team, place, plan, seed, order.way)
    return in_threads(backend, contract, place, plan, seed, order.way)


def judge_of(plan: str) -> Callable[[History], Verdict]:
    """Return what decides on the histories of a kind of plan."""
    return _JUDGES.get(plan, check_register)


def judged(plan: str, one: Round) -> Verdict:
    """Return what is to be said of a round of a kind of plan."""
    if one.stuck:
        return Verdict("not linearizable", one.stuck, checker=DRIVER)
    for verb, error in one.raised:
        if verb in _LOOKS:
            return Verdict("not linearizable", f"a {verb} raised {error} while others wrote", checker=DRIVER)
    return judge_of(plan)(one.history)


def _overlaps(history: History) -> bool:
    end, last = -1, -1
    for operation in history:
        if operation.call < end and operation.worker != last:
            return True
        if operation.end > end:
            end, last = operation.end, operation.worker
    return False


def _seed(order: Order, number: int) -> int:
    return order.seed * 1_000_003 + number


def search_in_child(bay: Bay, order: Order) -> Searched:
    """Search in a forked child, which is killed with all that it started when it does not end; runs in a worker.

    Raises:
        RuntimeError: The search itself failed, which says nothing about the store.
    """
    folder = bay.cleared()
    here, there = Pipe()
    child = os.fork()
    if child == 0:
        here.close()
        _search_and_tell(bay, order, folder, there)
    there.close()
    try:
        if not here.poll(order.seconds + 4 * LIMIT_S):
            return _nothing("the search never came to an end")
        found: Searched | str = here.recv()
        if isinstance(found, str):
            raise RuntimeError(found)
        return found
    except EOFError:
        return _nothing("the process in which the store was open died")
    finally:
        here.close()
        for kill in (os.killpg, os.kill):  # it may not have a group of its own yet
            with suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _nothing(why: str) -> Searched:
    verdict = Verdict("not linearizable", why, checker=DRIVER)
    return Searched(rounds=1, found=Found(0, Round([], (), why), verdict))


def _search_and_tell(bay: Bay, order: Order, folder: Path, line: Connection) -> NoReturn:
    try:
        os.setsid()
        line.send(search(bay.backend, bay.contract, folder, order))
    except Exception:  # noqa: BLE001 - told to the other side
        line.send(traceback.format_exc())
    finally:
        os._exit(0)
