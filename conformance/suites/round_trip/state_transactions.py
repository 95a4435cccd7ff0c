"""The capability `transactions` of the `state` contract: all operations of a block, or none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.models.observation import observed, state_of, unchanged
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

COMMITS = ("STATE-TXN-01",)
ABORTS = ("STATE-TXN-01", "STATE-TXN-04")


@check("STATE-TXN-01", sources="TX-01", capability="transactions", needs=("STATE-BASIC-01",))
def test_all_operations_are_visible_after_the_end(trial: Trial) -> None:
    """When the block of a transaction has ended, all its writes and deletes are visible, and nothing else has changed.

    Why: half of a transfer, or a run without its steps, is a state that nobody ever wanted.

    Breaks it:

        with store.transaction() as t:
            t["a"] = 1
            t["b"] = 2                     # only the last operation arrives
    """
    one, two, three = (domain.numbered(trial.backend.values, number) for number in range(3))
    with trial.fresh() as session:
        store = session.open()
        for key in ("kept", "changed", "deleted"):
            store[key] = one
        with store.transaction() as t:
            t["new"] = two
            t["changed"] = three
            del t["deleted"]
            t["also new"] = one
        expected = {"kept": one, "changed": three, "new": two, "also new": one}
        trial.equal(state_of(store), expected, "the state after a transaction")
        trial.equal(len(store), 4, "the length after a transaction")
        trial.raises(lambda: store["deleted"], "missing", "reading a key that the transaction deleted")


@check("STATE-TXN-02", sources="TX-07", capability="transactions", needs=COMMITS)
def test_own_writes_are_visible_inside(trial: Trial) -> None:
    """Inside its block a transaction sees the state with its own writes and deletes: by key, `in`, length and listing.

    Why: code that adds to a list twice in one block reads what it wrote. Reading the old list loses the first addition.

    Breaks it:

        def __getitem__(self, key):
            return self._store[key]        # the writes wait in a buffer until the end
    """
    one, two, three = (domain.numbered(trial.backend.values, number) for number in range(3))
    with trial.fresh() as session:
        store = session.open()
        for key in ("kept", "changed", "deleted"):
            store[key] = one
        with store.transaction() as t:
            trial.equal(state_of(t), {"kept": one, "changed": one, "deleted": one}, "the state inside, at the begin")
            t["changed"] = two
            trial.equal(t["changed"], two, "reading inside what was overwritten inside")
            t["new"] = three
            trial.equal(t["new"], three, "reading inside what was written inside")
            del t["deleted"]
            trial.raises(lambda: t["deleted"], "missing", "reading inside what was deleted inside")
            found = {key: key in t for key in ("kept", "changed", "new", "deleted")}
            trial.equal(
                found, {"kept": True, "changed": True, "new": True, "deleted": False}, "asking with `in` inside"
            )
            trial.equal(sorted(t.keys()), ["changed", "kept", "new"], "listing inside")
            trial.equal(len(t), 3, "the length inside")
            t["changed"] = three
            trial.equal(t["changed"], three, "reading inside what was overwritten twice")
            t["deleted"] = two
            trial.equal(t["deleted"], two, "reading inside what was deleted and written again")
            del t["new"]
            trial.true("new" not in t, "asking for what was written and deleted inside", expected="False", got="True")


@check("STATE-TXN-03", sources="TX-03", capability="transactions", needs=COMMITS)
def test_operations_take_effect_in_order(trial: Trial) -> None:
    """The operations of a transaction take effect in their order, also several on one key.

    Why: "delete, then write" sorted into "write, then delete" loses what was written.

    Breaks it:

        for key in self._deleted: del store[key]     # after all the writes
    """
    one, two, three = (domain.numbered(trial.backend.values, number) for number in range(3))
    with trial.fresh() as session:
        store = session.open()
        for key in ("a", "b", "c", "d"):
            store[key] = one
        with store.transaction() as t:
            del t["a"]
            t["a"] = two
            del t["a"]
            t["a"] = three
            t["b"] = two
            del t["b"]
            del t["c"]
            t["c"] = two
            t["d"] = two
            t["d"] = three
            t["new"] = one
            del t["new"]
            t["newer"] = one
            del t["newer"]
            t["newer"] = two
        expected = {"a": three, "c": two, "d": three, "newer": two}
        trial.equal(state_of(store), expected, "the state after several operations on each key")


@check("STATE-TXN-07", sources="TX-09", capability="transactions", needs=COMMITS)
def test_empty_transaction_does_nothing(trial: Trial) -> None:
    """A transaction without operations, or with reads alone, changes nothing.

    Why: agents open a block and find that there is nothing to do. A new version for nothing makes others fail.

    Breaks it:

        for key in self._draft:
            store[key] = self._draft[key]      # every key gets a new version, a new history entry, no expiry
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        with store.transaction():
            pass
        trial.equal(state_of(store), {}, "the state after an empty transaction on an empty store")
        store["a"] = value
        store["b"] = value
        before = observed(trial, store)
        with store.transaction():
            pass
        unchanged(trial, store, before, "after an empty transaction")
        with store.transaction() as t:
            trial.equal(t["a"], value, "reading inside a transaction")
            trial.equal(sorted(t.keys()), ["a", "b"], "listing inside a transaction")
            trial.equal("missing" in t, expected=False, what="asking for a missing key inside a transaction")
        unchanged(trial, store, before, "after a transaction that only read")


@check("STATE-TXN-08", sources="TX-04", capability="transactions", needs=COMMITS)
def test_deleting_a_missing_key_inside_is_harmless(trial: Trial) -> None:
    """Deleting a missing key inside a transaction raises KeyError or does nothing; the rest takes effect.

    Why: clean-up code deletes what may be gone already, and goes on.

    Breaks it:

        self._operations.append(("delete", key))     # not checked; the commit raises half-way
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        store["kept"] = one
        store["deleted"] = one
        with store.transaction() as t:
            t["before"] = one
            _delete_missing(trial, t, "missing")
            del t["deleted"]
            _delete_missing(trial, t, "deleted")
            t["after"] = two
        trial.equal(state_of(store), {"kept": one, "before": one, "after": two}, "the state after the transaction")
        trial.equal(len(store), 3, "the length after the transaction")


def _delete_missing(trial: Trial, t: Handle, key: str) -> None:
    with suppress(*trial.errors("missing")):
        del t[key]


@check("STATE-TXN-12", sources="KV-08; mutant alias_on_put", capability="transactions", needs=COMMITS)
def test_objects_are_copied_inside(trial: Trial) -> None:
    """Changing an object that was stored or read inside a transaction changes neither the transaction nor the store.

    Why: the list that an agent goes on filling after it was stored would be committed with what came later.

    Breaks it:

        def __setitem__(self, key, value):
            self._pending[key] = value     # serialised at the commit, when it has become another one
    """
    if trial.backend.values == "bytes":
        raise NotApplicable("bytes can't be changed, so they can't be shared by mistake")
    with trial.fresh() as session:
        store = session.open()
        store["read"] = {"messages": ["one"]}
        with store.transaction() as t:
            value = {"messages": ["one"]}
            t["written"] = value
            value["messages"].append("added after it was stored")
            trial.equal(t["written"], {"messages": ["one"]}, "reading inside, the stored object having been changed")
            t["read"]["messages"].append("added to what was read")
            trial.equal(t["read"], {"messages": ["one"]}, "reading inside, the object read before having been changed")
        expected = {"read": {"messages": ["one"]}, "written": {"messages": ["one"]}}
        trial.equal(state_of(store), expected, "the state after the transaction")
