"""What this engine must know of a contract: its records, how each is written and asked for, and what else is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from conformance.crash.subjects import Content, Step, canonical

if TYPE_CHECKING:
    from conformance.drive import Driver

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
}
