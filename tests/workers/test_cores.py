"""How many workers a crew has, and where it keeps its files."""

from __future__ import annotations

import os

import pytest

from conformance.workers import crew as workers
from conformance.workers.crew import cores


@pytest.mark.parametrize(("count", "share"), [("1", 8), ("2", 4), ("3", 2), ("100", 1), ("many", 8), ("0", 8)])
def test_cores_are_shared_with_the_workers_of_xdist(count: str, share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them gets its part, one at least."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", count)
    assert cores() == share


def test_cores_where_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least one, and not more than sixteen."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == 16


def test_memory_is_used_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small Docker container has little of it, other platforms have none."""
    assert workers.quick_folder(1 << 60) is None
    expected = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    assert workers.quick_folder(0) == expected

    def gone(path: str, mode: int) -> bool:
        raise OSError

    monkeypatch.setattr(os, "access", gone)
    assert workers.quick_folder(0) is None
