"""Stores of runs and of layers that are fine until a process is killed in the midst of a call, and others go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from tests.mutants.base import Mutant
from tests.mutants.records_concurrency_base import Entries, FileBox, Layers, Runs


class OldPutBack(FileBox):
    """Each process keeps what was there before its last write; who opens puts back what dead ones have left."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.locked():
            for copy in path.parent.glob("copy-*"):
                try:
                    os.kill(int(copy.name.partition("-")[2]), 0)
                except ProcessLookupError:
                    os.replace(copy, path)

    @property
    def copy(self) -> Path:
        """Where this process keeps what was there before."""
        return self.path.with_name(f"copy-{os.getpid()}")

    def save(self, entries: Entries) -> None:
        """Keep what is there, and put entries in the place of all."""
        new = self.path.with_name(uuid4().hex)
        new.write_bytes(self.path.read_bytes() if self.path.exists() else b"{}")
        os.replace(new, self.copy)
        super().save(entries)

    def drop(self) -> None:
        """Drop what was there before; nobody needs it any more."""
        self.copy.unlink(missing_ok=True)


class HalfIsNone(FileBox):
    """Writes over what is there, and takes half of it for none."""

    def load(self) -> Entries:
        """Return all entries, or none."""
        try:
            return super().load()
        except ValueError:
            return {}

    def save(self, entries: Entries) -> None:
        """Write over what is there."""
        text = json.dumps(entries).encode()
        with self.path.open("wb", buffering=0) as file:
            file.write(text[: len(text) // 2])
            file.write(text[len(text) // 2 :])


class RunsPutBack(Runs):
    """Drops its copy when it is closed."""

    def __init__(self, copies: OldPutBack) -> None:
        super().__init__(copies)
        self.copies = copies

    def close(self) -> None:
        self.copies.drop()


class LayersPutBack(Layers):
    """Drops its copy when it is closed."""

    def __init__(self, copies: OldPutBack) -> None:
        super().__init__(copies)
        self.copies = copies

    def close(self) -> None:
        self.copies.drop()


def _backend(name: str, contract: str, store: Callable[[Path], Any]) -> Backend:
    def opener(where: Where) -> Any:
        return store(where.path / "store.json")

    opening: dict[str, Any] = {contract: opener}
    return Backend(name, durability="process-crash", **opening)


def _mutant(name: str, bug: str, contract: str, store: Callable[[Path], Any]) -> Mutant:
    return Mutant(name, bug, (f"{contract.upper()}-CONC-41",), _backend(name, contract, store))


MUTANTS = [
    _mutant(
        "old_runs_put_back", "who opens undoes saves after a kill", "runs", lambda path: RunsPutBack(OldPutBack(path))
    ),
    _mutant(
        "half_a_file_of_runs_is_none",
        "what a killed process left is taken for an empty store",
        "runs",
        lambda path: Runs(HalfIsNone(path)),
    ),
    _mutant(
        "old_entries_put_back",
        "who opens undoes writes after a kill",
        "layers",
        lambda path: LayersPutBack(OldPutBack(path)),
    ),
]
#: The honest stores, for tests that look for false alarms.
HONEST = [
    _backend("runs_that_bear_kills", "runs", lambda path: Runs(FileBox(path))),
    _backend("layers_that_bear_kills", "layers", lambda path: Layers(FileBox(path))),
]
