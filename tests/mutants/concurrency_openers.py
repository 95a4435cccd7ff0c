"""Stores that are fine as long as nobody else opens them, dies with a lock, or is stopped in the midst of a write."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._files import FileLock
from tests.mutants.base import Mutant, PlainState
from tests.mutants.concurrency_processes import Document

if sys.platform != "win32":
    import fcntl

#: Seconds after which whoever waits for a lock gives up.
PATIENCE_S = 0.03
#: Seconds after which a lease counts as that of a dead process.
LEASE_S = 0.002


class CreatedWhenMissing(Document):
    """Makes the file if it was not there when it looked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not path.exists():
            self.save({})


class CreatedUnderLock(Document):
    """The repaired twin: it looks and makes the file with the lock."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.locked():
            if not path.exists():
                self.save({})


class SchemaLookedFor(PlainState):
    """Makes the table if it was not there when it looked."""

    def __init__(self, path: Path) -> None:
        database = sqlite3.connect(path, isolation_level=None)
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchall():
            database.execute("CREATE TABLE state (key BLOB PRIMARY KEY, value TEXT)")
        database.close()
        super().__init__(path)


class ClearedByOpeners(Document):
    """Whoever opens it clears away what a killed process may have left: files of those who live, too."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.clear_away()

    def clear_away(self) -> None:
        """Remove temporary files."""
        for left in self.path.parent.glob("*.tmp"):
            left.unlink(missing_ok=True)

    def save(self, entries: dict[str, Any]) -> None:
        """Put entries in the place of all."""
        new = self.path.with_name(f"{uuid4().hex}.tmp")
        new.write_bytes(json.dumps(entries).encode())
        os.replace(new, self.path)


class ClearedUnderLock(ClearedByOpeners):
    """The repaired twin: with the lock, nobody is inside such a file."""

    def clear_away(self) -> None:
        """Remove temporary files, with the lock."""
        with self.locked():
            super().clear_away()


class LeftBehindLock:
    """A lock that is a file; who is killed leaves it behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self, *, exclusive: bool) -> Iterator[None]:
        """Make the file, wait for that if need be, and remove it at the end."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                if time.monotonic() > until:
                    raise TimeoutError("the store is locked") from None
                # Nobody tells when a file is gone: this lock, like most of its kind, is polled.
                time.sleep(0.0005)
        try:
            yield
        finally:
            self.path.unlink()


class LeasedLock(LeftBehindLock):
    """Its owner has it for a time; who comes later takes it, whatever the owner is doing."""

    @contextmanager
    def held(self, *, exclusive: bool) -> Iterator[None]:
        """Write down who has it, wait for that if need be, and give it back at the end."""
        mine = uuid4().hex
        while not self._taken(mine):
            with suppress(FileNotFoundError):
                if time.time() - self.path.stat().st_mtime > LEASE_S:
                    self.path.unlink()
            time.sleep(0.0002)  # polled, as above
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                if self.path.read_text() == mine:
                    self.path.unlink()

    def _taken(self, mine: str) -> bool:
        draft = self.path.with_name(mine)
        draft.write_text(mine)
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True


class RecordLock:
    """A lock of POSIX: it belongs to the process, and keeps no other handle of that out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.Lock()

    @contextmanager
    def held(self, *, exclusive: bool) -> Iterator[None]:
        """Keep the threads of this handle out, and other processes."""
        with self._threads, self.path.open("a") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            yield


def with_lock(kind: Callable[[Path], Any], store: type[Any] = Document) -> Callable[[Path], Any]:
    """Return an opener of a store, with a lock of a kind."""

    def open_store(path: Path) -> Any:
        one = store(path)
        one.lock = kind(path.with_name("held"))
        return one

    return open_store


class Owned(Document):
    """Lets one process in: whose number is in a file. That of a process that is gone is removed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.owner = path.with_name("owner")
        self.entries: dict[str, Any] = {}
        self.enter()
        self.entries = super().load()

    def enter(self) -> None:
        """Refuse to come in while somebody else is there who lives."""
        if self.owner.exists():
            number = int(self.owner.read_text() or 0)
            if number == os.getpid() or lives(number):
                raise OSError("the store is in use")
        self.owner.write_text(str(os.getpid()))

    def load(self) -> dict[str, Any]:
        """Return what is known, for nobody else writes; a copy, for who lists it goes on without the lock."""
        return dict(self.entries)

    def save(self, entries: dict[str, Any]) -> None:
        """Keep entries, and write them."""
        self.entries = entries
        super().save(entries)

    def close(self) -> None:
        """Let the next one in."""
        self.owner.unlink(missing_ok=True)


class OwnedForEver(Owned):
    """Lets one process in: who makes a file. Nobody removes it when that process is killed."""

    def enter(self) -> None:
        """Refuse to come in while the file is there."""
        os.close(os.open(self.owner, os.O_CREAT | os.O_EXCL))


class OwnedByLock(Owned):
    """The repaired twin: the system lets go of the lock of a process that is gone."""

    def enter(self) -> None:
        """Refuse to come in while somebody has the lock."""
        self.file = self.owner.open("a")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            raise

    def close(self) -> None:
        """Let the next one in."""
        self.file.close()


def lives(number: int) -> bool:
    """Tell whether there is a process of a number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


class TornTail:
    """A log of lines, written under a lock. Whoever opens it cuts off what a killed process left of a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock: Any = FileLock(path.with_name("lock"))
        self.recover()

    def recover(self) -> None:
        """Cut off the half of a line at the end: what another process is just writing, too."""
        with self.path.open("ab+") as file:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)

    @property
    def head(self) -> int:
        """The position of the last event."""
        return len(self.read())

    def append(self, event: Any) -> int:
        """Append an event."""
        with self.lock.held(exclusive=True), self.path.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")
            file.flush()
            return len(self.path.read_bytes().splitlines())

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window."""
        with self.lock.held(exclusive=True):
            data = self.path.read_bytes()
        events = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
        return list(enumerate(events, 1))[max(start, 1) - 1 : None if stop is None else max(stop - 1, 0)]

    def close(self) -> None:
        """Do nothing."""


class TailUnderLock(TornTail):
    """The repaired twin: with the lock, nobody is just writing."""

    def recover(self) -> None:
        """Cut off the half of a line at the end, with the lock."""
        with self.lock.held(exclusive=True):
            super().recover()


def _backend(name: str, opener: Callable[[Path], Any], contract: str = "state", **promises: Any) -> Backend:
    def open_store(where: Where) -> Any:
        return opener(where.path / "store.json")

    promises[contract] = open_store
    return Backend(name, **promises)


def _mutant(name: str, bug: str, killed_by: str, opener: Callable[[Path], Any], **promises: Any) -> Mutant:
    contract = "log" if killed_by.startswith("LOG") else "state"
    return Mutant(name, bug, tuple(killed_by.split()), _backend(name, opener, contract, **promises))


MUTANTS = [
    _mutant(
        "created_when_missing",
        "an opener makes the file that it saw missing, over that of another one",
        "STATE-CONC-31",
        CreatedWhenMissing,
    ),
    _mutant(
        "schema_looked_for",
        "an opener makes the table that another one has just made",
        "STATE-CONC-31",
        SchemaLookedFor,
    ),
    _mutant(
        "tmp_cleanup_of_others",
        "an opener removes the temporary files of those who write",
        "STATE-CONC-31",
        ClearedByOpeners,
    ),
    _mutant("tail_cut_by_openers", "an opener cuts off what another one has just appended", "LOG-CONC-31", TornTail),
    _mutant(
        "lock_file_left_behind",
        "a lock is a file, which nobody removes when its owner is killed",
        "STATE-CONC-32",
        with_lock(LeftBehindLock),
    ),
    _mutant(
        "log_lock_file_left_behind",
        "a lock is a file, which nobody removes when its owner is killed",
        "LOG-CONC-32",
        with_lock(LeftBehindLock, TailUnderLock),
    ),
    _mutant(
        "lock_of_the_process",
        "a lock belongs to the process: two handles in it are not kept apart",
        "STATE-CONC-33",
        with_lock(RecordLock),
    ),
    _mutant(
        "log_lock_of_the_process",
        "a lock belongs to the process: two handles in it are not kept apart",
        "LOG-CONC-33",
        with_lock(RecordLock, TailUnderLock),
    ),
    _mutant(
        "two_servers_one_file",
        "two openers find the lock of a dead process, and both take it over",
        "STATE-CONC-34",
        Owned,
        sharing="threads",
    ),
    _mutant(
        "owned_for_ever",
        "nobody may open the store again after a kill",
        "STATE-CONC-34",
        OwnedForEver,
        sharing="threads",
    ),
    _mutant(
        "no_fencing",
        "a stopped owner goes on to write when another one has taken its lock",
        "STATE-CONC-35",
        with_lock(LeasedLock),
    ),
]
_REPAIRED = [
    _backend("created_under_lock", CreatedUnderLock),
    _backend("schema_made_once", PlainState),
    _backend("cleared_under_lock", ClearedUnderLock),
    _backend("tail_under_lock", TailUnderLock, "log"),
    _backend("owned_by_lock", OwnedByLock, sharing="threads"),
]
#: The repaired twins, by their addresses, so that other processes open them too.
HONEST = {one.name: replace(one, address=f"{__name__}:{one.name.upper()}") for one in _REPAIRED}
globals().update({name.upper(): one for name, one in HONEST.items()})
