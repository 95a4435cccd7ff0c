"""Small stores for the tests of the crash engine: each does one thing that the engine must cope with."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from tests.mutants.crash_base import Changes
from tests.mutants.crash_files import Document


class Trapped(Document):
    """An honest store, until a file `trap` lies beside it: that says in a word what goes wrong, and when."""

    def __init__(self, path: Path) -> None:
        trap = path.with_name("trap")
        self.trap = trap.read_text() if trap.exists() else ""
        super().__init__(path)
        match self.trap:
            case "exit":
                os._exit(3)
            case "segfault":
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                while True:
                    signal.pause()
            case "open":
                raise OSError("the store is damaged")
            case "print":
                os.write(1, b"noise of a descriptor\n")
                sys.stdout.write("noise of stdout\n")
                sys.stderr.write("noise of stderr\n")
                sys.stderr.flush()
            case "doubt":
                self.kept["k9"] = "9"

    def __iter__(self) -> Iterator[str]:
        if self.trap == "read":
            raise ValueError("a page is missing")
        return iter([*self.texts(), *self.texts()] if self.trap == "double" else self.texts())

    def save(self, texts: dict[str, str]) -> None:
        """Replace the file, or not."""
        if self.trap == "write":
            raise OSError("the store is full")
        if self.trap == "swap":
            texts = {key: text for key, text in texts.items() if key != "k0"} | {"k8": "8"}
        if self.trap != "forget":
            super().save(texts)


class Elsewhere(Document):
    """Keeps its data beside its directory, and in there only a file that says so."""

    def __init__(self, path: Path) -> None:
        path.touch()
        super().__init__(path.parent.with_name("aside"))


class Outside(Document):
    """Keeps nothing at all in its directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent.with_name("outside"))


class Forgetful(Document):
    """Keeps nothing when it is closed in order: it fails without any crash."""

    def close(self) -> None:
        """Remove the file."""
        if not self.closed:
            self.path.unlink(missing_ok=True)
        super().close()


class Refusing(Document):
    """Refuses every second write, and the first of all; opens and reads like any other."""

    writes = 0

    def write(self, changes: Changes) -> None:
        """Write, or raise."""
        self.writes += 1
        if self.writes % 2:
            raise OSError(f"refused write {self.writes}")
        super().write(changes)


class Stubborn(Document):
    """Refuses every write, and then every read."""

    failed = False

    def write(self, changes: Changes) -> None:
        """Raise."""
        self.failed = True
        raise OSError("refused")

    def texts(self) -> dict[str, str]:
        """Raise after a failed write."""
        if self.failed:
            raise RuntimeError("nothing is sure any more")
        return super().texts()


class UnclosedDocument(Document):
    """Raises when it is closed."""

    def close(self) -> None:
        """Raise."""
        raise OSError("it can't be closed")


class Unsynced(Document):
    """Replaces its file without a sync: power loss takes what was acknowledged."""

    def save(self, texts: dict[str, str]) -> None:
        """Replace the file."""
        fresh = self.path.with_name("fresh")
        fresh.write_text(json.dumps(texts))
        os.replace(fresh, self.path)


class LeavesOpen(Document):
    """Leaves a file open, each time that it is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        os.open(path.parent, os.O_RDONLY)


class DiesOpening(Document):
    """Ends the process that opens it."""

    def __init__(self, path: Path) -> None:
        os._exit(7)


@dataclass(frozen=True)
class Opens:
    """Opens a store with the path of a file; found again by other processes, as a lambda would not be."""

    store: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.store(where.path / "store")


def _state(name: str, store: Callable[[Path], Any]) -> Backend:
    return Backend(
        name, state=Opens(store), sharing="single", corruption="silent", address=f"{__name__}:{name.upper()}"
    )


TRAPPED = _state("trapped", Trapped)
ELSEWHERE = _state("elsewhere", Elsewhere)
OUTSIDE = _state("outside", Outside)
FORGETFUL = _state("forgetful", Forgetful)
REFUSING = _state("refusing", Refusing)
STUBBORN = _state("stubborn", Stubborn)
UNCLOSED = _state("unclosed", UnclosedDocument)
UNSYNCED = _state("unsynced", Unsynced)
LEAVES_OPEN = _state("leaves_open", LeavesOpen)
DIES_OPENING = _state("dies_opening", DiesOpening)
#: There is nothing at its address.
NOWHERE = replace(TRAPPED, name="nowhere", address="tests.crash.nowhere:BACKEND")

#: A store that is honest and quick, and others by the kind of their files.
DOCUMENT = "tests.odd.crash:ODD_CRASH_DOCUMENT"
GROUP_COMMIT = "tests.odd.crash:ODD_CRASH_GROUP_COMMIT"
ASYNC_FILES = "tests.odd.crash:ODD_CRASH_FILES_ASYNC"
SQLITE_WAL = "tests.odd.crash:ODD_CRASH_SQLITE_WAL_FULL"
JOURNAL = "tests.odd.crash:ODD_CRASH_JOURNAL_STATE"
JOURNAL_LOG = "tests.odd.crash:ODD_CRASH_JOURNAL_LOG"


def mutant(name: str) -> str:
    """Return the address of a mutant."""
    return f"tests.mutants.registry:BACKENDS.{name}"


def document(trap: str = "", **entries: Any) -> dict[str, bytes | None]:
    """Return the files of a `Trapped` store with these entries."""
    texts = {key: json.dumps(value) for key, value in entries.items()}
    files: dict[str, bytes | None] = {"store": json.dumps(texts).encode()}
    return {**files, "trap": trap.encode()} if trap else files
