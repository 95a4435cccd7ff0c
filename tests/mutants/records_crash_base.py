"""What run, job and layered stores that crash are made of: compositions over small states that make writes last."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends._files import sync_directory
from reference_backends._records import check_record
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore
from tests.mutants.base import Mutant
from tests.mutants.crash_base import TextState, write_all
from tests.mutants.crash_files import AtomicFiles
from tests.mutants.crash_marks import PROMISES, codes

#: The composition of each contract.
STORES: dict[str, Callable[[Any], Any]] = {"runs": RunStore, "jobs": JobStore, "layers": LayerStore}


class Versioned:
    """A state with versions, for one process: the text of an entry is its version."""

    def __init__(self, state: TextState) -> None:
        self.state = state

    def __getitem__(self, key: str) -> Any:
        return self.state[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.state[key] = value

    def __delitem__(self, key: str) -> None:
        del self.state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def version(self, key: str) -> Any:
        """Return the version of an entry, None when there is none."""
        return self.state.texts().get(key)

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write an entry unless it has changed."""
        if self.version(key) != expected:
            raise ConflictError(key)
        self.write(key, value)
        return self.version(key)

    def write(self, key: str, value: Any) -> None:
        """Write an entry."""
        self.state[key] = value

    def close(self) -> None:
        """Close the state."""
        self.state.close()


@dataclass(frozen=True)
class Over:
    """Opens a composition over a state that is opened with the path of a file."""

    store: Callable[[Any], Any]
    state: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.store(self.state(where.path / "store"))


def records_on(name: str, state: Callable[[Path], TextState], contracts: str, **promises: Any) -> Backend:
    """Return a backend of the compositions of some contracts over a state."""
    openers = {one: Over(STORES[one], lambda path: Versioned(state(path))) for one in contracts.split()}
    return Backend(name, **openers, **{**PROMISES, "errors": {"conflict": ConflictError}, **promises})


def records_mutant(
    name: str, bug: str, state: Callable[[Path], TextState], killed_by: dict[str, str], **promises: Any
) -> Mutant:
    """Return a mutant with the compositions over a broken state.

    Args:
        name: As in the mutant catalogue, where it is there.
        bug: What the state does wrong.
        state: Opens it with the path of a file.
        killed_by: For each contract the short codes of the checks of crashes that must fail on it.
        promises: What is promised otherwise than by most.
    """
    killers = [code for contract, short in killed_by.items() for code in codes(contract, short)]
    return Mutant(name, bug, tuple(killers), records_on(name, state, " ".join(killed_by), **promises))


def store_mutant(name: str, bug: str, killed_by: str, contract: str, store: Callable[[Path], Any]) -> Mutant:
    """Return a mutant that opens a store of one contract with the path of a file."""
    opener = Over(lambda opened: opened, store)
    backend = Backend(name, **{contract: opener}, **{**PROMISES, "errors": {"conflict": ConflictError}})
    return Mutant(name, bug, codes(contract, killed_by), backend)


class RunsWithEvents:
    """Honest: a file for each run, and one beside it for the events that were appended since its last save.

    A save counts the run's epoch up, and the file of events is named after it: so both change in one step.
    """

    def __init__(self, path: Path) -> None:
        self.runs = AtomicFiles(path)
        self.folder = path.with_name("events")
        self.folder.mkdir(exist_ok=True)
        sync_directory(path.parent)

    def save_run(self, run: dict[str, Any]) -> None:
        """Save a run."""
        run_id = check_record(run, "run")
        epoch = self.runs[run_id]["epoch"] if run_id in self.runs else 0
        self.runs[run_id] = {"run": run, "epoch": epoch + 1}

    def get_run(self, run_id: str) -> Any:
        """Return a run with its events, None when there is none."""
        if run_id not in self.runs:
            return None
        run = self.runs[run_id]["run"]
        events = [json.loads(line) for line in self.lines(self.events_of(run_id)).splitlines()]
        return {**run, "events": [*run.get("events", []), *events]} if events else run

    def list_runs(self) -> list[Any]:
        """Return all runs."""
        return [self.get_run(run_id) for run_id in sorted(self.runs)]

    def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run, and return when it is on the disk."""
        path = self.events_of(run_id)
        whole = self.lines(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, len(whole))  # what a crash has left behind the last whole line
            os.lseek(descriptor, len(whole), os.SEEK_SET)
            write_all(descriptor, json.dumps(event).encode() + b"\n")
            self.sync(descriptor)
        except BaseException:
            os.ftruncate(descriptor, len(whole))
            raise
        finally:
            os.close(descriptor)

    def sync(self, descriptor: int) -> None:
        """Return when a file of events is on the disk, and its name."""
        os.fsync(descriptor)
        sync_directory(self.folder)

    def events_of(self, run_id: str) -> Path:
        """Return the file of the events of a run since its last save."""
        return self.folder / f"{sha256(run_id.encode()).hexdigest()[:16]}-{self.runs[run_id]['epoch']}"

    def lines(self, path: Path) -> bytes:
        """Return the whole lines of a file."""
        data = path.read_bytes() if path.exists() else b""
        return data[: data.rfind(b"\n") + 1]

    def close(self) -> None:
        """Close the files."""
        self.runs.close()
