"""Writers that are processes, each with a handle of its own; these functions run in a worker, which forks them."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from conformance.backend import Backend, Where
from conformance.benchmarks.acts import Act
from conformance.benchmarks.crowd import STUCK_S
from conformance.benchmarks.guest import Batch, Guest
from conformance.benchmarks.limits import BareDisk
from conformance.histories.drivers.processes import Team
from conformance.workers.worker import Bay

_TEAM = "benchmark team"
#: Writes between the places at which two processes begin to write to the bare disk.
_APART = 100


def open_handles(bay: Bay, contract: str, where: Where, writers: int) -> None:
    """Fork the writers; each opens a handle at a place."""
    if _TEAM in bay.kept:  # of a store that raised
        bay.kept.pop(_TEAM).close()
    team = bay.kept[_TEAM] = Team(writers, {"backend": bay.backend, "contract": contract})
    for member in team.members:  # one after the other: how stores fare that are created at once is no question here
        member.tell(_open, where)
        member.answer(STUCK_S)


def perform(bay: Bay, act: Act, batches: Sequence[Batch]) -> int:
    """Have each writer carry out a batch, all at once; return the nanoseconds from the first start to the last end."""
    team: Team = bay.kept[_TEAM]
    spans = team.ask_all(_perform, [(act, batch) for batch in batches], STUCK_S)
    return _from_first_to_last(spans)


def close_handles(bay: Bay) -> None:
    """Close the handles, and end the writers."""
    team: Team = bay.kept.pop(_TEAM)
    try:
        team.ask_all(_close, [()] * len(team.members), STUCK_S)
    finally:
        team.close()


def open_files(bay: Bay, disk: BareDisk, writers: int) -> None:
    """Fork writers to the bare disk; each opens the file."""
    team = bay.kept[_TEAM, disk.name] = Team(writers, {})
    team.ask_all(_open_file, [(disk, number * _APART) for number in range(writers)], STUCK_S)


def write(bay: Bay, disk: BareDisk, count: int) -> int:
    """Have each do a batch of so many writes, all at once; return the nanoseconds from the first to the last."""
    team: Team = bay.kept[_TEAM, disk.name]
    spans = team.ask_all(_write, [(count,)] * len(team.members), STUCK_S)
    return _from_first_to_last(spans)


def close_files(bay: Bay, disk: BareDisk) -> None:
    """End the writers to the bare disk."""
    bay.kept.pop((_TEAM, disk.name)).close()


def _from_first_to_last(spans: Sequence[tuple[int, int]]) -> int:
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _open(state: dict[str, Any], where: Where) -> None:
    backend: Backend = state["backend"]
    state["guest"] = Guest(backend, state["contract"], where)


def _perform(state: dict[str, Any], act: Act, batch: Batch) -> tuple[int, int]:
    # The clock of all processes of a machine is the same one (CLOCK_MONOTONIC).
    start = perf_counter_ns()
    state["guest"].perform(act, batch)
    return start, perf_counter_ns()


def _close(state: dict[str, Any]) -> None:
    if "guest" in state:
        state["guest"].close()


def _open_file(state: dict[str, Any], disk: BareDisk, first: int) -> None:
    state["block"] = block = disk.opened(first=first)
    state["step"] = block.__enter__()


def _write(state: dict[str, Any], count: int) -> tuple[int, int]:
    start = perf_counter_ns()
    state["step"](count)
    return start, perf_counter_ns()
