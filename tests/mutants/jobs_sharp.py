"""Job stores with a bug so narrow that one rule of records notices, or its neighbours: records, listing, lifetime."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.jobs_base import Entry, PlainJobs, jobs_mutant

#: What this process alone knows: the records that one mutant has found too large for its file, the buffers of another.
_LARGE: dict[int, str] = {}
_NUMBERS = itertools.count(1)
_BUFFERS: dict[Path, dict[bytes, str]] = {}


class LastSessionOnly(PlainJobs):
    """Begins a new file at each start with what was saved since the start before, not with what was there then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saved (id BLOB PRIMARY KEY)")
        with self.writing():
            if self.rows("SELECT id FROM saved"):
                self.rows("DELETE FROM jobs WHERE id NOT IN (SELECT id FROM saved)")
                self.rows("DELETE FROM saved")

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.rows("INSERT OR REPLACE INTO saved VALUES (?)", job["id"].encode("utf-8", "surrogatepass"))


class LargeInMemory(PlainJobs):
    """Keeps large records in a table of the process, and their numbers in the file."""

    def write(self, job_id: str, entry: Entry) -> None:
        text = dumps(entry["job"])
        if len(text) > 500:
            number = next(_NUMBERS)
            _LARGE[number] = text
            entry = {**entry, "job": {"id": job_id}, "large": number}
        super().write(job_id, entry)

    def entry(self, job_id: str) -> Entry | None:
        entry = super().entry(job_id)
        return entry and self.whole(entry)

    def entries(self) -> list[Entry]:
        return [self.whole(entry) for entry in super().entries()]

    def whole(self, entry: Entry) -> Entry:
        """Return an entry with its record."""
        text = _LARGE.get(entry.pop("large", 0))
        return {**entry, "job": loads(text)} if text else entry


class LargeNumbersUntilReopened(PlainJobs):
    """Answers from memory as long as its file is as it wrote it, in which numbers beyond 64 bits are floats."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.exact: dict[str, str] = {}

    def write(self, job_id: str, entry: Entry) -> None:
        rounded = self.rounded(entry)
        self.exact[dumps(rounded)] = dumps(entry)
        super().write(job_id, rounded)

    def rounded(self, value: Any) -> Any:
        """Return a value with large numbers as floats."""
        if isinstance(value, dict):
            return {name: self.rounded(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.rounded(item) for item in value]
        return float(value) if isinstance(value, int) and 64 < value.bit_length() < 1_000 else value

    def entry(self, job_id: str) -> Entry | None:
        entry = super().entry(job_id)
        return entry and loads(self.exact.get(dumps(entry), dumps(entry)))


class GotOnce(PlainJobs):
    """A handle gets a job from the file once, and then from memory until it writes the job itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.got: dict[str, str] = {}

    def get_job(self, job_id: str) -> Any:
        if job_id not in self.got:
            job = super().get_job(job_id)
            if job is None:
                return None
            self.got[job_id] = dumps(job)
        return loads(self.got[job_id])

    def write(self, job_id: str, entry: Entry) -> None:
        self.got.pop(job_id, None)
        super().write(job_id, entry)


class BufferOfTheProcess(PlainJobs):
    """Keeps what is written in a buffer that all handles of the process share, until one of them is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.buffer = _BUFFERS.setdefault(path, {})

    def write(self, job_id: str, entry: Entry) -> None:
        self.buffer[job_id.encode("utf-8", "surrogatepass")] = dumps(entry)

    def entry(self, job_id: str) -> Entry | None:
        entry = super().entry(job_id)
        text = self.buffer.get(job_id.encode("utf-8", "surrogatepass"))
        return loads(text) if text else entry

    def entries(self) -> list[Entry]:
        texts = {bytes(key): text for key, text in self.rows("SELECT id, entry FROM jobs")} | self.buffer
        return [loads(texts[key]) for key in sorted(texts)]

    @contextmanager
    def writing(self) -> Iterator[None]:
        before = dict(self.buffer)
        try:
            with super().writing():
                yield
        except BaseException:
            self.buffer.clear()
            self.buffer.update(before)
            raise

    def close(self) -> None:
        while self.buffer:
            self.rows("INSERT OR REPLACE INTO jobs VALUES (?, ?)", *self.buffer.popitem())
        super().close()


class StartTrimsHistories(PlainJobs):
    """Leaves the last five entries of each history at a start."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.writing():
            for entry in self.entries():
                history = (entry["job"] or {}).get("history")
                if isinstance(history, list) and len(history) > 5:
                    self.write(entry["job"]["id"], {**entry, "job": {**entry["job"], "history": history[-5:]}})


class LastReadComesLast(PlainJobs):
    """Lists jobs as a cache has them: what was used last comes last."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.used: dict[str, int] = {}
        self.clock = itertools.count(1)

    def get_job(self, job_id: str) -> Any:
        self.used[job_id] = next(self.clock)
        return super().get_job(job_id)

    def list_jobs(self) -> Any:
        return sorted(super().list_jobs(), key=lambda job: self.used.get(job["id"], 0))


class HandlerOfTheFirstSave(PlainJobs):
    """Lists a job with a handler from a column that only its insertion writes."""

    def write(self, job_id: str, entry: Entry) -> None:
        if entry["job"] is not None and "listed" not in entry:
            entry = {**entry, "listed": entry["job"].get("handler")}
        super().write(job_id, entry)

    def list_jobs(self) -> Any:
        found = [entry for entry in self.entries() if entry["job"] is not None]
        return [{**entry["job"], "handler": entry["listed"]} for entry in found]


class ListedTwice(PlainJobs):
    """Hands out with a list the very objects that it gives with the next, as long as the job is as it was."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.listed: dict[str, Any] = {}

    def list_jobs(self) -> Any:
        return [self.listed.setdefault(dumps(job), job) for job in super().list_jobs()]


class LimitStays(PlainJobs):
    """Updates `maxRuns` where the new record has one: `SET max_runs = coalesce(:max_runs, max_runs)`."""

    def save_job(self, job: Any) -> Any:
        self.check(job)
        former = self.get_job(job["id"])
        if former is not None and "maxRuns" in former and "maxRuns" not in job:
            job = {**job, "maxRuns": former["maxRuns"]}
        return super().save_job(job)


MUTANTS = [
    jobs_mutant(
        "jobs_last_session_only",
        "a start drops what was not saved since the start before it",
        "REOPEN-01",
        LastSessionOnly,
    ),
    jobs_mutant(
        "jobs_large_in_memory", "large records are kept in the memory of the process", "REOPEN-02", LargeInMemory
    ),
    jobs_mutant(
        "jobs_large_numbers_until_reopened",
        "numbers beyond 64 bits are exact in memory, and floats in the file",
        "REOPEN-03",
        LargeNumbersUntilReopened,
    ),
    jobs_mutant("jobs_got_once", "a handle gets what it got before, whatever others have saved", "SHARED-01", GotOnce),
    jobs_mutant(
        "jobs_buffer_of_the_process",
        "what is saved is in a buffer of the process until it is closed",
        "SHARED-02",
        BufferOfTheProcess,
    ),
    jobs_mutant(
        "jobs_start_trims_histories", "a start leaves five entries of a history", "COUNT-02", StartTrimsHistories
    ),
    jobs_mutant("jobs_last_read_comes_last", "the order of a list is that of reading", "LIST-02", LastReadComesLast),
    jobs_mutant(
        "jobs_handler_of_the_first_save", "a job is listed with its first handler", "LIST-04", HandlerOfTheFirstSave
    ),
    jobs_mutant("jobs_listed_twice", "two lists have the same objects in them", "RECORD-04", ListedTwice),
    jobs_mutant("jobs_limit_stays", "a limit of runs that is taken away goes on to count", "RECORD-03", LimitStays),
]
