"""The oracle of the log contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.check import catalogue
from conformance.models.log import LogModel, RefusedError
from tests.benches import bench
from tests.mutants.log_appends import BatchAfterReopening
from tests.mutants.log_base import PlainLog, backend


def filled(count: int) -> LogModel:
    """Return a model with the events `a`, `b`, ..."""
    model = LogModel()
    model.append_batch([chr(ord("a") + number) for number in range(count)])
    return model


def test_an_empty_log() -> None:
    """An empty log has head 0, begins at 1, and has no checkpoint."""
    model = LogModel()
    assert (model.head, model.first, model.read(), model.latest_checkpoint()) == (0, 1, [], None)


def test_positions() -> None:
    """Single events and batches get consecutive positions."""
    model = LogModel()
    assert [model.append("a"), model.append_batch(["b", "c"]), model.append_batch([]), model.append("d")] == [
        1,
        [2, 3],
        [],
        4,
    ]


@given(st.integers(0, 5), st.integers(1, 8), st.none() | st.integers(0, 8))
def test_windows(size: int, start: int, stop: int | None) -> None:
    """A window is what a filter of all entries by position gives."""
    model = filled(size)
    expected = [entry for entry in model.read() if entry[0] >= start and (stop is None or entry[0] < stop)]
    assert model.read(start, stop) == expected


def test_an_unexpected_head_is_refused() -> None:
    """An append that expects another head raises and changes nothing; 0 is a head like others."""
    model = filled(2)
    for expected in (0, 1, 3):
        with pytest.raises(RefusedError, match=f"the head is 2, not {expected}"):
            model.append("x", expected=expected)
    assert model.append("c", expected=2) == 3


def test_compaction() -> None:
    """Compaction drops a prefix that a checkpoint covers, and neither the head nor a position moves."""
    model = filled(4)
    with pytest.raises(RefusedError, match="the latest checkpoint is at 0, before 1"):
        model.compact(1)
    model.checkpoint("ab", 2)
    model.compact(2)
    model.compact(1)
    assert (model.first, model.head, model.read(), model.covered) == (3, 4, [(3, "c"), (4, "d")], 2)
    assert model.latest_checkpoint() == ("ab", 2)


@pytest.mark.parametrize("upto", [0, 1, 5])
def test_impossible_checkpoints_are_refused(upto: int) -> None:
    """A checkpoint is possible from the last event that is gone to the head."""
    model = filled(4)
    model.checkpoint("ab", 2)
    model.compact(2)
    with pytest.raises(RefusedError, match=f"from 2 to 4, not at {upto}"):
        model.checkpoint("", upto)


def test_random_sequences_are_short_when_they_fail(tmp_path: Path) -> None:
    """A sequence that fails is shrunk, and shown as the numbered calls that lead to the failure."""
    result = bench(backend("bug", BatchAfterReopening), tmp_path).judge(catalogue()["LOG-MODEL-01"])
    assert result.counterexample is not None
    assert (result.counterexample.what, result.counterexample.expected) == ("appending a batch", "[2]")
    calls = [call.source for call in result.counterexample.calls]
    assert calls[1:4] == ["store.append({'n': 0})", "store.close()", "store = session.open()"]
    assert calls[-1] == "store.append_batch([{'n': 0}])"
    assert len(calls) < 10


def test_random_sequences_use_what_is_offered(tmp_path: Path) -> None:
    """Every verb of a log that offers everything is called in random sequences."""
    used: set[str] = set()

    class Listening(PlainLog):
        def __getattribute__(self, name: str) -> Any:
            used.add(name)
            return super().__getattribute__(name)

    result = bench(backend("listening", Listening), tmp_path).judge(catalogue()["LOG-MODEL-01"])
    assert result.outcome == "pass", result
    verbs = {"append", "append_batch", "read", "head", "close", "checkpoint", "latest_checkpoint", "compact", "first"}
    assert verbs | {"verify", "flush"} <= used
