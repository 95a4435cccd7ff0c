"""The state store of the `sqlite` backend: versions, expiry, history, snapshots."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import Where
from reference_backends.sqlite import ConflictError, Report, SqliteState, backend, open_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Two characters for Python, one in UTF-16.
PAIR = chr(0xD83D) + chr(0xDE00)


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 1000."""
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path, clock: HandClock) -> Iterator[SqliteState]:
    """Give an open store."""
    with closing(SqliteState(path, clock=clock)) as opened:
        yield opened


# the record


def test_the_backend_is_held_to_the_strictest_promises() -> None:
    """Nothing is disclaimed but what no damage of single blocks amounts to."""
    assert (backend.durability, backend.sharing, backend.corruption) == ("power-loss", "processes", "detects")
    assert backend.contracts == ("state", "log", "runs", "jobs", "layers")
    assert not backend.lacks


def test_the_opener_uses_the_place_and_its_clock(tmp_path: Path, clock: HandClock) -> None:
    """The time of a store is that of where it is opened."""
    with closing(open_state(Where(tmp_path, clock=clock))) as store:
        store.set("a", 1, ttl=5)
        assert store.expires_at("a") == 1005.0
    assert (tmp_path / "state.sqlite3").exists()


# keys and values


@pytest.mark.parametrize("key", ["", "\x00", "a\x00b", "\ud800", "\udfff\ud800", PAIR, "\U0001f600", "k" * 9999])
def test_every_key_is_exact(path: Path, key: str) -> None:
    """Keys that other stores cut, fold or join come back from a new handle as they were, and alone."""
    with closing(SqliteState(path)) as store:
        store[key] = "it"
        store.save_snapshot(key)
    with closing(SqliteState(path)) as store:
        assert list(store) == [key]
        assert store[key] == "it"
        assert store.list_snapshots() == [key]
        assert store.load_snapshot(key) == {key: "it"}


def test_two_surrogates_are_not_the_character_that_they_make(store: SqliteState) -> None:
    """Keys are compared as Python compares them."""
    store[PAIR] = "two"
    store["\U0001f600"] = "one"
    store.save_snapshot("s")
    assert dict(store) == store.load_snapshot("s") == {PAIR: "two", "\U0001f600": "one"}


@pytest.mark.parametrize("key", [None, 1, b"a", type("Name", (str,), {})("a")])
def test_what_is_no_plain_str_is_no_key(store: SqliteState, key: Any) -> None:
    """It is refused by every verb, before anything is changed."""
    verbs: list[Callable[[], Any]] = [
        lambda: store[key],
        lambda: key in store,
        lambda: store.set(key, 1),
        lambda: store.pop(key),
        lambda: store.version(key),
        lambda: store.compare_and_set(key, 1, None),
        lambda: store.versions(key),
        lambda: store.save_snapshot(key),
    ]
    for verb in verbs:
        with pytest.raises(TypeError):
            verb()
    assert len(store) == 0


@pytest.mark.parametrize("value", [(1,), {1: 2}, b"x", {"a": [object()]}])
def test_a_value_outside_json_is_refused_and_the_old_one_stays(store: SqliteState, value: Any) -> None:
    """A refused write is no version either."""
    version = store.compare_and_set("a", "old", None)
    for write in (lambda: store.set("a", value), lambda: store.compare_and_set("a", value, version)):
        with pytest.raises(TypeError):
            write()
    assert (store["a"], store.versions("a")) == ("old", [version])


def test_a_big_value_is_exact(path: Path) -> None:
    """Eight megabytes go in and come out of a new handle."""
    value = {"text": "é" * (8 * 1024 * 1024), "number": 10**5000}
    with closing(SqliteState(path)) as store:
        store["big"] = value
    with closing(SqliteState(path)) as store:
        assert store["big"] == value


def test_inherited_verbs_are_single_steps(store: SqliteState) -> None:
    """What MutableMapping makes of several verbs is one transaction here."""
    store.update({"a": 1, "b": 2})
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


# cas


def test_every_write_has_a_version_of_its_own(store: SqliteState) -> None:
    """Plain writes and equal values too, whatever the key."""
    versions = set()
    for key in ("a", "a", "b", "a"):
        store[key] = 1
        versions.add(store.version(key))
    assert len(versions) == 4


def test_no_version_returns_after_a_delete(path: Path) -> None:
    """Not in the next life of the key, and not in the next life of an emptied store."""
    with closing(SqliteState(path, history_limit=1)) as store:
        old = store.compare_and_set("a", 1, None)
        del store["a"]
        assert store.version("a") is None
    with closing(SqliteState(path)) as store:
        store.compact()
        new = store.compare_and_set("a", 1, None)
        assert new > old
        with pytest.raises(ConflictError):
            store.compare_and_set("a", 2, old)
        assert store["a"] == 1


@pytest.mark.parametrize("expected", [None, 0, 2, True, 1.0, "1"])
def test_a_conflict_changes_nothing_and_says_why(store: SqliteState, expected: Any) -> None:
    """Only the version itself matches, and nothing that equals it."""
    assert store.compare_and_set("a", "old", None) == 1
    with pytest.raises(ConflictError, match=r"The version of 'a' is 1, not "):
        store.compare_and_set("a", "new", expected)
    assert (store["a"], store.version("a")) == ("old", 1)


# ttl


def test_a_key_is_missing_from_its_instant_on(store: SqliteState, clock: HandClock) -> None:
    """It is there just before, and for no verb at the instant itself."""
    store.set("a", 1, ttl=5)
    store["b"] = 2
    clock.now = 1004.999
    assert (store["a"], store.expires_at("a"), store.expires_at("b")) == (1, 1005.0, None)
    clock.now = 1005.0
    assert "a" not in store
    assert store.get("a") is None
    assert (list(store), len(store), store.version("a"), store.stats()["keys"]) == (["b"], 1, None, 1)
    for verb in (store.__delitem__, store.expires_at):
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
        lambda store: store.version("a"),
        lambda store: store.pop("a", None),
        lambda store: store.verify(),
        lambda store: store.compact(),
    ],
    ids=["get", "len", "version", "pop", "verify", "compact"],
)
def test_what_was_seen_expired_never_comes_back(
    path: Path, clock: HandClock, see: Callable[[SqliteState], Any]
) -> None:
    """A clock that steps back does not revive it, in no handle and after no reopening."""
    with closing(SqliteState(path, clock=clock)) as store, closing(SqliteState(path, clock=clock)) as other:
        store.set("a", 1, ttl=5)
        clock.now = 1005.0
        see(store)
        clock.now = 1000.0
        assert "a" not in store
        assert "a" not in other
    with closing(SqliteState(path, clock=clock)) as store:
        assert "a" not in store


def test_what_a_failed_transaction_saw_expired_stays_so(store: SqliteState, clock: HandClock) -> None:
    """The block is undone, but not what it was told."""
    store.set("a", 1, ttl=5)
    store.set("b", 1, ttl=5)
    clock.now = 1005.0

    def block() -> None:
        with store.transaction() as transaction:
            assert "a" not in transaction
            transaction["a"] = 2
            assert "b" not in store  # by the store itself, in the middle of its transaction
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    clock.now = 1000.0
    assert dict(store) == {}


def test_expiry_survives_reopening_and_a_plain_write_removes_it(path: Path, clock: HandClock) -> None:
    """It is an instant, not a remaining time."""
    with closing(SqliteState(path, clock=clock)) as store:
        store.set("a", 1, ttl=5)
        store.set("b", 1, ttl=5)
        store["b"] = 2
    clock.now = 1005.0
    with closing(SqliteState(path, clock=clock)) as store:
        assert dict(store) == {"b": 2}


def test_an_expired_key_is_missing_for_a_conditional_write(store: SqliteState, clock: HandClock) -> None:
    """Its old version does not match, None does, and its old value is history."""
    store.set("a", "old", ttl=5)
    old = store.version("a")
    clock.now = 1005.0
    with pytest.raises(ConflictError, match="is None, not 1"):
        store.compare_and_set("a", "new", old)
    new = store.compare_and_set("a", "new", None)
    assert store.versions("a") == [new, old]


@pytest.mark.parametrize("ttl", [0, -1, -0.0, float("nan"), float("inf"), 10**400, 1.7e308 * 1e1])
def test_a_ttl_out_of_range_is_refused(store: SqliteState, ttl: float) -> None:
    """The old value and the old expiry stay."""
    store.set("a", "old", ttl=5)
    with pytest.raises(ValueError):
        store.set("a", "new", ttl=ttl)
    assert (store["a"], store.expires_at("a")) == ("old", 1005.0)


@pytest.mark.parametrize("ttl", [True, "5", [5]])
def test_a_ttl_that_is_no_number_is_refused(store: SqliteState, ttl: Any) -> None:
    """The old value stays."""
    store["a"] = "old"
    with pytest.raises(TypeError):
        store.set("a", "new", ttl=ttl)
    assert store["a"] == "old"


def test_a_clock_of_whole_seconds_will_do(path: Path) -> None:
    """What is digested is what SQLite gives back, a float."""
    with closing(SqliteState(path, clock=lambda: 1000)) as store:
        store.set("a", 1, ttl=5)
        assert store.expires_at("a") == 1005.0
        assert store.verify().damaged == ()


# history


def test_versions_stay_readable(store: SqliteState) -> None:
    """Newest first, after overwriting and after deleting; an unknown one is a KeyError."""
    for value in ("one", "two", "three"):
        store["a"] = value
    first, second, third = reversed(store.versions("a"))
    assert store.versions("a", limit=2) == [third, second]
    assert store.versions("a", limit=0) == []
    del store["a"]
    assert store.versions("a") == [third, second, first]
    assert [store.get_version("a", each) for each in (first, second, third)] == ["one", "two", "three"]
    assert store.versions("never") == []
    with pytest.raises(ValueError):
        store.versions("a", limit=-1)
    store["b"] = 1
    for unknown in (0, 99, 2**70, store.version("b"), True, 1.0, "1", None):
        with pytest.raises(KeyError):
            store.get_version("a", unknown)  # type: ignore[arg-type]


def test_a_history_limit_keeps_the_newest(path: Path) -> None:
    """The present version counts; other keys do not; a delete leaves as many as the limit says."""
    with closing(SqliteState(path, history_limit=2)) as store:
        for value in range(5):
            store["a"] = value
            store["b"] = value
        assert [store.get_version("a", each) for each in store.versions("a")] == [4, 3]
        del store["a"]
        assert [store.get_version("a", each) for each in store.versions("a")] == [4, 3]
        assert store.verify().damaged == ()
    with pytest.raises(ValueError):
        SqliteState(path, history_limit=0)


# snapshots, health


def test_a_snapshot_is_the_state_of_its_time(path: Path) -> None:
    """Later writes do not change it, a second one of the name replaces it, and it survives reopening."""
    with closing(SqliteState(path)) as store:
        store["a"] = [1]
        store.save_snapshot("s")
        store["a"] = [2]
        store.save_snapshot("t")
        store.save_snapshot("t")
        store.clear()
        with pytest.raises(KeyError):
            store.load_snapshot("u")
    with closing(SqliteState(path)) as store:
        assert (store.load_snapshot("s"), store.load_snapshot("t")) == ({"a": [1]}, {"a": [2]})
        assert store.list_snapshots() == ["s", "t"]
        assert len(store) == 0


def test_health_says_what_is_there(store: SqliteState) -> None:
    """The numbers of stats are those of the verbs."""
    store["a"] = 1
    store["a"] = 2
    store["b"] = 3
    store.save_snapshot("s")
    stats = store.stats()
    assert stats.pop("bytes") > 0
    assert stats == {"keys": 2, "superseded": 1, "snapshots": 1}
    assert store.ping()
    store.flush()
    assert store.verify() == Report(healthy=2, damaged=())
