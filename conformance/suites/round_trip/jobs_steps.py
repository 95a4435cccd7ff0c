"""What the checks of the `jobs` contract share: reading, comparing, claiming, and telling refusals apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.result import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

Job = dict[str, Any]


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
    """Require that a job is got as it is expected."""
    trial.equal(fetch(trial, store, job["id"]), job, what)


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
