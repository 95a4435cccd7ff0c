"""The versions of the capability `cas`: each is new, none comes back, and they last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.observation import works
from conformance.suites.round_trip.state_cas import APPLIES, REFUSES, applied, new_version, refused
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial


@check("STATE-CAS-04", sources="KV-05, KV-31", capability="cas", needs=APPLIES)
def test_missing_key_has_version_none(trial: Trial) -> None:
    """The version of a missing key is None, whether it was never there or was deleted; asking changes nothing.

    Why: None is what "only if it is missing" is asked with, so it must be what a missing key answers.

    Breaks it:

        def version(self, key):
            return self._versions[key]     # kept after the delete; KeyError before the first write
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(store.version("a"), None, "the version of a key that was never written")
        store["b"] = value
        trial.equal(store.version("a"), None, "the version of a key that was never written, another one being there")
        trial.equal(store.keys(), ["b"], "listing after the version of a missing key was asked for")
        store["a"] = value
        del store["a"]
        trial.equal(store.version("a"), None, "the version of a deleted key")
        store.compare_and_set("a", value, None)
        del store["a"]
        trial.equal(store.version("a"), None, "the version of a key that was created, then deleted")
        trial.equal(store.keys(), ["b"], "listing at the end")


@check("STATE-CAS-06", sources="KV-28; mutant version_is_a_digest", capability="cas", needs=APPLIES)
def test_version_changes_at_each_write(trial: Trial) -> None:
    """Each successful write gives the key a version that it never had: equal values, plain writes and all.

    Why: A, then B, then A again is not the A that was read. Whoever compares values instead of versions can't tell.

    Breaks it:

        def version(self, key):
            return hashlib.sha256(self._data[key]).hexdigest()
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        seen: list[Any] = []
        for number in range(12):
            store["a"] = domain.numbered(kind, number % 2)
            new_version(trial, store.version("a"), seen, "the version after a plain write")
            store["a"] = domain.numbered(kind, number % 2)
            new_version(trial, store.version("a"), seen, "the version after a plain write of an equal value")
            store.compare_and_set("a", domain.numbered(kind, number % 2), seen[-1])
            new_version(trial, store.version("a"), seen, "the version after a compare-and-set to an equal value")
            if works(trial, "ttl"):
                store.set("a", domain.numbered(kind, number % 2))
                new_version(trial, store.version("a"), seen, "the version after `set`")
            if works(trial, "transactions"):
                with store.transaction() as t:
                    t["a"] = domain.numbered(kind, number % 2)
                new_version(trial, store.version("a"), seen, "the version after a transaction that wrote the key")


@check("STATE-CAS-07", sources="KV-33; mutant token_repeats_after_delete", capability="cas", needs=REFUSES)
def test_version_from_before_a_delete_never_matches(trial: Trial) -> None:
    """A version from before a delete never matches again, also when the key was written again with an equal value.

    Why: a lock that was released and taken by somebody else is not the lock that was held before.

    Breaks it:

        del self._versions[key]            # the next life of the key counts from 1 again
    """
    value, stale = domain.numbered(trial.backend.values, 1), domain.numbered(trial.backend.values, 2)
    with trial.fresh() as session:
        store = session.open()
        seen: list[Any] = []
        for life in range(4):
            if life % 2:
                store.compare_and_set("a", value, None)
            else:
                store["a"] = value
            for old in seen:
                refused(trial, store, "a", stale, old, "a compare-and-set on a version from before a delete")
            trial.equal(store["a"], value, "reading the key that was written again")
            new_version(trial, store.version("a"), seen, "the version of a key that was deleted and written again")
            del store["a"]


@check("STATE-CAS-08", sources="KV-29, KV-40", capability="cas", needs=REFUSES, promise="durability:clean-close")
def test_versions_survive_reopening(trial: Trial) -> None:
    """A key has the same version after reopening, and a version that was old before is refused after.

    Why: an agent that reads, restarts and writes must neither be refused for nothing nor overwrite somebody.

    Breaks it:

        self._versions = dict.fromkeys(self._data, 0)     # when the store is opened
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        store["a"] = domain.numbered(kind, 1)
        old = store.version("a")
        store["a"] = domain.numbered(kind, 2)
        created = store.compare_and_set("b", domain.numbered(kind, 3), None)
        version = store.version("a")
        store = session.reopen(store)
        for key, expected in (("a", version), ("b", created)):
            now = store.version(key)
            trial.true(now == expected, "the version after reopening", expected=literal(expected), got=literal(now))
        refused(
            trial, store, "a", domain.numbered(kind, 4), old, "a compare-and-set on a version that is long outdated"
        )
        trial.equal(store["a"], domain.numbered(kind, 2), "reading the value after the refusal")
        newer = applied(trial, store, "a", domain.numbered(kind, 5), version, "a compare-and-set after reopening")
        new_version(trial, newer, [old, version], "the version that it returned")


@check("STATE-CAS-09", sources="KV-33, KV-40", capability="cas", needs=REFUSES, promise="durability:clean-close")
def test_old_version_never_matches_after_reopening(trial: Trial) -> None:
    """A version from before a delete never matches, also when the store was reopened before the key was written again.

    Why: a counter that starts at the highest version still in the store forgets those of the deleted keys.

    Breaks it:

        self._next = max(self._versions.values(), default=0) + 1     # when the store is opened
    """
    value, stale = domain.numbered(trial.backend.values, 1), domain.numbered(trial.backend.values, 2)
    with trial.fresh() as session:
        store = session.open()
        store["other"] = value
        store["a"] = value
        seen = [store.version("a")]
        for _ in range(3):
            del store["a"]
            store = session.reopen(store)
            store["a"] = value
            for old in seen:
                refused(
                    trial, store, "a", stale, old, "a compare-and-set on a version from before delete and reopening"
                )
            trial.equal(store["a"], value, "reading the key that was written again")
            new_version(
                trial, store.version("a"), seen, "the version of a key that was deleted and, after reopening, written"
            )
