"""The `jobs` contract for the crash engine: jobs are saved, moved along, and claimed, renewed, completed and failed.

Who may have a job is no part of its record. So a content has the leases beside the records, and of a store that was
opened again it is seen last, by claiming, which jobs it hands out at two times.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.records import (
    PROBE_ID,
    Kind,
    content_of,
    mislisted_records,
    read_records,
    record_parts,
    record_source,
    record_teller,
    records_agree,
)
from conformance.crash.subjects.subject import Content, Step, Subject

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The ids that workloads use; those of jobs that are claimed begin with this letter.
CLAIMED = "c"
JOB_IDS = ("j0", "j1", "j2", "c0", "c1", "c2")
#: After all times of the workloads, but before the leases that a process still has end; and after these too.
NOW, LATER = 2_000_000, 4_000_000_000
_LEASE = 1_000
#: The fields of jobs in workloads. A store that hands out jobs may note more in them; these are settled.
_FIELDS = (
    *("id", "handler", "payload", "runAt", "intervalMs", "maxRuns", "runCount", "status", "result", "error"),
    *("lastRunAt", "history", "x-runtime"),
)
_NOTED = ("at", "status", "note")


def _seen(job: Any) -> Any:
    """Return what of a job is compared."""
    if not isinstance(job, dict):
        return job
    seen = {name: job[name] for name in _FIELDS if name in job}
    if isinstance(seen.get("history"), list):
        seen["history"] = [
            {name: entry[name] for name in _NOTED if name in entry} if isinstance(entry, dict) else entry
            for entry in seen["history"]
        ]
    if seen.get("status") == "stopped" and str(seen.get("id")).startswith(CLAIMED):
        seen.pop("runAt", None)  # it was completed for the last time: nobody needs to know when it was due
    return seen


_JOB = Kind("job", "get_job", "list_jobs", (*JOB_IDS, PROBE_ID), _seen)


def _perform(store: Handle, step: Step) -> None:
    if step.verb == "claim_due":
        for claim in store.claim_due(*step.args):
            store.tokens[claim["job"]["id"]] = claim["token"]
    elif step.verb in ("renew", "complete", "fail"):
        job_id, *rest = step.args
        getattr(store, step.verb)(job_id, store.tokens[job_id], *rest)
    else:
        getattr(store, step.verb)(*step.args)


def _read(driver: Driver, store: Any) -> Content:
    return read_records(driver, store, _JOB)


def _last(driver: Driver, store: Any, content: Content) -> Content:
    if not hasattr(store, "claim_due"):
        return content

    def given(now: int) -> list[str]:
        claims = driver.items(store.claim_due, now, "the next process", _LEASE, 100)
        return sorted(claim["job"]["id"] for claim in claims if claim["job"]["id"].startswith(CLAIMED))

    return {**content, "given": [given(NOW), given(LATER)]}


def _listed(driver: Driver, store: Any) -> list[Any]:
    return driver.items(getattr(store, _JOB.lister))


def _apply(content: Content, step: Step) -> Content:
    jobs, until = dict(content["records"]), dict(content.get("until", {}))  # of what a store showed nobody knows them
    match step.verb, step.args:
        case "save_job", (job,):
            jobs[job["id"]] = _seen(job)
        case "delete_job", (job_id,):
            jobs.pop(job_id, None)
            until.pop(job_id, None)
        case "set_status", (job_id, status) if job_id in jobs:
            jobs[job_id] = {**jobs[job_id], "status": status}
        case "claim_due", (now, _, lease, limit):
            for job_id in _due(jobs, until, now)[:limit]:
                jobs[job_id] = {**jobs[job_id], "status": "running"}
                until[job_id] = now + lease
        case "renew", (job_id, now, lease) if job_id in until:
            until[job_id] = now + lease
        case "complete", (job_id, now, result) if job_id in until:
            jobs[job_id] = _completed(jobs[job_id], now, result)
            del until[job_id]
        case "fail", (job_id, now, error) if job_id in until:
            jobs[job_id] = {**_noted(jobs[job_id], now, "failed"), "error": error, "status": "ready"}
            del until[job_id]
    return {**content_of(jobs, content["otherwise"]), **({"until": until} if "until" in content else {})}


def _due(jobs: dict[str, Any], until: dict[str, int], now: int) -> list[str]:
    def free(job: Any) -> bool:
        expired = job["status"] == "running" and until.get(job["id"], now + 1) <= now
        return (expired or job["status"] == "ready") and bool(job["runAt"] <= now)

    return [job["id"] for job in sorted(filter(free, jobs.values()), key=lambda job: job["runAt"])]


def _completed(job: dict[str, Any], now: int, result: Any) -> dict[str, Any]:
    """Return a job that was done; in the workloads there is neither an end of runs nor another rule about misfires."""
    run_at, interval = job["runAt"], job["intervalMs"]
    done = {"runCount": job["runCount"] + 1, "lastRunAt": now, "result": result, "error": None}
    moved = {"status": "stopped"}
    if interval:
        moved = {"status": "ready", "runAt": run_at + interval * max(1, (now - run_at) // interval + 1)}
    found: dict[str, Any] = _seen({**_noted(job, now, "completed"), **done, **moved})
    return found


def _noted(job: dict[str, Any], now: int, status: str) -> dict[str, Any]:
    return {**job, "history": [*job["history"], {"at": now, "status": status}]}


def _given(content: Content) -> list[list[str]]:
    """Return which of the jobs that are claimed a store must hand out at each of the two times."""
    if "given" in content:
        found: list[list[str]] = content["given"]
        return found
    if "until" not in content:
        return [[], []]
    jobs = {job_id: job for job_id, job in content["records"] if job_id.startswith(CLAIMED)}
    return [sorted(_due(jobs, content["until"], time)) for time in (NOW, LATER)]


def _agrees(observed: Content, expected: Content) -> bool:
    # What a process showed that went on was not asked whom it would hand out jobs to.
    unasked = "given" not in observed or "until" not in expected
    return records_agree(observed, expected) and (unasked or observed["given"] == _given(expected))


def _parts(content: Content) -> Iterable[Any]:
    now, later = _given(content)
    given = [[f"handed out at {time}", job_id] for time, ids in ((NOW, now), (LATER, later)) for job_id in ids]
    return [*record_parts(content), *given]


def _probe(_domain: str) -> Step:
    job = {"id": PROBE_ID, "handler": "h", "payload": None, "runAt": 0, "intervalMs": None, "maxRuns": None}
    return Step("save_job", ({**job, "runCount": 0, "status": "stopped", "history": []},))


JOBS = Subject(
    contract="jobs",
    empty={**content_of({}), "until": {}},
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=_agrees,
    parts=_parts,
    probe=_probe,
    source=record_source,
    listed=_listed,
    mislisted=partial(mislisted_records, _JOB),
    tell=record_teller(("status", "runAt", "runCount"), ("history",)),
    last=_last,
    last_of="claims",
)
