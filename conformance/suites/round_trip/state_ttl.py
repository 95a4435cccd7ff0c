"""The capability `ttl` of the `state` contract: keys that are missing from an instant on. No check waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.observation import contents, state_of, works
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle, Session
    from conformance.trial import Trial

CLOCK = ("STATE-TTL-01",)
EXPIRES = ("STATE-TTL-01", "STATE-TTL-02")
#: How long before the instant a key must still be there. Stores that count whole seconds are welcome, so not less.
JUST_BEFORE_S = 0.25
DAY_S = 86_400


def there(trial: Trial, store: Handle, key: str, value: Any, what: str) -> None:
    """Require that a key is present with its value; that it is gone already is told as such."""
    try:
        found = store[key]
    except trial.errors("missing") as error:
        trial.violated(what, expected=literal(value), got=raised(error))
    trial.equal(found, value, what)


def gone(trial: Trial, store: Handle, key: str, when: str) -> None:
    """Require that a key is missing for every verb of a mapping, and has no time of expiry."""
    trial.raises(lambda: store[key], "missing", f"reading a key {when}")
    trial.equal(key in store, expected=False, what=f"asking for a key with `in` {when}")
    trial.equal([one for one in store if one == key], [], f"looking for a key in the listing {when}")
    trial.raises(lambda: store.expires_at(key), "missing", f"asking for the time of expiry of a key {when}")


@check("STATE-TTL-01", sources="KV-55, KV-56", capability="ttl", needs=("STATE-BASIC-01",))
def test_expires_at_tells_the_instant(trial: Trial) -> None:
    """A key set with a ttl is there with its value, and `expires_at` is the time of `where.clock` plus the ttl.

    Why: whoever renews a lease must know when it ends, by the clock that ends it.

    Breaks it:

        def expires_at(self, key):
            return self._ttl[key]          # seconds left, or milliseconds, or a local time; not POSIX seconds
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        for key, value, ttl in (("a", one, 60), ("b", two, DAY_S)):
            store.set(key, value, ttl=ttl)
            there(trial, store, key, value, "reading a key that was set with a ttl")
            found = store.expires_at(key)
            _require_the_clock(session, found, ttl)
            expected = session.where.clock() + ttl
            trial.true(
                about(found, expected, 0.001),
                f"the time of expiry of a key that was set with a ttl of {ttl:,} seconds at {session.where.clock()!r}",
                expected=repr(expected),
                got=literal(found),
            )
        session.advance(10)
        there(trial, store, "a", one, "reading a key before it expires")
        found = store.expires_at("a")
        trial.true(
            about(found, session.where.clock() + 50, 0.001),
            "the time of expiry ten seconds later",
            expected="the same as before",
            got=literal(found),
        )


def _require_the_clock(session: Session, found: Any, ttl: float) -> None:
    """Raise NotApplicable when a time of expiry is about the true time; the clock of the place is years behind it."""
    if about(found, time.time() + ttl, 3_600) and not about(found, session.where.clock() + ttl, 3_600):
        raise NotApplicable("pass where.clock to the store so that expiry can be tested without waiting")


def about(found: Any, expected: float, tolerance: float) -> bool:
    """Tell whether a time of expiry is the expected one, to so many seconds."""
    return isinstance(found, (int, float)) and abs(found - expected) <= tolerance


@check("STATE-TTL-02", sources="KV-55; mutant ttl_not_enforced_on_read", capability="ttl", needs=CLOCK)
def test_key_is_missing_from_the_instant_on(trial: Trial) -> None:
    """A key is there until the instant that `expires_at` tells, and is missing from that instant on.

    Why: an expired session that is still answered is a door left open; a lease that ends early is held by two.

    Breaks it:

        if now > entry.expires_at:         # at the instant itself the key is still there
            raise KeyError(key)
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        store["kept"] = two
        for ttl in (1, 10, 3_600):
            key, longer = f"{ttl} seconds", f"{2 * ttl} seconds"
            store.set(key, one, ttl=ttl)
            store.set(longer, two, ttl=2 * ttl)
            instant = store.expires_at(key)
            session.advance(instant - JUST_BEFORE_S - session.where.clock())
            there(trial, store, key, one, f"reading a key {JUST_BEFORE_S} seconds before it expires")
            trial.equal(key in store, expected=True, what=f"asking for a key {JUST_BEFORE_S} seconds before it expires")
            session.advance(instant - session.where.clock())
            gone(trial, store, key, "at the instant at which it expires")
            there(trial, store, longer, two, "reading a key that expires later")
            session.advance(ttl / 2)
            gone(trial, store, key, "after it expired")
        there(trial, store, "kept", two, "reading a key without expiry at the end")


@check("STATE-TTL-03", sources="KV-55; mutant ttl_not_enforced_on_read; langgraph#8902", capability="ttl", needs=CLOCK)
def test_expired_key_is_missing_for_every_verb(trial: Trial) -> None:
    """An expired key is not listed, not counted and has no version, although nobody has read it since it expired.

    Why: stores that remove a key when it is read go on listing and counting what nobody reads.

    Breaks it:

        def __len__(self):
            return self._execute("SELECT count(*) FROM state")     # the expired ones too
    """
    value = domain.numbered(trial.backend.values, 1)

    def expired_after(session: Session) -> Handle:
        store = session.open()
        for number in range(3):
            store.set(f"expired {number}", value, ttl=10 + number)
            store[f"kept {number}"] = value
        session.advance(12)
        return store

    # A place for each verb: the first one that meets an expired key may remove it, and so hide it from the others.
    with trial.fresh() as session:
        trial.equal(len(expired_after(session)), 3, "the length, three of six keys having expired")
    with trial.fresh() as session:
        store = expired_after(session)
        trial.equal(sorted(store.keys()), ["kept 0", "kept 1", "kept 2"], "listing, three of six keys having expired")
    with trial.fresh() as session:
        trial.equal("expired 0" in expired_after(session), expected=False, what="asking with `in` for an expired key")
    if works(trial, "cas"):
        with trial.fresh() as session:
            trial.equal(expired_after(session).version("expired 0"), None, "the version of an expired key")
    if works(trial, "snapshots"):
        with trial.fresh() as session:
            store = expired_after(session)
            store.save_snapshot("after")
            found = contents(trial, store.load_snapshot("after"), "loading a snapshot")
            trial.equal(
                sorted(found), ["kept 0", "kept 1", "kept 2"], "a snapshot saved after three of six keys expired"
            )
    if works(trial, "transactions"):
        with trial.fresh() as session, expired_after(session).transaction() as t:
            trial.equal(sorted(t.keys()), ["kept 0", "kept 1", "kept 2"], "listing inside a transaction")
            trial.equal("expired 0" in t, expected=False, what="asking for an expired key inside a transaction")


@check("STATE-TTL-04", sources="KV-56", capability="ttl", needs=EXPIRES)
def test_plain_write_removes_the_expiry(trial: Trial) -> None:
    """A write without a ttl, by `set` or by `store[key] = value`, removes the expiry of the key.

    Why: a draft is written with a ttl, the result without. A result that vanishes with the draft's clock is lost.

    Breaks it:

        UPDATE state SET value = ? WHERE key = ?     -- expires_at stays
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        for key in ("by set", "by item"):
            store.set(key, one, ttl=10)
        store.set("by set", two)
        store["by item"] = two
        for key in ("by set", "by item"):
            trial.equal(store.expires_at(key), None, "the time of expiry after a write without a ttl")
        session.advance(1_000)
        for key in ("by set", "by item"):
            there(trial, store, key, two, "reading a key whose expiry was removed, after the old instant")


@check("STATE-TTL-05", sources="KV-56", capability="ttl", needs=EXPIRES)
def test_new_ttl_replaces_the_old_one(trial: Trial) -> None:
    """A write with a ttl replaces the expiry of the key, by a later or an earlier one, counted from that write.

    Why: a heartbeat renews its lease with each write. If the first expiry stands, the lease ends under its owner.

    Breaks it:

        INSERT ... ON CONFLICT (key) DO UPDATE SET value = excluded.value     -- and the expiry?
    """
    one, two = (domain.numbered(trial.backend.values, number) for number in range(2))
    with trial.fresh() as session:
        store = session.open()
        store.set("renewed", one, ttl=10)
        store.set("shortened", one, ttl=1_000)
        store["first"] = one
        session.advance(5)
        store.set("renewed", two, ttl=10)
        store.set("shortened", two, ttl=3)
        store.set("first", two, ttl=3)
        session.advance(3)
        for key in ("shortened", "first"):
            gone(trial, store, key, "after the earlier of two instants, which was set last")
        session.advance(6)
        there(trial, store, "renewed", two, "reading a renewed key after its first instant")
        session.advance(1)
        gone(trial, store, "renewed", "at its second instant")


@check("STATE-TTL-06", sources="KV-06; mutant ttl_race; py-key-value PR#370", capability="ttl", needs=EXPIRES)
def test_expired_key_can_be_written_again(trial: Trial) -> None:
    """An expired key can be written again like any missing key, and the old expiry does not touch what was written.

    Why: a sweep that finds the old expiry and deletes the key removes what was written in the meantime.

    Breaks it:

        for key in self._expired_keys:     # collected before the key was written again
            del self._data[key]
    """
    old, new = (domain.numbered(trial.backend.values, number) for number in range(2))
    writes: dict[str, Any] = {
        "written": lambda store, key: store.__setitem__(key, new),
        "set": lambda store, key: store.set(key, new),
        "set with a ttl": lambda store, key: store.set(key, new, ttl=1_000),
    }
    if works(trial, "cas"):
        writes["created"] = lambda store, key: store.compare_and_set(key, new, None)
    with trial.fresh() as session:
        store = session.open()
        for key in (*writes, "deleted"):
            store.set(key, old, ttl=10)
        session.advance(10)
        for key, write in writes.items():
            write(store, key)
            there(trial, store, key, new, f"reading an expired key that was {key} again")
        # As for any missing key: KeyError, or nothing.
        trial.refused(lambda: store.__delitem__("deleted"))
        session.advance(100)
        expected = dict.fromkeys(writes, new)
        trial.equal(state_of(store), expected, "the state after expired keys were written again, and some time")
        trial.equal(len(store), len(writes), "the length after that")
