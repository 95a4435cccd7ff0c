"""The `state` contract for the crash engine: entries are set and deleted, alone or in a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.subject import Content, Step, Subject, brief, canonical
from conformance.literal import literal

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The key that is written after recovery.
PROBE_KEY = "written-after-recovery"


def _perform(store: Handle, step: Step) -> None:
    match step.verb, step.args:
        case "set", (key, value):
            store[key] = value
        case "delete", (key,):
            del store[key]
        case "transaction", steps:
            with store.transaction() as inside:
                for one in steps:
                    _perform(inside, one)
        case verb, args:
            getattr(store, verb)(*args)


def _read(driver: Driver, store: Any) -> Content:
    keys = driver.items(getattr(store, "__aiter__", None) or store.__iter__)
    # A list of pairs: a key that is listed twice must not vanish in a dict.
    entries = sorted(([key, driver.call(store.__getitem__, key)] for key in keys), key=lambda entry: str(entry[0]))
    return {"entries": entries, "length": int(driver.call(store.__len__))}


def _content(entries: dict[str, Any]) -> Content:
    return {"entries": [list(entry) for entry in sorted(entries.items())], "length": len(entries)}


def _apply(content: Content, step: Step) -> Content:
    entries = dict(content["entries"])
    for one in step.args if step.verb == "transaction" else (step,):
        if one.verb == "set":
            entries[one.args[0]] = one.args[1]
        elif one.verb == "delete":
            entries.pop(one.args[0], None)
    return _content(entries)


def _agrees(observed: Content, expected: Content) -> bool:
    return canonical(observed) == canonical(expected)


def _parts(content: Content) -> Iterable[Any]:
    return list(content["entries"])


def _probe(domain: str) -> Step:
    text = "written after recovery"
    return Step("set", (PROBE_KEY, text.encode() if domain == "bytes" else text))


def _source(step: Step) -> str:
    match step.verb, step.args:
        case "set", (key, value):
            return f"store[{literal(key)}] = {literal(value)}"
        case "delete", (key,):
            return f"del store[{literal(key)}]"
        case "transaction", steps:
            inside = "; ".join(_source(one).replace("store[", "t[", 1) for one in steps)
            return f"with store.transaction() as t: {inside}"
        case "reopen", _:
            return "store.close(); store = session.open()"
        case verb, args:
            return f"store.{verb}({', '.join(literal(arg) for arg in args)})"


STATE = Subject(
    contract="state",
    empty=_content({}),
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=_agrees,
    parts=_parts,
    probe=_probe,
    source=_source,
    tell=lambda entry: f"{literal(entry[0])}: {brief(entry[1])}",
)
