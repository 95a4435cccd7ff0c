"""Power loss and the `jobs` contract: an earlier state, whole; and nothing that was acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import keeps_an_earlier_state, keeps_what_was_acknowledged

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-REOPEN-01")
_CLAIMS = (*_NEEDS, "JOBS-CLAIM-01", "JOBS-DONE-01")
_PREFIX = "durability:prefix"
_DURABLE = "durability:power-loss"


@check(
    "JOBS-CRASH-11",
    sources="JOB-22, JOB-25; ALICE, OSDI 2014; mutant records_not_synced",
    promise=_PREFIX,
    needs=_NEEDS,
)
def test_power_loss_leaves_an_earlier_state_of_jobs(trial: Trial) -> None:
    """Power loss leaves jobs in a state that was: none is torn, and none has moved on while another went back.

    Why: what is not synced the disk writes when it likes, in parts, and the second before the first.

    Breaks it:

        with open(temporary, "w") as file:
            json.dump(job, file)                       # not synced
        os.replace(temporary, path)                    # the name may reach the disk before the bytes
    """
    keeps_an_earlier_state(trial, "saves of jobs that run")


@check(
    "JOBS-CRASH-12",
    sources="JOB-20, JOB-21; mutant records_not_synced",
    capability="claims",
    promise=_PREFIX,
    needs=_CLAIMS,
)
def test_power_loss_leaves_an_earlier_state_of_claims(trial: Trial) -> None:
    """Power loss leaves each job and who has it in a state that was.

    Why: a completion without its claim, or a claim without its job, is a state that no worker knows what to do with.

    Breaks it:

        self._claims.write_text(json.dumps(claims))    # neither is synced,
        self._jobs.write_text(json.dumps(jobs))        # and one may be there without the other
    """
    keeps_an_earlier_state(trial, "claims")


@check(
    "JOBS-CRASH-21",
    sources="JOB-22, JOB-25; ALICE, OSDI 2014; mutant records_name_not_synced",
    promise=_DURABLE,
    needs=(*_NEEDS, "JOBS-CRASH-11"),
)
def test_acknowledged_jobs_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged save of a job, and every delete, is there after power loss: no count and no history goes back.

    Why: a run that is forgotten is a run that is done again: the second invoice, the second mail.

    Breaks it:

        os.fsync(file.fileno())
        os.replace(temporary, path)                    # no sync of the directory: the old record may come back
    """
    keeps_what_was_acknowledged(trial, "saves of jobs that run")


@check(
    "JOBS-CRASH-22",
    sources="JOB-20, JOB-23; mutant records_name_not_synced",
    capability="claims",
    promise=_DURABLE,
    needs=(*_CLAIMS, "JOBS-CRASH-12"),
)
def test_acknowledged_claims_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged claim, renewal, completion and failure is there after power loss.

    Why: the worker, in another machine, still has its lease when this one comes up again. If the store has forgotten
    it, two have the job.

    Breaks it:

        connection.execute("PRAGMA synchronous = OFF")     # "the queue is only temporary"
    """
    keeps_what_was_acknowledged(trial, "claims")
