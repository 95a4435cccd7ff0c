"""What the records of each contract are: how they are named, listed, read and written. Logs have a module of their own.

A name is a tuple of texts: the key or the id; of an entry of a layered store its scope, its layer and its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.literal import literal
from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.side import Opened

Name = tuple[str, ...]

#: What `read` gives for a name under which there is nothing.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "nothing"})()
#: Without layers, and without scopes: the name of the only one.
ONLY = ""
#: Seconds by which the same expiry may differ in two stores: some count in milliseconds.
_EXPIRY_SLACK = 0.01


@dataclass(frozen=True)
class Kind:
    """The records of a contract.

    Args:
        contract: Its name.
        names: Lists the names in a store. Given is the source's store too, whose layers and scopes are moved, and the
            scopes that were asked for.
        read: Returns the record of a name, or ABSENT.
        write: Writes a record; given is also what `more` returned.
        more: Returns what belongs to a record and is no part of it: when it expires.
        same: Whether what `more` returned of two stores is the same.
        parent: Returns the name of the record that a target may want to have first, None for none;
            None where records have no parents.
    """

    contract: str
    names: Callable[[Opened, Opened, tuple[str, ...]], Iterable[Name]]
    read: Callable[[Opened, Name], Any]
    write: Callable[[Opened, Name, Any, Any], None]
    more: Callable[[Opened, Name], Any] = lambda _store, _name: None
    same: Callable[[Any, Any], bool] = lambda one, other: one == other
    parent: Callable[[Any], Name | None] | None = None


def told(name: Name) -> str:
    """Return a name for people, on one line."""
    return " / ".join(literal(part, 60) for part in name if part or len(name) == 1)


def _read(store: Opened, verb: str, *args: Any, **kwargs: Any) -> Any:
    try:
        return store.call(verb, *args, **kwargs)
    except store.missing:
        return ABSENT


def _state_names(store: Opened, _source: Opened, _scopes: tuple[str, ...]) -> list[Name]:
    return store.each(_name_of, "__iter__")


def _expiry(store: Opened, name: Name) -> Any:
    if not store.offers("ttl"):
        return None
    try:
        return store.call("expires_at", name[0])
    except store.missing:
        return None


def _same_expiry(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(abs(one - other) <= _EXPIRY_SLACK)


def _write_state(store: Opened, name: Name, value: Any, expiry: Any) -> None:
    if expiry is None:
        store.call("__setitem__", name[0], value)
        return
    if not store.offers("ttl"):
        raise Stopped(f"{told(name)} expires, and {store.side} keeps everything for ever: it has no ttl")
    store.call("set", name[0], value, ttl=expiry - store.side.where.clock())


def _name_of(key: Any) -> Name:
    if not isinstance(key, str):
        raise Stopped(f"{literal(key, 60)} is listed, which is no text: nothing can be found by it")
    return (key,)


def _id_of(record: Any) -> Name:
    return _name_of(record.get("id") if isinstance(record, dict) else record)


def _record(verb: str) -> Callable[[Opened, Name], Any]:
    def read(store: Opened, name: Name) -> Any:
        found = _read(store, verb, name[0])
        return ABSENT if found is None else found

    return read


def _parent_run(run: Any) -> Name | None:
    # A run may have anything under these names: what is no lineage names no parent.
    for field in ("metadata", "lineage", "parentRunId"):
        run = run.get(field) if isinstance(run, dict) else None
    return (run,) if isinstance(run, str) and run else None


def layers_of(store: Opened) -> tuple[str, ...]:
    """Return the names of the layers of a store, the one that wins first."""
    return tuple(store.attribute("precedence")) if store.offers("precedence") else (ONLY,)


def scopes_of(store: Opened, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes of a store: those that were asked for, or all that it lists.

    Raises:
        Unfit: It has scopes, and nobody says which.
    """
    if not store.offers("scopes"):
        return (ONLY,)
    if asked:
        return asked
    if not store.has("scopes"):
        raise Unfit(
            f"the layers of {store.side} are kept by scope, and the store has no verb `scopes()` that lists them. Name "
            f'each with --scope=NAME; --scope="" is the one without a name.'
        )
    return tuple(store.each(lambda scope: scope, "scopes"))


def check_layers(source: Opened, target: Opened) -> None:
    """Refuse a target whose layers can't hold what those of the source do, or in which another layer would win.

    Raises:
        Unfit: As said.
    """
    if layers_of(source) != layers_of(target) and source.offers("precedence"):
        has = ", ".join(layers_of(target)) if target.offers("precedence") else "none"
        raise Unfit(f"the source has the layers {', '.join(layers_of(source))}, in this order, and {target.side} {has}")
    if source.offers("scopes") and not target.offers("scopes"):
        raise Unfit(f"the source keeps its layers by scope, and {target.side} does not")


def _of(store: Opened, scope: str, layer: str) -> Mapping[str, str]:
    named = {"scope": scope} if store.offers("scopes") else {}
    # Without a layer the one that wins is meant: so is what came from a store that has no layers.
    return {**named, "layer": layer} if layer else named


def _layer_names(store: Opened, source: Opened, asked: tuple[str, ...]) -> list[Name]:
    scopes = scopes_of(source, asked)
    if store is not source and not asked and store.offers("scopes") and store.has("scopes"):
        scopes = tuple(dict.fromkeys((*scopes, *scopes_of(store, asked))))
    return [
        (scope, layer, key)
        for scope in scopes
        for layer in layers_of(source)
        for key in store.each(lambda pair: pair[0], "entries", **_of(store, scope, layer))
    ]


def _read_entry(store: Opened, name: Name) -> Any:
    scope, layer, key = name
    return _read(store, "get", key, **_of(store, scope, layer))


def _write_entry(store: Opened, name: Name, value: Any, _more: Any) -> None:
    scope, layer, key = name
    store.call("set", key, value, **_of(store, scope, layer))


#: By contract, in the order in which they are moved.
KINDS: Mapping[str, Kind] = {
    kind.contract: kind
    for kind in (
        Kind("state", _state_names, lambda s, n: _read(s, "__getitem__", n[0]), _write_state, _expiry, _same_expiry),
        Kind(
            "runs",
            lambda store, _source, _scopes: store.each(_id_of, "list_runs"),
            _record("get_run"),
            lambda store, _name, run, _more: store.call("save_run", run),
            parent=_parent_run,
        ),
        Kind(
            "jobs",
            lambda store, _source, _scopes: store.each(_id_of, "list_jobs"),
            _record("get_job"),
            lambda store, _name, job, _more: store.call("save_job", job),
        ),
        Kind("layers", _layer_names, _read_entry, _write_entry),
    )
}
