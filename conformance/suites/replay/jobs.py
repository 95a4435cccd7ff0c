"""Jobs are the same whoever reads them, and are handed out in the same order by whomever they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.replay.records import AGAIN
from conformance.suites.replay.everywhere import claims_the_same, lives_the_same, reads_the_same, saves_anew
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01",)


@check(
    "JOBS-REPLAY-01",
    sources="RUN-31; mutants jobs_set_order, jobs_hidden_by_the_clock",
    promise="durability:clean-close",
    needs=(*_NEEDS, "JOBS-REOPEN-01"),
)
def test_everybody_reads_the_same_jobs(trial: Trial) -> None:
    """Jobs are read, and listed in one order, the same each time and by everybody: whatever his settings and his clock.

    Why: the scheduler is started again on another machine, whose clock and zone are others. The schedule is the same.

    The processes differ in PYTHONHASHSEED, TZ, LANG, the working directory and the seed of `random`; and the wall clock
    is wrong by years, steps back, or stands still.

    Breaks it:

        def get_job(self, job_id):
            job = self._load(job_id)
            return None if job["runAt"] < time.time() * 1000 else job    # "it is over"
    """
    reads_the_same(trial)


@check("JOBS-REPLAY-02", sources="RUN-31; mutant jobs_in_the_encoding_of_the_locale", needs=_NEEDS)
def test_the_same_saves_make_the_same_jobs(trial: Trial) -> None:
    """The same saves and deletes leave the same jobs in every empty store, in whatever process.

    Why: a schedule is set up by a script, on each machine anew. It must not depend on the machine.

    Breaks it:

        def save_job(self, job):
            self._file(job["id"]).write_text(json.dumps(job, ensure_ascii=False))    # in the encoding of the locale
    """
    lives_the_same(trial)


@check("JOBS-REPLAY-03", sources="JOB-33; mutant jobs_gc_leaves_outputs", capability="delete_job", needs=_NEEDS)
def test_a_deleted_job_does_not_come_back(trial: Trial) -> None:
    """A job that was deleted and is saved again under its id has what was saved then, and nothing of before.

    Why: a schedule has the name of what it does. Who removes it and makes it anew must not be told that it ran.

    Breaks it:

        def delete_job(self, job_id):
            del self._jobs[job_id]                     # and its history stays, under the same id
    """
    new = small_job(AGAIN, 1)

    def clear(store: Handle) -> None:
        store.save_job(full_job(AGAIN))
        store.delete_job(AGAIN)
        store.save_job(new)

    saves_anew(trial, clear, {AGAIN: new})


@check(
    "JOBS-REPLAY-04",
    sources="JOB-03, JOB-28; mutant jobs_due_by_the_wall_clock",
    capability="claims",
    needs=(*_NEEDS, "JOBS-CLAIM-01", "JOBS-DONE-01"),
)
def test_the_same_claims_hand_out_the_same_jobs(trial: Trial) -> None:
    """The same claims, completions and failures at the same given times hand out the same jobs in the same order.

    Why: all times are given, so that a scheduler can be tested, and a night can be looked at again. Whoever asks a
    clock beside them does it otherwise each time.

    Each process has another clock, zone and hash seed; no two jobs are due at the same time.

    Breaks it:

        def claim_due(self, now, owner, lease, limit):
            due = [job for job in self._jobs if job["runAt"] <= min(now, time.time() * 1000)]
    """
    claims_the_same(trial)
