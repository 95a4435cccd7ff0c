"""The state store of the `redis` backend: keys, versions, expiry, history, snapshots, damage."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from conformance import Where
from reference_backends.redis import ConflictError, CorruptRecord, Damage, RedisState, Report, open_state
from reference_backends.redis.state_programs import PAGE_RECORDS
from tests.reference_backends.redis.conftest import HandClock

#: Two characters for Python, one in UTF-16.
PAIR = chr(0xD83D) + chr(0xDE00)


@pytest.mark.parametrize("key", ["", "\x00", "a\x00b", "\ud800", PAIR, "\U0001f600", "}{", "k" * 9999])
def test_every_key_is_exact(where: Where, key: str) -> None:
    """Keys that other stores cut, fold or join come back from a new handle as they were, and alone."""
    with closing(open_state(where)) as store:
        store[key] = "it"
        store.save_snapshot(key)
    with closing(open_state(where)) as store:
        assert list(store) == [key]
        assert store[key] == "it"
        assert store.list_snapshots() == [key]
        assert store.load_snapshot(key) == {key: "it"}
        assert store.versions(key) == [store.version(key)]


@pytest.mark.parametrize("key", [None, 1, b"a", type("Name", (str,), {})("a")])
def test_what_is_no_plain_str_is_no_key(store: RedisState, key: Any) -> None:
    """It is refused by every verb, before anything is changed."""
    verbs: list[Callable[[], Any]] = [
        lambda: store[key],
        lambda: key in store,
        lambda: store.set(key, 1),
        lambda: store.update({"b": 1, key: 1}),
        lambda: store.pop(key),
        lambda: store.version(key),
        lambda: store.compare_and_set(key, 1, None),
        lambda: store.versions(key),
        lambda: store.save_snapshot(key),
    ]
    for verb in verbs:
        with pytest.raises(TypeError, match="only a str comes back as it was"):
            verb()
    assert len(store) == 0


@pytest.mark.parametrize("value", [(1,), {1: 2}, b"x", {"a": [object()]}])
def test_a_value_outside_json_is_refused_and_the_old_one_stays(store: RedisState, value: Any) -> None:
    """A refused write is no version either."""
    version = store.compare_and_set("a", "old", None)
    for write in (lambda: store.set("a", value), lambda: store.compare_and_set("a", value, version)):
        with pytest.raises(TypeError):
            write()
    assert (store["a"], store.versions("a")) == ("old", [version])


def test_a_big_value_is_exact(where: Where) -> None:
    """Eight megabytes, and an int of thousands of digits."""
    value = {"text": "é" * (8 * 1024 * 1024), "number": 10**5000}
    with closing(open_state(where)) as store:
        store["big"] = value
    with closing(open_state(where)) as store:
        assert store["big"] == value


def test_keys_are_listed_in_one_order(store: RedisState) -> None:
    """Sorted, however the server keeps them, and however many there are."""
    names = [f"key{number * 7919 % 1000:03d}" for number in range(1000)]
    store.update(dict.fromkeys(names, 1))
    assert list(store) == sorted(names)


def test_inherited_verbs_are_single_steps(store: RedisState) -> None:
    """What MutableMapping makes of several verbs is one here."""
    store.update({"a": 1}, b=2)
    store.update({})
    with pytest.raises(TypeError):
        store.update({"a": 3, "bad": object()})
    assert store == {"a": 1, "b": 2}
    assert store.setdefault("a", 9) == 1
    assert store.setdefault("c") is None
    assert store.pop("c") is None
    assert store.pop("c", "gone") == "gone"
    with pytest.raises(KeyError):
        store.pop("c")
    assert dict([store.popitem(), store.popitem()]) == {"a": 1, "b": 2}
    with pytest.raises(KeyError):
        store.popitem()
    store.update(a=1, b=2)
    store.clear()
    assert (dict(store), len(store.versions("a"))) == ({}, 2)


def test_states_of_two_namespaces_and_a_log_do_not_meet(store: RedisState, where: Where) -> None:
    """The namespace is all that tells them apart."""
    with closing(open_state(replace(where, namespace=where.namespace + "x"))) as other:
        store["a"] = 1
        other["b"] = 2
        assert (dict(store), dict(other)) == ({"a": 1}, {"b": 2})


def test_closing_is_for_good(store: RedisState) -> None:
    """Every verb is refused afterwards; closing again is harmless."""
    store["a"] = 1
    store.close()
    store.close()
    verbs: list[Callable[[], Any]] = [lambda: store["a"], lambda: store.set("a", 2), store.ping, store.flush]
    for verb in [*verbs, lambda: store.transaction().__enter__()]:
        with pytest.raises(ValueError, match="closed"):
            verb()


# cas


def test_no_version_returns_after_a_delete(store: RedisState) -> None:
    """Not in the next life of the key, and not in the next life of an emptied store."""
    old = store.compare_and_set("a", 1, None)
    store.clear()
    assert store.version("a") is None
    new = store.compare_and_set("a", 1, None)
    assert new > old
    with pytest.raises(ConflictError):
        store.compare_and_set("a", 2, old)
    assert store["a"] == 1


@pytest.mark.parametrize("expected", [None, 0, 2, True, 1.0, "1"])
def test_a_conflict_changes_nothing_and_says_why(store: RedisState, expected: Any) -> None:
    """Only the version itself matches, and nothing that equals it."""
    assert store.compare_and_set("a", "old", None) == 1
    with pytest.raises(ConflictError, match=r"The version of 'a' is 1, not .*: somebody wrote .* decide again"):
        store.compare_and_set("a", "new", expected)
    assert (store["a"], store.version("a")) == ("old", 1)


@pytest.mark.parametrize("expected", [0, 1, ""])
def test_a_missing_key_has_no_version_but_none(store: RedisState, expected: Any) -> None:
    """Nothing that is false stands for it."""
    with pytest.raises(ConflictError, match=r"The version of 'a' is None"):
        store.compare_and_set("a", "new", expected)
    assert "a" not in store


# ttl


def test_a_key_is_missing_from_its_instant_on(store: RedisState, clock: HandClock) -> None:
    """It is there just before, and for no verb at the instant itself."""
    store.set("a", 1, ttl=5)
    store["b"] = 2
    clock.now = 1004.999
    assert (store["a"], store.expires_at("a"), store.expires_at("b")) == (1, 1005.0, None)
    clock.now = 1005.0
    assert "a" not in store
    assert (list(store), len(store), store.version("a"), store.stats()["keys"]) == (["b"], 1, None, 1)
    for verb in (store.__getitem__, store.__delitem__, store.expires_at, store.pop):
        with pytest.raises(KeyError):
            verb("a")
    with store.transaction() as transaction:
        assert dict(transaction) == {"b": 2}
    store.save_snapshot("s")
    assert store.load_snapshot("s") == {"b": 2}
    assert store.verify() == Report(healthy=1, damaged=())


@pytest.mark.parametrize(
    "see",
    [
        lambda store: store.get("a"),
        len,
        list,
        lambda store: store.version("a"),
        lambda store: store.pop("a", None),
        lambda store: store.save_snapshot("s"),
        lambda store: store.set("b", 1),
        lambda store: store.verify(),
    ],
    ids=["get", "len", "list", "version", "pop", "snapshot", "put", "verify"],
)
def test_what_was_seen_expired_never_comes_back(
    store: RedisState, where: Where, clock: HandClock, see: Callable[[RedisState], Any]
) -> None:
    """A clock that steps back does not revive it, in no handle."""
    store.set("a", 1, ttl=5)
    clock.now = 1005.0
    see(store)
    clock.now = 1000.0
    assert "a" not in store
    with closing(open_state(where)) as other:
        assert "a" not in other
        assert store.versions("a") == [1]


def test_an_instant_is_exact(store: RedisState, clock: HandClock) -> None:
    """All digits of a float come back."""
    clock.now = 1_700_000_000.123457
    store.set("a", 1, ttl=0.1)
    assert store.expires_at("a") == 1_700_000_000.123457 + 0.1


def test_a_plain_write_removes_an_expiry(store: RedisState, clock: HandClock) -> None:
    """By any verb that writes."""
    for key in "abc":
        store.set(key, 1, ttl=5)
    store["a"] = 2
    store.update(b=2)
    with store.transaction() as transaction:
        transaction["c"] = 2
    clock.now = 1005.0
    assert dict(store) == {"a": 2, "b": 2, "c": 2}


@pytest.mark.parametrize("ttl", [0, -1, -0.0, float("nan"), float("inf"), 10**400, 1.7e308 * 1e1])
def test_a_ttl_out_of_range_is_refused(store: RedisState, ttl: float) -> None:
    """The old value and the old expiry stay."""
    store.set("a", "old", ttl=5)
    with pytest.raises(ValueError):
        store.set("a", "new", ttl=ttl)
    assert (store["a"], store.expires_at("a")) == ("old", 1005.0)


@pytest.mark.parametrize("ttl", [True, "5", [5]])
def test_a_ttl_that_is_no_number_is_refused(store: RedisState, ttl: Any) -> None:
    """The old value stays."""
    store["a"] = "old"
    with pytest.raises(TypeError):
        store.set("a", "new", ttl=ttl)
    assert store["a"] == "old"


# history and snapshots


def test_versions_stay_readable(store: RedisState) -> None:
    """Newest first, after overwriting and after deleting; an unknown one is a KeyError."""
    for value in ("one", "two", "three"):
        store["a"] = value
    first, second, third = reversed(store.versions("a"))
    assert store.versions("a", limit=2) == [third, second]
    assert store.versions("a", limit=0) == []
    del store["a"]
    assert store.versions("a", limit=9) == [third, second, first]
    assert [store.get_version("a", each) for each in (first, second, third)] == ["one", "two", "three"]
    assert store.versions("never") == []
    with pytest.raises(ValueError):
        store.versions("a", limit=-1)
    store["b"] = 1
    unknown: list[Any] = [0, 99, 2**70, store.version("b"), True, 1.0, "1", None]
    for each in unknown:
        with pytest.raises(KeyError):
            store.get_version("a", each)


def test_a_snapshot_of_many_keys_is_of_one_moment(store: RedisState) -> None:
    """What is written or deleted later does not show; nor does the snapshot change the store."""
    content = {f"key{number}": number for number in range(PAGE_RECORDS * 2 + 1)}
    store.update(content)
    store.save_snapshot("s")
    store["key0"] = "other"
    del store["key1"]
    assert store.load_snapshot("s") == content
    store.clear()
    store.save_snapshot("s")
    assert (store.load_snapshot("s"), store.list_snapshots()) == ({}, ["s"])
    with pytest.raises(KeyError):
        store.load_snapshot("other")


def test_stats_count(store: RedisState) -> None:
    """Keys, versions of all keys, snapshots."""
    store["a"] = 1
    store["a"] = 2
    store["b"] = 1
    del store["b"]
    store.save_snapshot("s")
    assert store.stats() == {"keys": 1, "versions": 3, "snapshots": 1}


# damage


@pytest.fixture
def filled(store: RedisState, where: Where) -> Callable[[str], str]:
    """Return, for a store with a and b, a history of b and a snapshot, the name of a key on the server."""
    store["a"] = "first"
    store["b"] = "old"
    store["b"] = "second"
    store.save_snapshot("s")
    store["b"] = "third"
    return lambda name: f"{{{where.namespace}}}:state:{name}"


def test_a_changed_value_is_noticed_and_the_others_stay_readable(
    store: RedisState, filled: Callable[[str], str], raw: Any
) -> None:
    """The server finds nothing wrong with it; the digest does."""
    raw.hset(filled("records"), "4", raw.hget(filled("records"), "4").replace(b"third", b"fifth"))
    with pytest.raises(CorruptRecord, match=r"key b'b' version 4: has another digest") as caught:
        store["b"]
    assert pickle.loads(pickle.dumps(caught.value)).where == caught.value.where
    assert (store["a"], store.load_snapshot("s")) == ("first", {"a": "first", "b": "second"})
    assert store.verify() == Report(1, (Damage("version 4", "has another digest"),))


def test_a_lost_record_and_a_misplaced_one_are_noticed(
    store: RedisState, filled: Callable[[str], str], raw: Any
) -> None:
    """A key without a value is not taken for a missing key, nor is the value of another."""
    raw.hdel(filled("records"), "4")
    raw.hset(filled("entries"), "a", "2")
    for key, what in (("a", "is a record of the key b'b'"), ("b", "is lost")):
        with pytest.raises(CorruptRecord, match=what):
            store[key]
    report = store.verify()
    assert report.healthy == 0
    assert {each.where for each in report.damaged} == {"key b'a' version 2", "key b'b' version 4"}


def test_damage_of_the_history_and_of_a_snapshot_is_reported(
    store: RedisState, filled: Callable[[str], str], raw: Any
) -> None:
    """The keys are well all the same."""
    raw.hset(filled("records"), "2", b"nonsense")
    raw.hdel(filled("records"), "3")
    report = store.verify()
    assert report == Report(2, (Damage("version 2", "has another digest"), Damage("key b'b' version 3", "is lost")))
