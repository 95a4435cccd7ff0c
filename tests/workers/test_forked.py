"""Children of workers: how long a store may take."""

from __future__ import annotations

from pathlib import Path

from conformance.address import load
from conformance.hosting import hosted
from conformance.workers import Bay
from conformance.workers.forked import HANG_S, Ended, alone, each, hangs_after
from tests.crash import stores as s


def test_a_store_that_starts_a_server_may_take_longer(tmp_path: Path) -> None:
    """Not for ever."""
    backend = load("reference_backends.postgres:backend")
    assert hangs_after(Bay(s.TRAPPED, "state", tmp_path)) == HANG_S
    assert hangs_after(Bay(backend, "state", tmp_path)) == HANG_S  # its server is there already
    assert HANG_S < hangs_after(Bay(hosted(backend), "log", tmp_path)) < 10 * HANG_S


def wait_for_ever(_bay: Bay, _thing: object) -> None:
    """Hang."""
    import signal

    signal.pause()


def test_a_limit_that_is_given_counts(tmp_path: Path) -> None:
    """Whatever the store."""
    bay = Bay(hosted(load("reference_backends.postgres:backend")), "state", tmp_path)
    ended = Ended("hung", "no answer within 0 s")
    assert alone(bay, wait_for_ever, 1, 0.05) == ended
    assert each(bay, wait_for_ever, [1, 2], 0.05) == [ended]
