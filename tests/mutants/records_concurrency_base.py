"""Honest stores of runs and of layers that read all and write all, under one lock: in memory, and in one file."""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant

Entries = dict[str, Any]


class ConflictError(Exception):
    """The token was superseded, or the id is taken."""


class MemoryBox:
    """Entries of one process."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self.lock = threading.RLock()

    def load(self) -> Entries:
        """Return all entries."""
        return copy.deepcopy(self.entries)

    def save(self, entries: Entries) -> None:
        """Put entries in the place of all."""
        self.entries = copy.deepcopy(entries)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other threads out."""
        with self.lock:
            yield


class FileBox:
    """Entries in one JSON file, which is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path.with_name("lock"))

    def load(self) -> Entries:
        """Return all entries."""
        try:
            entries: Entries = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        return entries

    def save(self, entries: Entries) -> None:
        """Put entries in the place of all."""
        new = self.path.with_name(uuid4().hex)
        new.write_bytes(json.dumps(entries).encode())
        os.replace(new, self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else out."""
        with self.lock.held(exclusive=True):
            yield


#: What all entries of a store are kept in.
Box = MemoryBox | FileBox


class Runs:
    """Runs in a box; each entry is a run and the token of its writer."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def save_run(self, run: Entries, token: int | None = None) -> None:
        """Save a run."""
        with self.box.locked():
            entries = self.box.load()
            _, last = entries.get(run["id"], (None, 0))
            if token is not None and token != last:
                raise ConflictError(run["id"])
            self.box.save({**entries, run["id"]: [run, last]})

    def get_run(self, run_id: str) -> Any:
        """Return a run, None when there is none."""
        with self.box.locked():
            return self.box.load().get(run_id, (None, 0))[0]

    def list_runs(self) -> Any:
        """Return all runs, in the order in which they were saved first."""
        with self.box.locked():
            return [run for run, _ in self.box.load().values() if run is not None]

    def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run."""
        with self.box.locked():
            entries = self.box.load()
            entries[run_id][0]["events"].append(event)
            self.box.save(entries)

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Any:
        """Make a run of another one."""
        with self.box.locked():
            entries = self.box.load()
            branch = branched(entries[run_id][0], new_id, checkpoint_id)
            self.box.save({**entries, new_id: [branch, 0]})
            return branch

    def acquire_run(self, run_id: str, owner: str) -> int:
        """Give the next token of a run."""
        with self.box.locked():
            entries = self.box.load()
            run, token = entries.get(run_id, (None, 0))
            self.box.save({**entries, run_id: [run, token + 1]})
            return int(token) + 1

    def close(self) -> None:
        """Do nothing."""


def branched(source: Entries, new_id: str, checkpoint_id: str) -> Entries:
    """Return what a run becomes when it is forked."""
    place = [one["id"] for one in source["checkpoints"]].index(checkpoint_id)
    lineage = {"rootRunId": source["id"], "branchOriginRunId": source["id"], "branchCheckpointId": checkpoint_id}
    return {
        **source,
        "id": new_id,
        "checkpoints": source["checkpoints"][: place + 1],
        "state": source["checkpoints"][place]["state"],
        "metadata": {"lineage": lineage},
    }


class Layers:
    """The memory of scopes in a box; each entry has the key, as JSON text of scope and key."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def get(self, key: str, scope: str = "") -> Any:
        """Return a value, None when there is none."""
        with self.box.locked():
            return self.box.load().get(json.dumps([scope, key]))

    def set(self, key: str, value: Any, scope: str = "") -> None:
        """Write a value."""
        with self.box.locked():
            self.box.save({**self.box.load(), json.dumps([scope, key]): value})

    def delete(self, key: str, scope: str = "") -> None:
        """Delete a key."""
        with self.box.locked():
            entries = self.box.load()
            entries.pop(json.dumps([scope, key]), None)
            self.box.save(entries)

    def entries(self, scope: str = "") -> Any:
        """Return the pairs of a scope."""
        with self.box.locked():
            return [(key, value) for (owner, key), value in self.pairs() if owner == scope]

    def clear(self, scope: str = "") -> None:
        """Delete all of a scope."""
        with self.box.locked():
            self.box.save({json.dumps(name): value for name, value in self.pairs() if name[0] != scope})

    def pairs(self) -> list[tuple[list[str], Any]]:
        """Return scope and key of each entry, with its value."""
        return [(json.loads(name), value) for name, value in self.box.load().items()]

    def close(self) -> None:
        """Do nothing."""


def between_threads(name: str, bug: str, killed_by: str, store: Callable[[Box], Any], contract: str = "runs") -> Mutant:
    """Return a mutant in memory; the codes are given by their numbers."""
    opened: dict[Any, Any] = {}  # what is in memory is there as long as the process

    def opener(where: Where) -> Any:
        return opened.setdefault(where.path, store(MemoryBox()))

    promises: dict[str, Any] = {"sharing": "threads", "durability": "volatile", "errors": {"conflict": ConflictError}}
    return Mutant(name, bug, _codes(contract, killed_by), Backend(name, **{contract: opener}, **promises))


def between_processes(
    name: str, bug: str, killed_by: str, store: Callable[[FileBox], Any], contract: str = "runs"
) -> Mutant:
    """Return a mutant in one file; the codes are given by their numbers."""

    def opener(where: Where) -> Any:
        return store(FileBox(where.path / "store.json"))

    promises: dict[str, Any] = {"durability": "clean-close", "errors": {"conflict": ConflictError}}
    return Mutant(name, bug, _codes(contract, killed_by), Backend(name, **{contract: opener}, **promises))


def _codes(contract: str, numbers: str) -> tuple[str, ...]:
    return tuple(f"{contract.upper()}-CONC-{number}" for number in numbers.split())


#: The honest stores, for tests that look for false alarms.
HONEST = [
    between_threads("records_runs_in_memory", "none", "", Runs),
    between_threads("records_layers_in_memory", "none", "", Layers, "layers"),
    between_processes("records_runs_in_a_file", "none", "", Runs),
    between_processes("records_layers_in_a_file", "none", "", Layers, "layers"),
]
