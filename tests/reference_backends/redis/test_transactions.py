"""Transactions of the `redis` backend: what they see, and what is in each other's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reference_backends.redis import ConflictError, RedisState
from tests.reference_backends.redis.conftest import HandClock


def test_a_transaction_is_all_or_nothing(store: RedisState) -> None:
    """It shows its own writes, nobody else sees them before the end, and an exception undoes and passes."""
    store["a"] = 1

    def block() -> None:
        with store.transaction() as transaction:
            transaction["a"] = 2
            transaction["b"] = 3
            del transaction["b"]
            transaction["c"] = 4
            assert (dict(transaction), len(transaction), "b" in transaction) == ({"a": 2, "c": 4}, 2, False)
            assert dict(store) == {"a": 1}
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        block()
    assert (dict(store), store.versions("a")) == ({"a": 1}, [1])


def test_a_transaction_commits_as_one_step(store: RedisState) -> None:
    """Puts, deletes, and a delete of what it put itself."""
    store.update(a=1, b=2)
    with store.transaction() as transaction:
        transaction["c"] = transaction.pop("a") + 10
        transaction["d"] = 4
        del transaction["d"]
        with pytest.raises(KeyError):
            del transaction["d"]
        with pytest.raises(KeyError):
            transaction["none"]
    assert dict(store) == {"b": 2, "c": 11}
    with pytest.raises(ValueError, match="ended"):
        transaction["b"]
    with pytest.raises(ValueError, match="ended"):
        transaction["b"] = 1


Act = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("look", "meanwhile"),
    [
        (lambda t: t["a"], lambda s: s.set("a", 9)),
        (lambda t: t["a"], lambda s: s.set("a", 1)),
        (lambda t: t["a"], lambda s: s.pop("a")),
        (lambda t: "new" in t, lambda s: s.set("new", 9)),
        (list, lambda s: s.set("new", 9)),
        (len, lambda s: s.pop("b")),
        (list, lambda s: (s.pop("b"), s.set("b", 2))),
        (list, lambda s: s.clear()),
    ],
    ids=["overwritten", "with an equal value", "deleted", "made", "phantom", "gone", "gone and back", "cleared"],
)
def test_who_looked_at_what_changed_is_refused(store: RedisState, look: Act, meanwhile: Act) -> None:
    """Nothing of it is written, and the message says what to do."""
    store.update(a=1, b=2)

    def block() -> None:
        with store.transaction() as transaction:
            look(transaction)
            transaction["mine"] = 1
            meanwhile(store)

    with pytest.raises(ConflictError, match="Do all of it again"):
        block()
    assert "mine" not in store


@pytest.mark.parametrize(
    ("look", "meanwhile"),
    [
        (lambda t: t["a"], lambda s: s.set("b", 9)),
        (lambda t: t["a"], lambda s: s.set("new", 9)),
        (list, lambda s: s.set("b", 9)),
        (lambda t: t.update(a=5), lambda s: s.set("a", 9)),
    ],
    ids=["another key", "a new key", "a value behind a list of keys", "a blind write"],
)
def test_who_is_not_in_the_way_is_let_go(store: RedisState, look: Act, meanwhile: Act) -> None:
    """Keys that were not looked at may change, and values behind a list of keys."""
    store.update(a=1, b=2)
    with store.transaction() as transaction:
        look(transaction)
        transaction["mine"] = 1
        meanwhile(store)
    assert store["mine"] == 1


def test_an_expiry_meanwhile_is_a_change(store: RedisState, clock: HandClock) -> None:
    """What was there when it was looked at, and is not at the commit, was changed by time."""
    store.set("a", 1, ttl=5)

    def block() -> None:
        with store.transaction() as transaction:
            transaction["copy"] = transaction["a"]
            clock.now = 1005.0

    with pytest.raises(ConflictError, match="'a' was changed"):
        block()
    assert dict(store) == {}


def test_a_block_never_sees_two_states(store: RedisState) -> None:
    """The second read would not fit the first: it raises, and so does all that comes after it."""
    store.update(a=1, b=1)

    def block() -> None:
        with store.transaction() as transaction:
            assert transaction["a"] == 1
            store.update(a=2, b=2)
            with pytest.raises(ConflictError):
                transaction["b"]
            with pytest.raises(ConflictError):
                transaction["c"] = 1

    with pytest.raises(ConflictError):
        block()


def test_a_block_reads_on_when_what_it_read_still_holds(store: RedisState) -> None:
    """Another key changed meanwhile: the new read is of the new state, and the old one too."""
    store.update(a=1, b=1)
    with store.transaction() as transaction:
        assert transaction["a"] == 1
        store["b"] = 2
        assert (transaction["b"], transaction["a"], list(transaction)) == (2, 1, ["a", "b"])
        transaction["sum"] = 3
    assert store["sum"] == 3


def test_two_transactions_at_once(store: RedisState) -> None:
    """The second to end is refused, also in one thread; what it only read does not save it (write skew)."""
    store.update(a=1, b=1)

    def blocks() -> None:
        with store.transaction() as one:
            with store.transaction() as other:
                if one["a"] + one["b"] == 2 and other["a"] + other["b"] == 2:
                    one["a"] = 0
                    other["b"] = 0
            assert dict(store) == {"a": 1, "b": 0}

    with pytest.raises(ConflictError, match="'b' was changed"):
        blocks()
    assert dict(store) == {"a": 1, "b": 0}
