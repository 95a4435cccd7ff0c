"""The capability `transactions` of the `state` contract: blocks that raise, and what is left after a block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.models.capabilities import TransactionModel
from conformance.models.observation import observed, refused_value, state_of, unchanged, unstorable
from conformance.recording import raised
from conformance.values import domain

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@check(
    "STATE-TXN-05",
    sources="TX-05; mutant cancel_commits_half; Python's BaseException",
    capability="transactions",
    needs=ABORTS,
)
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
        store["b"] = one

        def use_again(t: Handle, which: str) -> None:
            before = observed(trial, store, "new")
            trial.refused(lambda: t.__setitem__("a", two))
            trial.refused(lambda: t.__setitem__("new", two))
            trial.refused(lambda: t.__delitem__("b"))
            unchanged(trial, store, before, f"after the mapping of {which} transaction was used again", "new")

        with store.transaction() as t:
            t["committed"] = one
        use_again(t, "a committed")
        with _abandoned(trial, store, RuntimeError("abandoned")) as t:
            t["aborted"] = one
        use_again(t, "an aborted")
        with store.transaction() as t:
            t["next"] = two
        expected = {"a": one, "b": one, "committed": one, "next": two}
        trial.equal(state_of(store), expected, "the state after the next transaction")


@check("STATE-TXN-10", sources="TX-05, TX-27", capability="transactions", needs=ABORTS)
def test_store_is_usable_after_an_aborted_transaction(trial: Trial) -> None:
    """After an aborted transaction the store reads and writes as before, and the next one has its own writes only.

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


@check(
    "STATE-TXN-13", sources="TX-01 to TX-09", capability="transactions", needs=("STATE-TXN-02", "STATE-TXN-03", *ABORTS)
)
def test_random_transactions_agree_with_the_model(trial: Trial) -> None:
    """In any sequence of transactions, some of them aborted, the state is that of the committed ones in their order.

    Why: what an aborted block leaves behind shows in the next one, or in the one after that.

    Breaks it:

        self._undo.append((key, self._data.get(key)))     # a missing key is "restored" to None
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import few_keys, sequences

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

    @trial.examples(sequences(block, trial.effort.steps // 2))
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
