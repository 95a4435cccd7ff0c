"""The capability `transactions` of the `state` contract: all operations of a block, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.models.capabilities import TransactionModel
from conformance.models.observation import observed, refused_value, state_of, unchanged, unstorable
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

COMMITS = ("STATE-TXN-01",)
ABORTS = ("STATE-TXN-01", "STATE-TXN-04")


@contextmanager
def _abandoned(trial: Trial, store: Handle, error: BaseException) -> Iterator[Handle]:
    """Give a transaction whose block ends with `error`, and require that the error is passed on."""
    what = f"ending the block of a transaction with {error!r}"
    trial.count("comparisons")
    try:
        with store.transaction() as t:
            yield t
            raise error
    except BaseException as passed_on:
        if passed_on is error:
            return
        if passed_on.__context__ is error:
            trial.violated(what, expected="this exception to be passed on", got=raised(passed_on))
        raise
    trial.violated(what, expected="this exception to be passed on", got="no exception: the store swallowed it")


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
            trial.equal(found, {"kept": True, "changed": True, "new": True, "deleted": False}, "asking with `in` inside")
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


@check("STATE-TXN-04", sources="TX-02, TX-05; mutant partial_txn_applied", capability="transactions", needs=COMMITS)
def test_exception_in_the_block_leaves_no_trace(trial: Trial) -> None:
    """When the block raises, nothing of the transaction is applied, and the exception is passed on.

    Why: the half that was done before the error is the one that makes the books wrong.

    Breaks it:

        @contextmanager
        def transaction(self):
            try:
                yield self._begin()
            finally:
                self._commit()             # also after an exception
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        for key in ("kept", "changed", "deleted"):
            store[key] = one
        before = observed(trial, store, "new")
        with _abandoned(trial, store, RuntimeError("half-way")) as t:
            t["new"] = two
            t["changed"] = two
            del t["deleted"]
        unchanged(trial, store, before, "after the block raised", "new")
        with _abandoned(trial, store, RuntimeError("at once")):
            pass
        unchanged(trial, store, before, "after an empty block raised", "new")


@check("STATE-TXN-05", sources="TX-05; mutant cancel_commits_half; Python's BaseException", capability="transactions", needs=ABORTS)
def test_whatever_ends_the_block_leaves_no_trace(trial: Trial) -> None:
    """An exception that is no Exception, as a cancellation or Ctrl-C is none, ends a transaction like any other.

    Why: tasks are cancelled in the middle of their blocks every day. Half a transaction must not be what is left.

    Breaks it:

        try:
            yield mapping
        except Exception:
            self._rollback()
            raise
        finally:
            self._commit_if_open()         # KeyboardInterrupt, CancelledError: half of it
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        store["a"] = one
        before = observed(trial, store, "new")
        with _abandoned(trial, store, BaseException("stopped")) as t:
            t["a"] = two
            t["new"] = two
        unchanged(trial, store, before, "after the block was stopped", "new")
        with store.transaction() as t:
            t["a"] = two
        trial.equal(state_of(store), {"a": two}, "the state after the next transaction")


@check("STATE-TXN-06", sources="TX-02, TX-26", capability="transactions", needs=ABORTS)
def test_refused_value_aborts_the_transaction(trial: Trial) -> None:
    """When a value that can't be stored is refused inside the block, or at its end, nothing of it is applied.

    Why: stores that serialise at the commit find out too late, when the first half is already written.

    Breaks it:

        for key, value in self._pending.items():
            store[key] = json.dumps(value)     # raises at the third of five
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    bad = unstorable(trial)
    with trial.fresh() as session:
        store = session.open()
        for key in ("changed", "deleted", "refused"):
            store[key] = one
        before = observed(trial, store, "first", "last")

        def write() -> None:
            with store.transaction() as t:
                t["first"] = two
                t["changed"] = two
                del t["deleted"]
                t["refused"] = bad
                t["last"] = two

        refused_value(trial, write)
        unchanged(trial, store, before, "after a value was refused in a transaction", "first", "last")


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
            trial.equal("missing" in t, False, "asking for a missing key inside a transaction")
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
    gone = trial.backend.errors.get("missing", KeyError)
    allowed = (KeyError, *(gone if isinstance(gone, tuple) else (gone,)))
    try:
        del t[key]
    except allowed:
        return


@check("STATE-TXN-09", sources="TX-08", capability="transactions", needs=ABORTS)
def test_mapping_has_no_effect_after_the_end(trial: Trial) -> None:
    """The mapping of a transaction changes nothing once its block has ended, in one way or the other.

    Why: a mapping that leaks out of its block writes without a transaction, or into somebody else's.

    Breaks it:

        def __setitem__(self, key, value):
            self._connection.execute(...)      # in whatever transaction the connection is now
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        store["a"] = one
        with store.transaction() as committed:
            committed["b"] = one
        with _abandoned(trial, store, RuntimeError("abandoned")) as aborted:
            aborted["c"] = one
        before = observed(trial, store, "new")
        for name, t in (("committed", committed), ("aborted", aborted)):
            trial.refused(lambda: t.__setitem__("a", two))  # noqa: B023 - called at once
            trial.refused(lambda: t.__setitem__("new", two))  # noqa: B023
            trial.refused(lambda: t.__delitem__("b"))  # noqa: B023
            unchanged(trial, store, before, f"after the mapping of a transaction that was {name} was used again", "new")
        with store.transaction() as t:
            t["d"] = two
        trial.equal(state_of(store), {"a": one, "b": one, "d": two}, "the state after the next transaction")


@check("STATE-TXN-10", sources="TX-05, TX-27", capability="transactions", needs=ABORTS)
def test_store_is_usable_after_an_aborted_transaction(trial: Trial) -> None:
    """After an aborted transaction the store reads and writes as before, and the next transaction has its own writes only.

    Why: a connection that stays in a failed transaction refuses everything, or commits the old writes with the next.

    Breaks it:

        self._pending.append((key, value))     # not emptied when the block raised
    """
    kind = trial.backend.values
    expected: dict[str, Any] = {}
    with trial.fresh() as session:
        store = session.open()
        for number in range(4):
            with _abandoned(trial, store, RuntimeError("abandoned")) as t:
                t[f"aborted {number}"] = domain.numbered(kind, number)
                t["shared"] = domain.numbered(kind, -1)
            trial.equal(state_of(store), expected, "the state after a transaction was aborted")
            expected[f"plain {number}"] = domain.numbered(kind, number)
            store[f"plain {number}"] = expected[f"plain {number}"]
            trial.equal(state_of(store), expected, "the state after a plain write that followed an aborted transaction")
            expected["shared"] = domain.numbered(kind, number)
            with store.transaction() as t:
                t["shared"] = expected["shared"]
            trial.equal(state_of(store), expected, "the state after a transaction that followed an aborted one")


@check(
    "STATE-TXN-11",
    sources="TX-22, KV-40",
    capability="transactions",
    needs=ABORTS,
    promise="durability:clean-close",
)
def test_transactions_survive_reopening(trial: Trial) -> None:
    """What a transaction wrote and deleted is so after reopening, and nothing of an aborted one is there.

    Why: a block that ended without an exception is a promise.

    Breaks it:

        def transaction(self):
            yield self._cache              # written to the disk by the next plain write, if there is one
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        for key in ("changed", "deleted"):
            store[key] = one
        with store.transaction() as t:
            t["changed"] = two
            t["new"] = two
            del t["deleted"]
        store = session.reopen(store)
        trial.equal(state_of(store), {"changed": two, "new": two}, "the state after a transaction and reopening")
        with _abandoned(trial, store, RuntimeError("abandoned")) as t:
            t["changed"] = one
            t["aborted"] = one
            del t["new"]
        store = session.reopen(store)
        trial.equal(state_of(store), {"changed": two, "new": two}, "the state after an aborted one and reopening")


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


@check("STATE-TXN-13", sources="TX-01 to TX-09", capability="transactions", needs=ABORTS)
def test_random_transactions_agree_with_the_model(trial: Trial) -> None:
    """In any sequence of transactions, some of them aborted, the state is that of the committed ones in their order.

    Why: what an aborted block leaves behind shows in the next one, or in the one after that.

    Breaks it:

        self._undo.append((key, self._data.get(key)))     # a missing key is "restored" to None
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import few_keys

    kind = trial.backend.values
    operation = st.tuples(st.sampled_from(["set", "set", "delete", "look"]), few_keys(), st.integers(0, 3))
    block = st.tuples(st.sampled_from(["commit", "commit", "abort", "plain"]), st.lists(operation, max_size=6))

    def carry_out(target: Handle, state: dict[str, Any], operations: list[tuple[str, str, int]]) -> None:
        for verb, key, number in operations:
            if verb == "set":
                target[key] = state[key] = domain.numbered(kind, number)
            elif verb == "delete" and key in state:
                del target[key]
                del state[key]
            else:
                trial.equal(state_of(target), state, "looking at the state in between")

    @trial.examples(st.lists(block, max_size=trial.effort.steps // 3))
    def _(blocks: list[tuple[str, list[tuple[str, str, int]]]]) -> None:
        model = TransactionModel()
        with trial.fresh() as session:
            store = session.open()
            for end, operations in blocks:
                draft = model.begin()
                if end == "abort":
                    with _abandoned(trial, store, RuntimeError("abandoned")) as t:
                        carry_out(t, draft, operations)
                else:
                    if end == "plain":
                        carry_out(store, draft, operations)
                    else:
                        with store.transaction() as t:
                            carry_out(t, draft, operations)
                    model.commit(draft)
                trial.equal(state_of(store), model.state, "the state after a transaction")
