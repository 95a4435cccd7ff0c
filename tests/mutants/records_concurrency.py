"""Stores of runs and of layers that are fine as long as one thread, or one process, uses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.mutants.records_concurrency_base import (
    Box,
    ConflictError,
    Entries,
    FileBox,
    Layers,
    MemoryBox,
    Runs,
    between_processes,
    between_threads,
    branched,
)


class Open(MemoryBox):
    """Its lock keeps nobody out."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let everybody in."""
        yield


class OpenFile(FileBox):
    """Its lock keeps nobody out."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let everybody in."""
        yield


class FileInPlace(OpenFile):
    """It is written over, and read by whoever comes."""

    def save(self, entries: Entries) -> None:
        """Write over what is there."""
        self.path.write_bytes(json.dumps(entries).encode())


class FileInPlaceUnderLock(FileBox):
    """It is written over; who reads without the lock finds half of it."""

    def save(self, entries: Entries) -> None:
        """Write over what is there."""
        self.path.write_bytes(json.dumps(entries).encode())


class RunInTwoWrites(Runs):
    """A run is saved without its messages first."""

    def save_run(self, run: Entries, token: int | None = None) -> None:
        old = self.get_run(run["id"]) or run
        super().save_run({**run, "messages": old["messages"]} if "messages" in old else run, token)
        super().save_run(run, token)


class RunsListedByPlace(Runs):
    """A save moves its run to the end, and a listing goes by place."""

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.order: list[str] = []

    def save_run(self, run: Entries, token: int | None = None) -> None:
        super().save_run(run, token)
        with self.box.locked():
            self.order = [*(one for one in self.order if one != run["id"]), run["id"]]

    def list_runs(self) -> Any:
        return [{"id": self.order[place]} for place in range(len(self.order))]


class EventsAppendedByHand(Runs):
    """An event is appended by a get and a save."""

    def append_event(self, run_id: str, event: Any) -> None:
        run = self.get_run(run_id)
        self.save_run({**run, "events": [*run["events"], event]})


class TokenComparedBefore(Runs):
    """The token is compared in one step, and the run written in another."""

    def save_run(self, run: Entries, token: int | None = None) -> None:
        with self.box.locked():
            if token is not None and token != self.box.load()[run["id"]][1]:
                raise ConflictError(run["id"])
        super().save_run(run)


class ForkSavesTheSource(Runs):
    """A fork notes itself in the source, as that was when it was read."""

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Any:
        source = self.get_run(run_id)
        branch = branched(source, new_id, checkpoint_id)
        self.save_run(branch)
        self.save_run(source)
        return branch


class RunsCached(Runs):
    """What was read once is not read again."""

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.cache: Entries = {}

    def save_run(self, run: Entries, token: int | None = None) -> None:
        super().save_run(run, token)
        self.cache[run["id"]] = run

    def get_run(self, run_id: str) -> Any:
        if run_id not in self.cache:
            found = super().get_run(run_id)
            if found is None:
                return None
            self.cache[run_id] = found
        return self.cache[run_id]


class HalfReadIsEmpty(Runs):
    """A listing takes no lock, and takes half a file for an empty one."""

    def list_runs(self) -> Any:
        try:
            return [run for run, _ in self.box.load().values()]
        except ValueError:
            return []


class LayersCached(Layers):
    """The memory is read once."""

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.known = box.load()

    def get(self, key: str, scope: str = "") -> Any:
        return self.known.get(json.dumps([scope, key]))

    def set(self, key: str, value: Any, scope: str = "") -> None:
        super().set(key, value, scope)
        self.known[json.dumps([scope, key])] = value

    def delete(self, key: str, scope: str = "") -> None:
        super().delete(key, scope)
        self.known.pop(json.dumps([scope, key]), None)


class EntriesListedByPlace(Layers):
    """A listing goes by place, while deletes move the rest."""

    def entries(self, scope: str = "") -> Any:
        found, place = [], 0
        while place < len(pairs := super().entries(scope)):
            found.append(pairs[place])
            place += 1
        return found


class ClearWritesAllScopes(Layers):
    """A clear reads all in one step, and writes what is left of it in another."""

    def clear(self, scope: str = "") -> None:
        with self.box.locked():
            pairs = self.pairs()
        left = {json.dumps(name): value for name, value in pairs if name[0] != scope}
        with self.box.locked():
            self.box.save(left)


def _open(store: Callable[[Box], Any]) -> Callable[[Box], Any]:
    """Return what opens a store in memory that locks nobody out."""
    return lambda _: store(Open())


def _on(box: Callable[[Path], FileBox], store: Callable[[Box], Any]) -> Callable[[FileBox], Any]:
    """Return what opens a store on a file of another kind."""
    return lambda given: store(box(given.path))


MUTANTS = [
    between_threads("runs_copied_without_lock", "a save reads all, and writes all", "01 03", _open(Runs)),
    between_threads("run_in_two_writes", "a run is saved without its messages first", "02", RunInTwoWrites),
    between_threads("runs_listed_by_place", "a listing goes by place", "06", RunsListedByPlace),
    between_threads("events_appended_by_hand", "an event is appended by a get and a save", "07", EventsAppendedByHand),
    between_threads("token_compared_before", "compare and save are two steps", "08", TokenComparedBefore),
    between_threads("fork_saves_the_source", "a fork saves the source again", "09", ForkSavesTheSource),
    between_processes("runs_read_all_write_all", "a save reads all, and writes all", "13 17", _on(OpenFile, Runs)),
    between_processes("run_rewritten_in_place", "the file is written over", "12 13", _on(FileInPlace, Runs)),
    between_processes("runs_cached", "what was read once is not read again", "11", RunsCached),
    between_processes(
        "runs_half_read_is_empty",
        "a listing takes half a file for an empty one",
        "16",
        _on(FileInPlaceUnderLock, HalfReadIsEmpty),
    ),
    between_processes(
        "events_appended_by_hand_in_processes", "an event is appended by a get and a save", "17", EventsAppendedByHand
    ),
    between_processes(
        "token_compared_before_in_processes", "compare and save are two steps", "18", TokenComparedBefore
    ),
    between_processes("fork_saves_the_source_in_processes", "a fork saves the source again", "19", ForkSavesTheSource),
    between_threads("layers_copied_without_lock", "a set reads all, and writes all", "01 03", _open(Layers), "layers"),
    between_threads("entries_listed_by_place", "a listing goes by place", "06", EntriesListedByPlace, "layers"),
    between_threads("clear_writes_all_scopes", "a clear writes all scopes again", "07", ClearWritesAllScopes, "layers"),
    between_processes(
        "layers_read_all_write_all", "a set reads all, and writes all", "13", _on(OpenFile, Layers), "layers"
    ),
    between_processes(
        "layers_rewritten_in_place", "the file is written over", "12", _on(FileInPlace, Layers), "layers"
    ),
    between_processes("layers_cached", "the memory is read once", "11", LayersCached, "layers"),
    between_processes(
        "clear_writes_all_scopes_in_processes", "a clear writes all scopes again", "17", ClearWritesAllScopes, "layers"
    ),
]
