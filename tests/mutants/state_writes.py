"""State stores that lose, mix or resurrect writes and deletes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_backends._json import dumps
from tests.mutants.base import PlainState, state_mutant


class Residue(PlainState):
    def __setitem__(self, key: str, value: Any) -> None:
        old = self.get(key)
        if isinstance(value, str) and isinstance(old, str) and len(old) > len(value) > 0:
            value += old[len(value) :]
        super().__setitem__(key, value)


class FourthOverwriteIgnored(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writes: dict[str, int] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        self._writes[key] = self._writes.get(key, 0) + 1
        if self._writes[key] != 5:  # the first write and four overwrites
            super().__setitem__(key, value)


class StaleRead(PlainState):
    """A read just after a write gives the value before it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._old: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self.keys():
            self._old[key] = super().__getitem__(key)
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> Any:
        return self._old.pop(key) if key in self._old else super().__getitem__(key)


class EveryTwoHundredthDropped(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._count = 0

    def __setitem__(self, key: str, value: Any) -> None:
        self._count += 1
        if self._count % 200:
            super().__setitem__(key, value)


class TwoKeysOnePlace(PlainState):
    """The 100th key shares its place with the one before it."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key == "b7" and "c9" in self.keys():
            super().__setitem__("c9", value)


class DeleteByPrefix(PlainState):
    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        for other in [one for one in self.keys() if one.startswith(key)]:
            super().__delitem__(other)


class CountsEveryDelete(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._missing_deletes = 0

    def __delitem__(self, key: str) -> None:
        try:
            super().__delitem__(key)
        except KeyError:
            self._missing_deletes += 1
            raise

    def __len__(self) -> int:
        return max(0, super().__len__() - self._missing_deletes)


class StickyTombstone(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._tombstones: set[str] = set()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._tombstones.add(key)

    def __getitem__(self, key: str) -> Any:
        if key in self._tombstones:
            raise KeyError(key)
        return super().__getitem__(key)


class BackAfterFifty(PlainState):
    """The deleted key comes back 50 operations later."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._graves: list[tuple[int, str, Any]] = []
        self._operations = 0

    def _tick(self) -> None:
        self._operations += 1
        while self._graves and self._operations - self._graves[0][0] >= 50:
            _, key, value = self._graves.pop(0)
            if key not in self.keys():
                super().__setitem__(key, value)

    def __setitem__(self, key: str, value: Any) -> None:
        self._tick()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._tick()
        self._graves.append((self._operations, key, super().__getitem__(key)))
        super().__delitem__(key)


class DumpFailDestroys(PlainState):
    """Serialises while it writes: what fails half-way has destroyed the old value."""

    def __setitem__(self, key: str, value: Any) -> None:
        try:
            super().__setitem__(key, value)
        except TypeError:
            if type(key) is str:
                super().__setitem__(key, {"good": ["text"]})
            raise


class RefusesWithItsOwnError(PlainState):
    def __setitem__(self, key: str, value: Any) -> None:
        try:
            super().__setitem__(key, value)
        except TypeError as error:
            raise LookupError("unsupported type") from error


class KeysFolded(PlainState):
    def encode(self, key: Any) -> bytes:
        return super().encode(key if isinstance(key, str) else str(key))


class ListsTwice(PlainState):
    """Lists a key that was overwritten once more."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._database.execute("CREATE TABLE IF NOT EXISTS log (key BLOB)")

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._database.execute("INSERT INTO log VALUES (?)", (self.encode(key),))

    def __iter__(self) -> Iterator[str]:
        present = set(super().__iter__())
        rows = self._database.execute("SELECT key FROM log").fetchall()
        names = [bytes(row[0]).decode("utf-8", "surrogatepass") for row in rows]
        return iter([name for name in names if name in present])


class OldestWinsAfterReopen(PlainState):
    """After a reopen an overwritten key has its first value again, if another key was deleted in between."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._first: dict[str, Any] = {}
        self._deleted = False

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._first.setdefault(key, dumps(value))

    def close(self) -> None:
        for key, text in self._first.items():
            self._database.execute("UPDATE state SET value = ? WHERE key = ?", (text, self.encode(key)))
        self._first.clear()
        super().close()


MUTANTS = [
    state_mutant("residue", "a shorter value keeps the end of the old one", ("STATE-WRITE-01",), Residue),
    state_mutant(
        "fourth_overwrite_ignored", "the fourth overwrite does nothing", ("STATE-WRITE-02",), FourthOverwriteIgnored
    ),
    state_mutant("stale_read", "a read just after a write is old", ("STATE-WRITE-02", "STATE-WRITE-01"), StaleRead),
    state_mutant(
        "every_200th_write_dropped",
        "every 200th write is dropped",
        ("STATE-WRITE-03", "STATE-LIST-02"),
        EveryTwoHundredthDropped,
    ),
    state_mutant("two_keys_one_place", "a write changes another key too", ("STATE-WRITE-04",), TwoKeysOnePlace),
    state_mutant(
        "delete_by_prefix", "a delete takes keys along that begin alike", ("STATE-DELETE-01",), DeleteByPrefix
    ),
    state_mutant("counts_every_delete", "deleting what is missing is counted", ("STATE-DELETE-02",), CountsEveryDelete),
    state_mutant("sticky_tombstone", "a deleted key stays hidden for ever", ("STATE-DELETE-03",), StickyTombstone),
    state_mutant("back_after_fifty", "a deleted key is back 50 operations later", ("STATE-DELETE-04",), BackAfterFifty),
    state_mutant("dump_fail_destroys", "a failing write destroys the old value", ("STATE-FAIL-01",), DumpFailDestroys),
    state_mutant("own_refusal", "refuses values with a LookupError", ("STATE-FAIL-02",), RefusesWithItsOwnError),
    state_mutant("keys_folded", "1 and '1' are one key", ("STATE-FAIL-03",), KeysFolded),
    state_mutant("lists_twice", "an overwritten key is listed twice", ("STATE-VALUE-11",), ListsTwice),
    state_mutant(
        "oldest_wins",
        "the first value is back after a reopen",
        ("STATE-MODEL-01", "STATE-REOPEN-01"),
        OldestWinsAfterReopen,
    ),
]
