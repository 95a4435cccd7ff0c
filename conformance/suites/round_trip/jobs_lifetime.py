"""How long jobs of the `jobs` contract live, and who sees them: reopening, closing, other handles and processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import NO_JSON, fetch, has, is_durable, lists, require_durable, save
from conformance.values.cases import ACCEPTED_VALUES
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_LISTED = (*_GATE, "JOBS-LIST-01")
_DURABLE = "durability:clean-close"
_SHARED = "sharing:processes"


@check("JOBS-REOPEN-01", sources="JOB-22; the runs contract on durability", promise=_DURABLE, needs=_GATE)
def test_jobs_survive_reopening(trial: Trial) -> None:
    """Acknowledged jobs are there, whole, after the store was closed and opened again, and are still listed.

    Why: a process restarts between the scheduling of a job and its execution. A schedule that lives in memory alone is
    an agent that never wakes up.

    Breaks it:

        def __init__(self, path):
            self._jobs = {}                   # and nothing is read from the path
    """
    jobs = [full_job("full"), *(small_job(f"small {number}", number) for number in range(3))]
    with trial.fresh() as session:
        store = session.open()
        for number, job in enumerate(jobs, 1):
            save(store, job)
            store = session.reopen(store)
            for earlier in jobs[:number]:
                has(trial, store, earlier, "getting a job after the store was closed and opened again")
            lists(trial, store, [job["id"] for job in jobs[:number]], "listing after the store was closed and reopened")


@check("JOBS-REOPEN-02", sources="JOB-22; the state contract on other processes", promise=_DURABLE, needs=_LISTED)
def test_jobs_survive_in_a_new_process(trial: Trial) -> None:
    """Acknowledged jobs are read by another process that opens the store after it was closed.

    Why: jobs that live in a module's memory, or in a cache of the process, pass every test that runs in one process.

    Breaks it:

        _JOBS: dict[str, dict] = {}           # found again by this process alone
    """
    jobs = {job["id"]: job for job in (full_job("full"), small_job("small", 1))}
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs.values())
        order = [item["id"] for item in store.list_jobs()]
        store.close()
        expected = [jobs.get(job_id) for job_id in order]
        trial.equal(session.read_in_new_process(), expected, "getting all that is listed, in a new process")


@check("JOBS-REOPEN-03", sources="KV-01; JOB-35", promise=_DURABLE, needs=_GATE)
def test_every_kind_of_value_survives_reopening(trial: Trial) -> None:
    """Every kind of value that was accepted reads the same before the store was closed and after it was opened again.

    Why: before it is closed, a store may answer from memory. What is on the disk shows only now.

    Breaks it:

        self._cache[job["id"]] = job          # exact
        self._write(json.dumps(job))          # tuples and dict keys that are no str are lost
    """
    kept: dict[str, dict[str, Any]] = {}
    with trial.fresh() as session:
        store = session.open()
        for name, value in {**ACCEPTED_VALUES, **NO_JSON}.items():
            job = small_job(f"with {name}", 1, payload=value, extra=[value])
            if trial.refused(partial(store.save_job, job)):
                trial.count("refusals")
            else:
                kept[job["id"]] = fetch(trial, store, job["id"])
        store = session.reopen(store)
        for job_id, before in kept.items():
            trial.equal(fetch(trial, store, job_id), before, "getting a job before and after the store was reopened")


@check("JOBS-CLOSE-01", sources="MEM-22; the state contract on closing", methods=("close",), needs=_LISTED)
def test_closing_twice_is_harmless(trial: Trial) -> None:
    """Closing a store of jobs that is closed already does nothing.

    Why: a `finally` and a context manager both close. The second time must neither raise, which hides the error that
    came before it, nor write anything.

    Breaks it:

        def close(self):
            self._file.close()
            self._file = None                 # the second time: AttributeError
    """
    jobs = [small_job("a", 1), small_job("b", 2)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        for _ in range(3):
            store.close()
        trial.count("comparisons")  # an exception would have ended the check
        if is_durable(trial):
            store = session.open()
            for job in jobs:
                has(trial, store, job, "getting a job, the store having been closed three times")


@check("JOBS-CLOSE-02", sources="the state contract on closing", promise=_DURABLE, methods=("close",), needs=_LISTED)
def test_closed_store_loses_no_job(trial: Trial) -> None:
    """A closed store refuses to save, or saves so that the job is there after reopening.

    Why: a save that comes late, from a thread that was not told, is acknowledged into an object that nobody will ever
    write to the disk.

    Breaks it:

        def save_job(self, job):
            self._pending.append(job)         # written by close(), which is over
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        store.close()
        allowed: list[Any] = [small_job("late", 2)]
        if trial.refused(lambda: store.save_job(small_job("late", 2))):
            trial.count("refusals")
            allowed = [None]
        elif trial.refused(store.acknowledge):
            allowed = [small_job("late", 2), None]  # never acknowledged: it may be there or not
        again = session.open()
        found = fetch(trial, again, "late")
        expected = found if found in allowed else allowed[0]
        trial.equal(found, expected, "getting, after reopening, a job that was saved in a closed store")
        has(trial, again, small_job("a", 1), "getting, after reopening, the job that was saved before")


@check("JOBS-CLOSE-03", sources="the state contract on closing", methods=("close",), needs=_LISTED)
def test_closed_store_is_not_empty(trial: Trial) -> None:
    """A closed store refuses to get and to list, or gives what it holds; it never looks empty.

    Why: a scheduler that outlives the store by a moment takes the empty list for the truth: there is nothing to do.

    Breaks it:

        def close(self):
            self._jobs.clear()                # and list_jobs() goes on to work
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        store.close()
        got: list[Any] = []
        # The exception for what is missing would tell the reader the same as None does: the job is not there.
        if not trial.refused(lambda: got.append(fetch(trial, store, "a"))):
            trial.equal(got, [small_job("a", 1)], "getting a job from a closed store")
        listing: list[Any] = []
        if not trial.refused(lambda: listing.extend(store.list_jobs())):
            trial.equal([item["id"] for item in listing], ["a"], "listing a closed store")
        trial.count("comparisons")  # both refused is a result as well


@check("JOBS-SHARED-01", sources="JOB-22, JOB-31; stale caches", promise=_SHARED, needs=_LISTED)
def test_other_handle_sees_jobs_at_once(trial: Trial) -> None:
    """Acknowledged jobs are there at once for every other handle, also one that has read them before; saves add up.

    Why: the scheduler has one handle and the user's program another. One that answers from what it read at its opening
    misses new jobs, and writes back old ones.

    Breaks it:

        def __init__(self, path):
            self._jobs = load(path)           # never looked at again
    """
    require_durable(trial)
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        jobs: dict[str, dict[str, Any]] = {}
        for number, job_id in enumerate(("a", "b", "a", "c", "b", "a")):
            writer, reader = handles[number % 2], handles[1 - number % 2]
            jobs[job_id] = small_job(job_id, number)
            save(writer, jobs[job_id])
            for handle in (reader, writer):
                for job in jobs.values():
                    has(trial, handle, job, "getting a job through each of two handles that save in turn")
                lists(trial, handle, jobs, "listing through each of two handles that save in turn")
            trial.equal(fetch(trial, reader, "never saved"), None, "getting a job that is not there")


@check("JOBS-SHARED-02", sources="JOB-22; LOG-62", promise=_SHARED, needs=_LISTED)
def test_other_process_sees_jobs_at_once(trial: Trial) -> None:
    """Acknowledged jobs are there at once for another process, while the store is still open here.

    Why: a job that waits in a buffer of this process until the store is closed is invisible to every worker.

    Breaks it:

        self._file.write(line)                # no flush: in the buffer of this process
    """
    require_durable(trial)
    with trial.fresh() as session:
        store = session.open()
        for job in (small_job("a", 1), small_job("a", 2)):
            save(store, job)
            what = "getting all that is listed in a new process, the store being open in this one"
            trial.equal(session.read_in_new_process(), [job], what)


@check("JOBS-COUNT-01", sources="issue 7: run count and history never go back", level="should", needs=_GATE)
def test_stale_save_is_refused(trial: Trial) -> None:
    """A save that would lower `runCount`, or drop entries of the history, should be refused, and change nothing.

    Why: it comes from a process that read the job before its last run. Who saves it whole undoes the run, and the job
    runs once more than it may.

    Breaks it:

        def save_job(self, job):
            self._jobs[job["id"]] = job       # whenever it was read
    """
    entries = [{"at": at, "status": "completed"} for at in (10, 20, 30)]
    now = small_job("a", 1, runCount=3, history=entries)
    stale = {
        "a lower count": {**now, "runCount": 2},
        "a count of 0": {**now, "runCount": 0},
        "a shorter history": {**now, "history": entries[:2]},
        "an empty history": {**now, "history": []},
        "no history": {name: value for name, value in now.items() if name != "history"},
        "another history": {**now, "history": [*entries[:2], {"at": 31, "status": "failed"}]},
        "a history without its beginning": {**now, "history": [*entries[1:], {"at": 40, "status": "completed"}]},
    }
    with trial.fresh() as session:
        store = session.open()
        save(store, now)
        for name, job in stale.items():
            refused = trial.refused(partial(store.save_job, job))
            trial.true(refused, f"saving a job with {name}", expected="an exception", got="no exception")
            has(trial, store, now, f"getting the job after a save with {name} was refused")
        # What goes on from there, and what changes other fields, is saved.
        more = [*entries, {"at": 40, "status": "completed"}]
        for job in (
            {**now, "label": "x"},
            {**now, "runCount": 4, "history": more},
            {**now, "runCount": 9, "history": more},
        ):
            save(store, job)
            has(trial, store, job, "getting a job after a save that does not go back")


@check("JOBS-COUNT-02", sources="JOB-21, JOB-23", promise=_DURABLE, needs=(*_GATE, "JOBS-REOPEN-01"))
def test_count_and_history_survive_restarts(trial: Trial) -> None:
    """The count and the history of a job that is saved after each of its runs grow over restarts, and never go back.

    Why: the process restarts between the execution of a job and the next. A count that begins with the process never
    reaches `maxRuns`.

    Breaks it:

        job["runCount"] = self._counts[job["id"]]     # since the start
    """
    job = small_job("a", 0, runAt=1_000, intervalMs=1_000, maxRuns=50)
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        for number in range(1, 9):
            store = session.reopen(store)
            has(trial, store, job, f"getting a job after {number - 1} runs, each followed by a restart")
            history = [*job["history"], {"at": 1_000 * number, "status": "completed", "number": number}]
            job = {**job, "runAt": 1_000 * (number + 1), "runCount": number, "history": history}
            save(store, {**job, "lastRunAt": 1_000 * number})
            job["lastRunAt"] = 1_000 * number
            has(trial, store, job, f"getting a job after {number} runs")
