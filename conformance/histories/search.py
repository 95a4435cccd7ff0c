"""Searching for a history that can't be: round after round, each on a fresh store, until one is found or time is up."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NoReturn

from conformance.backend import Backend
from conformance.histories.drivers.schedule import Switch
from conformance.histories.hung import culprit, stacks_after
from conformance.histories.kinds import DRIVER, KINDS, judged
from conformance.histories.meetings import LOOKS, Meetings
from conformance.histories.operation import Operation
from conformance.histories.plans.plan import Plan
from conformance.histories.replay import Repeat, fewest, only_asked
from conformance.histories.rounds.round import LIMIT_S, Round
from conformance.histories.rounds.threads import in_threads
from conformance.histories.rounds.ways import WAYS, Way
from conformance.histories.verdict import Verdict
from conformance.workers import Bay

#: Rounds of processes that a busy machine, too, carries out, unless they take so many times the seconds:
#: there they meet less often, and it must not see less.
LEAST, OVERTIME = 4, 2
#: Workers get so long to meet at all, as that nobody met is no evidence; but tasks that never wait never do.
MEETING_S = 3.0
MAY_NEVER_MEET: tuple[Way, ...] = ("tasks", "cancelled")
#: Ways in which workers meet however busy the machine is: they take turns, or are switched very often.
BY_THEMSELVES: tuple[Way, ...] = ("scheduled", "free", "handles", "tasks", "cancelled")


#: Steps of transactions that change nothing.
_READS = ("read", "get", "scan")
#: The file to which a search that hangs writes its stacks, and the seconds it gets for that.
_STACKS, _DUMP_S = "stacks", 1.0


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
        seconds: No round is begun that would end after so long, but for the first few.
        only: The round that is wanted; None for any.
    """

    plan: str
    way: Way
    seed: int
    workers: int
    length: int
    age: int
    rounds: int
    seconds: float
    only: Repeat | None = None


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
        counted: What the kind counts, in all of them.
        found: The first that can't be.
        alone: What changes raised, where those of one worker at most ever returned beside others; else empty.
    """

    rounds: int = 0
    operations: int = 0
    overlapping: int = 0
    unknown: int = 0
    raised: int = 0
    counted: int = 0
    found: Found | None = None
    alone: str = ""


def plan_of(order: Order, number: int) -> Plan:
    """Return the plan of a round."""
    return KINDS[order.plan].plan(_seed(order, number), order.workers, order.length, order.age)


def search(backend: Backend, contract: str, folder: Path, order: Order) -> Searched:
    """Carry out rounds until one can't be, or the order's limits are reached."""
    if order.only is not None:
        found = _repeated(backend, contract, folder / "repeated", order, order.only)
        if found.found is not None:
            return found
        # Something is otherwise than it was then, such as what the process did before: that is done first.
        order = replace(order, rounds=order.only.number + 1, only=None)
    start = time.monotonic()
    counts: dict[str, Any] = dict.fromkeys(("rounds", "operations", "overlapping", "unknown", "raised", "counted"), 0)
    meetings = Meetings()
    with WAYS[order.way](backend, contract, order.workers) as carry_out:
        for number in range(order.rounds):
            place = folder / f"round-{number}"
            place.mkdir(parents=True)
            one = carry_out(place, plan_of(order, number), _seed(order, number))
            verdict = judged(order.plan, one)
            _note(meetings, one)
            counts["overlapping"] = meetings.overlapping
            for name, more in (
                ("rounds", 1),
                ("operations", len(one.history)),
                ("unknown", verdict.answer == "unknown"),
                ("raised", len(one.raised)),
                ("counted", KINDS[order.plan].counts(one.history)),
            ):
                counts[name] += more
            if verdict.broken:
                if order.way == "scheduled" and not one.stuck:
                    one = fewest(one, partial(_replayed, backend, contract, folder / "replays", order, number))
                    verdict = judged(order.plan, one)
                return Searched(**counts, found=Found(number, one, verdict))
            shutil.rmtree(place, ignore_errors=True)
            # One more would take as long as the others did.
            if (time.monotonic() - start) * (number + 2) / (number + 1) > _limit_s(order, **counts):
                break
    return Searched(**counts, alone=meetings.alone)


def _note(meetings: Meetings, one: Round) -> None:
    raised = {each.worker: each for each in one.raised}
    returned = [_seen(each) for each in one.history if each.outcome != "info" or each.worker not in raised]
    changes = {worker: each for worker, each in raised.items() if each.verb not in LOOKS}
    meetings.note(returned, {worker: f"{each.verb} raised {each.error}" for worker, each in changes.items()})


def _seen(one: Operation) -> Operation:
    """Return a transaction that only reads, or reads that were made outside of any, as a look."""
    if one.verb == "transaction" and all(step[0] in _READS for step in one.answer or ()):
        return one._replace(verb="get")
    return one


def _limit_s(order: Order, rounds: int, overlapping: int, **_: int) -> float:
    if not overlapping and order.way not in MAY_NEVER_MEET:
        return max(MEETING_S, order.seconds)
    return order.seconds * (1 if rounds >= LEAST or order.way in BY_THEMSELVES else OVERTIME)


def _repeated(backend: Backend, contract: str, folder: Path, order: Order, only: Repeat) -> Searched:
    """Replay one round; what is done when code first runs can make a difference, so there are two attempts."""
    for _ in range(2):
        one = _replayed(backend, contract, folder, order, only.number, only.switches)
        if one is not None:
            found = Found(only.number, one, judged(order.plan, one))
            return Searched(rounds=1, operations=len(one.history), found=found)
    return Searched()


def _replayed(
    backend: Backend, contract: str, folder: Path, order: Order, number: int, switches: Sequence[Switch]
) -> Round | None:
    """Return a round, carried out again with these switches, if it can't be."""
    plan, seed = plan_of(order, number), _seed(order, number)
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(dir=folder))  # each time another: a store in memory may be found again by its path
    one = in_threads(backend, contract, place / "store", plan, seed, "scheduled", switches)
    shutil.rmtree(place, ignore_errors=True)
    return only_asked(one, switches) if not one.stuck and judged(order.plan, one).broken else None


def _seed(order: Order, number: int) -> int:
    return order.seed * 1_000_003 + number


def search_in_child(bay: Bay, order: Order) -> Searched:
    """Search in a forked child, which is killed with all that it started when it does not end; runs in a worker.

    Raises:
        RuntimeError: The search itself failed or hung, which says nothing about the store.
    """
    folder = bay.cleared()
    folder.mkdir(parents=True, exist_ok=True)
    limit_s = order.seconds + 4 * LIMIT_S
    here, there = Pipe()
    child = os.fork()
    if child == 0:
        here.close()
        _search_and_tell(bay, order, folder, limit_s, there)
    there.close()
    try:
        if not here.poll(limit_s + _DUMP_S):
            stacks = (folder / _STACKS).read_text()
            if where := culprit(stacks):
                return _nothing(f"a call of the store never came back, and nothing else could go on: {where}")
            raise RuntimeError(f"the search hung:\n{stacks}")
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


def _search_and_tell(bay: Bay, order: Order, folder: Path, limit_s: float, line: Connection) -> NoReturn:
    try:
        os.setsid()
        with stacks_after(limit_s, folder / _STACKS):
            found = search(bay.backend, bay.contract, folder, order)
        line.send(found)
    except Exception:  # noqa: BLE001 - told to the other side
        line.send(traceback.format_exc())
    finally:
        os._exit(0)
