"""Listing of the `state` contract: every present key exactly once, in any order."""

from __future__ import annotations

from conformance.check import check
from conformance.trial import Trial
from conformance.values import domain

BASIC = ("STATE-BASIC-01",)


@check("STATE-LIST-01", sources="KV-15; mutant orphan_tmp_listed", needs=BASIC)
def test_a_fresh_store_is_empty(trial: Trial) -> None:
    """A store in a fresh place has no keys; two stores in two places share nothing.

    Why: leftovers of another run, and a store's own bookkeeping, are not data.

    Breaks it:

        DATA = {}                          # one dict for every store of the process
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as one, trial.fresh() as other:
        store = one.open()
        trial.equal(store.keys(), [], "listing a fresh store")
        trial.equal(len(store), 0, "the length of a fresh store")
        trial.true("a" not in store, "asking a fresh store for a key", expected="False", got="True")
        store["a"] = value
        second = other.open()
        trial.equal(second.keys(), [], "listing a store in another place")
        second["b"] = value
        trial.equal(store.keys(), ["a"], "listing the first store")


@check(
    "STATE-LIST-02", sources="KV-15, KV-16; planted bugs: listing stops at 100, every 200th write dropped", needs=BASIC
)
def test_listing_is_complete_with_many_keys(trial: Trial) -> None:
    """With many keys (10,000; 1,000 at quick effort), the listing gives each exactly once, and each reads its value.

    Why: pages end at 100, 256 or 1,000 entries; whoever migrates by listing loses the rest without an error.

    Breaks it:

        SELECT key FROM state LIMIT 100
    """
    number_of_keys = trial.effort.many
    trial.count("keys", number_of_keys)
    # Written in a scattered order, so that a store that lists in writing order is not taken for one that sorts.
    keys = [f"key-{(number * 7_919) % number_of_keys:06}" for number in range(number_of_keys)]
    with trial.fresh() as session:
        store = session.open()
        for number, key in enumerate(keys):
            store[key] = domain.numbered(trial.backend.values, number)
        listed = store.keys()
        missing = sorted(set(keys) - set(listed))
        trial.true(
            not missing, f"listing {number_of_keys:,} keys", expected="every key", got=_sample(missing, "missing")
        )
        strange = sorted(set(listed) - set(keys))
        trial.true(
            not strange,
            f"listing {number_of_keys:,} keys",
            expected="no other key",
            got=_sample(strange, "not written"),
        )
        trial.equal(len(listed), number_of_keys, "the number of keys listed, each counted as often as it is listed")
        trial.equal(len(store), number_of_keys, "the length of the store")
        for number, key in enumerate(keys):
            trial.equal(store[key], domain.numbered(trial.backend.values, number), f"reading {key!r}")


def _sample(keys: list[str], what: str) -> str:
    return f"{len(keys):,} {what}, such as {', '.join(map(repr, keys[:3]))}"


@check("STATE-LIST-03", sources="KV-15; collections.abc.MutableMapping", needs=BASIC)
def test_listing_length_and_membership_agree(trial: Trial) -> None:
    """After any sequence of writes, overwrites and deletes, `len`, `in` and the listing agree with what was done.

    Why: a count that is kept beside the data drifts from it, at an overwrite or at a delete of what was not there.

    Breaks it:

        def __setitem__(self, key, value):
            self._count += 1               # for an overwrite too
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import few_keys

    steps = st.lists(st.tuples(st.booleans(), few_keys()), max_size=12)

    @trial.examples(steps)
    def _(steps: list[tuple[bool, str]]) -> None:
        present: set[str] = set()
        with trial.fresh() as session:
            store = session.open()
            for number, (write, key) in enumerate(steps):
                if write:
                    store[key] = domain.numbered(trial.backend.values, number)
                    present.add(key)
                elif key in present:
                    del store[key]
                    present.discard(key)
                trial.equal(len(store), len(present), "the length")
            trial.equal(sorted(store.keys()), sorted(present), "listing")
            for key in ("a", "b", "aa", "a/b", "A"):
                trial.equal(key in store, key in present, f"asking for {key!r}")
