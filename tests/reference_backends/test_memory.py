"""The `memory` backend."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.memory import ConflictError, MemoryLog, MemoryState, backend
from tests.reference_backends.test_json import Name


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryState:
    """Return an empty state store with that clock."""
    return MemoryState(clock)


@pytest.fixture
def log() -> MemoryLog:
    """Return an empty log."""
    return MemoryLog()


class TestState:
    """The mapping itself."""

    def test_it_is_a_mapping(self, store: MemoryState) -> None:
        """Writing, reading, deleting and listing work as in a dict."""
        store.update({"a": 1, "b": [2], "": None})
        assert (store["a"], store["b"], store[""], len(store)) == (1, [2], None, 3)
        assert sorted(store) == ["", "a", "b"]
        del store["a"]
        assert "a" not in store
        with pytest.raises(KeyError):
            store["a"]
        with pytest.raises(KeyError):
            del store["a"]

    def test_copies_go_in_and_out(self, store: MemoryState) -> None:
        """Neither the object that was stored nor the one that was read leads into the store."""
        value: dict[str, Any] = {"a": [1]}
        store["k"] = value
        value["a"].append(2)
        store["k"]["a"].append(3)
        assert store["k"] == {"a": [1]}

    def test_a_refused_value_leaves_the_old_one(self, store: MemoryState) -> None:
        """What is refused changes nothing, whichever verb wrote it."""
        store["k"] = 1
        version = store.version("k")
        for write in (
            lambda: store.__setitem__("k", {"a": (1,)}),
            lambda: store.set("k", b""),
            lambda: store.compare_and_set("k", {1: 2}, version),
            lambda: store.__setitem__(Name("k"), 2),
        ):
            with pytest.raises(TypeError):
                write()
        assert (store["k"], store.version("k"), len(store)) == (1, version, 1)

    def test_inherited_methods_are_single_steps(self, store: MemoryState) -> None:
        """The methods that MutableMapping builds of several verbs do what they do in a dict."""
        assert store.setdefault("a", [1]) == [1]
        assert store.setdefault("a", 2) == [1]
        assert store.pop("a") == [1]
        assert store.pop("a", 3) == 3
        with pytest.raises(KeyError):
            store.pop("a")
        store["b"] = 4
        assert store.popitem() == ("b", 4)
        with pytest.raises(KeyError):
            store.popitem()
        store.update({"c": 5, "d": 6})
        store.clear()
        assert len(store) == 0

    def test_one_of_many_threads_wins_a_setdefault(self, store: MemoryState) -> None:
        """All threads agree on who was first."""
        barrier = threading.Barrier(8)
        seen: list[int] = []

        def claim(number: int) -> None:
            barrier.wait()
            seen.append(store.setdefault("owner", number))

        in_threads(claim, 8)
        assert seen == [store["owner"]] * 8

    def test_a_closed_store_refuses(self, store: MemoryState) -> None:
        """After close, which may be repeated, every verb raises."""
        store["a"] = 1
        store.close()
        store.close()
        for verb in (
            lambda: store["a"],
            lambda: store.__setitem__("a", 2),
            lambda: "a" in store,
            lambda: list(store),
            lambda: len(store),
            store.ping,
            store.flush,
            store.compact,
            store.list_snapshots,
            lambda: store.transaction().__enter__(),
        ):
            with pytest.raises(ValueError, match="closed"):
                verb()


class TestVersions:
    """`cas` and `history`, which share their numbers."""

    def test_every_write_has_a_new_version(self, store: MemoryState) -> None:
        """Equal values have different versions, and a delete does not bring one back."""
        assert store.version("a") is None
        seen = []
        for _ in range(3):
            store["a"] = 1
            seen.append(store.version("a"))
        del store["a"]
        assert store.version("a") is None
        store["a"] = 1
        seen.append(store.version("a"))
        assert len(set(seen)) == 4

    def test_a_stale_version_is_refused(self, store: MemoryState) -> None:
        """Only who knows the present version writes."""
        first = store.compare_and_set("a", 1, None)
        second = store.compare_and_set("a", 2, first)
        for stale in (None, first, second + 1):
            with pytest.raises(ConflictError):
                store.compare_and_set("a", 3, stale)
        with pytest.raises(ConflictError):
            store.compare_and_set("b", 3, second)
        assert (store["a"], store.version("a"), "b" in store) == (2, second, False)

    def test_no_increment_is_lost(self, store: MemoryState) -> None:
        """Threads that count by compare-and-set count every step."""
        store["n"] = 0

        def count(_: int) -> None:
            done = 0
            while done < 50:
                version, value = store.version("n"), store["n"]
                try:
                    store.compare_and_set("n", value + 1, version)
                except ConflictError:
                    continue
                done += 1

        in_threads(count, 4)
        assert store["n"] == 200

    def test_history_outlives_a_delete(self, store: MemoryState) -> None:
        """Versions are listed newest first, and their values stay."""
        for value in ("a", "b", "c"):
            store["k"] = value
        present = store.version("k")
        del store["k"]
        newest, middle, oldest = store.versions("k")
        assert newest == present
        assert [store.get_version("k", version) for version in (newest, middle, oldest)] == ["c", "b", "a"]
        assert store.versions("k", limit=2) == [newest, middle]
        assert store.versions("k", limit=0) == store.versions("other") == []
        for key, version in (("k", newest + 1), ("other", newest)):
            with pytest.raises(KeyError):
                store.get_version(key, version)


class TestTransactions:
    """All together, or not at all."""

    def test_changes_are_made_at_the_end(self, store: MemoryState) -> None:
        """The block sees its own changes, everybody else sees them when it ends."""
        store.update({"a": 1, "b": 2})
        with store.transaction() as changes:
            changes["c"] = 3
            changes["a"] += 10
            del changes["b"]
            changes["d"] = 4
            del changes["d"]
            assert dict(changes) == {"a": 11, "c": 3}
            assert len(changes) == 2
            assert dict(store) == {"a": 1, "b": 2}
        assert dict(store) == {"a": 11, "c": 3}

    def test_an_exception_undoes_everything(self, store: MemoryState) -> None:
        """When the block raises, nothing was changed, and the exception comes out."""
        store["a"] = 1
        version = store.version("a")

        def fail() -> None:
            with store.transaction() as changes:
                changes["a"] = 2
                changes["b"] = 1 / 0

        with pytest.raises(ZeroDivisionError):
            fail()
        assert (dict(store), store.version("a")) == ({"a": 1}, version)

    def test_an_ended_transaction_refuses(self, store: MemoryState) -> None:
        """The mapping is of no use after its block."""
        with store.transaction() as changes:
            pass
        for verb in (lambda: changes["a"], lambda: changes.__setitem__("a", 1), lambda: len(changes)):
            with pytest.raises(ValueError, match="ended"):
                verb()

    def test_a_refused_value_does_not_enter_a_transaction(self, store: MemoryState) -> None:
        """A value outside JSON is refused where it is written, not at the end."""
        with store.transaction() as changes:
            with pytest.raises(TypeError):
                changes["a"] = (1,)
            with pytest.raises(KeyError):
                del changes["a"]
            changes["b"] = 1
        assert dict(store) == {"b": 1}

    def test_readers_do_not_wait_for_a_transaction(self, store: MemoryState) -> None:
        """Another thread reads the old state while a transaction is open."""
        store["a"] = 1
        seen: list[Any] = []
        with store.transaction() as changes:
            changes["a"] = 2
            in_threads(lambda _: seen.append(dict(store)), 1)
        assert seen == [{"a": 1}]

    def test_no_increment_is_lost(self, store: MemoryState) -> None:
        """Transactions follow one another."""
        store["n"] = 0

        def count(_: int) -> None:
            for _ in range(50):
                with store.transaction() as changes:
                    changes["n"] += 1

        in_threads(count, 4)
        assert store["n"] == 200


class TestExpiry:
    """`ttl`, by a clock that the test sets."""

    def test_a_key_expires_at_the_instant(self, store: MemoryState, clock: Clock) -> None:
        """The key is there until its instant and missing for every verb from then on."""
        store.set("a", 1, ttl=10)
        store.set("b", 2)
        assert (store.expires_at("a"), store.expires_at("b")) == (1_010.0, None)
        clock.now = 1_009.999
        assert store["a"] == 1
        clock.now = 1_010.0
        assert (list(store), len(store), "a" in store, store.version("a")) == (["b"], 1, False, None)
        for verb in (lambda: store["a"], lambda: store.expires_at("a"), lambda: store.__delitem__("a")):
            with pytest.raises(KeyError):
                verb()
        store.compare_and_set("a", 3, None)
        assert store["a"] == 3

    def test_an_expired_key_stays_expired(self, store: MemoryState, clock: Clock) -> None:
        """A clock that steps back does not bring back what was seen expired."""
        store.set("a", 1, ttl=10)
        clock.now = 1_010.0
        assert "a" not in store
        clock.now = 1_000.0
        assert "a" not in store

    @pytest.mark.parametrize("write", ["item", "set", "transaction", "cas"])
    def test_a_write_removes_the_expiry(self, store: MemoryState, write: str) -> None:
        """Whichever verb writes without a ttl, the key is there for good."""
        store.set("a", 1, ttl=10)
        if write == "item":
            store["a"] = 2
        elif write == "set":
            store.set("a", 2)
        elif write == "cas":
            store.compare_and_set("a", 2, store.version("a"))
        else:
            with store.transaction() as changes:
                changes["a"] = 2
        assert store.expires_at("a") is None

    @pytest.mark.parametrize("ttl", [0, -1, math.nan, True])
    def test_a_ttl_has_to_be_positive(self, store: MemoryState, ttl: float) -> None:
        """A ttl that makes no sense is refused, and the old value stays."""
        store["a"] = 1
        with pytest.raises(ValueError, match="not a positive number"):
            store.set("a", 2, ttl=ttl)
        assert store["a"] == 1


class TestSnapshotsAndHealth:
    """`snapshots`, `health` and `maintenance`."""

    def test_a_snapshot_stays_as_it_was(self, store: MemoryState) -> None:
        """Later writes change no snapshot, and what is loaded leads nowhere."""
        store["a"] = [1]
        store.save_snapshot("s")
        store["a"] = [2]
        store.load_snapshot("s")["a"].append(9)
        assert store.load_snapshot("s") == {"a": [1]}
        store.save_snapshot("s")
        assert (store.load_snapshot("s"), store.list_snapshots(), store["a"]) == ({"a": [2]}, ["s"], [2])
        with pytest.raises(KeyError):
            store.load_snapshot("other")

    def test_stats_and_verify_count_what_is_there(self, store: MemoryState, clock: Clock) -> None:
        """The numbers agree with the store, before and after compaction."""
        store.set("a", 1, ttl=1)
        store["b"] = 2
        clock.now += 5
        assert store.ping()
        assert store.stats() == {"keys": 1, "versions": 2, "snapshots": 0}
        store.compact()
        store.flush()
        assert store.verify() == {"healthy": 1, "damaged": []}
        assert store.versions("a") != []


class TestLog:
    """`MemoryLog`."""

    def test_positions_are_consecutive_from_one(self, log: MemoryLog) -> None:
        """Append returns the position, and reading gives it back with the event."""
        assert (log.head, log.first, list(log.read())) == (0, 1, [])
        assert [log.append(event) for event in ("a", {"b": [1]}, None)] == [1, 2, 3]
        assert list(log.read()) == [(1, "a"), (2, {"b": [1]}), (3, None)]
        assert log.head == 3

    @pytest.mark.parametrize(
        ("start", "stop", "positions"),
        [
            (1, None, [1, 2, 3]),
            (2, None, [2, 3]),
            (1, 3, [1, 2]),
            (2, 2, []),
            (3, 1, []),
            (4, None, []),
            (9, 20, []),
            (0, 99, [1, 2, 3]),
        ],
    )
    def test_a_window_is_read(self, log: MemoryLog, start: int, stop: int | None, positions: list[int]) -> None:
        """The start is included, the stop is not, and an empty window is no error."""
        log.append_batch("abc")
        assert [position for position, _ in log.read(start, stop)] == positions

    def test_copies_go_in_and_out(self, log: MemoryLog) -> None:
        """Neither what was appended nor what was read leads into the log; a reading has its own end."""
        event = [1]
        log.append(event)
        event.append(2)
        reading = log.read()
        log.append("later")
        assert list(reading) == [(1, [1])]

    def test_a_refused_event_takes_no_position(self, log: MemoryLog) -> None:
        """Neither alone nor in a batch."""
        with pytest.raises(TypeError):
            log.append((1,))
        with pytest.raises(TypeError):
            log.append_batch([1, b"2", 3])
        assert (log.append_batch([]), log.head, log.append("a")) == ([], 0, 1)

    def test_an_unexpected_head_is_refused(self, log: MemoryLog) -> None:
        """Append happens at the expected head only."""
        assert log.append("a", expected=0) == 1
        with pytest.raises(ConflictError, match="head is 1, not 0"):
            log.append("b", expected=0)
        assert log.append("b", expected=1) == 2

    def test_compaction_keeps_positions(self, log: MemoryLog) -> None:
        """What a checkpoint covers goes; positions are neither moved nor given again."""
        log.append_batch([1, 2, 3])
        assert log.latest_checkpoint() is None
        log.checkpoint({"sum": 3}, 2)
        log.compact(1)
        assert (log.first, list(log.read())) == (2, [(2, 2), (3, 3)])
        assert list(log.read(1, 3)) == [(2, 2)]
        assert list(log.read(1, 2)) == []
        log.compact(1)
        log.checkpoint({"sum": 6}, 3)
        log.compact(3)
        assert (log.first, log.head, list(log.read())) == (4, 3, [])
        assert log.latest_checkpoint() == ({"sum": 6}, 3)
        assert log.append(4) == 4
        assert log.verify() == {"healthy": 1, "damaged": []}

    def test_an_impossible_checkpoint_is_refused(self, log: MemoryLog) -> None:
        """Ahead of the head, behind what was dropped, or of a state outside JSON."""
        log.append_batch([1, 2, 3])
        log.checkpoint("s", 2)
        log.compact(2)
        for upto in (4, 1):
            with pytest.raises(ValueError, match="A checkpoint is possible from 2 to 3"):
                log.checkpoint("s", upto)
        with pytest.raises(TypeError):
            log.checkpoint((1,), 3)
        with pytest.raises(ValueError, match="latest checkpoint is at 2"):
            log.compact(3)
        assert log.latest_checkpoint() == ("s", 2)

    def test_threads_get_positions_of_their_own(self, log: MemoryLog) -> None:
        """Every append has its own position, and batches are not torn apart."""
        in_threads(lambda number: [log.append_batch([number, number]) for _ in range(50)], 4)
        events = [event for _, event in log.read()]
        assert len(events) == log.head == 400
        assert events[::2] == events[1::2]

    def test_a_closed_log_refuses(self, log: MemoryLog) -> None:
        """After close, which may be repeated, every verb raises."""
        log.flush()
        log.close()
        log.close()
        for verb in (lambda: log.append(1), log.read, log.flush, log.verify, lambda: log.head):
            with pytest.raises(ValueError, match="closed"):
                verb()


class TestBackend:
    """The record."""

    def test_each_open_is_empty(self, tmp_path: Path, clock: Clock) -> None:
        """Nothing outlives the object, as the record says."""
        assert backend.state is not None
        assert backend.log is not None
        where = Where(tmp_path, clock=clock)
        backend.state(where)["a"] = 1
        backend.log(where).append(1)
        assert (len(backend.state(where)), backend.log(where).head) == (0, 0)
        assert (backend.durability, backend.sharing, backend.corruption) == ("volatile", "threads", "silent")


def in_threads(task: Any, number: int) -> None:
    """Call `task(0)` ... `task(number - 1)`, each in a thread of its own, and wait for all."""
    threads = [threading.Thread(target=task, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
