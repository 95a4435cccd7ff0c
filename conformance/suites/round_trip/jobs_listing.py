"""Listing in the `jobs` contract: every job once, in an order that is always the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import fetch, listed, lists, require_durable, save
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_LISTED = (*_GATE, "JOBS-LIST-01")
#: Neither in the order of the alphabet, nor of numbers, nor of the times at which they are due.
_IDS = ("m", "b", "10", "Z", "9", "é", "a/b", "ä", "a", "zz")
#: More than fits on the pages that are usual.
_MANY = 260


def _mixed() -> list[dict[str, Any]]:
    return [small_job(job_id, number * 37 % 11) for number, job_id in enumerate(_IDS)]


@check("JOBS-LIST-01", sources="JOB-34; JOB-41", needs=_GATE)
def test_every_job_is_listed_once(trial: Trial) -> None:
    """Every job is listed once, whatever its status, and however often it was saved; an empty store lists nothing.

    Why: a list is what people look at, and what a migration reads. A job that is not in it runs unseen, or is left
    behind.

    Breaks it:

        def list_jobs(self):
            return [job for job in self._jobs if job["status"] != "stopped"]
    """
    statuses = ("created", "initializing", "ready", "running", "stopping", "stopped", "failed", "crashed", "restarting")
    with trial.fresh() as session:
        store = session.open()
        trial.equal(store.list_jobs(), [], "listing an empty store")
        for number, status in enumerate(statuses, 1):
            job = small_job(status, number, status=status, runAt=None if status == "created" else number)
            save(store, job, job, {**job, "label": "again"})
            lists(trial, store, statuses[:number], "listing after another job was saved three times")
        save(store, {"id": "bare"}, full_job("full"))
        lists(trial, store, [*statuses, "bare", "full"], "listing with a job that has nothing but an id")


@check("JOBS-LIST-02", sources="RUN-15 for runs; order_ties", needs=_LISTED)
def test_listing_is_repeatable(trial: Trial) -> None:
    """Two listings with no write between them are equal, in their order, too.

    Why: whoever pages through a list, or compares two of them, takes every difference for a change.

    Breaks it:

        return list({job["id"]: job for job in ...}.values() if ... else set(...))   # the order of a set
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *_mixed())
        first = listed(trial, store, "listing")
        for job_id in _IDS:
            fetch(trial, store, job_id)
        for _ in range(3):
            trial.equal(listed(trial, store, "listing"), first, "listing again, with no write in between")


@check("JOBS-LIST-03", sources="RUN-15 for runs; unordered_limit", promise="durability:clean-close", needs=_LISTED)
def test_listing_is_the_same_after_reopening(trial: Trial) -> None:
    """The listing is the same after the store was closed and opened again, in its order, too.

    Why: an order that is that of memory before, and that of a directory afterwards, is none.

    Breaks it:

        return [load(path) for path in folder.iterdir()]     # in no order
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *_mixed())
        save(store, {**_mixed()[4], "label": "saved again"})
        before = listed(trial, store, "listing")
        for _ in range(2):
            store = session.reopen(store)
            trial.equal(listed(trial, store, "listing"), before, "listing after the store was closed and opened again")


@check("JOBS-LIST-04", sources="RUN-35 for runs", needs=_LISTED)
def test_listing_agrees_with_the_records(trial: Trial) -> None:
    """What the listing says of a job is what its record says: now, and not what it said once.

    Why: summaries are kept beside the records, so that a list is quick. Where the two are not written together, the
    list shows a job as waiting that has long run.

    Breaks it:

        if job["id"] not in self._summaries:      # made when the job was new
            self._summaries[job["id"]] = {...}
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *_mixed(), full_job("full"))
        for number, job_id in enumerate(("m", "9", "m", "full")):
            job = fetch(trial, store, job_id)
            status, handler = ("stopped", "failed")[number % 2], f"other:{number}"
            save(store, {**job, "status": status, "handler": handler, "runAt": 5_000 + number, "runCount": 3 + number})
            for item in listed(trial, store, "listing"):
                record = fetch(trial, store, item["id"])
                # A field that the record has not may be the store's own, such as a count of its runs.
                told = [name for name in item if name in record]
                listed_so = {name: item[name] for name in told}
                recorded = {name: record[name] for name in told}
                trial.equal(listed_so, recorded, "what the listing says of a job, compared with the job")


@check("JOBS-LIST-05", sources="JOB-34; planted bugs: pages", needs=_LISTED)
def test_long_listing_is_complete(trial: Trial) -> None:
    """Hundreds of jobs are all listed, each once.

    Why: a page limit that nobody asked for ends the list at 100, and whoever migrates by it loses the rest without an
    error.

    Breaks it:

        SELECT * FROM jobs LIMIT 100
    """
    ids = [f"job-{number * 7_919 % _MANY:04}" for number in range(_MANY)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(job_id, number) for number, job_id in enumerate(ids)))
        found = [job["id"] for job in listed(trial, store, "listing")]
        trial.equal(len(found), len(ids), f"the number of jobs that are listed of {_MANY}")
        trial.equal(sorted(set(ids) - set(found)), [], f"the jobs that are not listed, of {_MANY}")


@check("JOBS-LIST-06", sources="RUN-15 for runs", promise="sharing:processes", needs=_LISTED)
def test_listing_is_the_same_through_another_handle(trial: Trial) -> None:
    """The listing is the same through every handle, in its order, too, whoever saved the jobs.

    Why: two workers that divide the jobs between them by their place in the list do some twice and others never.

    Breaks it:

        return [*self._mine, *self._of_others]
    """
    require_durable(trial)
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        for number, job in enumerate(_mixed()):
            save(handles[number % 3 % 2], job)
            one, other = (listed(trial, handle, "listing") for handle in handles)
            trial.equal(other, one, "listing through the second handle, compared with the first")
        lists(trial, handles[1], _IDS, "listing through the second handle")
