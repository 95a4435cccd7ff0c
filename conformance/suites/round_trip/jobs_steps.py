"""What the checks of the `jobs` contract share: reading, comparing, claiming, and what an ended claim leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.result import NotApplicable
from conformance.values.cases import EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

Job = dict[str, Any]

#: Values that a store may refuse, or keep as they are. How large a value may be is a matter of the `state` contract.
NO_JSON = {name: value for name, value in {**EXACT_OR_REFUSED_VALUES, **FOREIGN_VALUES}.items() if "MiB" not in name}
#: How long a lease lasts where a check does not say otherwise.
LEASE = 100
#: What checks without a limit of their own ask for: more than there is.
ALL = 1_000


def is_durable(trial: Trial) -> bool:
    """Tell whether jobs are still there after the store was closed and opened again."""
    return trial.backend.durability != "volatile"


def require_durable(trial: Trial) -> None:
    """Make the check not applicable to a store that lives in one handle only; for checks that hold another promise."""
    if not is_durable(trial):
        raise NotApplicable("durability is promised at 'volatile' only; a second handle is another store then")


def offers(trial: Trial, capability: str) -> bool:
    """Tell whether the store offers a capability, and the backend does not disclaim it."""
    return capability in trial.bench.profile.offered("jobs")


def fetch(trial: Trial, store: Handle, job_id: Any) -> Any:
    """Get a job, or None where there is none; a store may say so by its exception."""
    try:
        return store.get_job(job_id)
    except trial.errors("missing"):
        return None


def has(trial: Trial, store: Handle, job: Mapping[str, Any], what: str) -> None:
    """Require that a job is got exactly as it is expected."""
    trial.equal(fetch(trial, store, job["id"]), job, what)


def keeps(trial: Trial, store: Handle, job: Mapping[str, Any], what: str) -> None:
    """Require that a job is got with these fields; a store that hands out jobs may note more in the record."""
    got = fetch(trial, store, job["id"])
    trial.equal(_only(got, job), job, what)


def _only(got: Any, names: Iterable[str]) -> Any:
    return {name: got[name] for name in names if name in got} if isinstance(got, dict) else got


def save(store: Handle, *jobs: Mapping[str, Any]) -> None:
    """Save jobs one by one, and acknowledge them."""
    for job in jobs:
        store.save_job(dict(job))
    store.acknowledge()


def listed(trial: Trial, store: Handle, what: str) -> list[Job]:
    """List the jobs; each must be a dict with its id."""
    found = store.list_jobs()
    for item in found:
        if not (isinstance(item, dict) and isinstance(item.get("id"), str)):
            trial.violated(what, expected="jobs, or summaries of jobs with their 'id'", got=literal(item))
    return found


def lists(trial: Trial, store: Handle, job_ids: Iterable[str], what: str) -> None:
    """Require that each of the jobs is listed once, and no other, in whatever order."""
    trial.equal(sorted(job["id"] for job in listed(trial, store, what)), sorted(job_ids), what)


def must_refuse(trial: Trial, call: Callable[[], Any], what: str) -> None:
    """Require that a call is refused loudly, with any exception."""
    trial.count("refusals")
    trial.true(trial.refused(call), what, expected="an exception", got="no exception")


def claim(
    trial: Trial, store: Handle, now: int, *, owner: str = "one", lease: int = LEASE, limit: int = ALL
) -> list[dict[str, Any]]:
    """Claim what is due at `now`, and require that each claim has the form of the contract."""
    claims = store.claim_due(now, owner, lease, limit)
    store.acknowledge()
    trial.count("claims", len(claims))
    what = f"what claim_due gives at {now}"
    for one in claims:
        if not (isinstance(one, dict) and isinstance(one.get("job"), dict) and type(one.get("token")) is int):
            trial.violated(what, expected="dicts with a 'job' and an int as 'token'", got=literal(one))
        told = {"owner": one.get("owner"), "until": one.get("until")}
        trial.equal(told, {"owner": owner, "until": now + lease}, f"{what}: the owner and the end of the lease")
    return claims


def gives(trial: Trial, store: Handle, now: int, job_ids: Iterable[str], what: str, **asked: Any) -> dict[str, int]:
    """Claim what is due at `now`; require that it is these jobs, in this order; return their tokens."""
    claims = claim(trial, store, now, **asked)
    trial.equal([one["job"].get("id") for one in claims], list(job_ids), f"{what}, at {now}")
    return {one["job"]["id"]: one["token"] for one in claims}


def take(trial: Trial, store: Handle, job_id: str, now: int, **asked: Any) -> int:
    """Claim the one job that is due at `now`, and return its token."""
    return gives(trial, store, now, [job_id], f"claiming the job {job_id!r}, the only one that is due", **asked)[job_id]


def complete(store: Handle, job_id: str, token: int, now: int, result: Any = None) -> None:
    """Complete a claim, and acknowledge that."""
    store.complete(job_id, token, now, result)
    store.acknowledge()


def fail(store: Handle, job_id: str, token: int, now: int, error: Any = "broken") -> None:
    """Let a claim fail, and acknowledge that."""
    store.fail(job_id, token, now, error)
    store.acknowledge()


def ended(trial: Trial, store: Handle, expected: Mapping[str, Any], at: int, how: str, what: str) -> None:
    """Require that a job has these fields, and that its history goes on by one entry: `how` it ended, and when.

    Args:
        trial: The trial.
        store: Where the job is.
        expected: The job as it must be, but with the history from before.
        at: When the claim was ended.
        how: `completed` or `failed`.
        what: For the failure.
    """
    got = fetch(trial, store, expected["id"])
    if not (isinstance(got, dict) and isinstance(got.get("history"), list)):
        trial.violated(what, expected="a job with a history", got=literal(got))
    *earlier, last = got["history"] or [None]
    trial.equal(earlier, expected["history"] or [], f"{what}: the entries of the history from before")
    trial.equal(_only(last, ("at", "status")), {"at": at, "status": how}, f"{what}: the new entry of the history")
    # Of a job that has stopped, nobody needs the time at which it was due.
    left_out = ("history", "runAt") if expected["status"] == "stopped" else ("history",)
    rest = [name for name in expected if name not in left_out]
    trial.equal(_only(got, rest), _only(expected, rest), f"{what}: the other fields")


def conflicts(trial: Trial, store: Handle, call: Callable[[], Any], job_id: str, what: str) -> None:
    """Require that a call is refused as a conflict, and that the job stays as it is."""
    before = fetch(trial, store, job_id)
    trial.count("refusals")
    trial.raises(call, "conflict", what)
    trial.equal(fetch(trial, store, job_id), before, f"the job, after {what} was refused")
