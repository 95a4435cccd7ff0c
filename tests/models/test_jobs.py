"""The oracle of jobs: when one is due, poison or missed, and when it is due again."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.models.jobs import JobModel
from conformance.values.jobs import small_job


def job(token: int | None = None, until: int = 0, attempts: int = 0, **fields: Any) -> JobModel:
    """Return a job that is due from 100 on, every 20."""
    return JobModel(small_job("a", 0, runAt=100, intervalMs=20, **fields), token, until, attempts)


def test_a_job_is_due_from_its_time_on_unless_somebody_has_it() -> None:
    """A claim ends at its end; a job that runs is due again only when its claim has expired."""
    assert [job().is_due(now) for now in (99, 100, 101)] == [False, True, True]
    assert [job(token=1, until=110, status="running").is_due(now) for now in (105, 110)] == [False, True]
    assert not job(status="running").is_due(200)
    assert not job(status="stopped").is_due(200)


def test_a_job_is_poison_after_as_many_attempts_as_it_may_have() -> None:
    """Without a limit it never is."""
    assert [job(attempts=count, maxAttempts=2).is_poison() for count in (1, 2)] == [False, True]
    assert not job(attempts=99).is_poison()


@pytest.mark.parametrize(("now", "missed"), [(100, False), (119, False), (120, False), (121, True), (140, False)])
def test_a_time_is_missed_between_those_of_the_grid(now: int, *, missed: bool) -> None:
    """Late by whole intervals is a time of the grid; another policy misses nothing."""
    assert job(misfire="skip").is_missed(now) is missed
    assert not job(misfire="once").is_missed(now)


@pytest.mark.parametrize(
    ("now", "after", "once", "every"), [(100, 100, 120, 120), (119, 120, 120, 120), (165, 180, 180, 120)]
)
def test_when_a_job_is_due_again(now: int, after: int, once: int, every: int) -> None:
    """By its grid: moved on, completed with one run for all that were missed, and with one for each."""
    assert job(misfire="skip").next_after(now) == after
    assert job(misfire="once").next_after_completion(now) == once
    assert job(misfire="all").next_after_completion(now) == every
