"""Rounds in which a process stops at a C call of the store's code while others use the store; it goes on, or is killed.

A stop lasts until the others are done, or wait for what the stopped one holds. So the windows of a race are held open,
one after the other, and a lock that is left behind meets those who want it. Source: leases without fencing
(langgraph#8796): a paused owner, whose lease ran out meanwhile, goes on to write.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, Literal, NamedTuple

from conformance.backend import Backend
from conformance.histories.drivers.processes import Member, MemberError, Team
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.openers import owner_before, visit_after
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round
from conformance.histories.rounds.stopping import Moment, go_on, rung, stops
from conformance.histories.rounds.visits import Visit, ask, leave, round_of, write

#: `opener stopped`: in its opening, or while others open. `stopped`: in what it asks. `holder killed`: anywhere, and it
#: is killed there.
StopWay = Literal["opener stopped", "stopped", "holder killed"]

#: Seconds that the others get while one is stopped: mostly they are done at once, or wait for it.
_PATIENCE_S = (0.005, 0.005, 0.02)
#: After a longer stop, on a busy machine, others may have given up waiting: what they raised says nothing.
_STOP_S_MAX = 0.15
#: Who may be stopped a bit later than what was counted: that need not be all.
_FURTHER = 1.2
#: How probable it is that the others ask the rest only when who stopped is done: what they hold is old by then.
_LATE = 0.5
#: Multiples of it, without the whole part, fill the space between 0 and 1 evenly.
_GOLDEN = 0.618034
#: C calls of an opening, or of what is asked, as long as nobody has counted them.
_CALLS = 16


class Chances(NamedTuple):
    """How probable it is, in a way, that something is so.

    Args:
        before: Another process has used the store before.
        opening: Who stops does so in its opening.
        early: The others have the store open by then.
    """

    before: float
    opening: float
    early: float


_CHANCES: Mapping[StopWay, Chances] = {
    "opener stopped": Chances(before=0.5, opening=0.6, early=0.0),
    "stopped": Chances(before=1.0, opening=0.0, early=1.0),
    # What a kill leaves of a store that is just being created is another question.
    "holder killed": Chances(before=1.0, opening=0.3, early=0.6),
}


class Phase(NamedTuple):
    """What is stopped: an opening, or what is asked, of a store that is there already, or is not."""

    moment: Moment
    there: bool


@dataclass(frozen=True)
class Stage:
    """Rounds of one way, with what they share.

    Args:
        way: The way.
        team: A member for each worker; the first is the one that stops.
        bell: Rings when it stops, and when it goes on.
        state: What a member has from the start.
        calls: How many C calls were counted last time in each phase.
        tried: How often one was to stop in each phase.
    """

    way: StopWay
    team: Team
    bell: Connection
    state: Mapping[str, Any]
    calls: dict[Phase, int] = field(default_factory=dict)
    tried: Counter[Phase] = field(default_factory=Counter)

    def next_call(self, phase: Phase) -> int:
        """Return at which call to stop next: all have their turn, and neighbours not one after the other."""
        self.tried[phase] += 1
        return 1 + int(_FURTHER * self.calls.get(phase, _CALLS) * (self.tried[phase] * _GOLDEN % 1))


@contextmanager
def stopped(way: StopWay, backend: Backend, contract: str, workers: int) -> Iterator[CarryOut]:
    """Have a process for each worker; the first of them is the one that stops."""
    bell, there = Pipe()
    state = {"backend": backend, "contract": contract, "bell": there}
    with bell, there, closing(Team(workers, state)) as team:
        stage = Stage(way, team, bell, state)
        yield lambda folder, plan, seed: in_stops(stage, folder, plan, seed)


def in_stops(stage: Stage, folder: Path, plan: Plan, seed: int) -> Round:
    """Carry out a plan with a process for each worker, of which the first one stops once."""
    draw = random.Random(seed)
    contract, workers = stage.state["contract"], len(plan.workers)
    chances = _CHANCES[stage.way]
    phase = Phase("opening" if draw.random() < chances.opening else "asking", draw.random() < chances.before)
    visits: list[Visit] = []
    try:
        if phase.there:
            older = replace(plan, before=plan.before or write(contract, "old", workers + 2))
            visits += owner_before(stage.team, stage.state["backend"], folder, older, draw)
        others, lasted = _meet(stage, folder, plan, phase, draw)
        visits += others
        visit_after(stage.team.members[0], folder, plan, visits, write(contract, "last", workers + 3))
    except MemberError as error:
        return replace(round_of(visits, stage.state["backend"]), stuck=str(error))
    return round_of(visits, stage.state["backend"]) if lasted <= _STOP_S_MAX else Round([])


def _meet(stage: Stage, folder: Path, plan: Plan, phase: Phase, draw: random.Random) -> tuple[list[Visit], float]:
    """Have all workers do what they are asked; return what came of it, and how long one was stopped that went on."""
    first, *others = stage.team.members

    def told(part: slice) -> None:
        for number, member in enumerate(others, 1):
            member.tell(ask, folder, number, plan.workers[number][part], plan.times)

    half = (len(plan.workers[0]) + 1) // 2
    visits: list[Visit] = []
    if draw.random() < _CHANCES[stage.way].early:  # with a handle that was opened before
        told(slice(0))
        visits += [member.answer(LIMIT_S) for member in others]
    at = stage.next_call(phase)
    first.tell(stops, folder, plan.workers[0][:half], plan.times, phase.moment, at)
    left, since = rung(stage.bell), time.monotonic()
    told(slice(half))
    waiting = _waiting(others, since + draw.choice(_PATIENCE_S), visits)
    late = draw.random() < _LATE
    if not late:
        told(slice(half, None))
    lasted = 0.0
    alive = left is None or stage.way != "holder killed"
    if left is not None and not alive:
        stage.team.replace(0)
        visits.append(left)
        stage.calls[phase] = max(at, stage.calls.get(phase, 0))  # who is killed counts no further
    elif left is not None:
        go_on(first, stage.bell)
        lasted = time.monotonic() - since
    visits += [member.answer(LIMIT_S) for member in waiting]
    if alive:
        stage.calls[phase], visit = first.answer(LIMIT_S)
        visits.append(visit)
    if late:
        told(slice(half, None))
    visits += [member.answer(LIMIT_S) for member in others]
    for member in others:
        member.tell(leave)
        member.answer(LIMIT_S)
    return visits, lasted


def _waiting(members: Sequence[Member], until: float, visits: list[Visit]) -> list[Member]:
    """Add what members answer in time, and return those who have not answered yet."""
    late: list[Member] = []
    for member in members:
        try:
            visits.append(member.answer(max(0.0, until - time.monotonic())))
        except MemberError:
            late.append(member)  # if it died, it says so again
    return late
