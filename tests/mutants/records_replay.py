"""Stores of runs, jobs and layers that show others something else, or what was there before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.mutants.base import Mutant
from tests.mutants.jobs_base import PlainJobs, jobs_mutant
from tests.mutants.records_corruption_base import Folder, JobsOn, LayersOn, records


def broken(bug: str, killed_by: str, contracts: str = "runs jobs layers") -> Callable[[type[Folder]], type[Folder]]:
    """Mark a class of folders as mutants: records of some contracts on it; the codes are given by their numbers."""

    def mark(kind: type[Folder]) -> type[Folder]:
        short = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
        kind.mutants = [  # type: ignore[attr-defined]
            Mutant(
                f"{contract}{short}",
                bug,
                tuple(f"{contract.upper()}-REPLAY-{number}" for number in killed_by.split()),
                records(f"{contract}{short}", contract, kind),
            )
            for contract in contracts.split()
        ]
        return kind

    return mark


@broken("files have the hash of the id as their name, which is another one in each process", "01", "runs")
class NamesByHash(Folder):
    def path(self, name: str) -> Path:
        return self.folder / f"{hash(name) & 0xFFFF_FFFF:x}.rec"

    def names(self) -> list[str]:
        return sorted(json.loads(path.read_bytes().partition(b"\n")[2])[0] for path in self.folder.glob("*.rec"))


@broken("the listing has the order of a set", "01", "runs jobs")
class SetOrder(Folder):
    def names(self) -> list[str]:
        return list(set(super().names()))


@broken("what was written in the future, by local time, is hidden", "01", "jobs layers")
class HiddenByTheClock(Folder):
    def packed(self, body: bytes, name: str) -> bytes:
        return time.strftime("%Y-%m-%d %H:%M\n").encode() + super().packed(body, name)

    def parsed(self, data: bytes, name: str) -> Any:
        written, _, rest = data.partition(b"\n")
        return super().parsed(rest, name) if written.decode() <= time.strftime("%Y-%m-%d %H:%M") else None

    def all(self) -> list[Any]:
        return [pair for pair in super().all() if pair[1] is not None]


@broken("documents are written in the encoding of the locale", "02")
class InTheEncodingOfTheLocale(Folder):
    def save(self, name: str, value: Any) -> None:
        super().save(name, value)
        with self.path(name).with_suffix(".txt").open("w") as file:
            file.write(json.dumps(value, ensure_ascii=False))


@broken("what a record was is kept under its id, and fills what a later one lacks", "03", "runs")
class GcLeavesOutputs(Folder):
    def save(self, name: str, value: Any) -> None:
        old = self.folder / f"{name.encode().hex()}.old"
        before = json.loads(old.read_bytes()) if old.exists() else {}
        super().save(name, {**before, **value})
        old.write_bytes(json.dumps({key: value[key] for key in ("steps", "errors") if key in value}).encode())


class DeletableJobs(JobsOn):
    """Jobs whose history stays when they are deleted."""

    def save_job(self, job: dict[str, Any]) -> None:
        history = [*self.kept(job["id"]), *job["history"]]
        super().save_job({**job, "history": history})

    def kept(self, job_id: str) -> list[Any]:
        """Return the history of a job that was deleted."""
        path = self.folder.folder / f"{job_id.encode().hex()}.history"
        history: list[Any] = json.loads(path.read_bytes()) if path.exists() else []
        return history

    def delete_job(self, job_id: str) -> None:
        """Delete a job."""
        path = self.folder.folder / f"{job_id.encode().hex()}.history"
        path.write_bytes(json.dumps((self.get_job(job_id) or {}).get("history", [])).encode())
        self.folder.delete(job_id)


class FirstValueStays(LayersOn):
    """A key that was deleted has its first value again when it is set."""

    def set(self, key: str, value: Any) -> None:
        first = self.folder.folder / f"{key.encode().hex()}.first"
        known = first.exists() and self.folder.get(key) is None
        super().set(key, json.loads(first.read_bytes()) if known else value)
        if not first.exists():
            first.write_bytes(json.dumps(value).encode())


class DueByTheWallClock(PlainJobs):
    """No job is due before the time of the system."""

    def is_due(self, entry: Any, now: int) -> bool:
        return super().is_due(entry, now) and bool(entry["job"]["runAt"] <= time.time() * 1_000)


def _on(contract: str, store: Callable[[Folder], Any]) -> Mutant:
    name = f"{contract}_gc_leaves_outputs"
    bug = "what is deleted leaves something behind, under the same id"
    backend = replace(records(name, contract, Folder), **{contract: lambda where: store(Folder(where.path / "store"))})
    return Mutant(name, bug, (f"{contract.upper()}-REPLAY-03",), backend)


_KINDS = (NamesByHash, SetOrder, HiddenByTheClock, InTheEncodingOfTheLocale, GcLeavesOutputs)
MUTANTS = [
    *(mutant for kind in _KINDS for mutant in kind.mutants),  # type: ignore[attr-defined]
    _on("jobs", DeletableJobs),
    _on("layers", FirstValueStays),
    jobs_mutant("jobs_due_by_the_wall_clock", "no job is due before the time of the system", "", DueByTheWallClock),
]
MUTANTS[-1] = replace(MUTANTS[-1], killed_by=("JOBS-REPLAY-04",))
