"""Values of the `state` contract: each comes back equal in type and content, or was refused loudly."""

from __future__ import annotations

from typing import Any

from conformance.check import check
from conformance.trial import Trial
from conformance.values import domain
from conformance.values.equality import same


@check("STATE-BASIC-01", sources="KV-01, KV-03; collections.abc.MutableMapping")
def test_value_is_read_back(trial: Trial) -> None:
    """A value that was stored is read back; a key that was not stored raises KeyError.

    Why: it is the least that a store does. Whatever else is checked rests on it.

    Breaks it:

        def __getitem__(self, key):
            return self._data.get(key)     # a missing key reads as None
    """
    value, other = domain.numbered(trial.backend.values, 1), domain.numbered(trial.backend.values, 2)
    with trial.fresh() as session:
        store = session.open()
        trial.raises(lambda: store["a"], "missing", "reading a key from an empty store")
        store["a"] = value
        trial.equal(store["a"], value, "reading the key just stored")
        store["b"] = other
        trial.equal(store["a"], value, "reading the key again, another key having been stored")
        trial.equal(store["b"], other, "reading the other key")
        trial.raises(lambda: store["c"], "missing", "reading a key that was never stored")
