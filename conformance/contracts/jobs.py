"""The `jobs` contract: what is to be done later, again and again, or by whoever is free; each job a JSON document.

A job store has `save_job(job)`, `get_job(job_id)`, `list_jobs()` and `close()`. An async store has the same verbs as
`async def`. All times are whole milliseconds since 1970 (POSIX), and are given by the caller: a store asks no clock.

A job
    A dict with a non-empty text `id` and `handler`, `payload`, `runAt`, `intervalMs` (None for a job that runs once),
    `maxRuns` (None for no end), `runCount`, `status`, `result`, `error`, `lastRunAt`, `history` (a list), and whatever
    else a runtime keeps. No field is dropped, reordered, renamed or retyped. What is not JSON is refused with
    TypeError or ValueError, and so is a job without a text `id`; what was there before is left intact.

Saving, getting, listing
    As in the `runs` contract: `save_job` replaces the whole record; `get_job` returns a copy, and None or the
    `missing` exception where there is none; `list_jobs()` gives every job once, whole or as a summary with its `id`,
    always in the same order.

Counting
    `runCount` and `history` never go back. A save that would lower the count or drop entries of the history comes from
    a process that read the job earlier; a good store refuses it (*should*).

Capabilities
------------
`claims`
    `claim_due(now, owner, lease, limit)` hands out at most `limit` due jobs to `owner` until `now + lease`, those with
    the earliest `runAt` first. It gives dicts with `job` (the record), `token`, `owner` and `until`.

    *Due* is a job whose status is `ready`, or `running` with a lease that has expired, and whose `runAt` is `now` or
    earlier: exactly now is due. A lease ends at `until`: then it has expired. While it lasts nobody is given the job,
    whatever is saved meanwhile, and when it has expired one taker is. A claimed job has the status `running`. `limit=0`
    gives nothing.

    *Tokens* fence: an int, higher than every token of that job before, also after a reopen. `renew(job_id, token, now,
    lease)` lets the lease end at `now + lease`. `complete(job_id, token, now, result)` and `fail(job_id, token, now,
    error)` end the claim. With a token that was superseded, that was ended, or whose lease has expired and been taken
    over, each is refused with the `conflict` exception and changes nothing. `renew` is refused as soon as the lease
    has expired; `complete` and `fail` are accepted until somebody else has claimed the job.

    *A completion* adds one to `runCount`, sets `lastRunAt` to `now`, `result` to the result and `error` to None, and
    appends one entry to `history`, a dict with `at` (`now`) and `status` (`completed`). A job with an `intervalMs` is
    `ready` again at its next time unless `maxRuns` are done; every other job is `stopped`, and never due again.

    *The next time* lies on the job's own grid (`runAt` plus whole intervals), so that nothing drifts. After a downtime
    the job's `misfire` says what becomes of the times that were missed. `once`, which is meant where there is none:
    they are made up for by one run, and the next time is the first on the grid after `now`. `all`: each is run, and
    the next time is `runAt + intervalMs`. `skip`: a job that is claimed a whole interval or more late is not run for
    that: its `runAt` moves to the first time on the grid that is not before `now`, and it is due only if that is
    `now`. In no case does `runAt` go back, so a clock that is put back does not run a job twice.

    *A failure* sets `error`, appends an entry to `history` with `at` and `status` (`failed`), and leaves `runCount` as
    it is. The job is `ready` again at the same `runAt`, unless it is *poison*: a job with `maxAttempts` that was
    claimed so many times since it was last completed or restarted is `failed` then, and is not handed out again. One
    whose owners all died is `crashed` instead, when its last lease has expired and it would be handed out. It blocks no
    other job.

`status`
    `set_status(job_id, status)` moves a job along: created to initializing or stopped; initializing to ready; ready to
    running, stopping or stopped; running to ready, stopping or stopped; stopping to stopped; stopped, failed and
    crashed to restarting; restarting to initializing, ready or stopped; each but created, stopped, failed and crashed
    also to failed or crashed. It returns the job. Each move is kept at once. A move that is not in this list is
    refused and changes nothing; a status that the job has already changes nothing, and is no error. A job that is not
    there is refused. A move may end the claim on the job.

`delete_job`
    `delete_job(job_id)` removes the job: from `get_job`, from the listing, and from what is due. Deleting a job that
    is not there changes nothing, and may raise the `missing` exception.

Sources: the property checklist JOB-01 to JOB-42; River's and Oban's tests; Quartz (misfire instructions); Kleppmann,
How to do distributed locking (fencing tokens).
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="jobs",
    verbs=("save_job", "get_job", "list_jobs"),
    capabilities=(
        Capability("claims", ("claim_due", "renew", "complete", "fail")),
        Capability("status", ("set_status",)),
        Capability("delete_job", ("delete_job",)),
    ),
)
