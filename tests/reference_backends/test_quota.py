"""The `state-quota` backend: budgets that nobody exceeds, alone or together, and refusals that tell the sizes."""

from __future__ import annotations

import pickle
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.memory import MemoryState
from reference_backends.quota import ConflictError, QuotaExceeded, QuotaState, backend, open_state
from reference_backends.sqlite import SqliteState
from reference_backends.wal import WalLog, WalState
from tests.benches import judge_all


@pytest.fixture
def store() -> QuotaState:
    """Return a store for 100 bytes at depth 0, 50 at depth 1, 25 below."""
    return QuotaState(MemoryState(), budget=100, factor=0.5, deepest=2)


def text(size: int) -> str:
    """Return a text that takes so many bytes as JSON."""
    return "x" * (size - 2)


def test_round_trip(tmp_path: Path) -> None:
    """The store keeps every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()


def test_the_budget_is_used_to_the_last_byte(store: QuotaState) -> None:
    """A write that fits exactly is made; one byte more is refused, with the key and all sizes, and stores nothing."""
    store["a"] = text(59)
    store["b"] = text(39)
    assert (store.used(0), store.budget(0)) == (100, 100)
    with pytest.raises(QuotaExceeded) as refused:
        store["b"] = text(40)
    error = refused.value
    assert (error.key, error.size, error.used, error.left) == ("b", 41, 60, 40)
    assert str(error) == "'b' would take 41 bytes; at depth 0 the others take 60, so that 40 are left."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(QuotaExceeded):
        store["c"] = 1
    assert (dict(store), store.used(0)) == ({"a": text(59), "b": text(39)}, 100)


def test_deeper_levels_have_less(store: QuotaState) -> None:
    """Each depth has a budget of its own, smaller by the factor; below the deepest, all keys share one."""
    assert [store.budget(depth) for depth in range(5)] == [100, 50, 25, 25, 25]
    store["a"] = text(99)
    store["n/a"] = text(47)
    store["n/m/a"] = text(10)
    with pytest.raises(QuotaExceeded, match="at depth 1 the others take 50, so that 0 are left"):
        store["n/b"] = 1
    with pytest.raises(QuotaExceeded, match="'a/b/c/d' would take 11 bytes; at depth 3 the others take 15"):
        store["a/b/c/d"] = text(4)
    assert [store.used(depth) for depth in range(4)] == [100, 50, 15, 15]


def test_what_is_deleted_is_free_again(store: QuotaState) -> None:
    """Deleting, popping and writing less give back what they no longer take."""
    store["a"] = store["b"] = text(49)
    del store["a"]
    assert store.used(0) == 50
    store["b"] = text(10)
    assert (store.used(0), store.pop("b"), store.used(0), store.pop("b", None)) == (11, text(10), 0, None)
    for verb in (store.pop, store.__delitem__, store.__getitem__):
        with pytest.raises(KeyError, match="'b'"):
            verb("b")
    assert (store.setdefault("b", 1), store.setdefault("b", 2), store.used(0)) == (1, 1, 2)


def test_a_smaller_budget_takes_nothing_away() -> None:
    """Where the budget is smaller than what is there, a key may be written as long as it does not grow."""
    under = MemoryState()
    QuotaState(under, budget=100)["a"] = text(99)
    store = QuotaState(under, budget=10)
    with pytest.raises(QuotaExceeded, match="so that 10 are left"):
        store["a"] = text(100)
    with pytest.raises(QuotaExceeded, match="so that -90 are left"):
        store["b"] = 1
    store["a"] = text(50)
    assert store.used(0) == 51


def test_a_refused_swap_charges_nothing(store: QuotaState) -> None:
    """A compare-and-set with another version is a ConflictError; one that is too large is a QuotaExceeded."""
    version = store.compare_and_set("a", 1, None)
    with pytest.raises(ConflictError):
        store.compare_and_set("a", text(50), None)
    with pytest.raises(QuotaExceeded):
        store.compare_and_set("a", text(100), version)
    assert (store["a"], store.version("a"), store.used(0)) == (1, version, 2)


@pytest.mark.parametrize("kind", ["sqlite", "wal"])
def test_writers_who_come_at_once(kind: str, tmp_path: Path) -> None:
    """Of two handles that write at once, both together take no more than the budget; nothing of it is lost."""

    def opened() -> QuotaState:
        under: Any = (
            SqliteState(tmp_path / "q.sqlite3") if kind == "sqlite" else WalState(WalLog(tmp_path, durability="none"))
        )
        return QuotaState(under, budget=200)

    def fill(name: str) -> None:
        with closing(opened()) as store:
            for number in range(20):
                with suppress(QuotaExceeded):
                    store[f"{name}{number:02}"] = text(17)

    threads = [threading.Thread(target=fill, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(opened()) as store:
        assert (len(store), store.used(0)) == (10, 200)


def test_sizes_survive_reopening(tmp_path: Path) -> None:
    """What is used is known to the next handle."""
    with closing(open_state(Where(tmp_path))) as store:
        store["ä"] = "ä"
    with closing(open_state(Where(tmp_path))) as store:
        assert (store.used(0), store.budget(1)) == (len("ä".encode()) + len('"\\u00e4"'), 2**29)


@pytest.mark.parametrize("wrong", [{"budget": -1}, {"budget": 1, "factor": 0}, {"budget": 1, "deepest": -1}])
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """A negative budget or depth and a factor that leaves nothing are a ValueError."""
    with pytest.raises(ValueError, match="give a budget"):
        QuotaState(MemoryState(), **wrong)
