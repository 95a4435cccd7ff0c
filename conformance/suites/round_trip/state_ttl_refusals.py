"""The capability `ttl` of the `state` contract: which ttl is taken, which refused, and what a refused write leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.observation import refused_value, state_of, unstorable
from conformance.suites.round_trip.state_ttl import CLOCK, DAY_S, EXPIRES, about, gone, there
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial


@check("STATE-TTL-07", sources="KV-55, KV-63", capability="ttl", needs=EXPIRES)
def test_bad_ttl_never_keeps_a_key_for_ever(trial: Trial) -> None:
    """A ttl that is not a positive number is refused, the old value staying as it was, or expires the key at once.

    Why: `ttl = deadline - now` is negative when the deadline has passed. A secret kept for ever is the worst answer.

    Breaks it:

        expires_at = now + ttl if ttl else None     # 0: for ever; NaN: never more than any time
    """
    old, new = (domain.numbered(trial.backend.values, number) for number in range(2))
    for ttl in (0, 0.0, -1, -0.5, -(10**12), math.nan, -math.inf, "x", [10]):
        with trial.fresh() as session:
            store = session.open()
            store["plain"] = old
            store.set("expiring", old, ttl=100)
            instant = store.expires_at("expiring")
            expected: dict[str, Any] = {}
            for key in ("plain", "expiring", "new"):
                before = None if key == "new" else old
                if trial.refused(lambda: store.set(key, new, ttl=ttl)) and before is not None:  # noqa: B023
                    expected[key] = before
            what = f"after keys were set with a ttl of {ttl!r}, which is to be refused or to expire them at once"
            trial.equal(state_of(store), expected, f"the state {what}")
            trial.equal(len(store), len(expected), f"the length {what}")
            if "plain" in expected:
                trial.equal(store.expires_at("plain"), None, f"the time of expiry of a plain key {what}")
            if "expiring" in expected:
                trial.equal(store.expires_at("expiring"), instant, f"the time of expiry of another key {what}")


@check("STATE-TTL-08", sources="mutant ttl_overflow; CASSANDRA-14092", capability="ttl", needs=EXPIRES)
def test_huge_ttl_does_not_expire_at_once(trial: Trial) -> None:
    """A ttl of many years keeps the key, or is refused; it never wraps around.

    Why: 20 years from now are past 2038 in 32 bits. In a database where they wrapped, data was lost as it was written.

    Breaks it:

        struct.pack("<i", int(expires_at) & 0x7FFFFFFF)
    """
    old, new = (domain.numbered(trial.backend.values, number) for number in range(2))
    for ttl in (10**9, 2**31 - 1, 2**31, 2**32, 2**33 + 5, 10**10, 10**11, 10**12):
        with trial.fresh() as session:
            store = session.open()
            store["a"] = old
            if trial.refused(lambda: store.set("a", new, ttl=ttl)):  # noqa: B023 - called at once
                there(trial, store, "a", old, f"reading the old value after a ttl of {ttl:,} seconds was refused")
                continue
            there(trial, store, "a", new, f"reading a key that was set with a ttl of {ttl:,} seconds")
            session.advance(9 * 10**8)
            there(trial, store, "a", new, f"reading it 28 years later, of a ttl of {ttl:,} seconds")
            trial.equal(store.keys(), ["a"], f"listing 28 years later, of a ttl of {ttl:,} seconds")


@check("STATE-TTL-09", sources="KV-56", capability="ttl", needs=CLOCK)
def test_no_ttl_is_no_expiry(trial: Trial) -> None:
    """A key written without a ttl never expires and has None as its time of expiry; a missing key has none at all.

    Why: a default expiry that nobody asked for is a delete that nobody sees.

    Breaks it:

        def set(self, key, value, ttl=DEFAULT_TTL): ...
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        trial.raises(lambda: store.expires_at("a"), "missing", "asking for the time of expiry of a missing key")
        store["a"] = value
        store.set("b", value)
        store.set("c", value, ttl=None)
        session.advance(100 * 365 * DAY_S)
        for key in ("a", "b", "c"):
            trial.equal(store.expires_at(key), None, "the time of expiry of a key without one")
            there(trial, store, key, value, "reading a key without expiry a hundred years later")
        del store["a"]
        trial.raises(lambda: store.expires_at("a"), "missing", "asking for the time of expiry of a deleted key")


@check("STATE-TTL-10", sources="KV-55", capability="ttl", needs=EXPIRES)
def test_fraction_of_a_second_is_kept_or_refused(trial: Trial) -> None:
    """A ttl that is no whole number of seconds ends within a second of its time, or is refused.

    Why: half a second that is cut to 0 is taken for "no expiry" by the next line.

    Breaks it:

        ttl = int(ttl)                     # 0.5 becomes 0
        expires_at = now + ttl if ttl else None
    """
    value = domain.numbered(trial.backend.values, 1)
    for ttl in (0.5, 1.5, 10.75):
        with trial.fresh() as session:
            store = session.open()
            if trial.refused(lambda: store.set("a", value, ttl=ttl)):  # noqa: B023 - called at once
                trial.equal(store.keys(), [], "listing after a ttl was refused")
                continue
            if ttl < 1 and "a" not in store:
                continue  # a store that counts whole seconds may take it for none at all
            there(trial, store, "a", value, f"reading a key that was set with a ttl of {ttl} seconds")
            instant = store.expires_at("a")
            trial.true(
                about(instant, session.where.clock() + ttl, 1),
                f"the time of expiry of a key that was set with a ttl of {ttl} seconds",
                expected=f"{session.where.clock() + ttl!r}, or the next or last whole second",
                got=literal(instant),
            )
            session.advance(max(instant, session.where.clock() + ttl) - session.where.clock())
            gone(trial, store, "a", f"after a ttl of {ttl} seconds")


@check(
    "STATE-TTL-11", sources="mutant ttl_failure_aborts_write; langgraph-redis PR#174", capability="ttl", needs=EXPIRES
)
def test_refused_value_keeps_value_and_expiry(trial: Trial) -> None:
    """When `set` refuses a value, the old value and its time of expiry stay as they were.

    Why: two steps, the expiry first, leave a key that lives on the clock of a write that never happened.

    Breaks it:

        self._expiry[key] = now + ttl
        self._data[key] = json.dumps(value)     # raises
    """
    value = domain.numbered(trial.backend.values, 1)
    bad = unstorable(trial)
    with trial.fresh() as session:
        store = session.open()
        store["plain"] = value
        store.set("expiring", value, ttl=100)
        instant = store.expires_at("expiring")
        for key in ("plain", "expiring", "new"):
            refused_value(trial, lambda: store.set(key, bad, ttl=5))  # noqa: B023 - called at once
        refused_value(trial, lambda: store.set("expiring", bad))
        trial.equal(store.expires_at("plain"), None, "the time of expiry of a plain key after a value was refused")
        trial.equal(store.expires_at("expiring"), instant, "the time of expiry of another key after that")
        session.advance(50)
        trial.equal(state_of(store), {"plain": value, "expiring": value}, "the state after values were refused")
        session.advance(50)
        trial.equal(state_of(store), {"plain": value}, "the state at the old instant")
