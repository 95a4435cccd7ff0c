"""Job stores that are fine as long as one worker uses them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.mutants.jobs_base import ConflictError, Entry, PlainJobs, jobs_mutant


class AllInOneFile(PlainJobs):
    """Reads all jobs and writes all jobs, whole, and without a lock."""

    def load(self) -> dict[str, Entry]:
        """Return all entries."""
        try:
            found: dict[str, Entry] = json.loads(self.path.with_name("all.json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def entry(self, job_id: str) -> Entry | None:
        return self.load().get(job_id)

    def entries(self) -> list[Entry]:
        return [entry for _, entry in sorted(self.load().items())]

    def write(self, job_id: str, entry: Entry) -> None:
        entries = {**self.load(), job_id: entry}
        new = self.path.with_name(uuid4().hex)
        new.write_text(json.dumps(entries))
        os.replace(new, self.path.with_name("all.json"))

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield


class OneThreadAtATime(AllInOneFile):
    """Has a lock, which keeps no other process out."""

    lock = threading.RLock()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self.lock:
            yield


class SelectsBeforeItMarks(PlainJobs):
    """Finds what is due before the transaction that marks it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.found: list[Entry] | None = None

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        self.found = super().entries()
        try:
            return super().claim_due(now, owner, lease, limit)
        finally:
            self.found = None

    def entries(self) -> list[Entry]:
        return super().entries() if self.found is None else self.found


class ChecksBeforeItWrites(PlainJobs):
    """Checks the token before the transaction in which a completion is written."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        entry = self.held(job_id, token, now)
        job = self.completed(entry["job"], now, result)
        with self.writing():
            self.write(job_id, {**entry, "job": job, "until": None, "attempts": 0})


class TakenByNobody(PlainJobs):
    """A completion gives up what another worker has done meanwhile: its own view of all jobs is the one that stays."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        entry = self.entry(job_id)
        if entry is None or entry["token"] != token:
            raise ConflictError(job_id)
        before = self.entries()
        super().complete(job_id, token, now, result)
        with self.writing():
            for other in before:
                if other["job"]["id"] != job_id:
                    self.write(other["job"]["id"], other)


def _mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any]) -> Any:
    return jobs_mutant(f"jobs_{name}", bug, killed_by, jobs)


MUTANTS = [
    _mutant(
        "read_all_write_all",
        "reads all jobs and writes all jobs without a lock",
        "CONC-01 CONC-03 CONC-04 CONC-11 CONC-12",
        AllInOneFile,
    ),
    _mutant("one_thread_at_a_time", "the lock is one for threads", "CONC-01 CONC-02 CONC-03 CONC-04", OneThreadAtATime),
    _mutant("selects_before_it_marks", "what is due is looked up before it is marked", "CONC-01", SelectsBeforeItMarks),
    _mutant(
        "checks_before_it_writes", "a token is checked before the write that it allows", "CONC-02", ChecksBeforeItWrites
    ),
    _mutant("batch_overwritten", "a completion writes all jobs as they were before it", "CONC-03", TakenByNobody),
]
