"""How long entries of the `layers` contract live, and who sees them: reopening, other handles and other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.layers_steps import absent, holds, some

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("LAYERS-BASIC-01",)
_DURABLE = "durability:clean-close"


@check("LAYERS-REOPEN-01", sources="MEM-15, MEM-21; KV-40", promise=_DURABLE, needs=_GATE)
def test_entries_survive_reopening(trial: Trial) -> None:
    """Acknowledged entries, overwrites and deletes are there after the store was closed and opened again.

    Why: a memory that is lost at the restart, or that comes back as it was a while ago, is worse than none: the agent
    acts on what its user has corrected since.

    Breaks it:

        def close(self):
            pass                           # what was set since the last save is gone
    """
    with trial.fresh() as session:
        store = session.open()
        expected = {}
        for number, key in enumerate(("a", "b", "c", "a", "d")):
            store.set(key, some(trial, number))
            expected[key] = some(trial, number)
        store.delete("b")
        del expected["b"]
        store = session.reopen(store)
        holds(trial, store, expected, "after the store was closed and opened again")
        absent(trial, store, "b", "reading a key that was deleted before the store was reopened")
        store.set("e", some(trial, 9))
        store.delete("a")
        store = session.reopen(store)
        expected = {**expected, "e": some(trial, 9)}
        del expected["a"]
        holds(trial, store, expected, "after the store was closed and opened for the second time")
