"""Entries of the `layers` contract: written, read, listed, deleted and cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.layers_steps import absent, delete_missing, holds, lists, some

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("LAYERS-BASIC-01",)


@check("LAYERS-BASIC-01", sources="MEM-02; KV-01, KV-03")
def test_value_is_read_back(trial: Trial) -> None:
    """A value that was set is read back; a key that was not set is missing.

    Why: it is the least that a memory does. Whatever else is checked rests on it: a store that shows nothing to anybody
    keeps its layers apart as well.

    Breaks it:

        def get(self, key):
            return self._cache.get(key)    # filled by get alone
    """
    one, other = some(trial, 1), some(trial, 2)
    with trial.fresh() as session:
        store = session.open()
        absent(trial, store, "a", "reading a key from an empty store")
        store.set("a", one)
        trial.equal(store.get("a"), one, "reading the key just set")
        store.set("b", other)
        trial.equal(store.get("a"), one, "reading the key again, another key having been set")
        trial.equal(store.get("b"), other, "reading the other key")
        absent(trial, store, "c", "reading a key that was never set")


@check("LAYERS-MISSING-01", sources="KV-03", needs=_GATE)
def test_missing_keys_are_told_in_one_way(trial: Trial) -> None:
    """A missing key is always told in the same way: with None, or with the store's exception.

    Why: whoever catches KeyError does not look for None. A key that was deleted, and is told in another way than one
    that never was, is taken for a value.

    Breaks it:

        def delete(self, key):
            self._data[key] = None         # get() gives None now, and raised KeyError before
    """
    with trial.fresh() as session:
        store = session.open()
        ways = {"in an empty store": absent(trial, store, "a", "reading a key from an empty store")}
        store.set("a", some(trial, 1))
        store.set("b", some(trial, 2))
        ways["beside others"] = absent(trial, store, "c", "reading a key that was never set")
        store.delete("a")
        ways["that was deleted"] = absent(trial, store, "a", "reading a key that was deleted")
        store.clear()
        ways["that was cleared"] = absent(trial, store, "b", "reading a key after clear")
        told = ", ".join(f"a key {when}: {way}" for when, way in ways.items())
        trial.true(len(set(ways.values())) == 1, "reading keys that are missing", expected="one way", got=told)


@check("LAYERS-SET-01", sources="KV-04, KV-15", needs=_GATE)
def test_overwriting_replaces_the_value(trial: Trial) -> None:
    """Setting a key again replaces its value, and leaves one entry.

    Why: what the user has corrected must be gone. A memory that keeps both gives the model two truths, and lets it
    choose.

    Breaks it:

        INSERT INTO entries VALUES (?, ?)  -- no key; get() finds the first row, entries() both
    """
    with trial.fresh() as session:
        store = session.open()
        store.set("b", some(trial, 0))
        for number in (1, 2, 1, 3):
            store.set("a", some(trial, number))
            trial.equal(store.get("a"), some(trial, number), "reading a key that was set again")
            lists(trial, store, {"a": some(trial, number), "b": some(trial, 0)}, "listing after a key was set again")


@check("LAYERS-DELETE-01", sources="KV-05, KV-06, KV-07", needs=_GATE)
def test_deleted_entry_is_gone(trial: Trial) -> None:
    """A deleted key is missing and not listed, the others stay, and it can be set again.

    Why: a deleted fact that is still listed goes into the next prompt.

    Breaks it:

        def delete(self, key):
            del self._index[key]           # and entries() reads the rows
    """
    expected = {key: some(trial, number) for number, key in enumerate(("a", "aa", "b", "ab"))}
    with trial.fresh() as session:
        store = session.open()
        for key, value in expected.items():
            store.set(key, value)
        store.delete("a")
        absent(trial, store, "a", "reading a key that was deleted")
        rest = {key: value for key, value in expected.items() if key != "a"}
        holds(trial, store, rest, "after another key was deleted")
        store.set("a", some(trial, 9))
        holds(trial, store, {**rest, "a": some(trial, 9)}, "after the deleted key was set again")
        for key in list(expected):
            store.delete(key)
        lists(trial, store, {}, "listing after all keys were deleted")


@check("LAYERS-DELETE-02", sources="KV-05; CSI, id that does not exist", needs=_GATE)
def test_deleting_a_missing_key_changes_nothing(trial: Trial) -> None:
    """Deleting a key that is not there changes nothing; it may raise the exception for what is missing.

    Why: two clean-ups that meet must not fail, nor take a neighbour with them.

    Breaks it:

        DELETE FROM entries WHERE key LIKE ? || '%'     -- 'a' takes 'aa' with it
    """
    expected = {"aa": some(trial, 1), "b": some(trial, 2)}
    with trial.fresh() as session:
        store = session.open()
        delete_missing(trial, store, "a")
        lists(trial, store, {}, "listing an empty store after a delete")
        for key, value in expected.items():
            store.set(key, value)
        store.set("c", some(trial, 3))
        store.delete("c")
        for key in ("a", "c", "%", "A", "aaa"):
            delete_missing(trial, store, key)
            absent(trial, store, key, "reading a missing key after it was deleted")
            holds(trial, store, expected, "after a missing key was deleted")


@check("LAYERS-ENTRIES-01", sources="KV-15, KV-16; MEM-07", needs=_GATE)
def test_every_entry_is_listed_once(trial: Trial) -> None:
    """`entries()` gives a pair of key and value for every entry, each key once; nothing for an empty store.

    Why: the listing is what goes into the prompt. An entry that it leaves out is forgotten, whatever `get` says.

    Breaks it:

        def entries(self):
            return self._query("SELECT key, value FROM entries LIMIT 100")
    """
    expected = {f"key {number}": some(trial, number) for number in range(250)}
    with trial.fresh() as session:
        store = session.open()
        lists(trial, store, {}, "listing an empty store")
        for number, (key, value) in enumerate(expected.items(), 1):
            store.set(key, value)
            if number in (1, 2, 3):
                lists(trial, store, dict(list(expected.items())[:number]), f"listing {number} entries")
        lists(trial, store, expected, "listing 250 entries")
        lists(trial, store, expected, "listing them again")


@check("LAYERS-CLEAR-01", sources="MEM-12, MEM-22", needs=_GATE)
def test_clear_removes_all(trial: Trial) -> None:
    """After `clear()` every key is missing and none is listed; what is set later is there, and nothing else.

    Why: a user who has said "forget me" is asked for by name the next morning.

    Breaks it:

        def clear(self):
            self._cache.clear()            # the next miss reads the file again
    """
    expected = {f"key {number}": some(trial, number) for number in range(5)}
    with trial.fresh() as session:
        store = session.open()
        store.clear()
        lists(trial, store, {}, "listing an empty store that was cleared")
        for key, value in expected.items():
            store.set(key, value)
        holds(trial, store, expected, "before clear")
        store.clear()
        lists(trial, store, {}, "listing after clear")
        for key in expected:
            absent(trial, store, key, "reading a key after clear")
        store.set("key 1", some(trial, 9))
        holds(trial, store, {"key 1": some(trial, 9)}, "after clear, a key having been set again")
