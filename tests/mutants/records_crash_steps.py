"""Run, job and layered stores that do in two steps what must be one, or write later what they have acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore
from tests.mutants.crash_files import AtomicFiles, Document
from tests.mutants.records_crash_base import RunsWithEvents, Versioned, store_mutant


class Indexed(Versioned):
    """Lists by an index, which is replaced after the record."""

    def __init__(self, path: Path) -> None:
        super().__init__(AtomicFiles(path))
        self.index = Document(path.with_suffix(".index"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.index)

    def write(self, key: str, value: Any) -> None:
        """Write an entry, then its name."""
        super().write(key, value)
        if key not in self.index:
            self.index[key] = True


class Behind(Versioned):
    """Keeps some changes in memory until the entry is written for another reason."""

    def __init__(self, path: Path, waits: Callable[[Any, Any], bool]) -> None:
        super().__init__(AtomicFiles(path))
        self.waits = waits
        self.waiting: set[str] = set()

    def write(self, key: str, value: Any) -> None:
        """Write an entry, or remember that it has changed."""
        if key in self.state and self.waits(self.state[key], value):
            self.state.show({key: self.state.encode(value)})
            self.waiting.add(key)
        else:
            super().write(key, value)
            self.waiting.discard(key)

    def close(self) -> None:
        """Write what waits."""
        for key in sorted(self.waiting):
            super().write(key, self.state[key])
        self.waiting.clear()
        super().close()


def _more_events(before: Any, after: Any) -> bool:
    return bool({**before["run"], "events": 0} == {**after["run"], "events": 0})


def _another_status(before: Any, after: Any) -> bool:
    return bool(before["job"] != after["job"] == {**before["job"], "status": after["job"]["status"]})


class ForksStepByStep(Versioned):
    """Writes a new branch with its first checkpoint, then once more for each of the others."""

    def write(self, key: str, value: Any) -> None:
        """Write an entry, a branch piece by piece."""
        run = value["run"] or {}
        if run.get("metadata", {}).get("lineage", {}).get("branchOriginRunId"):
            for count in range(1, len(run["checkpoints"])):
                super().write(key, {**value, "run": {**run, "checkpoints": run["checkpoints"][:count]}})
        super().write(key, value)


class EventsNotSynced(RunsWithEvents):
    """Leaves it to the system when an event reaches the disk."""

    def sync(self, descriptor: int) -> None:
        """Do nothing."""


class PopsFirst(Versioned):
    """Takes a job that is claimed out of its file before it is written down who has it."""

    def write(self, key: str, value: Any) -> None:
        """Write an entry; of a claim, in two steps."""
        if value["owner"] is not None and self.state[key]["owner"] is None:
            del self.state[key]
        super().write(key, value)


class Apart(Versioned):
    """Keeps some fields of an entry in a file of their own, which is replaced first or last.

    Args:
        path: Of the file.
        fields: The names of the fields; those of the job after a dot.
        first: Whether they are written before the rest.
    """

    def __init__(self, path: Path, fields: tuple[str, ...], *, first: bool) -> None:
        super().__init__(AtomicFiles(path))
        self.beside = AtomicFiles(path.with_name("beside"))
        self.fields, self.first = fields, first

    def __getitem__(self, key: str) -> Any:
        flat = {**super().__getitem__(key), **self.beside.get(key, {})}
        job = {name[4:]: value for name, value in flat.items() if name.startswith("job.")}
        return {**{name: value for name, value in flat.items() if not name.startswith("job.")}, "job": job or None}

    def version(self, key: str) -> Any:
        """Return the version of an entry, None when there is none."""
        return json.dumps(self[key], sort_keys=True) if key in self.state else None

    def write(self, key: str, value: Any) -> None:
        """Write both parts of an entry."""
        flat = {**{f"job.{name}": one for name, one in (value["job"] or {}).items()}, **value}
        del flat["job"]
        parts = [({name: one for name, one in flat.items() if name not in self.fields}, self.state),
                 ({name: one for name, one in flat.items() if name in self.fields}, self.beside)]  # fmt: skip
        for part, where in reversed(parts) if self.first else parts:
            where[key] = part


class ClearsThenWrites(LayerStore):
    """Removes the file of all layers when one is cleared, and writes a new one with the rest."""

    def __init__(self, path: Path) -> None:
        self.document = Document(path)
        super().__init__(self.document)

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        """Begin a new file."""
        kept: Mapping[str, str] = {
            address: text
            for address, text in self.document.kept.items()
            if json.loads(address)[0] != scope or layer not in (None, json.loads(address)[1])
        }
        self.document.path.unlink(missing_ok=True)
        self.document.kept = dict(kept)
        self.document.save(self.document.kept)


MUTANTS = [
    store_mutant(
        "run_written_before_its_index",
        "A new run is written first, and then into the index by which runs are listed.",
        "01",
        "runs",
        lambda path: RunStore(Indexed(path)),
    ),
    store_mutant(
        "events_written_with_the_next_save",
        "Events are kept in memory until their run is saved for another reason.",
        "02",
        "runs",
        lambda path: RunStore(Behind(path, _more_events)),
    ),
    store_mutant(
        "fork_step_by_step",
        "A branch is written with its first checkpoint, and the others are added one by one.",
        "03",
        "runs",
        lambda path: RunStore(ForksStepByStep(AtomicFiles(path))),
    ),
    store_mutant(
        "event_line_not_synced",
        "An event is added to a file beside its run, and not synced.",
        "12",
        "runs",
        EventsNotSynced,
    ),
    store_mutant(
        "schedule_move_nonatomic",
        "When a job is due is in another file than what came of it, and the job is moved on first.",
        "01",
        "jobs",
        lambda path: JobStore(Apart(path, ("job.runAt",), first=True)),
    ),
    store_mutant(
        "job_history_beside_it",
        "The history of a job is in a second file, which is written after the job.",
        "01 02",
        "jobs",
        lambda path: JobStore(Apart(path, ("job.history",), first=False)),
    ),
    store_mutant(
        "pop_then_crash",
        "A job that is claimed is taken out of the queue before it is written down who has it.",
        "02",
        "jobs",
        lambda path: JobStore(PopsFirst(AtomicFiles(path))),
    ),
    store_mutant(
        "lease_beside_the_job",
        "Who has a job, and until when, is in a second file, which is written after the job.",
        "02",
        "jobs",
        lambda path: JobStore(Apart(path, ("token", "owner", "until", "attempts"), first=False)),
    ),
    store_mutant(
        "status_written_behind",
        "A job is moved to another status in memory, and written with its next save.",
        "03",
        "jobs",
        lambda path: JobStore(Behind(path, _another_status)),
    ),
    store_mutant(
        "layers_cleared_then_rewritten",
        "Clearing one layer removes the file of all, and then writes the rest.",
        "02",
        "layers",
        ClearsThenWrites,
    ),
]
