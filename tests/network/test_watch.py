"""A watch notices what does not end."""

from __future__ import annotations

import threading

from conformance.network.watch import Watch
from tests.network.conftest import PATIENT_S


def test_what_takes_too_long_is_told() -> None:
    """With its name, while it goes on."""
    told: list[str] = []
    noticed = threading.Event()

    def hang(doing: str) -> None:
        told.append(doing)
        noticed.set()

    with Watch(0.01, hang) as watch:
        with watch.over("reading"):
            assert noticed.wait(PATIENT_S)
        with watch.over("writing"):
            pass
    assert told == ["reading"]


def test_what_ends_in_time_is_not_told() -> None:
    """Neither is the time between two things."""
    told: list[str] = []
    with Watch(60.0, told.append) as watch:
        for number in range(3):
            with watch.over(f"call {number}"):
                pass
    assert told == []
    assert "watch" not in [thread.name for thread in threading.enumerate()]
