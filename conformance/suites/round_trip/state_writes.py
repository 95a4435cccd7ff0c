"""Whole writes and deletes of the `state` contract."""

from __future__ import annotations

from typing import Any

from conformance.check import check
from conformance.recording import raised
from conformance.session import Handle
from conformance.trial import Trial
from conformance.values import domain

BASIC = ("STATE-BASIC-01",)


@check("STATE-WRITE-01", sources="KV-04; mutant truncate_in_place", needs=BASIC)
def test_overwriting_replaces_the_whole_value(trial: Trial) -> None:
    """Overwriting a value with a shorter or a longer one leaves nothing of the old value.

    Why: a file that was opened without truncation keeps the end of the old text: two states in one.

    Breaks it:

        with open(path, "r+") as file:     # writes over the beginning, keeps the rest
            file.write(text)
    """
    lengths = (5_000, 10, 70_000, 1, 0, 4_096, 4_095)
    with trial.fresh() as session:
        store = session.open()
        for length in lengths:
            value = domain.sized(trial.backend.values, length)
            store["k"] = value
            trial.equal(store["k"], value, f"reading after overwriting with {length:,} characters")


@check(
    "STATE-WRITE-02",
    sources="KV-04, KV-38; planted bugs: fourth overwrite ignored, stale read just after a write",
    needs=BASIC,
)
def test_every_overwrite_counts(trial: Trial) -> None:
    """Each of many overwrites of one key is read at once, and the last one stays.

    Why: a counter, a status or a checkpoint is one key that is written again and again; a stale read repeats a step.

    Breaks it:

        @lru_cache
        def __getitem__(self, key): ...
    """
    with trial.fresh() as session:
        store = session.open()
        store["other"] = domain.numbered(trial.backend.values, -1)
        for number in range(25):
            value = domain.numbered(trial.backend.values, number)
            store["k"] = value
            trial.equal(store["k"], value, f"reading just after overwrite {number}")
        trial.equal(store["other"], domain.numbered(trial.backend.values, -1), "reading the other key at the end")


@check("STATE-WRITE-03", sources="KV-27, KV-35; mutant scan_misses_on_resize", needs=BASIC)
def test_many_writes_are_all_kept(trial: Trial) -> None:
    """Of many writes to many keys each one is kept: the last value of every key is read back.

    Why: a write that is dropped now and then (a full batch, a lost flush) shows only in numbers.

    Breaks it:

        if len(self._batch) == 200:
            self._batch.clear()            # flushed one line too late
    """
    keys = [f"key{number}" for number in range(150)]
    written: dict[str, Any] = {}
    with trial.fresh() as session:
        store = session.open()
        for number in range(450):
            key = keys[(number * 7) % len(keys)]
            written[key] = domain.numbered(trial.backend.values, number)
            store[key] = written[key]
        for key, value in written.items():
            trial.equal(store[key], value, f"reading {key!r} after 450 writes")


@check("STATE-WRITE-04", sources="KV-26; collections.abc.MutableMapping", needs=BASIC)
def test_a_write_changes_its_key_only(trial: Trial) -> None:
    """Writing a key changes no other key.

    Why: keys that share a page, a bucket or a document share its bugs.

    Breaks it:

        self._table[hash(key) % 64] = value      # two keys, one place
    """
    keys = [f"{letter}{number}" for letter in "abcd" for number in range(40)]
    values = {key: domain.numbered(trial.backend.values, place) for place, key in enumerate(keys)}
    with trial.fresh() as session:
        store = session.open()
        for key, value in values.items():
            store[key] = value
        values["b7"] = domain.numbered(trial.backend.values, 1_000)
        store["b7"] = values["b7"]
        for key, value in values.items():
            trial.equal(store[key], value, f"reading {key!r} after 'b7' was overwritten")


@check("STATE-DELETE-01", sources="KV-05, KV-07; mutant prefix_boundary", needs=BASIC)
def test_deleting_removes_the_key_and_nothing_else(trial: Trial) -> None:
    """Deleting removes the key for every verb, and leaves keys that begin with it, or that it begins with.

    Why: a delete by prefix, by pattern or by directory takes the neighbours along.

    Breaks it:

        DELETE FROM state WHERE key LIKE ? || '%'
    """
    neighbours = ("aa", "a/b", "a.b", "a%", "A", "b")
    with trial.fresh() as session:
        store = session.open()
        store["a"] = domain.numbered(trial.backend.values, 0)
        kept: dict[str, Any] = {}
        for number, key in enumerate(neighbours, 1):
            value = domain.numbered(trial.backend.values, number)
            # Which texts are keys is the rule of another check.
            if not trial.refused(lambda key=key, value=value: store.__setitem__(key, value)):  # type: ignore[misc]
                kept[key] = value
        del store["a"]
        trial.raises(lambda: store["a"], "missing", "reading a deleted key")
        trial.true("a" not in store, "asking for a deleted key", expected="False", got="True")
        for key, value in kept.items():
            trial.equal(store[key], value, f"reading {key!r} after deleting 'a'")
        trial.equal(sorted(store.keys()), sorted(kept), "listing after deleting 'a'")
        trial.equal(len(store), len(kept), "the length after deleting 'a'")


@check("STATE-DELETE-02", sources="KV-05", needs=BASIC)
def test_deleting_a_missing_key_damages_nothing(trial: Trial) -> None:
    """Deleting a key that is not there raises KeyError or does nothing.

    Why: clean-up code deletes twice. It must be able to tell, or not need to.

    Breaks it:

        self._count -= 1                   # before looking whether the key is there
    """
    kept = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        store["kept"] = kept
        for key in ("missing", "missing", "kept2"):
            _delete_missing(trial, store, key)
        trial.equal(store["kept"], kept, "reading the other key")
        trial.equal(store.keys(), ["kept"], "listing after deleting a missing key")
        trial.equal(len(store), 1, "the length after deleting a missing key")
        del store["kept"]
        _delete_missing(trial, store, "kept")
        trial.equal(len(store), 0, "the length after deleting a key twice")


def _delete_missing(trial: Trial, store: Handle, key: str) -> None:
    try:
        del store[key]
    except trial.errors("missing"):
        return
    except Exception as error:  # noqa: BLE001 - judged here
        trial.violated("deleting a missing key", expected="KeyError, or nothing to happen", got=raised(error))


@check("STATE-DELETE-03", sources="KV-06", needs=BASIC)
def test_a_deleted_key_can_be_written_again(trial: Trial) -> None:
    """A deleted key can be written again, and then holds the new value only.

    Why: a tombstone that outlives its time hides what was written after it.

    Breaks it:

        if key in self._tombstones:
            raise KeyError(key)            # for ever
    """
    with trial.fresh() as session:
        store = session.open()
        for number in range(5):
            value = domain.numbered(trial.backend.values, number)
            store["k"] = value
            trial.equal(store["k"], value, f"reading the key in life {number + 1}")
            trial.equal(store.keys(), ["k"], f"listing in life {number + 1}")
            del store["k"]
            trial.raises(lambda: store["k"], "missing", f"reading the key after delete {number + 1}")


@check(
    "STATE-DELETE-04",
    sources="KV-43; mutants tombstone_dropped; planted bug: deleted key back after 50 operations",
    needs=BASIC,
)
def test_a_deleted_key_stays_deleted(trial: Trial) -> None:
    """A deleted key stays deleted, whatever is written, read and deleted afterwards.

    Why: compaction, a cache that is filled again and a second copy bring deleted data back: a person's, perhaps.

    Breaks it:

        if self._operations % 50 == 0:
            self._data.update(self._old)   # compaction that forgets the tombstones
    """
    value = domain.numbered(trial.backend.values, 1)
    deleted = [f"deleted{number}" for number in range(5)]
    with trial.fresh() as session:
        store = session.open()
        for key in deleted:
            store[key] = value
        for key in deleted:
            del store[key]
        for number in range(300):
            key = f"k{number % 20}"
            store[key] = domain.numbered(trial.backend.values, number)
            if number % 3 == 0:
                del store[key]
            if number % 25 == 0:
                back = [key for key in deleted if key in store]
                trial.equal(back, [], f"asking for deleted keys after {number} more rounds")
        trial.equal([key for key in store if key in deleted], [], "looking for deleted keys in the listing")
