"""State stores whose size, memory or open files follow the number of writes, or that leave something open."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from tests.mutants.base import PlainState, state_mutant


class _Compacting(PlainState):
    """Has `compact`, which has nothing to do: SQLite uses the space of old rows again."""

    def compact(self) -> None:
        len(self)


class OldValuesStay(_Compacting):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._database.execute("CREATE TABLE IF NOT EXISTS old (key BLOB, value TEXT)")

    def __setitem__(self, key: str, value: Any) -> None:
        self._database.execute("INSERT INTO old SELECT key, value FROM state WHERE key = ?", (self.encode(key),))
        super().__setitem__(key, value)


class CacheHasNoEnd(_Compacting):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.cache: list[tuple[str, Any]] = []

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.cache.append((key, value))


class CompactionLeaksAFile(_Compacting):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def compact(self) -> None:
        os.open(self.path, os.O_RDONLY)


class StoreLeaksAFile(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        os.open(path, os.O_RDONLY)


class StoreLeaksAThread(PlainState):
    """The thread that should end with the store waits for what nobody sets."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


MUTANTS = [
    state_mutant("old_values_stay", "old values stay in the file", ("STATE-REPLAY-51",), OldValuesStay),
    state_mutant("cache_has_no_end", "every value ever written stays in a cache", ("STATE-REPLAY-52",), CacheHasNoEnd),
    state_mutant(
        "compaction_leaks_a_file", "each compaction leaves a file open", ("STATE-REPLAY-52",), CompactionLeaksAFile
    ),
    state_mutant("store_leaks_a_file", "each opening leaves a file open", ("STATE-REPLAY-53",), StoreLeaksAFile),
    state_mutant(
        "store_leaks_a_thread", "each opening leaves a thread behind", ("STATE-REPLAY-53",), StoreLeaksAThread
    ),
]
