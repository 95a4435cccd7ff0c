"""Entries of the `layers` contract: written, read, listed, deleted and cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.layers_steps import absent, some

if TYPE_CHECKING:
    from conformance.trial import Trial


@check("LAYERS-BASIC-01", sources="MEM-02; KV-01, KV-03")
def test_value_is_read_back(trial: Trial) -> None:
    """A value that was set is read back; a key that was not set is missing.

    Why: it is the least that a memory does. Whatever else is checked rests on it: a store that shows nothing to anybody
    keeps its layers apart as well.

    Breaks it:

        def get(self, key):
            return self._cache.get(key)    # filled by get alone
    """
    one, other = some(trial, 1), some(trial, 2)
    with trial.fresh() as session:
        store = session.open()
        absent(trial, store, "a", "reading a key from an empty store")
        store.set("a", one)
        trial.equal(store.get("a"), one, "reading the key just set")
        store.set("b", other)
        trial.equal(store.get("a"), one, "reading the key again, another key having been set")
        trial.equal(store.get("b"), other, "reading the other key")
        absent(trial, store, "c", "reading a key that was never set")
