"""Several workers of one job store, in processes and in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.histories.claims import Deed, Kind
from conformance.histories.claims_rounds import Order, Workers, meet
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.suites.concurrency.among_tasks import NEVER_WAITED
from conformance.suites.concurrency.laboratory import REFUSED, crew_of
from conformance.workers import WorkerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.trial import Trial

_PROCESSES, _THREADS = "sharing:processes", "sharing:threads"
_SAVES = ("JOBS-BASIC-01", "JOBS-REOPEN-01", "JOBS-LIST-01")
_CLAIMS = (*_SAVES, "JOBS-CLAIM-01")
_ENDS = (*_CLAIMS, "JOBS-DONE-01")
#: Calls that are shown at most.
_SHOWN = 24


def require_jobs(trial: Trial, kind: Kind, by: Workers, expected: str) -> None:
    """Require that workers who do something at the same time get along with each other.

    Raises:
        Violation: Something can't be.
        Inconclusive: No worker could be started, no two calls overlapped, or only one worker could change anything.
        NotApplicable: They are tasks, and the store never let another one run.
    """
    order = Order(kind, by, trial.seed % 1_000_003, trial.effort.rounds, trial.effort.round_seconds)
    try:
        met = crew_of(trial).call(meet, order)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    trial.count("histories", met.rounds)
    trial.count("operations", met.deeds)
    trial.count("comparisons", met.overlapping)
    if met.raised:
        trial.count("calls that raised", met.raised)
    if met.found is not None:
        what = f"{kind} of {order.workers} {by} at the same time, in round {met.rounds - 1}"
        raise Violation(what, expected=expected, got=met.found.why, story=_told(met.found.deeds))
    if met.alone:
        raise Inconclusive(REFUSED.format(met.alone))
    if not met.overlapping:
        if by == "tasks":
            raise NotApplicable(NEVER_WAITED)
        raise Inconclusive("no two calls were ever made at the same time")


def _told(deeds: Sequence[Deed]) -> tuple[str, ...]:
    """Return lines that tell of calls, with the order of their beginnings and ends."""
    moments = sorted(moment for deed in deeds for moment in deed[:2])
    return tuple(
        f"{moments.index(deed.call) + 1:3} to {moments.index(deed.end) + 1:3}  worker {deed.worker}  {_shown(deed)}"
        for deed in sorted(deeds)[:_SHOWN]
    )


def _shown(deed: Deed) -> str:
    called = {"save": "number", "add": "number", "delete": "", "search": "score"}.get(deed.verb, "token")
    named = ", ".join(f"{key!r}{f' {called} {number}' if called else ''}" for key, number in deed.told)
    return f"{deed.verb} {named or 'nothing'}{f', raised {deed.error}' if deed.error else ''}"


@check(
    "JOBS-CONC-01",
    sources="JOB-06, JOB-40; apscheduler#129, #160; River, Oban",
    capability="claims",
    promise=_PROCESSES,
    needs=_CLAIMS,
)
def test_processes_claim_each_job_once(trial: Trial) -> None:
    """Of processes that claim at the same time, each job that is due is given to exactly one.

    Why: between the look at what is due and the mark that it is taken, another worker looks. A job that two have is
    done twice; one that each left to the other is never done.

    Breaks it:

        due = self._select("status = 'ready' AND run_at <= ?", now)
        self._update("status = 'running'", due)        # another process has selected the same meanwhile
    """
    require_jobs(trial, "claims", "processes", "each job that is due is given to one worker")


@check(
    "JOBS-CONC-02",
    sources="JOB-08, JOB-10; ShedLock fuzzTest; Kleppmann",
    capability="claims",
    promise=_PROCESSES,
    needs=(*_ENDS, "JOBS-LEASE-02"),
)
def test_one_process_takes_over(trial: Trial) -> None:
    """An expired claim is taken over by one process, or completed by its former owner, and never both.

    Why: the slow worker is done at the very moment at which others look for what was left behind. If its completion is
    checked first and written later, the job is done, and runs once more.

    Breaks it:

        if self._token(job_id) != token: raise ConflictError
        self._write(job_id, done)                      # taken over between the two
    """
    require_jobs(trial, "takeovers", "processes", "each expired claim is taken over by one, or completed by its owner")


@check(
    "JOBS-CONC-03",
    sources="issue 7; JOB-40; lost updates between processes",
    capability="claims",
    promise=_PROCESSES,
    needs=_ENDS,
)
def test_processes_count_every_completion(trial: Trial) -> None:
    """Every completion of several processes is counted and noted in the history, and nobody's save is lost by it.

    Why: counts are read, raised and written. What another process wrote in between, to this job or in the same file,
    is gone, without any error.

    Breaks it:

        jobs = json.loads(self._path.read_text())      # all of them
        jobs[job_id]["runCount"] += 1
        self._replace(json.dumps(jobs))                # and what the other process wrote meanwhile?
    """
    require_jobs(trial, "completions", "processes", "runCount and history have each completion, and each save is there")


@check("JOBS-CONC-04", sources="issue 7; agno#7479; JOB-41", promise=_PROCESSES, needs=_SAVES)
def test_processes_keep_all_jobs(trial: Trial) -> None:
    """Every job that one of several processes saved is there at the end, as it was saved last.

    Why: a store that reads all jobs and writes all jobs loses what another process saved in between.

    Breaks it:

        def save_job(self, job):
            jobs = self._load()
            jobs[job["id"]] = job
            self._replace(jobs)                        # whole, synced, and without the other process's job
    """
    require_jobs(trial, "saves", "processes", "each job as it was saved last")


@check(
    "JOBS-CONC-11",
    sources="JOB-06; APScheduler#160",
    capability="claims",
    promise=_THREADS,
    needs=("JOBS-BASIC-01", "JOBS-CLAIM-01"),
)
def test_threads_claim_each_job_once(trial: Trial) -> None:
    """Of threads that claim through one handle at the same time, each job that is due is given to exactly one.

    Why: a pool of threads with one store is how most schedulers run their jobs.

    Breaks it:

        for job in [job for job in self._jobs.values() if self._is_due(job, now)]:
            job["status"] = "running"                  # another thread has the same list
    """
    require_jobs(trial, "claims", "threads", "each job that is due is given to one worker")


@check(
    "JOBS-CONC-12",
    sources="JOB-40; lost updates between threads",
    capability="claims",
    promise=_THREADS,
    needs=("JOBS-BASIC-01", "JOBS-DONE-01"),
)
def test_threads_count_every_completion(trial: Trial) -> None:
    """Every completion of several threads is counted and noted in the history, and nobody's save is lost by it.

    Why: `count += 1` is a read and a write, and a thread may be switched between the two.

    Breaks it:

        job = self.get_job(job_id)
        job["runCount"] += 1
        self.save_job(job)                             # without a lock around the three
    """
    require_jobs(trial, "completions", "threads", "runCount and history have each completion, and each save is there")
