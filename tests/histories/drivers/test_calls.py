"""A callback before the C calls of chosen code, and of what that code calls."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import CodeType, FrameType

import pytest

from conformance.histories.drivers import calls
from conformance.histories.drivers.calls import at_calls, pauses


def belongs(file: str) -> bool:
    """Tell whether code is that of a store: here, of no file."""
    return file == "<store>"


def compiled(source: str) -> CodeType:
    """Return the code of a store."""
    return compile(source, "<store>", "exec")


def seen(source: str, **names: object) -> list[int]:
    """Return the lines at which the callback was called."""
    found: list[FrameType] = []
    with at_calls(found.append, belongs):
        exec(compiled(source), names)
        len("abc")
    assert sys.getprofile() is None
    return [frame.f_lineno for frame in found]


def test_calls_of_chosen_code() -> None:
    """Each C call is a point; those of others, and those after the end, are none."""
    lines = seen("x = len('a')\n\ny = abs(-1)\n")
    assert len(lines) == 2


def test_calls_on_behalf_of_chosen_code(tmp_path: Path) -> None:
    """A file is opened, written and closed by `pathlib`, and a store must be stopped in between."""
    assert len(seen("path.write_text('half')\n", path=tmp_path / "file")) >= 3
    assert len(seen("json.loads('[1]')\n", json=json)) >= 1


def test_nothing_is_watched_without_a_callback() -> None:
    """A hammer pays nothing."""
    with at_calls(None, belongs):
        assert sys.getprofile() is None


def test_pauses_are_drawn_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed pauses at the same calls, for as long; at few of them or at more."""
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    runs = []
    for seed in (*range(10), *range(10)):
        naps.clear()
        at = pauses(seed)
        for _ in range(1_000):
            at(sys._getframe())
        runs.append(tuple(naps))
    assert runs[:10] == runs[10:]
    assert 5 < min(map(len, runs)) < 40 < 60 < max(map(len, runs)) < 150
    assert max(map(max, runs)) <= calls.PAUSE_S_MAX
