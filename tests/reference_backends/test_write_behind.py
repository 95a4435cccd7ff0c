"""The `write-behind` backend: what is queued, when it is acknowledged, and who is told when it fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from conformance.backend import Backend
from reference_backends.memory import MemoryState
from reference_backends.write_behind import (
    QueueFull,
    WriteBehindError,
    WriteBehindState,
    asynchronous,
    open_async,
    synchronous,
)
from tests.benches import judge_all


class Gated(MemoryState):
    """A store that writes when it is let, and fails for the values it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.closed = threading.Event()

    def __setitem__(self, key: str, value: Any) -> None:
        self.gate.wait()
        if value == "bad":
            raise OSError("no space left")
        super().__setitem__(key, value)

    def close(self) -> None:
        """Tell that it was closed, and keep what it holds."""
        self.closed.set()


@pytest.fixture
def under() -> Iterator[Gated]:
    """Return the store underneath, which writes nothing yet."""
    store = Gated()
    yield store
    store.gate.set()


@pytest.fixture
def store(under: Gated) -> Iterator[WriteBehindState]:
    """Return a store whose writes are queued."""
    store = WriteBehindState(under)
    yield store
    under.gate.set()
    with suppress(WriteBehindError):
        store.close()


@pytest.mark.parametrize("backend", [asynchronous, synchronous], ids=lambda backend: backend.name)
def test_round_trip(backend: Backend, tmp_path: Path) -> None:
    """The store keeps every rule of the suite, in both modes."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()


def test_queued_writes_are_read(store: WriteBehindState, under: Gated) -> None:
    """Reads, listings and lengths show what is queued, before anything is in the store underneath."""
    MemoryState.__setitem__(under, "old", 1)
    MemoryState.__setitem__(under, "kept", 1)
    store["new"] = [2]
    store["old"] = 3
    del store["old"]
    assert (dict(store), len(store), "old" in store, "new" in store) == ({"kept": 1, "new": [2]}, 2, False, True)
    for missing in ("old", "never"):
        with pytest.raises(KeyError):
            store[missing]
        with pytest.raises(KeyError):
            del store[missing]
    assert dict(under) == {"old": 1, "kept": 1}
    under.gate.set()
    store.flush()
    assert dict(under) == dict(store) == {"kept": 1, "new": [2]}


def test_a_queued_value_is_a_copy(store: WriteBehindState, under: Gated) -> None:
    """Changing what was given, while it is queued, changes neither what is read nor what is written."""
    value = ["written"]
    store["a"] = value
    value.append("later")
    store["a"].append("later")
    under.gate.set()
    store.flush()
    assert (store["a"], under["a"]) == (["written"], ["written"])


def test_flush_waits_for_what_was_written_before(store: WriteBehindState, under: Gated) -> None:
    """`flush` does not return before the store underneath has the write."""
    store["a"] = 1
    flushed = threading.Event()
    thread = threading.Thread(target=lambda: (store.flush(), flushed.set()))
    thread.start()
    assert not flushed.is_set()  # it can't be: nothing has been written
    under.gate.set()
    thread.join()
    assert (flushed.is_set(), under["a"]) == (True, 1)


def test_a_full_queue_refuses(under: Gated) -> None:
    """With `when_full="refuse"` a write too many raises QueueFull, and is not queued."""
    with closing(WriteBehindState(under, capacity=2, when_full="refuse")) as store:
        store["a"] = store["b"] = 1
        with pytest.raises(QueueFull, match="2 writes are queued"):
            store["c"] = 1
        assert "c" not in store
        under.gate.set()
        store.flush()
        store["c"] = 1
    assert sorted(under) == ["a", "b", "c"]


def test_a_full_queue_blocks(under: Gated) -> None:
    """With `when_full="block"` a write too many waits until there is room; nothing is lost and all is in order."""
    with closing(WriteBehindState(under, capacity=1)) as store:
        thread = threading.Thread(target=lambda: store.update({str(number): number for number in range(20)}))
        thread.start()
        under.gate.set()
        thread.join()
        store.flush()
        assert list(under) == [str(number) for number in range(20)]


def test_an_error_goes_to_the_handler_and_to_the_next_flush(under: Gated) -> None:
    """A failed write is told with its cause, those behind it are dropped, and nothing is acknowledged any more."""
    told: list[WriteBehindError] = []
    store = WriteBehindState(under, on_error=told.append)
    store["a"] = 1
    store["b"] = "bad"
    store["c"] = 3
    under.gate.set()
    with pytest.raises(WriteBehindError, match="'b' failed, 1 behind it") as failed:
        store.flush()
    assert isinstance(failed.value.__cause__, OSError)
    with pytest.raises(WriteBehindError):
        store["d"] = 4
    with pytest.raises(WriteBehindError):
        store.flush()
    assert dict(store) == dict(under) == {"a": 1}
    store.close()  # it was told before
    assert [(error.key, error.dropped) for error in told] == [("b", ("c",))]


def test_an_error_that_nobody_heard_of_goes_to_close(under: Gated) -> None:
    """Without a flush, `close` raises, once; the store underneath is closed; a handler that fails changes nothing."""

    def fail(error: WriteBehindError) -> None:
        raise RuntimeError

    store = WriteBehindState(under, on_error=fail)
    store["b"] = "bad"
    under.gate.set()
    with pytest.raises(WriteBehindError):
        store.close()
    store.close()
    assert under.closed.is_set()
    for verb in (store.flush, lambda: store["b"], lambda: store.update(a=1)):
        with pytest.raises(ValueError, match="closed"):
            verb()


def test_sync_writes_are_made_at_once(under: Gated) -> None:
    """In the mode `sync` the store underneath has a write when it returns, and its errors go to the caller."""
    under.gate.set()
    with closing(WriteBehindState(under, mode="sync")) as store:
        store["a"] = 1
        assert under["a"] == 1
        with pytest.raises(OSError, match="no space"):
            store["a"] = "bad"
        store.flush()
        assert (store.pop("a"), store.setdefault("b", 2), store.popitem(), len(store)) == (1, 2, ("b", 2), 0)


def test_closing_writes_what_is_queued(tmp_path: Path) -> None:
    """What was queued is there after closing and reopening."""
    with closing(open_async(Where(tmp_path))) as store:
        store["a"] = 1
    with closing(open_async(Where(tmp_path))) as store:
        assert store["a"] == 1


@pytest.mark.parametrize("wrong", [{"mode": "later"}, {"when_full": "drop"}, {"capacity": 0}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """An unknown mode, an unknown way to be full and a queue for nothing are a ValueError that names them."""
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))!r}"):
        WriteBehindState(MemoryState(), **wrong)
