"""The job store over any state store: what it does beyond the contract, and what it leaves in the state."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.values.jobs import full_job, small_job
from reference_backends.jobs import ConflictError, JobStore
from reference_backends.memory import MemoryState


@pytest.fixture
def jobs() -> JobStore:
    """Return an empty job store in memory."""
    return JobStore(MemoryState())


def the_claim(jobs: JobStore, now: int, lease: int = 100) -> dict[str, Any]:
    """Return the claim on the one job that is due."""
    (claim,) = jobs.claim_due(now, "one", lease, 10)
    return claim


def test_jobs_due_at_the_same_time_come_in_the_order_of_their_ids(jobs: JobStore) -> None:
    """Ties are broken by the id, so that every process sees one order."""
    for job_id in ("c", "a", "b"):
        jobs.save_job(small_job(job_id, 0))
    assert [claim["job"]["id"] for claim in jobs.claim_due(2_000, "one", 100, 10)] == ["a", "b", "c"]


@pytest.mark.parametrize(("limit", "lease"), [(-1, 100), (1, 0), (1, -1)])
def test_senseless_claims_are_refused(jobs: JobStore, limit: int, lease: int) -> None:
    """A negative limit and a lease that has ended already are refused, and nothing is claimed."""
    jobs.save_job(small_job("a", 0))
    with pytest.raises(ValueError, match="give a limit of 0 or more and a lease above 0"):
        jobs.claim_due(2_000, "one", lease, limit)
    assert jobs.get_job("a") == small_job("a", 0)


def test_a_job_without_a_time_is_never_due(jobs: JobStore) -> None:
    """What has no runAt, or none that is a number, waits, and harms no other job."""
    for number, run_at in enumerate((None, "soon", float("nan"), [1])):
        jobs.save_job(small_job(f"{number}", 0, runAt=run_at))
    jobs.save_job({"id": "bare"})
    jobs.save_job(small_job("due", 0))
    assert [claim["job"]["id"] for claim in jobs.claim_due(2_000, "one", 100, 10)] == ["due"]


def test_a_move_ends_the_claim(jobs: JobStore) -> None:
    """Who has claimed a job that is stopped by hand is refused, and does not set it going again."""
    jobs.save_job(small_job("a", 0, intervalMs=1_000))
    claim = the_claim(jobs, 2_000)
    jobs.set_status("a", "stopped")
    with pytest.raises(ConflictError):
        jobs.complete("a", claim["token"], 2_050)
    assert jobs.claim_due(9_000, "two", 100, 10) == []
    assert (jobs.get_job("a") or {})["status"] == "stopped"


def test_a_job_that_skips_gives_up_its_dead_owner(jobs: JobStore) -> None:
    """Where an owner died and a whole interval is missed, the job waits for its next time, and the claim has ended."""
    jobs.save_job(small_job("a", 0, intervalMs=1_000, misfire="skip"))
    claim = the_claim(jobs, 1_000)
    assert jobs.claim_due(2_500, "two", 100, 10) == []
    assert (jobs.get_job("a") or {})["runAt"] == 3_000
    with pytest.raises(ConflictError):
        jobs.complete("a", claim["token"], 2_600)
    assert the_claim(jobs, 3_000)["token"] > claim["token"]


def test_a_status_without_a_job_is_a_missing_key(jobs: JobStore) -> None:
    """Both a job that never was and one that was deleted are told as missing."""
    jobs.save_job(small_job("a", 0))
    jobs.delete_job("a")
    for job_id in ("a", "b"):
        with pytest.raises(KeyError):
            jobs.set_status(job_id, "stopped")


def test_a_result_outside_json_is_refused_and_the_claim_stays(jobs: JobStore) -> None:
    """A completion that can't be written down changes nothing, so that it can be made again."""
    jobs.save_job(small_job("a", 0))
    claim = the_claim(jobs, 2_000)
    with pytest.raises(TypeError):
        jobs.complete("a", claim["token"], 2_010, {1, 2})
    jobs.complete("a", claim["token"], 2_020, [1, 2])
    assert (jobs.get_job("a") or {})["result"] == [1, 2]


def test_a_claim_that_was_overtaken_is_none() -> None:
    """Where another worker claims between the look and the claim, the job is left to it."""
    state = MemoryState()
    slow, quick = JobStore(state), JobStore(state)
    slow.save_job(small_job("a", 0))
    slow.save_job(small_job("b", 1))
    swap = state.compare_and_set
    taken: list[Any] = []

    def overtaken(key: str, value: Any, expected: Any) -> Any:
        if not taken:
            state.compare_and_set = swap  # type: ignore[method-assign]
            taken.extend(quick.claim_due(2_000, "quick", 100, 1))
        return swap(key, value, expected)

    state.compare_and_set = overtaken  # type: ignore[method-assign]
    found = slow.claim_due(2_000, "slow", 100, 10)
    assert [claim["job"]["id"] for claim in taken] == ["a"]
    assert [claim["job"]["id"] for claim in found] == ["b"]


def test_what_a_claim_adds_stays_beside_the_record(jobs: JobStore) -> None:
    """Token, owner and lease are not in the job; what is got and claimed has the fields that were saved."""
    job = {**full_job("a"), "runAt": 1_000, "misfire": "once"}
    jobs.save_job(job)
    claim = the_claim(jobs, 1_000)
    assert claim["job"] == jobs.get_job("a") == {**job, "status": "running"}
