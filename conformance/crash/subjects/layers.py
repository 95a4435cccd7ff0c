"""The `layers` contract for the crash engine: keys are set, deleted and cleared in layers and scopes.

A step names a layer by its place in the store's precedence: what layers are called is the store's own. Where it has no
layers, or no scopes, there is one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from conformance.contracts import accepts
from conformance.crash.subjects.subject import Content, Mislisted, Step, Subject, brief, canonical
from conformance.literal import literal

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The scopes and keys that workloads use; a key is asked for even where it is not listed.
SCOPES = ("", "ada")
LAYER_KEYS = ("k0", "k1", "k2")
PROBE_KEY = "written-after-recovery"

#: A layer by its place, a scope, a key.
_Address = tuple[int, str, str]


def _perform(store: Handle, step: Step) -> None:
    driver, plain = store.reach()
    *args, layer, scope = step.args
    named: dict[str, Any] = {} if scope is None else {"scope": scope}
    if layer is not None:
        named["layer"] = driver.attribute(plain, "precedence")[layer]
    getattr(store, step.verb)(*args, **named)


def _read(driver: Driver, store: Any) -> Content:
    entries: list[list[Any]] = []
    otherwise: list[list[Any]] = []
    for layer, scope, named in _places(driver, store):
        items = driver.items(store.entries, **named)
        pairs = [list(item) for item in items if _is_pair(item)]
        otherwise += [["listed, and no entry", layer, scope, item] for item in items if not _is_pair(item)]
        entries += [[layer, scope, key, value] for key, value in pairs]
        listed = [key for key, _ in pairs]
        otherwise += [
            ["listed otherwise", layer, scope, key]
            for key, value in pairs
            if canonical(driver.call(store.get, key, **named)) != canonical(value)
        ]
        otherwise += [
            ["not listed", layer, scope, key]
            for key in LAYER_KEYS
            if key not in listed and _is_there(driver, store, key, named)
        ]
    return {"entries": sorted(entries, key=lambda entry: str(entry[:3])), "otherwise": otherwise}


def _listed(driver: Driver, store: Any) -> list[Any]:
    return [
        [layer, scope, item]
        for layer, scope, named in _places(driver, store)
        for item in driver.items(store.entries, **named)
    ]


def _mislisted(content: Content, listed: list[Any]) -> list[Mislisted]:
    due = {(layer, scope, key): value for layer, scope, key, value in content["entries"]}
    found: list[Mislisted] = [
        (None, "pairs of a key and a value", brief(item)) for *_, item in listed if not _is_pair(item)
    ]
    there = {(layer, scope, item[0]): item[1] for layer, scope, item in listed if _is_pair(item)}
    for address, value in there.items():
        if address not in due:
            found.append((address[2], "no such entry", brief(value)))
        elif canonical(value) != canonical(due[address]):
            found.append((address[2], brief(due[address]), brief(value)))
    return found + [(address[2], brief(value), "nothing") for address, value in due.items() if address not in there]


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str)


def _places(driver: Driver, store: Any) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Give every layer and scope, with how it is named in a call."""
    layers = driver.attribute(store, "precedence") if accepts(store.get, "layer") else (None,)
    scopes = SCOPES if accepts(store.get, "scope") else (None,)
    for place, layer in enumerate(layers):
        for scope in scopes:
            named = {"layer": layer, "scope": scope}
            yield place, scope or "", {name: value for name, value in named.items() if value is not None}


def _is_there(driver: Driver, store: Any, key: str, named: dict[str, Any]) -> bool:
    try:
        return driver.call(store.get, key, **named) is not None
    except Exception:  # noqa: BLE001 - a store has its own exception for what is missing
        return False


def _apply(content: Content, step: Step) -> Content:
    if step.verb not in ("set", "delete", "clear"):
        return content
    entries = {(layer, scope, key): value for layer, scope, key, value in content["entries"]}
    if step.verb == "clear":
        entries = {address: value for address, value in entries.items() if not _cleared(address, step)}
    else:
        key, *values, layer, scope = step.args
        address = (layer or 0, scope or "", key)
        entries.pop(address, None)
        if step.verb == "set":
            entries[address] = values[0]
    return {**_content(entries), "otherwise": content["otherwise"]}


def _cleared(address: Sequence[Any], step: Step) -> bool:
    layer, scope = step.args
    return bool(address[1] == (scope or "") and layer in (None, address[0]))


def _content(entries: dict[_Address, Any]) -> Content:
    found = sorted(([*address, value] for address, value in entries.items()), key=lambda entry: str(entry[:3]))
    return {"entries": found, "otherwise": []}


def _agrees(observed: Content, expected: Content) -> bool:
    return canonical(observed) == canonical(expected)


def _during(observed: Content, before: Content, step: Step) -> bool:
    """Tell whether some of the entries that a `clear` removes are gone: the contract lets it go entry by entry."""
    if step.verb != "clear":
        return False
    there = {canonical(entry) for entry in observed["entries"]}
    kept = [entry for entry in before["entries"] if canonical(entry) in there or not _cleared(entry, step)]
    return _agrees(observed, {"entries": kept, "otherwise": []})


def _parts(content: Content) -> Iterable[Any]:
    return [*content["entries"], *content["otherwise"]]


def _probe(domain: str) -> Step:
    text = "written after recovery"
    return Step("set", (PROBE_KEY, text.encode() if domain == "bytes" else text, None, None))


def _source(step: Step) -> str:
    if step.verb == "reopen":
        return "store.close(); store = session.open()"
    *args, layer, scope = step.args
    told = [literal(arg) for arg in args]
    told += [] if layer is None else [f"layer=store.precedence[{layer}]"]
    told += [] if scope is None else [f"scope={literal(scope)}"]
    return f"store.{step.verb}({', '.join(told)})"


def _tell(part: Any) -> str:
    if isinstance(part[0], str):
        return " ".join(one if isinstance(one, str) else brief(one) for one in part)
    layer, scope, key, value = part
    return f"{literal(key)} in layer {layer} of {literal(scope)}: {brief(value)}"


LAYERS = Subject(
    contract="layers",
    empty=_content({}),
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=_agrees,
    parts=_parts,
    probe=_probe,
    source=_source,
    tell=_tell,
    listed=_listed,
    mislisted=_mislisted,
    during=_during,
)
