"""Rounds of processes, each with a handle of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from conformance.backend import Backend
from conformance.frames import is_of_store
from conformance.histories.drivers.calls import at_calls, pauses
from conformance.histories.drivers.processes import MemberError, Team, ranked
from conformance.histories.operation import Operation
from conformance.histories.perform import Client, Raised
from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round, closed, opened

#: `processes`: nothing slows them. `paused`: they pause at C calls of the store's code.
ProcessWay = Literal["processes", "paused"]


@contextmanager
def processes(way: ProcessWay, backend: Backend, contract: str, workers: int) -> Iterator[CarryOut]:
    """Have a process for each worker, the same in all rounds."""
    with closing(Team(workers, {"backend": backend, "contract": contract})) as team:
        yield lambda folder, plan, seed: in_processes(team, folder, plan, seed, way)


def in_processes(team: Team, folder: Path, plan: Plan, seed: int, way: ProcessWay) -> Round:
    """Carry out a plan with a process for each worker, each with a handle of its own; a new handle reads at the end."""
    first, size = team.members[0], len(team.members)
    found: list[tuple[list[Operation], list[Raised]]] = []
    try:
        if plan.before:  # by a handle that is still open when the others come
            first.tell(_open, str(folder), 0, plan.times)
            first.answer(LIMIT_S)
            first.tell(_ask, plan.before, None)
            found.append(first.answer(LIMIT_S))
        # Who has the store open goes on with it.
        team.ask_all(_open, [(str(folder), number, plan.times) for number in range(size)], LIMIT_S)
        pause = seed if way == "paused" else None
        found += team.ask_all(_ask, [(asks, pause) for asks in plan.workers], LIMIT_S)
        team.ask_all(_close, [()] * size, LIMIT_S)
        first.tell(_open, str(folder), size + 1, plan.times)
        first.answer(LIMIT_S)
        first.tell(_ask, plan.after, None)
        found.append(first.answer(LIMIT_S))
        first.tell(_close)
        first.answer(LIMIT_S)
    except MemberError as error:
        return Round([], (), str(error))
    history = ranked([operation for part, _ in found for operation in part])
    return Round(history, [one for _, raised in found for one in raised])


# What members of a team are asked. Their state has the backend and the contract, and the open store.


def _open(state: dict[str, Any], folder: str, worker: int, times: int) -> None:
    if "open" in state:
        return
    driver, store = opened(state["backend"], state["contract"], Path(folder))
    state["open"] = driver, store
    state["client"] = Client(worker, state["backend"], driver, store, time.monotonic_ns, times)


def _ask(state: dict[str, Any], asks: Sequence[Ask], pause: int | None) -> tuple[list[Operation], list[Raised]]:
    client: Client = state["client"]
    client.history, client.raised = [], []
    with at_calls(None if pause is None else pauses(pause), is_of_store):
        client.ask_all(asks)
    return client.history, client.raised


def _close(state: dict[str, Any]) -> None:
    if "open" in state:
        closed(*state.pop("open"))
