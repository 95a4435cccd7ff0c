"""State stores with a bug so sharp that one area of checks meets it: keys, listing, lifetime and capabilities."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from tests.mutants.base import PlainState, state_mutant
from tests.mutants.capable_base import CapableState, Draft, capable_mutant, marked


class LockBesideKey(PlainState):
    """Makes a lock file under the name of the key, in its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._folder = path.parent

    def __setitem__(self, key: str, value: Any) -> None:
        # One step up at most: no test is to leave files elsewhere on the machine.
        if type(key) is str and key.startswith("../") and "/" not in key[3:]:
            with suppress(OSError, ValueError):
                (self._folder / f"{key}.lock").touch()
        super().__setitem__(key, value)


class ListsItsBookkeeping(PlainState):
    """Lists its own record of the format while it has no other."""

    _used = False

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._used = True

    def __iter__(self) -> Iterator[str]:
        keys = list(super().__iter__())
        self._used = self._used or bool(keys)
        return iter(keys if self._used else ["__format__"])


class AsksInLowerCase(PlainState):
    """Answers `in` from an index that has a key in lower case."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and super().__contains__(key.lower()))


class RowsOfThisProcess(PlainState):
    """Hides what a process has left half-written that is gone, and takes every process but its own for gone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._database.execute("CREATE TABLE IF NOT EXISTS writers (key BLOB PRIMARY KEY, process)")

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._database.execute("INSERT OR REPLACE INTO writers VALUES (?, ?)", (self.encode(key), os.getpid()))

    def __iter__(self) -> Iterator[str]:
        rows = self._database.execute("SELECT key FROM writers WHERE process != ?", (os.getpid(),)).fetchall()
        hidden = {bytes(row[0]) for row in rows}
        return iter([key for key in super().__iter__() if self.encode(key) not in hidden])


class LongValueWaits(PlainState):
    """Commits a long value with the next write, or when it is closed."""

    _waits = False

    def __setitem__(self, key: str, value: Any) -> None:
        self._commit()
        self._waits = type(value) is str and len(value) > 2_000
        if self._waits:
            self._database.execute("BEGIN")
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._commit()
        super().__delitem__(key)

    def close(self) -> None:
        self._commit()
        super().close()

    def _commit(self) -> None:
        if self._waits:
            self._database.execute("COMMIT")
        self._waits = False


class StaleTexts(PlainState):
    """Has the text of a value that it once read or wrote in a cache, for ever."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._texts: dict[str, str] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._texts[key] = dumps(value)

    def __delitem__(self, key: str) -> None:
        self._texts.pop(key, None)
        super().__delitem__(key)

    def __getitem__(self, key: str) -> Any:
        if key not in self._texts:
            self._texts[key] = dumps(super().__getitem__(key))
        return loads(self._texts[key])


@capable_mutant("the version of a key that was never written is 0", "STATE-CAS-04")
class VersionOfUnknownIsZero(CapableState):
    def version(self, key: str) -> Any:
        return super().version(key) if key in self.kept.history else 0

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        return super().compare_and_set(key, value, expected if key in self.kept.history else expected or 0)


@capable_mutant("a flush calls clean what it has not written", "STATE-MAINT-02")
class FlushOnlyCleans(CapableState):
    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__(path, clock)
        self.dirty = False

    def save(self) -> None:
        self.dirty = True

    def flush(self) -> None:
        self.dirty = False

    def close(self) -> None:
        if self.dirty:
            super().save()
        self.dirty = False
        super().close()


@capable_mutant("a transaction without operations gives every key a new version", "STATE-TXN-07")
class EmptyCommitMovesVersions(CapableState):
    def commit(self, draft: Draft) -> None:
        if not draft.operations:
            for key, text in self.texts().items():
                self.put(key, text, self.kept.entries[key].expires_at)
        super().commit(draft)


MUTANTS = [
    state_mutant("lock_beside_key", "a lock file is made under the name of the key", ("STATE-KEY-06",), LockBesideKey),
    state_mutant("lists_its_bookkeeping", "a fresh store lists its format", ("STATE-LIST-01",), ListsItsBookkeeping),
    state_mutant("asks_in_lower_case", "`in` finds keys in lower case too", ("STATE-LIST-03",), AsksInLowerCase),
    state_mutant(
        "rows_of_this_process", "what another process wrote is hidden", ("STATE-REOPEN-02",), RowsOfThisProcess
    ),
    state_mutant("long_value_waits", "a long value waits for the next write", ("STATE-SHARE-01",), LongValueWaits),
    state_mutant("stale_texts", "a handle never looks again, but copies", ("STATE-SHARE-02",), StaleTexts),
    *marked(globals()),
]
