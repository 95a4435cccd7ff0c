"""The capabilities `status` and `delete_job` of the `jobs` contract: how a job moves along, and how it goes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import (
    conflicts,
    fail,
    fetch,
    gives,
    has,
    keeps,
    listed,
    lists,
    must_refuse,
    save,
    take,
)
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_MOVES = (*_GATE, "JOBS-STATUS-01")
_REOPENS = (*_GATE, "JOBS-REOPEN-01")
_DELETES = (*_GATE, "JOBS-DELETE-01")
_DURABLE = "durability:clean-close"

#: The statuses that may follow each.
_NEXT = {
    "created": ("initializing", "stopped"),
    "initializing": ("ready", "failed", "crashed"),
    "ready": ("running", "stopping", "stopped", "failed", "crashed"),
    "running": ("ready", "stopping", "stopped", "failed", "crashed"),
    "stopping": ("stopped", "failed", "crashed"),
    "stopped": ("restarting",),
    "failed": ("restarting",),
    "crashed": ("restarting",),
    "restarting": ("initializing", "ready", "stopped", "failed", "crashed"),
}
_LEGAL = [(status, following) for status, all_following in _NEXT.items() for following in all_following]
_ILLEGAL = [(one, other) for one in _NEXT for other in _NEXT if one != other and other not in _NEXT[one]]


def _moved(trial: Trial, store: Handle, job: dict[str, Any], following: str) -> dict[str, Any]:
    """Move a job along, and return how it must be then."""
    what = f"setting the status of a job that is {job['status']} to {following}"
    got = store.set_status(job["id"], following)
    store.acknowledge()
    job = {**job, "status": following}
    given = {name: got[name] for name in job if name in got} if isinstance(got, dict) else got
    trial.equal(given, job, f"what is returned by {what}")
    keeps(trial, store, job, f"getting a job after {what}")
    return job


@check("JOBS-STATUS-01", sources="JOB-12; issue 7: explicit transitions", capability="status", needs=_GATE)
def test_legal_moves_are_made(trial: Trial) -> None:
    """Each move of the list is made: the job that is returned, and got, has the new status, and all else as before.

    Why: a state machine that refuses a legal move leaves a job where it is for ever, and one that takes other fields
    along undoes what was written to them.

    Breaks it:

        if status not in ("ready", "running", "stopped"): raise ValueError(status)
    """
    with trial.fresh() as session:
        store = session.open()
        other = small_job("other", 1)
        save(store, other)
        for status, following in _LEGAL:
            job = {**full_job(f"{status} to {following}"), "status": status}
            save(store, job)
            _moved(trial, store, job, following)
        has(trial, store, other, "getting another job after all these moves")
        job = small_job("along", 1, status="created")
        save(store, job)
        way = (
            "initializing ready running stopping stopped restarting ready running crashed restarting failed restarting"
        )
        for following in way.split():
            job = _moved(trial, store, job, following)


@check(
    "JOBS-STATUS-02",
    sources="issue 7: every one persisted",
    capability="status",
    promise=_DURABLE,
    needs=(*_MOVES, "JOBS-REOPEN-01"),
)
def test_moves_survive_reopening(trial: Trial) -> None:
    """Each move is kept: after the store was closed and opened again the job has the status that it was given last.

    Why: statuses change often and look small, so they are what a store keeps in memory to save a write. After a restart
    the job that was stopped is running.

    Breaks it:

        self._statuses[job_id] = status           # saved with the job, when it is saved
    """
    with trial.fresh() as session:
        store = session.open()
        jobs: list[dict[str, Any]] = []
        for status, following in _LEGAL:
            job = small_job(f"{status} to {following}", len(jobs), status=status)
            save(store, job)
            jobs.append(_moved(trial, store, job, following))
        store = session.reopen(store)
        for job in jobs:
            keeps(trial, store, job, "getting a job that was moved along before the store was reopened")
        job = small_job("along", 1, status="created")
        save(store, job)
        for following in ("initializing", "ready", "running", "stopping", "stopped", "restarting", "ready"):
            job = _moved(trial, store, job, following)
            store = session.reopen(store)
            keeps(trial, store, job, "getting a job after each move and a reopening")


@check(
    "JOBS-STATUS-03", sources="JOB-12; River SetStateIfRunning; Quartz TriggerStates", capability="status", needs=_MOVES
)
def test_illegal_moves_are_refused(trial: Trial) -> None:
    """A move that is not in the list, or to a status that there is not, is refused, and the job stays as it is.

    Why: `stopped` to `running`, by a button that was pressed in an old window, starts what was given up. Who asks must
    hear that it did not happen.

    Breaks it:

        def set_status(self, job_id, status):
            self._jobs[job_id]["status"] = status # anything goes
    """
    cases = [*_ILLEGAL, *((status, nonsense) for status in _NEXT for nonsense in ("", "READY", "done"))]
    with trial.fresh() as session:
        store = session.open()
        for number, status in enumerate(_NEXT):
            save(store, small_job(status, number, status=status))
        for number, status in enumerate(_NEXT):
            for following in (following for one, following in cases if one == status):
                what = f"setting the status of a job that is {status} to {following!r}"
                must_refuse(trial, partial(store.set_status, status, following), what)
                has(trial, store, small_job(status, number, status=status), f"getting the job after {what}")


@check("JOBS-STATUS-04", sources="issue 7: repeating one is a no-op", capability="status", needs=_MOVES)
def test_repeated_move_changes_nothing(trial: Trial) -> None:
    """Setting the status that a job has already changes nothing, and is no error.

    Why: commands are sent again when their answer was lost. "Stop" for a job that is stopped has nothing left to do.

    Breaks it:

        if status not in NEXT[job["status"]]: raise ConflictError     # stopped to stopped
    """
    with trial.fresh() as session:
        store = session.open()
        for status in _NEXT:
            job = {**full_job(status), "status": status}
            save(store, job)
            for _ in range(2):
                _moved(trial, store, job, status)
                has(trial, store, job, f"getting a job after its status was set to {status}, which it had")


@check("JOBS-STATUS-05", sources="JOB-10: UnknownJobIgnored; the contract", capability="status", needs=_MOVES)
def test_status_of_a_missing_job_is_refused(trial: Trial) -> None:
    """Setting the status of a job that is not there is refused, and makes none.

    Why: a typing error in an id must not look like a job that was stopped, nor leave half a job behind.

    Breaks it:

        self._jobs.setdefault(job_id, {})["status"] = status
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        for status in ("created", "ready", "stopped"):
            what = f"setting the status of a job that is not there to {status}"
            must_refuse(trial, partial(store.set_status, "b", status), what)
            trial.equal(fetch(trial, store, "b"), None, f"getting that job after {what}")
        lists(trial, store, ["a"], "listing after the status of a missing job was set")


@check(
    "JOBS-STATUS-06",
    sources="JOB-12, JOB-15",
    capability="status",
    methods=("claim_due",),
    needs=(*_MOVES, "JOBS-CLAIM-01"),
)
def test_status_decides_what_is_due(trial: Trial) -> None:
    """A job that is stopped is not due any more, and one that is made ready is.

    Why: what is due is often found in an index of its own. If a move does not reach it, the job that was stopped runs.

    Breaks it:

        def set_status(self, job_id, status):
            UPDATE jobs SET status = ?            -- but the queue of due jobs stays as it is
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, *(small_job(name, number) for number, name in enumerate(("stopped", "stopping", "failed"))))
        save(store, small_job("made ready", 10, status="created"), small_job("left", 11))
        for status in ("stopped", "stopping", "failed"):
            store.set_status(status, status)
        for status in ("initializing", "ready"):
            store.set_status("made ready", status)
        store.acknowledge()
        gives(trial, store, 2_000, ["made ready", "left"], "claiming after three jobs were stopped and one made ready")
        for status in ("restarting", "ready"):
            store.set_status("stopped", status)
        store.acknowledge()
        gives(trial, store, 2_001, ["stopped"], "claiming after a stopped job was restarted")


@check(
    "JOBS-STATUS-07",
    sources="JOB-32; Quartz ResetErrorTrigger",
    capability="status",
    methods=("claim_due", "fail"),
    needs=(*_MOVES, "JOBS-FAIL-01"),
)
def test_restarted_job_is_tried_again(trial: Trial) -> None:
    """A job that has failed or crashed for good is handed out again, as often as a new one, once it was restarted.

    Why: the cause was removed, and a person presses "restart". If the old attempts still count, the job fails at once.

    Breaks it:

        if job["attempts"] >= job["maxAttempts"]: # since the job was made
            job["status"] = "crashed"
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("fails", 1, maxAttempts=2), small_job("crashes", 2, maxAttempts=2))
        now = 2_000
        for _ in range(2):
            for _ in range(2):
                tokens = gives(trial, store, now, ["fails", "crashes"], "claiming for an attempt", lease=100)
                fail(store, "fails", tokens["fails"], now + 1)
                now += 100
            gives(trial, store, now, [], "claiming after all attempts")
            for job_id, status in (("fails", "failed"), ("crashes", "crashed")):
                trial.equal(fetch(trial, store, job_id)["status"], status, "the status of a job after all its attempts")
                for following in ("restarting", "ready"):
                    store.set_status(job_id, following)
            store.acknowledge()


@check("JOBS-DELETE-01", sources="the runs contract on delete_run", capability="delete_job", needs=_GATE)
def test_deleted_job_is_gone(trial: Trial) -> None:
    """A deleted job is neither got nor listed, all others are as they were, and its id can be saved again.

    Why: a job that is gone from the list, but is found by its id, or the reverse, is a schedule that nobody can end.

    Breaks it:

        def delete_job(self, job_id):
            del self._jobs[job_id]                # the index of the listing keeps it
    """
    jobs = [full_job("a"), full_job("ab"), small_job("b", 1)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        store.delete_job("a")
        store.acknowledge()
        trial.equal(fetch(trial, store, "a"), None, "getting a job that was deleted")
        lists(trial, store, ["ab", "b"], "listing after a job was deleted")
        for job in jobs[1:]:
            has(trial, store, job, "getting another job after one was deleted")
        save(store, small_job("a", 7))
        has(trial, store, small_job("a", 7), "getting a job that was saved again after it was deleted")
        lists(trial, store, ["a", "ab", "b"], "listing after the job was saved again")


@check("JOBS-DELETE-02", sources="JOB-15: cancel unknown", capability="delete_job", needs=_DELETES)
def test_deleting_what_is_not_there_changes_nothing(trial: Trial) -> None:
    """Deleting a job that is not there, or is deleted already, changes nothing; at most it raises `missing`.

    Why: two operators delete one job. The second must not take another one with it, nor be told that the store is
    broken.

    Breaks it:

        self._jobs.remove(self._position(job_id)) # -1 where there is none: the last job goes
    """
    jobs = [small_job(name, number) for number, name in enumerate(("a", "b", "c"))]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        store.delete_job("b")
        for job_id in ("b", "never there", "b", "d"):
            try:
                store.delete_job(job_id)
            except trial.errors("missing"):
                trial.count("refusals")
            for job in (jobs[0], jobs[2]):
                has(trial, store, job, "getting a job after one that is not there was deleted")
            names = [job["id"] for job in listed(trial, store, "listing after that")]
            trial.equal(sorted(names), ["a", "c"], "listing after a job that is not there was deleted")


@check(
    "JOBS-DELETE-03",
    sources="JOB-22; tombstone_dropped",
    capability="delete_job",
    promise=_DURABLE,
    needs=(*_DELETES, "JOBS-REOPEN-01"),
)
def test_deleted_job_does_not_come_back(trial: Trial) -> None:
    """A deleted job is still gone after the store was closed and opened again, and the others are there.

    Why: a schedule that was deleted comes back with the next restart and goes on running.

    Breaks it:

        def delete_job(self, job_id):
            self._jobs.pop(job_id, None)          # in memory; nothing is written
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1), small_job("b", 2))
        store.delete_job("a")
        store = session.reopen(store)
        trial.equal(fetch(trial, store, "a"), None, "getting a deleted job after the store was reopened")
        lists(trial, store, ["b"], "listing after the store was reopened")
        has(trial, store, small_job("b", 2), "getting the other job after the store was reopened")


@check(
    "JOBS-DELETE-04",
    sources="JOB-15, JOB-16",
    capability="delete_job",
    methods=("claim_due", "complete"),
    needs=(*_DELETES, "JOBS-DONE-01"),
)
def test_deleted_job_is_not_due(trial: Trial) -> None:
    """A deleted job is not due any more, and whoever had claimed it can't bring it back.

    Why: the worker that was at work on the job completes it, and a store that writes the record it holds in its hands
    has the job again, with a next time.

    Breaks it:

        def complete(self, job_id, token, now, result=None):
            self._jobs[job_id] = self._after(self._claimed[job_id], now, result)
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("waits", 1), small_job("is claimed", 2, intervalMs=1_000), small_job("stays", 3))
        token = gives(trial, store, 1_002, ["waits", "is claimed"], "claiming two", lease=100)["is claimed"]
        # A store may refuse to delete what is running; then it must be there, whole.
        if trial.refused(lambda: store.delete_job("is claimed")):
            trial.count("refusals")
            left = ["is claimed"]
        else:
            left = []
            must_refuse(trial, lambda: store.complete("is claimed", token, 1_050), "completing a job that was deleted")
            trial.equal(fetch(trial, store, "is claimed"), None, "getting a job that was deleted while it was claimed")
        gives(trial, store, 1_102, ["waits", *left, "stays"], "claiming when the leases have expired", owner="two")
        save(store, small_job("gone", 4))
        store.delete_job("gone")
        store.acknowledge()
        gives(trial, store, 1_500, ["waits", *left, "stays"], "claiming after a job that was due was deleted")


@check(
    "JOBS-DELETE-05",
    sources="JOB-10; Kleppmann on fencing",
    level="should",
    capability="delete_job",
    methods=("claim_due", "complete"),
    needs=(*_DELETES, "JOBS-DONE-01"),
)
def test_old_claim_does_not_end_a_new_job(trial: Trial) -> None:
    """When a job is deleted and another is saved under its id, a claim on the first one should not end the second.

    Why: the worker of the deleted job is still at work. If tokens begin anew with the new job, its token is the one
    that the new owner holds.

    Breaks it:

        def delete_job(self, job_id):
            del self._tokens[job_id]              # the next claim is given token 1 again
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 1))
        old = take(trial, store, "a", 2_000, lease=100)
        if trial.refused(lambda: store.delete_job("a")):
            trial.equal(fetch(trial, store, "a") is None, expected=False, what="that a refused delete left the job")
            return
        store.acknowledge()
        save(store, small_job("a", 2))
        conflicts(
            trial, store, lambda: store.complete("a", old, 2_050), "a", "completing with a token of a deleted job"
        )
        take(trial, store, "a", 2_060, owner="two")
        conflicts(
            trial, store, lambda: store.complete("a", old, 2_070), "a", "completing with a token of a deleted job"
        )
