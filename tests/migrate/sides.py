"""Sides of migrations for tests: stores with some of everything in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from conformance.migrate import Report, Side, migrate
from conformance.migrate.moving import ORDER
from reference_backends import file, sqlite, wal

NOW = 1_700_000_000.0

#: Five contracts over files: the log is that of another reference.
FILES = replace(file.backend, log=wal.backend.log, address="")


def side(backend: Backend, path: Path) -> Side:
    """Return a side in a directory, which is made."""
    path.mkdir(parents=True, exist_ok=True)
    return Side(backend, Where(path, clock=lambda: NOW))


def fill(of: Side, count: int = 12) -> Side:
    """Write `count` records of every contract that a side has, with what stores lose first, and return the side."""
    backend, where = of.backend, of.where
    if backend.state:
        store = backend.state(where)
        for number in range(count):
            store[f"key/{number}"] = {"n": number, "float": float(number), "text": "ä\x00", "big": 2**70}
        store.close()
    if backend.log:
        log = backend.log(where)
        for number in range(count):
            log.append({"n": number})
        log.close()
    if backend.runs:
        runs = backend.runs(where)
        for number in range(count):
            runs.save_run(run(number, count))
        runs.close()
    if backend.jobs:
        jobs = backend.jobs(where)
        for number in range(count):
            jobs.save_job({"id": f"job {number}", "runAt": number, "runCount": 2, "history": [{"at": 1}, {"at": 2}]})
        jobs.close()
    if backend.layers:
        layers = backend.layers(where)
        for number in range(count):
            layers.set(f"key {number}", number, layer=layers.precedence[number % 3], scope="" if number % 2 else "a:b")
        layers.close()
    return of


def run(number: int, count: int = 12) -> dict[str, Any]:
    """Return a run whose parent is the next one in the order of ids, so that parents do not come first by chance."""
    parent = f"run {count - number:05}" if number else None
    return {
        "id": f"run {count - number - 1:05}",
        "status": "failed",
        "steps": [{"n": number}],
        "toolCalls": [{"id": "call-1", "name": "search"}],
        "toolResults": [{"callId": "call-1", "result": [1, 1.0]}],
        "checkpoints": [{"id": "c1", "state": {"a": 1}}],
        "events": [{"at": 1}, {"at": 2}],
        "errors": ["it failed"],
        "metadata": {"lineage": {"parentRunId": parent, "rootRunId": None, "childRunIds": []}},
    }


def only(of: Side, contract: str) -> Side:
    """Return a side with one of its stores alone."""
    return Side(Backend(f"only-{contract}", **{contract: getattr(of.backend, contract)}), of.where)


def move(source: Side, target: Side, **more: Any) -> Report:
    """Migrate without proof, with a journal beside the target."""
    return migrate(source, target, **{"journal": journal_of(target), "unproven": True, **more})


def journal_of(target: Side) -> Path:
    """Return the journal that `move` keeps, and the command."""
    return target.where.path.with_name(f"{target.where.path.name}.migration.json")


def content(of: Side, contract: str) -> Any:
    """Return all that the store of a contract holds."""
    store = getattr(of.backend, contract)(of.where)
    read: dict[str, Callable[[], Any]] = {
        "state": lambda: dict(store),
        "log": lambda: list(store.read()),
        "runs": lambda: store.list_runs(),
        "jobs": lambda: store.list_jobs(),
        "layers": lambda: [
            (scope, layer, store.entries(layer=layer, scope=scope))
            for scope in store.scopes()
            for layer in store.precedence
        ],
    }
    try:
        return read[contract]()
    finally:
        store.close()


def contents(of: Side) -> dict[str, Any]:
    """Return all that a side holds, by contract."""
    return {name: content(of, name) for name in ORDER if getattr(of.backend, name)}


def bytes_in(path: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a directory."""
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


files = partial(side, FILES)
database = partial(side, sqlite.backend)
