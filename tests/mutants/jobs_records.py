"""Job stores whose records are wrong: what is saved, got and listed, and how long it lives."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.jobs_base import PlainJobs, jobs_mutant

_KNOWN = ("id", "handler", "payload", "runAt", "intervalMs", "maxRuns", "maxAttempts", "misfire", "runCount")
_KNOWN += ("status", "result", "error", "lastRunAt", "history")


class AnotherJob(PlainJobs):
    def get_job(self, job_id: str) -> Any:
        found = super().get_job(job_id)
        return next(iter(self.list_jobs()), None) if found is None else found


class OnlyKnownFields(PlainJobs):
    def write(self, job_id: str, entry: Any) -> None:
        job = entry["job"] and {name: value for name, value in entry["job"].items() if name in _KNOWN}
        super().write(job_id, {**entry, "job": job})


class Altered(PlainJobs):
    """Writes another job than the one that it is given."""

    def alter(self, job: Any) -> Any:
        return job

    def write(self, job_id: str, entry: Any) -> None:
        super().write(job_id, {**entry, "job": entry["job"] and self.alter(entry["job"])})


class EmptyIsNull(Altered):
    def alter(self, job: Any) -> Any:
        return {**job, "payload": job.get("payload") or None} if "payload" in job else job


class ResultAsText(Altered):
    def alter(self, job: Any) -> Any:
        result = job.get("result")
        return {**job, "result": repr(result)} if isinstance(result, dict) and "deep" in result else job


class Sorted(Altered):
    def alter(self, job: Any) -> Any:
        return json.loads(json.dumps(job, sort_keys=True))


class LooseJson(PlainJobs):
    """Checks nothing: tuples become lists, and numbers as keys become texts."""

    def check(self, job: Any) -> None:
        if not isinstance(job["id"], str) or not job["id"]:
            raise ValueError("a job has an id")
        json.dumps(job)

    def write(self, job_id: str, entry: Any) -> None:
        super().write(job_id, json.loads(json.dumps(entry)))


class Merges(PlainJobs):
    def save_job(self, job: Any) -> Any:
        self.check(job)
        return super().save_job({**(self.get_job(job["id"]) or {}), **job})


class Cached(PlainJobs):
    """Keeps jobs in memory beside the file; what is kept, and what is handed out, are the very objects."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: dict[str, Any] = {}

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.kept[job["id"]] = job

    def get_job(self, job_id: str) -> Any:
        return self.kept.get(job_id)


class HandsOutTheObject(Cached):
    def save_job(self, job: Any) -> Any:
        super().save_job(json.loads(json.dumps(job)))


class SavesAnything(PlainJobs):
    def save_job(self, job: Any) -> Any:
        if type(job) is dict and not isinstance(job.get("id"), str):
            job = {**job, "id": str(job.get("id"))}
        return super().save_job(job)


class DeletesBeforeItWrites(PlainJobs):
    def save_job(self, job: Any) -> Any:
        if type(job) is dict and isinstance(job.get("id"), str):
            self.rows("DELETE FROM jobs WHERE id = ?", job["id"].encode("utf-8", "surrogatepass"))
        return super().save_job(job)


class FirstHalfStays(PlainJobs):
    """What was written of a job that was refused is read at the next opening."""

    def save_job(self, job: Any) -> Any:
        try:
            return super().save_job(job)
        except TypeError:
            if type(job) is dict and isinstance(job.get("id"), str):
                (self.path.parent / "half").write_text(json.dumps({"id": job["id"]}))
            raise

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        half = path.parent / "half"
        if half.exists():
            job = json.loads(half.read_text())
            self.write(job["id"], {**self.new(), "job": job})


class Folded(PlainJobs):
    """Folds ids before it uses them."""

    def fold(self, job_id: str) -> str:
        return job_id

    def entry(self, job_id: str) -> Any:
        return super().entry(self.fold(job_id))

    def write(self, job_id: str, entry: Any) -> None:
        super().write(self.fold(job_id), entry)


class IgnoresCase(Folded):
    def fold(self, job_id: str) -> str:
        return job_id.casefold()


class NormalForm(Folded):
    def fold(self, job_id: str) -> str:
        return unicodedata.normalize("NFKC", job_id)


class CutAt64(Folded):
    def fold(self, job_id: str) -> str:
        return job_id[:64]


class ListsTheUnfinished(PlainJobs):
    def list_jobs(self) -> Any:
        return [job for job in super().list_jobs() if job.get("status") != "stopped"]


class ListsEachSave(PlainJobs):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS saves (id TEXT)")

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.rows("INSERT INTO saves VALUES (?)", job["id"])

    def list_jobs(self) -> Any:
        return [self.get_job(row[0]) for row in self.rows("SELECT id FROM saves ORDER BY rowid")]


class ListsInAnyOrder(PlainJobs):
    def list_jobs(self) -> Any:
        jobs = super().list_jobs()
        random.Random().shuffle(jobs)
        return jobs


class OrderOfThisHandle(PlainJobs):
    """Lists what this handle saved before the others."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: dict[str, None] = {}

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.mine[job["id"]] = None

    def list_jobs(self) -> Any:
        places = {job_id: place for place, job_id in enumerate(self.mine)}
        return sorted(super().list_jobs(), key=lambda job: places.get(job["id"], len(places)))


class OldSummaries(PlainJobs):
    """Lists summaries that are made when a job is new."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS summaries (id TEXT PRIMARY KEY, summary TEXT)")

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        summary = {name: job[name] for name in ("id", "status", "runAt") if name in job}
        self.rows("INSERT OR IGNORE INTO summaries VALUES (?, ?)", job["id"], dumps(summary))

    def list_jobs(self) -> Any:
        return [loads(row[0]) for row in self.rows("SELECT summary FROM summaries ORDER BY id")]


class ListsOnePage(PlainJobs):
    def list_jobs(self) -> Any:
        return super().list_jobs()[:100]


class Forgetful(PlainJobs):
    """Begins anew at each opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("DELETE FROM jobs")


_MEMORY: dict[Path, dict[str, Any]] = {}


class OfThisProcess(PlainJobs):
    def entry(self, job_id: str) -> Any:
        return loads(dumps(_MEMORY.get(self.path, {}).get(job_id)))

    def entries(self) -> Any:
        return [loads(dumps(entry)) for _, entry in sorted(_MEMORY.get(self.path, {}).items())]

    def write(self, job_id: str, entry: Any) -> None:
        _MEMORY.setdefault(self.path, {})[job_id] = loads(dumps(entry))


class ExactUntilReopened(PlainJobs):
    """Answers from memory what its file does not carry."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept: dict[str, Any] = {}

    def write(self, job_id: str, entry: Any) -> None:
        self.kept[job_id] = loads(dumps(entry))
        text = dumps(entry).replace("\\u2028", " ").replace("\u2028", " ")
        super().write(job_id, loads(text))

    def entry(self, job_id: str) -> Any:
        return loads(dumps(self.kept[job_id])) if job_id in self.kept else super().entry(job_id)


class ClosesOnce(PlainJobs):
    def close(self) -> None:
        self.rows("SELECT 1")
        super().close()


class ClosedTakesJobs(PlainJobs):
    closed = False

    def save_job(self, job: Any) -> Any:
        if not self.closed:
            super().save_job(job)

    def close(self) -> None:
        self.closed = True
        super().close()


class ClosedIsEmpty(PlainJobs):
    closed = False

    def entries(self) -> Any:
        return [] if self.closed else super().entries()

    def entry(self, job_id: str) -> Any:
        return None if self.closed else super().entry(job_id)

    def close(self) -> None:
        self.closed = True
        super().close()


class ClosedSaysMissing(PlainJobs):
    closed = False

    def get_job(self, job_id: str) -> Any:
        if self.closed:
            raise KeyError(job_id)
        return super().get_job(job_id)

    def close(self) -> None:
        self.closed = True
        super().close()


class Snapshot(PlainJobs):
    """Answers from what it read at its opening, and wrote itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.kept = {entry["job"]["id"]: entry for entry in super().entries() if entry["job"]}

    def write(self, job_id: str, entry: Any) -> None:
        super().write(job_id, entry)
        self.kept[job_id] = loads(dumps(entry))

    def entry(self, job_id: str) -> Any:
        return loads(dumps(self.kept.get(job_id)))

    def entries(self) -> Any:
        return [loads(dumps(entry)) for _, entry in sorted(self.kept.items())]


class WritesAtClose(PlainJobs):
    """Keeps what it is given until it is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pending: dict[str, Any] = {}

    def write(self, job_id: str, entry: Any) -> None:
        self.pending[job_id] = loads(dumps(entry))

    def entry(self, job_id: str) -> Any:
        return loads(dumps(self.pending[job_id])) if job_id in self.pending else super().entry(job_id)

    def entries(self) -> Any:
        kept = {entry["job"]["id"]: entry for entry in super().entries()}
        return [loads(dumps(entry)) for _, entry in sorted({**kept, **self.pending}.items())]

    def close(self) -> None:
        pending, self.pending = self.pending, {}
        for job_id, entry in pending.items():
            super().write(job_id, entry)
        super().close()


class AnySave(PlainJobs):
    def goes_back(self, before: Any, after: Any) -> bool:
        return False


class FiveEntries(Altered):
    """Keeps the last five entries of a history."""

    def alter(self, job: Any) -> Any:
        return {**job, "history": job["history"][-5:]} if "history" in job else job


def _mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any]) -> Any:
    return jobs_mutant(f"jobs_{name}", bug, killed_by, jobs)


MUTANTS = [
    _mutant("get_another", "get_job gives another job rather than none", "BASIC-01", AnotherJob),
    _mutant("known_fields", "fields that the store does not know are dropped", "BASIC-01", OnlyKnownFields),
    _mutant("empty_is_null", "an empty payload is kept as null", "RECORD-01 RECORD-06", EmptyIsNull),
    _mutant("result_as_text", "a result with parts is kept as a text", "RECORD-01", ResultAsText),
    _mutant("fields_sorted", "the fields of a job are sorted", "RECORD-05", Sorted),
    _mutant("loose_json", "tuples become lists, numbers as keys become texts", "RECORD-02", LooseJson),
    _mutant("merge_on_save", "a save leaves the fields that the new record has not got", "RECORD-03", Merges),
    _mutant("aliased", "the object that was saved is the one that is kept", "RECORD-04", Cached),
    _mutant("hands_out_object", "the object that is kept is handed out", "RECORD-04", HandsOutTheObject),
    _mutant("saves_without_id", "a job without an id is saved under the text of None", "REFUSE-01", SavesAnything),
    _mutant(
        "deletes_first",
        "a save deletes the old job before it knows the new one",
        "REFUSE-02 RECORD-02",
        DeletesBeforeItWrites,
    ),
    _mutant(
        "refused_comes_back", "the first half of a refused job is there after reopening", "REFUSE-02", FirstHalfStays
    ),
    _mutant("ids_ignore_case", "ids that differ in case are one", "ID-02", IgnoresCase),
    _mutant("ids_normalised", "ids in two normal forms are one", "ID-02", NormalForm),
    _mutant("ids_cut", "ids are cut at 64 characters", "ID-01 ID-02", CutAt64),
    _mutant("lists_unfinished", "stopped jobs are not listed", "LIST-01", ListsTheUnfinished),
    _mutant("lists_each_save", "a job is listed once for each save", "LIST-01", ListsEachSave),
    _mutant("lists_in_any_order", "each listing has an order of its own", "LIST-02 LIST-03", ListsInAnyOrder),
    _mutant("order_of_handle", "what a handle saved itself is listed first", "LIST-03 LIST-06", OrderOfThisHandle),
    _mutant("old_summaries", "the listing shows jobs as they were when they were new", "LIST-04", OldSummaries),
    _mutant("lists_one_page", "the listing ends at 100 jobs", "LIST-05", ListsOnePage),
    _mutant("gone_at_opening", "each opening begins with an empty store", "REOPEN-01", Forgetful),
    _mutant("of_this_process", "jobs live in the memory of the process", "REOPEN-02 SHARED-02", OfThisProcess),
    _mutant("exact_until_reopened", "a line separator is a space after reopening", "REOPEN-03", ExactUntilReopened),
    _mutant("closes_once", "closing a second time raises", "CLOSE-01", ClosesOnce),
    _mutant("closed_takes_jobs", "a closed store takes jobs and forgets them", "CLOSE-02", ClosedTakesJobs),
    _mutant("closed_is_empty", "a closed store looks empty", "CLOSE-03", ClosedIsEmpty),
    _mutant("closed_says_missing", "a closed store says that a job is missing", "CLOSE-03", ClosedSaysMissing),
    _mutant("snapshot", "a handle answers from what it read at its opening", "SHARED-01 LEASE-07 FENCE-07", Snapshot),
    _mutant("writes_at_close", "saves reach the file when the store is closed", "SHARED-02", WritesAtClose),
    _mutant("any_save", "a save may lower the count and drop the history", "COUNT-01", AnySave),
    _mutant("five_entries", "a history has the last five entries only", "COUNT-02", FiveEntries),
]
