"""Layered stores whose one bug shows to one check, or to those of its area: for a value, a key, a moment, a process."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from tests.mutants.layers_base import PlainLayers, layers_mutant


class CountersOnlyGrow(PlainLayers):
    """Merges an object of counters with the one it replaces, as replicas do: of each counter the greater one stays."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        before: Any = dict(self.entries(layer=self.layers(layer)[0], scope=scope)).get(key)
        if _counters(before) and _counters(value) and before.keys() == value.keys():
            value = {name: max(value[name], before[name]) for name in value}
        super().set(key, value, layer=layer, scope=scope)


def _counters(value: Any) -> bool:
    return type(value) is dict and all(type(one) is int for one in value.values())


class EqualIsUnchanged(PlainLayers):
    """Does not write a value that equals the one there, as False equals 0 and -0.0 equals 0.0."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        self.encode(value)  # refuses what it would refuse
        if (key, value) not in self.entries(layer=self.layers(layer)[0], scope=scope):
            super().set(key, value, layer=layer, scope=scope)


class KeepsItsNewest(PlainLayers):
    """Does not delete what stands in the last slot, unless it is alone; a key keeps its slot when it is set again."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        owner, encoded = self.keyed(scope, key)
        self.rows(
            "INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            *(owner, self.layers(layer)[0], encoded, self.encode(value)),
        )

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        owner, encoded = self.keyed(scope, key)
        rows = self.rows(
            "SELECT key FROM entries WHERE scope = ? AND layer = ? ORDER BY rowid", owner, self.layers(layer)[0]
        )
        if len(rows) == 1 or rows[-1:] != [(encoded,)]:
            super().delete(key, layer=layer, scope=scope)


class DeletesTheOneBefore(PlainLayers):
    """Moves its cursor to the last key up to the one that is deleted, and does not look whether it is the one."""

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        owner, encoded = self.keyed(scope, key)
        self.rows(
            "DELETE FROM entries WHERE rowid = (SELECT rowid FROM entries"
            " WHERE scope = ? AND layer = ? AND key <= ? ORDER BY key DESC LIMIT 1)",
            *(owner, self.layers(layer)[0], encoded),
        )


class ClearedComesBack(PlainLayers):
    """Puts what is cleared into a bin; a key that is set and is found there is taken for an undo, of all of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._bin: dict[str, list[Any]] = {}

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        if layer is None:
            self._bin[scope] = self.entries(scope=scope)
        super().clear(layer=layer, scope=scope)

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        if any(key == one for one, _ in self._bin.get(scope, [])):
            for one, other in self._bin.pop(scope):
                super().set(one, other, scope=scope)
        super().set(key, value, layer=layer, scope=scope)


class WritesAgainAtClose(PlainLayers):
    """Writes all that it has set once more when it is closed, what was deleted since included."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._set: dict[tuple[str, str, str], Any] = {}

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        super().set(key, value, layer=layer, scope=scope)
        self._set[key, self.layers(layer)[0], scope] = value

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        super().clear(layer=layer, scope=scope)
        for address in [one for one in self._set if one[1] in self.layers(layer) and one[2] == scope]:
            del self._set[address]

    def close(self) -> None:
        for (key, layer, scope), value in self._set.items():
            super().set(key, value, layer=layer, scope=scope)
        self._set.clear()
        super().close()


class ClosedUnderOwnName(PlainLayers):
    """Gives a file that it wrote to and closes a name of this process, which alone finds it again."""

    def __init__(self, path: Path) -> None:
        self._closed = path.with_name(f"{path.name}.{os.getpid()}")
        if self._closed.exists():
            self._closed.rename(path)
        super().__init__(path)

    def close(self) -> None:
        try:
            written = self.database.total_changes
        except sqlite3.ProgrammingError:  # closed already
            return
        super().close()
        if written and self.path.exists():
            self.path.rename(self._closed)


class EmptyIsBroken(PlainLayers):
    """Takes a file that is empty at the close for a broken one, and puts back the copy that it made at the opening."""

    def __init__(self, path: Path) -> None:
        self._copy = path.with_suffix(".bak")
        if path.exists():
            shutil.copy(path, self._copy)
        super().__init__(path)

    def close(self) -> None:
        empty = not self.rows("SELECT 1 FROM entries LIMIT 1")
        super().close()
        if empty and self._copy.exists():
            shutil.copy(self._copy, self.path)


class DefaultReadsThrough(PlainLayers):
    """Without a scope looks into every layer for a key that the layer that was asked has not got."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        try:
            return super().get(key, layer=layer, scope=scope)
        except KeyError:
            return self.missing(key) if scope else super().get(key)


class DeleteGoesOn(PlainLayers):
    """Goes on to the layers below, as get does, when the layer that is named has not got the key that is deleted."""

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        place = self.precedence.index(self.layers(layer)[0])
        for name in self.precedence[:1] if layer is None else self.precedence[place:]:
            found = any(key == one for one, _ in self.entries(layer=name, scope=scope))
            super().delete(key, layer=name, scope=scope)
            if found:
                break


class LastBeforeFirst(PlainLayers):
    """Asks the last layer before the first one where those between have not got the key."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        if layer is None:
            having = [name for name in self.precedence if key in dict(self.entries(layer=name, scope=scope))]
            if having == [self.precedence[0], self.precedence[-1]]:
                layer = having[-1]
        return super().get(key, layer=layer, scope=scope)


class ListsLastBeforeFirst(PlainLayers):
    """Lists the value of the last layer before that of the first one where those between have not got the key."""

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        pairs = dict(super().entries(layer=layer, scope=scope))
        if layer is None:
            first, *between, last = (dict(self.entries(layer=name, scope=scope)) for name in self.precedence)
            pairs |= {key: last[key] for key in first if key in last and not any(key in one for one in between)}
        return sorted(pairs.items())


MUTANTS = [
    layers_mutant("layers_counters_only_grow", "counters are merged", "SET-01", CountersOnlyGrow),
    layers_mutant("layers_equal_is_unchanged", "0 set over False is False", "VALUE-01", EqualIsUnchanged),
    layers_mutant("layers_keep_their_newest", "the newest is not deleted", "DELETE-01 DELETE-02", KeepsItsNewest),
    layers_mutant("layers_delete_the_one_before", "a neighbour is deleted", "DELETE-02", DeletesTheOneBefore),
    layers_mutant("layers_cleared_comes_back", "a set brings all cleared ones back", "CLEAR-01", ClearedComesBack),
    layers_mutant("layers_write_again_at_close", "the close sets deleted keys again", "REOPEN-01", WritesAgainAtClose),
    layers_mutant("layers_closed_under_own_name", "found by their process alone", "REOPEN-02", ClosedUnderOwnName),
    layers_mutant("layers_empty_is_broken", "an empty file is replaced by a copy", "REOPEN-04", EmptyIsBroken),
    layers_mutant("layers_default_reads_through", "a layer reads another's", "LAYER-01", DefaultReadsThrough),
    layers_mutant("layers_delete_goes_on", "a delete in vain goes on below", "LAYER-02", DeleteGoesOn),
    layers_mutant(
        "layers_last_before_first", "the last layer wins over the first", "PRECEDENCE-01 PRECEDENCE-03", LastBeforeFirst
    ),
    layers_mutant("layers_list_last_before_first", "a listing mixes layers up", "PRECEDENCE-03", ListsLastBeforeFirst),
]
