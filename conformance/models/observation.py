"""All that the verbs of a state store show: for the rules of the kind "and nothing else changes"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from conformance.check import catalogue
from conformance.literal import literal
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values.cases import big_text

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial


#: The checks without which a capability can't be used in the checks of others. They use nothing of this but `works`.
_FIRST = {
    "cas": ("STATE-CAS-01",),
    "transactions": ("STATE-TXN-01",),
    "ttl": ("STATE-TTL-01",),
    "history": ("STATE-HIST-01", "STATE-HIST-02"),
    "snapshots": ("STATE-SNAP-01", "STATE-SNAP-03"),
}


def works(trial: Trial, capability: str) -> bool:
    """Tell whether the store offers a capability that works; one that is broken is told of by its own checks alone."""
    return all(trial.bench.judge(catalogue()[code]).outcome == "pass" for code in _FIRST[capability])


def contents(trial: Trial, found: Any, what: str) -> dict[str, Any]:
    """Return what a mapping that a store gave holds; one that reads only when asked is read to its end."""
    if not isinstance(found, Mapping) and not hasattr(found, "keys"):
        trial.violated(what, expected="a mapping", got=literal(found))
    try:
        return {key: found[key] for key in found}
    except Exception as error:  # noqa: BLE001 - a store may give anything
        trial.violated(what, expected="a mapping that can be read", got=raised(error))


def state_of(store: Handle) -> dict[str, Any]:
    """Return what a store, or a transaction, holds: its keys as they are listed, with their values."""
    return {key: store[key] for key in store}


def observed(trial: Trial, store: Handle, *keys: str) -> dict[str, Any]:
    """Return all that the verbs of `store` show, by what each answer is about.

    Args:
        trial: The capabilities of its backend are looked at too.
        store: What is looked at.
        keys: Keys that may be missing, whose presence, version and history are looked at as well.
    """
    return dict(_answers(trial, store, keys))


def unchanged(trial: Trial, store: Handle, before: Mapping[str, Any], what: str, *keys: str) -> None:
    """Require that the verbs of `store` show what they showed before; `keys` as they were given to `observed`."""
    # Each answer is compared before the next question: so the last call that a failure shows is the one that tells.
    for about, answer in _answers(trial, store, keys):
        if about in before:
            trial.equal(answer, before[about], f"{about} {what}")


def _answers(trial: Trial, store: Handle, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    present = sorted(store.keys())
    asked = sorted({*present, *keys})
    yield "the keys", present
    for key in present:
        yield f"the value of {key!r}", store[key]
    yield "the length", len(store)
    for key in keys:
        yield f"the presence of {key!r}", key in store
    for key in asked if works(trial, "cas") else ():
        yield f"the version of {key!r}", store.version(key)
    for key in present if works(trial, "ttl") else ():
        yield f"the time of expiry of {key!r}", store.expires_at(key)
    for key in asked if works(trial, "history") else ():
        versions = store.versions(key)
        yield f"the versions of {key!r}", versions
        for version in versions:
            yield f"the value of version {literal(version)} of {key!r}", _value_at(trial, store, key, version)
    if works(trial, "snapshots"):
        names = sorted(store.list_snapshots())
        yield "the names of the snapshots", names
        for name in names:
            yield f"the snapshot {name!r}", contents(trial, store.load_snapshot(name), f"loading {name!r}")


def _value_at(trial: Trial, store: Handle, key: str, version: Any) -> Any:
    try:
        return store.get_version(key, version)
    except trial.errors("missing"):
        return "no value"  # the mark that a delete may leave in a history


def unstorable(trial: Trial) -> Any:
    """Return a value outside the promised domain, to be refused: good at first, and where possible with a literal."""
    kind = trial.backend.values
    if kind == "bytes":
        return {"n": 1}
    bad: Any = (number for number in range(0)) if kind == "pickle" else {1, 2}
    return {"good": big_text(5_000), "bad": bad}


def refused_value(trial: Trial, call: Callable[[], Any]) -> None:
    """Make a call with a value outside the domain; a store that takes it, as it may, leaves nothing to check."""
    if not trial.refused(call):
        raise NotApplicable("the store accepts values outside its domain, so that none is refused")
