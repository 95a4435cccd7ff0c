"""State stores with a bug so sharp that one area of checks meets it: values, writes and deletes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import loads
from tests.mutants.base import PlainState, state_mutant
from tests.mutants.state_values import changing


class FloatsAtOpening(PlainState):
    """Brings what an older release has written into its form, each time it is opened, and takes a float for old."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for key, text in self._database.execute("SELECT key, value FROM state").fetchall():
            if type(loads(text)) is float:
                self._database.execute("UPDATE state SET value = ? WHERE key = ?", (f'"{text}"', key))


def _cut_at_256_kib(value: Any) -> Any:
    return value[: 256 * 1024] if type(value) is str else value


class EmptyListDeletes(PlainState):
    """Takes an empty list for a conversation that is over."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if value == [] and type(value) is list:
            super().__delitem__(key)


class OldPagesStay(PlainState):
    """Writes a text over the pages of the old one; those that it does not need any more stay."""

    def __setitem__(self, key: str, value: Any) -> None:
        old = self.get(key)
        if isinstance(value, str) and isinstance(old, str) and len(old) > 4_096 > len(value):
            value += old[4_096:]
        super().__setitem__(key, value)


class HotKeyEvicts(PlainState):
    """Keeps a page for what is written again and again; the twentieth time another key has to go for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._hot: Any = None
        self._times = 0

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._times = self._times + 1 if key == self._hot else 1
        self._hot = key
        cold = [one for one in self if one != key]
        if self._times == 20 and cold:
            super().__delitem__(cold[0])


class TwoHundredthOverwriteDropped(PlainState):
    """Collects overwrites, and loses the one that fills the batch."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._overwrites = 0

    def __setitem__(self, key: str, value: Any) -> None:
        self._overwrites += key in self
        if key not in self or self._overwrites % 200:
            super().__setitem__(key, value)


class StoredPatterns(PlainState):
    """Has the two sides of LIKE in the wrong order: what is stored and ends with % is the pattern."""

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        for other in list(self):
            if other.endswith("%") and key.startswith(other[:-1]):
                super().__delitem__(other)


class ThirdTombstoneStays(PlainState):
    """Joins tombstones of one key that follow each other; a write takes the two that fit into one away."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deleted: Any = None
        self._tombstones = 0

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._tombstones = self._tombstones + 1 if key == self._deleted else 1
        self._deleted = key

    def __getitem__(self, key: str) -> Any:
        if key == self._deleted and self._tombstones > 2:
            raise KeyError(key)
        return super().__getitem__(key)


class BackAfterThreeHundred(PlainState):
    """Drops a tombstone after 300 changes; an older file still has the key."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._changes = 0
        self._tombstones: list[tuple[int, str, Any]] = []

    def __setitem__(self, key: str, value: Any) -> None:
        self._changed()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        value = self[key]
        super().__delitem__(key)
        self._tombstones.append((self._changed() + 300, key, value))

    def _changed(self) -> int:
        self._changes += 1
        while self._tombstones and self._tombstones[0][0] <= self._changes:
            _, key, value = self._tombstones.pop(0)
            if key not in self:
                super().__setitem__(key, value)
        return self._changes


MUTANTS = [
    state_mutant("floats_at_opening", "floats become texts at the next opening", ("STATE-VALUE-03",), FloatsAtOpening),
    state_mutant("cut_at_256_kib", "texts end at 256 KiB", ("STATE-VALUE-10",), changing(_cut_at_256_kib)),
    state_mutant("empty_list_deletes", "an empty list deletes its key", ("STATE-VALUE-11",), EmptyListDeletes),
    state_mutant(
        "old_pages_stay", "a text of one page keeps the other pages of the old one", ("STATE-WRITE-01",), OldPagesStay
    ),
    state_mutant("hot_key_evicts", "20 writes of one key push out another key", ("STATE-WRITE-02",), HotKeyEvicts),
    state_mutant(
        "every_200th_overwrite_dropped",
        "every 200th overwrite is dropped",
        ("STATE-WRITE-03",),
        TwoHundredthOverwriteDropped,
    ),
    state_mutant(
        "stored_patterns",
        "a delete takes along keys that are patterns of its key",
        ("STATE-DELETE-01",),
        StoredPatterns,
    ),
    state_mutant(
        "third_tombstone_stays", "a key deleted three times stays hidden", ("STATE-DELETE-03",), ThirdTombstoneStays
    ),
    state_mutant(
        "back_after_300", "a deleted key is back 300 changes later", ("STATE-DELETE-04",), BackAfterThreeHundred
    ),
]
