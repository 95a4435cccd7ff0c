"""Objects and the `state` contract: what was stored, and what was read, are copies that nobody else can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.result import NotApplicable

if TYPE_CHECKING:
    from conformance.trial import Trial

BASIC = ("STATE-BASIC-01",)


@check("STATE-ALIAS-01", sources="KV-08; mutant alias_on_put", needs=BASIC)
def test_changing_what_was_stored_does_not_change_the_store(trial: Trial) -> None:
    """Changing an object after it was stored does not change the stored value.

    Why: an agent goes on filling the list that it has just saved. The store then holds a state that was never saved.

    Breaks it:

        def __setitem__(self, key, value):
            self._data[key] = value        # the caller's own object
    """
    _mutable_only(trial)
    with trial.fresh() as session:
        store = session.open()
        messages: list[Any] = ["one"]
        value = {"messages": messages}
        store["a"] = value
        store["b"] = value
        messages.append("two")
        value["more"] = ["three"]
        trial.equal(store["a"], {"messages": ["one"]}, "reading after the caller changed the object that it had stored")
        trial.equal(store["b"], {"messages": ["one"]}, "reading the second key that the object was stored under")


@check("STATE-ALIAS-02", sources="KV-08; mutant alias_on_get", needs=BASIC)
def test_changing_what_was_read_does_not_change_the_store(trial: Trial) -> None:
    """Changing an object that was read does not change the stored value.

    Why: two readers of one key would see each other's unsaved changes, in one process but not in two.

    Breaks it:

        def __getitem__(self, key):
            return self._cache[key]        # everybody gets the same object
    """
    _mutable_only(trial)
    expected = {"messages": ["one"]}
    with trial.fresh() as session:
        store = session.open()
        store["a"] = {"messages": ["one"]}
        for time in ("first", "second"):
            read = store["a"]
            trial.equal(read, expected, f"reading for the {time} time")
            read["messages"].append("two")
            read["more"] = 1
        trial.equal(store["a"], expected, "reading after the objects read before were changed")


def _mutable_only(trial: Trial) -> None:
    if trial.backend.values == "bytes":
        raise NotApplicable("bytes can't be changed, so they can't be shared by mistake")
