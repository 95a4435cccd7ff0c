"""Rounds of processes that open one store at the same moment, and again and again while others use it.

Sources: the creation race of cachew PR#90, where whoever opens clears away the files of others; SQLite's "WAL-reset
bug", where two connections that recover at once lose what was committed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from conformance.backend import PROMISES, Backend
from conformance.frames import is_of_store
from conformance.histories.drivers.calls import at_calls, pauses
from conformance.histories.drivers.processes import Member, MemberError, Team
from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round
from conformance.histories.rounds.visits import Visit, ask, round_of, visit
from conformance.workers import Bay

#: Nanoseconds that the members get to be ready for a start together.
_READY_NS = 300_000
#: How probable it is that who used the store before was killed.
_KILLED = 0.7
#: Seconds that a second process gets to be refused, or let in.
_WAIT_S = 5.0
#: Calls that are made with one handle, at most, before another is opened.
_CALLS_MAX = 3


@contextmanager
def openers(backend: Backend, contract: str, workers: int) -> Iterator[CarryOut]:
    """Have a process for each worker; all open at once, and each opens anew after a few calls."""
    with closing(Team(workers, {"backend": backend, "contract": contract})) as team:
        yield lambda folder, plan, seed: in_openers(team, backend, folder, plan, seed)


def in_openers(team: Team, backend: Backend, folder: Path, plan: Plan, seed: int) -> Round:
    """Carry out a plan with a process for each worker; half of the rounds begin with a store that is not there yet."""
    draw = random.Random(seed)
    visits: list[Visit] = []
    try:
        if draw.random() < 0.5:
            visits += owner_before(team, backend, folder, plan, draw)
        pause = seed if draw.random() < 0.5 else None
        start = time.monotonic_ns() + _READY_NS
        orders = [
            (folder, number, _cut(asks, draw), plan.times, start, pause) for number, asks in enumerate(plan.workers)
        ]
        visits += [visit for mine in team.ask_all(_visits, orders, LIMIT_S) for visit in mine]
        visit_after(team.members[0], folder, plan, visits)
    except MemberError as error:
        return replace(round_of(visits, backend), stuck=str(error))
    return round_of(visits, backend)


def second_opening(bay: Bay) -> Literal["refused", "let in", "waits"]:
    """Return what becomes of a process that opens the store while another one has it open; runs in a worker.

    Raises:
        MemberError: The first one was refused too, or hung.
    """
    folder = bay.cleared()
    folder.mkdir()
    with closing(Team(2, {"backend": bay.backend, "contract": bay.contract})) as team:
        first, second = team.members
        first.tell(ask, folder, 0, (), 1)
        alone: Visit = first.answer(LIMIT_S)
        if alone.refused:
            raise MemberError(alone.refused)
        second.tell(ask, folder, 1, (), 1)
        try:
            return "refused" if second.answer(_WAIT_S).refused else "let in"
        except MemberError:
            return "waits"


def owner_before(team: Team, backend: Backend, folder: Path, plan: Plan, draw: random.Random) -> list[Visit]:
    """Have a member do what comes before; it closes the store, or is killed if the store promises to bear it.

    Raises:
        MemberError: It did not come to its end.
    """
    killed = bears_kills(backend) and draw.random() < _KILLED
    owner = team.members[-1]
    owner.tell(ask if killed else visit, folder, len(plan.workers), plan.before, plan.times)
    found: Visit = owner.answer(LIMIT_S)
    if killed:
        team.replace(len(team.members) - 1)
    return [found]


def bears_kills(backend: Backend) -> bool:
    """Tell whether a store promises to keep what it acknowledged when its process is killed."""
    levels = PROMISES["durability"]
    return levels.index(backend.durability) <= levels.index("process-crash")


def visit_after(member: Member, folder: Path, plan: Plan, visits: list[Visit], more: Sequence[Ask] = ()) -> None:
    """Have a new handle do what comes last, and add what came of it to what came of the others.

    Raises:
        MemberError: It did not come to its end, or something was refused, although nobody else has the store open.
    """
    member.tell(visit, folder, len(plan.workers) + 1, [*plan.after, *more], plan.times)
    last: Visit = member.answer(LIMIT_S)
    visits.append(last)
    if last.refused:
        raise MemberError(f"when all were gone, an opening raised {last.refused}")
    for _, verb, error in last.raised:
        raise MemberError(f"when all were gone, a {verb} raised {error}")


def _cut(asks: Sequence[Ask], draw: random.Random) -> list[Sequence[Ask]]:
    """Return asks in parts, one for each handle."""
    parts, place = [], 0
    while place < len(asks):
        size = draw.randint(1, _CALLS_MAX)
        parts.append(asks[place : place + size])
        place += size
    return parts


# What a member of a team is asked.


def _visits(
    state: dict[str, Any],
    folder: Path,
    worker: int,
    parts: Sequence[Sequence[Ask]],
    times: int,
    start: int,
    pause: int | None,
) -> list[Visit]:
    found: list[Visit] = []
    while time.monotonic_ns() < start:
        pass
    with at_calls(None if pause is None else pauses(pause), is_of_store):
        for asks in parts:
            found.append(visit(state, folder, worker, asks, times))
            if found[-1].raised:  # nobody knows what comes of it: this worker is not heard of again
                break
    return found
