"""Rounds of workers of one job store: processes with a handle each; threads or tasks of one handle.

Workers of a vector store meet in the same way; what they do is told by the kind of round.
"""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from conformance.backend import Backend
from conformance.frames import is_of_store, store_code
from conformance.histories import claims, nearness
from conformance.histories.claims import Client, Deed, Finding, Kind
from conformance.histories.claims_tasks import in_tasks
from conformance.histories.drivers.calls import at_calls, pauses
from conformance.histories.drivers.points import Points
from conformance.histories.drivers.processes import MemberError, Team
from conformance.histories.drivers.threads import Noise, run_free
from conformance.histories.meetings import LOOKS, Meetings
from conformance.histories.rounds.round import LIMIT_S, closed, opened
from conformance.histories.search import LEAST, MEETING_S, OVERTIME
from conformance.workers import Bay
from conformance.workers.forked import Ended, alone

#: Who meets.
Workers = Literal["processes", "threads", "tasks"]
#: What workers do, and of which contract.
_OF_VECTORS = ("additions", "searches")
#: The share of points at which a thread sleeps, in every other round.
_NOISE = 0.02


@dataclass(frozen=True)
class Order:
    """What is searched.

    Args:
        kind: What the workers do.
        by: Who they are.
        seed: Of their pauses.
        rounds: So many at most.
        seconds: No round is begun that would end after so long, but for the first few.
        workers: How many.
    """

    kind: Kind
    by: Workers
    seed: int
    rounds: int
    seconds: float
    workers: int = 3


@dataclass(frozen=True)
class Met:
    """What came of a search.

    Args:
        rounds: That were judged.
        deeds: Calls in all of them.
        overlapping: Rounds in which some calls of different workers overlapped.
        raised: Calls that raised what is no conflict.
        found: What can't be, if anything.
        alone: What changes raised, where those of one worker at most ever returned beside others; else empty.
    """

    rounds: int = 0
    deeds: int = 0
    overlapping: int = 0
    raised: int = 0
    found: Finding | None = None
    alone: str = ""


#: What was done before the others came, what all did then, and the jobs at the end.
_Round = tuple[list[Deed], list[Deed], dict[str, Any]]


def meet(bay: Bay, order: Order) -> Met:
    """Search in a forked child for what can't be; runs in a worker.

    Raises:
        RuntimeError: The search itself failed, which says nothing about the store.
    """
    found = alone(bay, _searched, order, order.seconds + 4 * LIMIT_S)
    if isinstance(found, Ended):
        return Met(rounds=1, found=Finding(f"the process in which the store was open {found.how}: {found.detail}", ()))
    if isinstance(found, str):
        raise RuntimeError(found)
    met: Met = found
    return met


def _searched(bay: Bay, order: Order) -> Met | str:
    try:
        folder = bay.cleared()
        folder.mkdir(parents=True, exist_ok=True)
        return search(bay.backend, folder, order)
    except Exception:  # noqa: BLE001 - told to the other side
        return traceback.format_exc()


def search(backend: Backend, folder: Path, order: Order) -> Met:
    """Carry out rounds, each in a fresh place, until one can't be, or the order's limits are reached."""
    start = time.monotonic()
    rounds = deeds = raised = 0
    meetings = Meetings()
    with ExitStack() as stack:
        carry_out: Callable[[Path, int], _Round]
        if order.by == "threads":
            carry_out = partial(_in_threads, backend, order)
        elif order.by == "tasks":
            carry_out = partial(in_tasks, backend, order.kind, order.workers)
        else:
            team = stack.enter_context(closing(Team(order.workers, {"backend": backend, "kind": order.kind})))
            carry_out = partial(_in_processes, team)
        while rounds < order.rounds:
            place = folder / f"round-{rounds}"
            place.mkdir(parents=True)
            try:
                before, done, jobs = carry_out(place, order.seed + rounds)
                found = _play(order.kind).judged(order.kind, before, done, jobs)
            except MemberError as error:
                done, found = [], Finding(str(error), ())
            rounds += 1
            deeds += len(done)
            unknown = [deed for deed in done if deed.outcome == "info"]
            raised += len(unknown)
            meetings.note(
                [deed for deed in done if deed.outcome != "info"],
                {deed.worker: f"{deed.verb} raised {deed.error}" for deed in unknown if deed.verb not in LOOKS},
            )
            if found is not None:
                return Met(rounds, deeds, meetings.overlapping, raised, found)
            shutil.rmtree(place, ignore_errors=True)
            # On a busy machine workers meet less often, and no fewer rounds must be seen there.
            limit_s = order.seconds * (1 if rounds >= LEAST else OVERTIME)
            if not meetings.overlapping and order.by != "tasks":  # tasks of a store that never waits never meet
                limit_s = MEETING_S
            # One round without pauses and one with them there are in any case.
            if rounds > 1 and (time.monotonic() - start) * (rounds + 1) / rounds > limit_s:
                break
    return Met(rounds, deeds, meetings.overlapping, raised, alone=meetings.alone)


def _in_processes(team: Team, folder: Path, seed: int) -> _Round:
    """Carry out a round with a process for each worker; a new handle comes last."""
    first, size = team.members[0], len(team.members)

    def asked(function: Callable[..., Any], *arguments: Any) -> Any:
        first.tell(function, *arguments)
        return first.answer(LIMIT_S)

    asked(_open, str(folder), 0)
    before: list[Deed] = asked(_prepare)
    # Who has the store open goes on with it.
    team.ask_all(_open, [(str(folder), number) for number in range(size)], LIMIT_S)
    left = _left(before)
    pause = seed if seed % 2 else None
    deeds = [deed for part in team.ask_all(_act, [(left, pause)] * size, LIMIT_S) for deed in part]
    team.ask_all(_close, [()] * size, LIMIT_S)
    asked(_open, str(folder), size)
    last, jobs = asked(_finish)
    asked(_close)
    return before, sorted([*deeds, *last]), jobs


def _in_threads(backend: Backend, order: Order, folder: Path, seed: int) -> _Round:
    """Carry out a round with a thread for each worker, all on one open store.

    Raises:
        MemberError: The threads never came to an end.
    """
    driver, store = opened(backend, _contract(order.kind), folder)
    clients = [Client(number, backend, driver, store, time.monotonic_ns) for number in range(order.workers + 1)]
    first, last = clients[0], clients[-1]
    play = _play(order.kind)
    play.prepare(order.kind, first)
    before, first.deeds = first.deeds, []
    left = _left(before)
    noise = Noise(Points(store_code()), seed, rate=_NOISE) if seed % 2 else None
    ran = run_free([partial(play.act, order.kind, one, left) for one in clients[:-1]], noise=noise, limit_s=LIMIT_S)
    if ran.stuck:
        raise MemberError("the threads never came to an end")
    for error in filter(None, ran.errors):
        raise error
    jobs = play.finish(order.kind, last)
    closed(driver, store)
    return before, sorted(deed for one in clients for deed in one.deeds), jobs


def _contract(kind: Kind) -> str:
    return "vectors" if kind in _OF_VECTORS else "jobs"


def _play(kind: Kind) -> Any:
    """Return the module that says what workers do in a kind of round, and judges it."""
    return nearness if kind in _OF_VECTORS else claims


def _left(before: Sequence[Deed]) -> list[tuple[str, int]]:
    return [pair for deed in before if deed.verb == "claim" for pair in deed.told]


# What members of a team are asked. Their state has the backend and the kind, and the open store.


def _open(state: dict[str, Any], folder: str, worker: int) -> None:
    if "client" in state:
        return
    driver, store = opened(state["backend"], _contract(state["kind"]), Path(folder))
    state["client"] = Client(worker, state["backend"], driver, store, time.monotonic_ns)


def _prepare(state: dict[str, Any]) -> list[Deed]:
    client: Client = state["client"]
    _play(state["kind"]).prepare(state["kind"], client)
    deeds, client.deeds = client.deeds, []
    return deeds


def _act(state: dict[str, Any], left: Sequence[tuple[str, int]], pause: int | None) -> list[Deed]:
    client: Client = state["client"]
    with at_calls(None if pause is None else pauses(pause), is_of_store):
        _play(state["kind"]).act(state["kind"], client, left)
    return client.deeds


def _finish(state: dict[str, Any]) -> tuple[list[Deed], dict[str, Any]]:
    jobs = _play(state["kind"]).finish(state["kind"], state["client"])
    return state["client"].deeds, jobs


def _close(state: dict[str, Any]) -> None:
    client: Client | None = state.pop("client", None)
    if client is not None:
        closed(client.driver, client.store)
