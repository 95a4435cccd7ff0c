"""The capability `ttl` of the `state` contract: reopening, a clock that steps back, and any sequence of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.literal import literal
from conformance.models.capabilities import ExpiringModel
from conformance.models.observation import state_of
from conformance.suites.round_trip.state_ttl import about
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial

EXPIRES = ("STATE-TTL-01", "STATE-TTL-02")


@check(
    "STATE-TTL-12",
    sources="KV-57; NATS MessageTTLRestart, RecoveredOffByOne",
    capability="ttl",
    needs=EXPIRES,
    promise="durability:clean-close",
)
def test_expiry_survives_reopening(trial: Trial) -> None:
    """A key expires at the same instant after reopening, however often the store was reopened.

    Why: a process that restarts every hour and counts anew from there never forgets anything; or forgets it too early.

    Breaks it:

        entry = (value, ttl)               # written as it was given; the store counts from the time of its opening
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        store["plain"] = value
        store.set("a", value, ttl=100)
        store.set("removed", value, ttl=100)
        store["removed"] = value
        instant = store.expires_at("a")
        for _ in range(3):
            session.advance(30)
            store = session.reopen(store)
            trial.equal(store.expires_at("a"), instant, "the time of expiry after reopening")
            trial.equal(store["a"], value, "reading the key after reopening")
        session.advance(10)
        trial.equal(sorted(store.keys()), ["plain", "removed"], "listing at the instant, in a store that was reopened")
        trial.raises(lambda: store["a"], "missing", "reading the key at the instant, in a store that was reopened")
        for key in ("plain", "removed"):
            trial.equal(store.expires_at(key), None, "the time of expiry of a key without one, after reopening")


@check("STATE-TTL-13", sources="KV-57", capability="ttl", needs=EXPIRES, promise="durability:clean-close")
def test_key_that_expired_while_closed_is_missing(trial: Trial) -> None:
    """A key that expired while the store was closed is missing when it is opened, and a key that was gone stays gone.

    Why: a token that expired in the night must not be answered in the morning, because nobody was there to sweep.

    Breaks it:

        def _load(self):
            for key, entry in self._read_file():
                self._data[key] = entry.value      # the timer that would delete it was in the old process
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        store["plain"] = value
        store.set("seen", value, ttl=10)
        store.set("while closed", value, ttl=60)
        session.advance(10)
        trial.equal("seen" in store, expected=False, what="asking for a key at its instant")
        store.acknowledge()
        store.close()
        session.advance(50)
        store = session.open()
        trial.equal(len(store), 1, "the length after two keys expired, one of them while the store was closed")
        trial.equal(state_of(store), {"plain": value}, "the state after two keys expired")
        for key in ("seen", "while closed"):
            trial.raises(lambda: store[key], "missing", "reading a key that expired before")  # noqa: B023
        store["while closed"] = value
        store = session.reopen(store)
        trial.equal(state_of(store), {"plain": value, "while closed": value}, "the state after one was written again")


@check("STATE-TTL-14", sources="KV-58; mutant ttl_on_wall_clock", level="should", capability="ttl", needs=EXPIRES)
def test_clock_that_steps_back_brings_nothing_back(trial: Trial) -> None:
    """A key that was seen expired stays missing when the clock steps back; others are there until their instant.

    Why: clocks are set back by the network. A lock that was seen free and taken would be held by its old owner again.

    Breaks it:

        return self.clock() < entry.expires_at     # nothing remembers that it was answered "missing" before
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        store.set("read", value, ttl=10)
        store.set("asked", value, ttl=10)
        store.set("later", value, ttl=100)
        session.advance(10)
        trial.raises(lambda: store["read"], "missing", "reading a key at its instant")
        trial.equal("asked" in store, expected=False, what="asking for a key at its instant")
        session.advance(-9)
        trial.raises(lambda: store["read"], "missing", "reading it again, the clock having been set back by 9 seconds")
        trial.equal(
            "asked" in store, expected=False, what="asking for it again, the clock having been set back by 9 seconds"
        )
        trial.equal(store.keys(), ["later"], "listing, the clock having been set back by 9 seconds")
        trial.equal(store["later"], value, "reading a key that is still to expire")
        session.advance(98.5)
        trial.equal(store["later"], value, "reading it just before its instant, which the first clock has passed")
        session.advance(0.5)
        trial.equal("later" in store, expected=False, what="asking for it at its instant")


@check("STATE-TTL-15", sources="KV-55 to KV-57", capability="ttl", needs=EXPIRES)
def test_random_calls_agree_with_the_model(trial: Trial) -> None:
    """In any sequence of writes, with a ttl or without, deletes and steps of the clock, what has not expired is there.

    Why: expiry, overwriting, deleting and sweeping meet in orders that nobody wrote a test for.

    Breaks it:

        heapq.heappush(self._due, (expires_at, key))     # stays there when the key is written again
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import sequences

    kind = trial.backend.values
    keys = st.sampled_from(["a", "b"])
    call = (
        st.tuples(st.just("set"), keys, st.sampled_from([1, 2, 5, 30]))
        | st.tuples(st.sampled_from(["write", "delete", "read"]), keys, st.just(0))
        | st.tuples(st.just("advance"), st.just(""), st.sampled_from([1, 1, 2, 5, 10]))
        | st.tuples(st.just("reopen"), st.just(""), st.just(0))
    )

    @trial.examples(sequences(call, trial.effort.steps))
    def _(calls: list[tuple[str, str, int]]) -> None:
        with trial.fresh() as session:
            store = session.open()
            model = ExpiringModel(session.where.clock)
            for number, (verb, key, seconds) in enumerate(calls):
                value = domain.numbered(kind, number)
                present = model.state()
                if verb == "set":
                    store.set(key, value, ttl=seconds)
                    model.set(key, value, seconds)
                elif verb == "write":
                    store[key] = value
                    model.set(key, value)
                elif verb == "delete" and key in present:
                    del store[key]
                    model.delete(key)
                elif verb == "read":
                    trial.equal(key in store, key in present, f"asking for {key!r}")
                elif verb == "advance":
                    session.advance(seconds)
                elif verb == "reopen" and trial.backend.durability != "volatile":
                    store = session.reopen(store)
                if verb in ("set", "write", "read") and key in model.state():
                    found, expected = store.expires_at(key), model.expires_at(key)
                    as_expected = found == expected if expected is None else about(found, expected, 0.001)
                    trial.true(
                        as_expected, f"the time of expiry of {key!r}", expected=repr(expected), got=literal(found)
                    )
            trial.equal(state_of(store), model.state(), "the state at the end")
            session.advance(30)
            trial.equal(state_of(store), model.state(), "the state after the last possible instant")
            trial.equal(len(store), len(model.state()), "the length after that")
