"""What this engine must know of a contract: its records, how each is written and asked for, and what else is seen."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from conformance.crash.subjects import Content, Step, canonical
from conformance.crash.subjects.vectors import record_told
from conformance.values.vectors import random_vectors

if TYPE_CHECKING:
    from conformance.drive import Driver

#: Numbers from here on have ten digits, up to twice as many.
_TEN_DIGITS = 1_000_000_000
#: More records than any specimen has.
_MORE_THAN_ALL = 100
#: The name of a record: the key of an entry, the position of an event, the id of a run.
Name = str | int


@dataclass(frozen=True)
class Answer:
    """What a store said when it was asked for one record.

    Args:
        kind: It gave a value, said that there is no such record, or raised.
        value: The value; of a refusal, the exception.
    """

    kind: Literal["value", "missing", "raised"]
    value: Any = None


MISSING = Answer("missing")


@dataclass(frozen=True)
class Records:
    """The records of a contract.

    Args:
        of: Returns those of a content, by name, in its order; names may be of any type where damage made them.
        rest: What else every reader sees of a content.
        asked: Asks an open store for one.
        put: Returns the step that writes one, with a text or bytes in it.
        delete: The verb that deletes one; empty where there is none. Of runs and jobs it is a capability.
        text: Returns what `put` was given, from the record.
    """

    of: Callable[[Content], list[tuple[Any, Any]]]
    rest: tuple[str, ...]
    asked: Callable[[Driver, Any, Any], Answer]
    put: Callable[[str, Any], Step]
    delete: str = ""
    text: Callable[[Any], Any] = lambda value: value


def records_of(contract: str, content: Content) -> list[tuple[Any, Any]]:
    """Return the records of a content, by name, in its order."""
    return RECORDS[contract].of(content)


def _pairs(name: str) -> Callable[[Content], list[tuple[Any, Any]]]:
    return lambda content: [(key, value) for key, value in content[name]]


def _layered(content: Content) -> list[tuple[Any, Any]]:
    """Name the entries that are written here, of the first layer and the one scope, by their keys."""
    return [
        (key if (layer, scope) == (0, "") else canonical([layer, scope, key]), value)
        for layer, scope, key, value in content["entries"]
    ]


def _item(driver: Driver, store: Any, key: Any) -> Answer:
    return Answer("value", driver.call(store.__getitem__, key))


def _event(driver: Driver, store: Any, position: Any) -> Answer:
    found = [event for event in driver.items(store.read, position, position + 1) if event[0] == position]
    return Answer("value", found[0][1]) if found else MISSING


def _got(verb: str, seen: Callable[[Any], Any], driver: Driver, store: Any, key: Any) -> Answer:
    found = driver.call(getattr(store, verb), key)
    return MISSING if found is None else Answer("value", seen(found))


def _run(key: str, text: Any) -> Step:
    run = {
        "id": key,
        "status": "completed",
        "messages": [{"role": "user", "content": _as_text(text)}],
        "checkpoints": [{"id": "c1", "state": {"step": 1}}],
        "events": [],
        "output": None,
    }
    return Step("save_run", (run,))


def _job(key: str, text: Any) -> Step:
    job = {
        "id": key,
        "handler": "h",
        "payload": {"text": _as_text(text)},
        "runAt": 0,
        "intervalMs": None,
        "maxRuns": None,
        "runCount": 0,
        # Never due: who reads it by claiming what is due must not change it.
        "status": "stopped",
        "result": None,
        "error": None,
        "lastRunAt": None,
        "history": [],
    }
    return Step("save_job", (job,))


def _of_job(job: Any) -> Any:
    """Return the fields that were saved: a store may note more in a job."""
    known = _job("", "").args[0]
    return {name: job[name] for name in job if name in known} if isinstance(job, dict) else job


def _embedded(key: str, text: Any) -> Step:
    """Return the step that adds one record, whose vector follows from its text; all numbers are of one length."""
    number = _TEN_DIGITS + zlib.crc32(_as_text(text).encode()) % _TEN_DIGITS
    return Step("add", ([[key, number, _as_text(text)]],))


def _embedding(driver: Driver, store: Any, key: Any) -> Answer:
    dimension = int(driver.attribute(store, "dimension"))
    # What a search passes over is missing, also where getting it raises.
    if not _is_found(driver, store, key, dimension):
        return MISSING
    found = list(driver.call(store.get, [key]))
    try:
        (item,) = found
        return MISSING if item is None else Answer("value", record_told(item, dimension))
    except (TypeError, KeyError, ValueError):
        return Answer("value", repr(found))


def _is_found(driver: Driver, store: Any, key: Any, dimension: int) -> bool:
    """Tell whether a search for more than there is gives a record; one that raises passes over nothing."""
    try:
        return key in [one for one, _ in driver.items(store.query, random_vectors(0, 1, dimension)[0], _MORE_THAN_ALL)]
    except Exception:  # noqa: BLE001 - a store may raise anything
        return True


def _as_text(text: Any) -> str:
    return text.decode() if isinstance(text, bytes) else str(text)


def _same(value: Any) -> Any:
    return value


#: The records of each contract.
RECORDS: Mapping[str, Records] = {
    "state": Records(_pairs("entries"), ("length",), _item, lambda key, text: Step("set", (key, text)), "delete"),
    "log": Records(_pairs("events"), ("head", "checkpoint"), _event, lambda _, text: Step("append", (text,))),
    "runs": Records(
        _pairs("records"),
        ("otherwise",),
        partial(_got, "get_run", _same),
        _run,
        "delete_run",
        lambda run: run["messages"][0]["content"],
    ),
    "jobs": Records(
        _pairs("records"),
        ("otherwise",),
        partial(_got, "get_job", _of_job),
        _job,
        "delete_job",
        lambda job: job["payload"]["text"],
    ),
    "layers": Records(
        _layered,
        ("otherwise",),
        partial(_got, "get", _same),
        lambda key, text: Step("set", (key, text, None, None)),
        "delete",
    ),
    "vectors": Records(
        lambda content: [(record[0], record) for record in content["records"]],
        ("otherwise",),
        _embedding,
        _embedded,
        "delete",
        lambda record: record[1]["text"],
    ),
}
