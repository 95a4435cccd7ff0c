"""Stores that answer otherwise than another one after the same calls."""

from __future__ import annotations

from typing import Any

from conformance import Backend
from reference_backends import memory
from tests.mutants.base import Mutant, PlainState, state_mutant


class FoldsCase(PlainState):
    """Keys that differ in case are one."""

    def encode(self, key: Any) -> bytes:
        return super().encode(key).lower()


class ReadsToStop(memory.MemoryLog):
    """The end of a window is part of it."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return super().read(start, stop if stop is None or stop <= start else stop + 1)


class MergesRuns(memory.RunStore):
    """A run that is saved again keeps the fields that the new one has not."""

    def save_run(self, run: Any, token: int | None = None) -> None:
        super().save_run({**(self.get_run(run["id"]) or {}), **run}, token)


class KeepsFirstJob(memory.JobStore):
    """A job that is saved again stays as it was."""

    def save_job(self, job: Any) -> None:
        if self.get_job(job["id"]) is None:
            super().save_job(job)


class ListsTruths(memory.LayerStore):
    """Values that are no truths are not listed."""

    def entries(self, **of: Any) -> Any:
        return [(key, value) for key, value in super().entries(**of) if value]


def _mutant(store: type, code: str, **opener: Any) -> Mutant:
    name = f"twin-{store.__name__.lower()}"
    lasting = {"durability": "volatile", "sharing": "threads", "corruption": "silent"}
    return Mutant(name, store.__doc__ or "", (code,), Backend(name, **opener, **lasting))


MUTANTS = [
    state_mutant("twin-foldscase", FoldsCase.__doc__ or "", ("DIFF-STATE-01",), FoldsCase, durability="clean-close"),
    _mutant(ReadsToStop, "DIFF-LOG-01", log=lambda _: ReadsToStop()),
    _mutant(MergesRuns, "DIFF-RUNS-01", runs=lambda where: MergesRuns(memory.open_state(where))),
    _mutant(KeepsFirstJob, "DIFF-JOBS-01", jobs=lambda where: KeepsFirstJob(memory.open_state(where))),
    _mutant(ListsTruths, "DIFF-LAYERS-01", layers=lambda where: ListsTruths(memory.open_state(where))),
]
