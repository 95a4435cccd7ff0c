"""The state of the `wal` backend: a fold that stays small, follows others, and knows what it does not know."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from conformance import Where
from reference_backends.wal import ConflictError, CorruptLog, WalLog, WalState, open_state, state
from reference_backends.wal.segment import name_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the state is."""
    return tmp_path / "state"


def opened(path: Path, *, durability: str = "none", segment_bytes: int = 2**20) -> WalState:
    """Return an open state."""
    return WalState(WalLog(path, durability=durability, segment_bytes=segment_bytes))


def spoil(path: Path, text: bytes) -> None:
    """Change the last letter of a text that is in exactly one file."""
    (file,) = [one for one in path.iterdir() if text in one.read_bytes()]
    file.write_bytes(file.read_bytes().replace(text, text[:-1] + b"!"))


def size(path: Path) -> int:
    """Return the bytes of all files."""
    return sum(one.stat().st_size for one in path.iterdir())


def test_the_opener_uses_the_place(tmp_path: Path) -> None:
    """State and log do not share a directory."""
    open_state(Where(tmp_path)).close()
    assert (tmp_path / "state" / "manifest").exists()


def test_a_mapping(path: Path) -> None:
    """Values come back after reopening; a missing key is missing."""
    with closing(opened(path)) as store:
        store["a"] = [1, {"b": None}]
        store["c"] = 2
        del store["c"]
        with pytest.raises(KeyError):
            del store["c"]
        assert store.version("a") == 1
        assert store.stats() == {"keys": 1, "head": 3, "events": 3}
        store.flush()
    with closing(opened(path)) as store:
        assert dict(store) == {"a": [1, {"b": None}]}
        assert ("c" in store, len(store), store.ping(), store.verify().damaged) == (False, 1, True, ())
    with pytest.raises(ValueError, match="closed"):
        store["a"] = 1


def test_two_handles_see_each_other(path: Path) -> None:
    """Each follows the other, over a compaction too, and a version that moved on is a conflict."""
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one["a"] = 1
        assert other["a"] == 1
        assert other.compare_and_set("a", 2, expected=1) == 2
        with pytest.raises(ConflictError):
            one.compare_and_set("a", 3, expected=1)
        one.compact()
        one["b"] = 3
        assert dict(other) == {"a": 2, "b": 3}
        assert other.version("a") == 2


def test_a_write_that_another_overtakes_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delete or a compare-and-set meets an append about another key, and is made all the same."""
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one["a"] = 1
        one["b"] = 1
        append = one._log.append
        overtaken = 0

        def late(event: object, expected: int | None = None) -> int:
            nonlocal overtaken
            if overtaken < 2:
                overtaken += 1
                other["c"] = overtaken
            return append(event, expected)

        monkeypatch.setattr(one._log, "append", late)
        del one["a"]
        assert overtaken == 2
        overtaken = 0
        one.compare_and_set("b", 2, expected=2)
        assert dict(other) == {"b": 2, "c": 2}


def test_a_compaction_overtakes_the_fold(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handle that reads while another compacts begins again at the checkpoint."""
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one["a"] = 1
        one["b"] = 2
        read = other._log.read

        def slow(start: int, stop: int) -> object:
            found = read(start, stop)
            monkeypatch.undo()
            one.compact()
            return found

        monkeypatch.setattr(other._log, "read", slow)
        assert dict(other) == {"a": 1, "b": 2}


def test_a_transaction_is_one_batch(path: Path) -> None:
    """All of its changes are there or none; what another handle wrote meanwhile refuses it."""
    with closing(opened(path)) as one, closing(opened(path)) as other:
        one["a"] = 1
        with one.transaction() as draft:
            draft["b"] = 2
            del draft["a"]
            draft["c"] = 3
            del draft["c"]
        assert dict(other) == {"b": 2}
        with pytest.raises(ConflictError), one.transaction() as draft:  # noqa: PT012
            draft["b"] = 3
            other["d"] = 4
        with pytest.raises(RuntimeError), one.transaction() as draft:  # noqa: PT012
            draft["b"] = 5
            raise RuntimeError
        assert dict(one) == {"b": 2, "d": 4}


def test_overwriting_does_not_grow_the_files(path: Path) -> None:
    """After 24,000 overwrites of six keys, the files hold no more than the garbage that is allowed."""
    with closing(opened(path)) as store:
        largest = 0
        for number in range(0, 20_000, 5):
            store["a"] = number
            with store.transaction() as draft:
                for later in range(number + 1, number + 5):
                    draft["b"] = later
                    draft[f"c{later % 4}"] = later
            if number % 500 == 0:
                largest = max(largest, size(path))
        assert largest < 200 * (state.GARBAGE_EVENTS + 100)
        assert store.stats()["events"] <= state.GARBAGE_EVENTS + 5
        assert (store["a"], store["b"], len(store)) == (19_995, 19_999, 6)


def test_compaction_prunes_what_was_deleted(path: Path) -> None:
    """No trace of a deleted key is left in any file, and its version does not come again."""
    with closing(opened(path)) as store:
        store["kept"] = 1
        store["forgotten"] = "unwanted"
        del store["forgotten"]
        store.compact()
        assert not [one for one in path.iterdir() if b"forgotten" in one.read_bytes() + one.name.encode()]
        assert store.stats() == {"keys": 1, "head": 3, "events": 0}
        assert store.compare_and_set("forgotten", 1, expected=None) == 4


def test_a_compaction_that_fails_does_not_fail_the_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write has been made, so that it must not be reported as failed."""

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(state, "GARBAGE_EVENTS", 3)
    monkeypatch.setattr("reference_backends.wal.log.write_sealed", full)
    with closing(opened(path)) as store:
        for number in range(9):
            store["a"] = number
        assert store["a"] == 8
        monkeypatch.undo()
        assert store.stats()["events"] == 9


def test_only_keys_after_the_damage_are_sure(path: Path) -> None:
    """A lost event whose key is damaged may have been about any: what was written later is read, all else raises."""
    with closing(opened(path)) as store:
        for key in ("old", "lost", "new"):
            store[key] = f"value of {key}"
        del store["old"]
    spoil(path, b'put": "lost"')
    with closing(opened(path)) as store:
        assert store["new"] == "value of new"
        assert "new" in store
        assert store.version("new") == 3
        assert [one.position for one in store.verify().damaged] == [2]
        for question in (
            lambda: store["old"],
            lambda: store["lost"],
            lambda: "old" in store,
            lambda: len(store),
            lambda: list(store),
            store.stats,
            store.compact,
            lambda: store.version("lost"),
            lambda: store.compare_and_set("lost", 1, None),
            lambda: store.transaction().__enter__(),
            lambda: store.__setitem__("new", 1),
            lambda: store.__delitem__("new"),
        ):
            with pytest.raises(CorruptLog) as caught:
                question()
            assert (caught.value.damage.file, caught.value.damage.position) == (name_of(1), 2)


def test_a_damaged_value_costs_no_other_key(path: Path) -> None:
    """The key has a checksum of its own, and stands before the value: that key raises until it is written again."""
    with closing(opened(path)) as store:
        for key in ("old", "lost", "new"):
            store[key] = f"value of {key}"
    spoil(path, b"value of lost")
    with closing(opened(path)) as store:
        assert [store["old"], store["new"]] == ["value of old", "value of new"]
        assert "lost" in store
        assert sorted(store) == ["lost", "new", "old"]
        assert len(store) == 3
        assert [one.position for one in store.verify().damaged] == [2]
        for question in (
            lambda: store["lost"],
            lambda: store.version("lost"),
            lambda: store.compare_and_set("lost", 1, None),
            lambda: store.transaction().__enter__(),
            store.stats,
            store.compact,
            lambda: store.__setitem__("new", 1),
        ):
            with pytest.raises(CorruptLog) as caught:
                question()
            assert (caught.value.damage.file, caught.value.damage.position) == (name_of(1), 2)


def test_a_hole_over_several_values_may_be_about_any_key(path: Path) -> None:
    """Only where the first of them stood is known."""
    with closing(opened(path)) as store:
        for key in ("old", "lost", "gone", "new"):
            store[key] = f"value of {key}"
    spoil(path, b"value of lost")
    spoil(path, b"value of gone")
    with closing(opened(path)) as store:
        assert store["new"] == "value of new"
        for key in ("old", "lost", "gone"):
            with pytest.raises(CorruptLog):
                store[key]


def test_a_damaged_checkpoint_leaves_what_came_after_it(path: Path) -> None:
    """Keys that were written after the checkpoint are read, all others raise."""
    with closing(opened(path)) as store:
        store["old"] = "before it"
        store.compact()
        store["new"] = "after it"
    spoil(path, b"before it")
    with closing(opened(path)) as store:
        assert store["new"] == "after it"
        with pytest.raises(CorruptLog, match="checkpoint"):
            store["old"]
