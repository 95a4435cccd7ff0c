"""Searching for a history that can't be: round after round, each on a fresh store, until one is found or time is up."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NoReturn

from conformance.backend import Backend
from conformance.histories.kinds import DRIVER, KINDS, judged
from conformance.histories.operation import History
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import LIMIT_S, Round
from conformance.histories.rounds.ways import WAYS, Way
from conformance.histories.verdict import Verdict
from conformance.workers import Bay


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
    return KINDS[order.plan].plan(_seed(order, number), order.workers, order.length, order.age)


def search(backend: Backend, contract: str, folder: Path, order: Order) -> Searched:
    """Carry out rounds until one can't be, or the order's limits are reached."""
    until = time.monotonic() + order.seconds
    counts: dict[str, Any] = dict.fromkeys(("rounds", "operations", "overlapping", "unknown", "raised"), 0)
    with WAYS[order.way](backend, contract, order.workers) as carry_out:
        for number in range(order.rounds):
            place = folder / f"round-{number}"
            place.mkdir(parents=True)
            one = carry_out(place, plan_of(order, number), _seed(order, number))
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
