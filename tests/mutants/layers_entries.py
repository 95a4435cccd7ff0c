"""Layered stores that lose entries, alter them, or take one for another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference_backends._json import check_value
from tests.mutants.layers_base import PlainLayers, layers_mutant


class ShowsNothing(PlainLayers):
    """Keeps everything apart from everybody."""

    def get(self, key: str, **of: Any) -> Any:
        return self.missing(key)


class DeletedIsNone(PlainLayers):
    """Tells a deleted key by None, and another one by KeyError."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deleted: set[str] = set()

    def delete(self, key: str, **of: Any) -> None:
        super().delete(key, **of)
        self._deleted.add(key)

    def missing(self, key: str) -> Any:
        return None if key in self._deleted else super().missing(key)


class KeepsBoth(PlainLayers):
    """Adds a row for each set; the first one is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("DROP TABLE entries")
        self.rows("CREATE TABLE entries (scope, layer, key, value)")


class StillListed(PlainLayers):
    """Marks a deleted entry, and lists it all the same."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deleted: set[str] = set()

    def get(self, key: str, **of: Any) -> Any:
        return self.missing(key) if key in self._deleted else super().get(key, **of)

    def set(self, key: str, value: Any, **of: Any) -> None:
        super().set(key, value, **of)
        self._deleted.discard(key)

    def delete(self, key: str, **of: Any) -> None:
        self._deleted.add(key)


class DeletesByPrefix(PlainLayers):
    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if sql.startswith("DELETE") and "key" in sql:
            sql = sql.replace("key = ?", "instr(key, ?) = 1")
        return super().rows(sql, *parameters)


class RefusesToDeleteNothing(PlainLayers):
    """Complains of a missing key in words of its own."""

    def delete(self, key: str, **of: Any) -> None:
        try:
            self.get(key, **of)
        except KeyError:
            raise RuntimeError(f"0 rows were deleted for {key!r}") from None
        super().delete(key, **of)


class FirstHundred(PlainLayers):
    def entries(self, **of: Any) -> Any:
        return super().entries(**of)[:100]


class ClearsHalf(PlainLayers):
    """Stops clearing when it has deleted a few."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if sql.startswith("DELETE") and "key" not in sql:
            sql = f"DELETE FROM entries WHERE rowid IN (SELECT rowid {sql.removeprefix('DELETE ')} LIMIT 3)"
        return super().rows(sql, *parameters)


class ListsTexts(PlainLayers):
    def entries(self, **of: Any) -> Any:
        return [(key, value if type(value) is dict else str(value)) for key, value in super().entries(**of)]


class DropsEmptyValues(PlainLayers):
    """Takes an empty value for none."""

    def entries(self, **of: Any) -> Any:
        return [pair for pair in super().entries(**of) if pair[1] or pair[1] == 0]


class WhateverJsonTakes(PlainLayers):
    def encode(self, value: Any) -> Any:
        return json.dumps(value)

    def decode(self, text: Any) -> Any:
        return json.loads(text)


class DeletesFirst(PlainLayers):
    """Removes the old value before it knows whether it can write the new one."""

    def set(self, key: str, value: Any, **of: Any) -> None:
        self.delete(key, **of)
        super().set(key, value, **of)


class OwnRefusal(PlainLayers):
    """Refuses with an exception that nobody can name."""

    def encode(self, value: Any) -> Any:
        try:
            return super().encode(value)
        except (TypeError, ValueError) as error:
            raise RuntimeError("could not serialise") from error


class Strips(PlainLayers):
    def text(self, text: Any) -> Any:
        return super().text(text.strip() if type(text) is str else text)


class FoldsKeys(PlainLayers):
    """Finds a key in any case."""

    def keyed(self, scope: str, key: str) -> tuple[Any, Any]:
        return self.text(scope), self.text(key.casefold() if key.isascii() and len(key) < 5 else key)


class SameObject(PlainLayers):
    """Hands out the object that it has kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._kept: dict[Any, Any] = {}

    def decode(self, text: Any) -> Any:
        return self._kept.setdefault(text, super().decode(text))


class OwnObject(PlainLayers):
    """Keeps the caller's object, and writes it down at the next reading."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._waiting: list[Any] = []

    def set(self, key: str, value: Any, **of: Any) -> None:
        self.text(key)
        check_value(value)
        self._waiting.append((key, value, of))

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        waiting, self._waiting = getattr(self, "_waiting", []), []
        for key, value, of in waiting:
            super().set(key, value, **of)
        return super().rows(sql, *parameters)


MUTANTS = [
    layers_mutant("layers_show_nothing", "get finds nothing, for anybody", "BASIC-01", ShowsNothing),
    layers_mutant(
        "layers_deleted_is_none", "a deleted key reads as None, another as KeyError", "MISSING-01", DeletedIsNone
    ),
    layers_mutant("layers_keep_both", "setting a key again adds a row", "SET-01", KeepsBoth),
    layers_mutant("layers_still_listed", "a deleted entry is listed", "DELETE-01", StillListed),
    layers_mutant(
        "layers_delete_by_prefix", "a delete takes all keys that begin with it", "DELETE-01 DELETE-02", DeletesByPrefix
    ),
    layers_mutant(
        "layers_own_missing", "deleting nothing raises an exception without a name", "DELETE-02", RefusesToDeleteNothing
    ),
    layers_mutant("layers_first_hundred", "the listing ends after a hundred entries", "ENTRIES-01", FirstHundred),
    layers_mutant("layers_clear_half", "clear leaves what does not fit its batch", "CLEAR-01", ClearsHalf),
    layers_mutant("layers_list_texts", "the listing makes texts of values", "VALUE-01", ListsTexts),
    layers_mutant("layers_drop_empty_values", "the listing leaves empty values out", "VALUE-01", DropsEmptyValues),
    layers_mutant("layers_whatever_json_takes", "tuples and dict keys are altered", "VALUE-02", WhateverJsonTakes),
    layers_mutant(
        "layers_delete_first", "a refused value has destroyed the old one", "VALUE-02 VALUE-03", DeletesFirst
    ),
    layers_mutant("layers_own_refusal", "a value is refused with an exception without a name", "VALUE-03", OwnRefusal),
    layers_mutant("layers_strip", "keys and scopes lose the spaces around them", "KEY-01 KEY-02 SCOPE-05", Strips),
    layers_mutant("layers_fold_keys", "keys are compared without their case", "KEY-01 KEY-02", FoldsKeys),
    layers_mutant("layers_same_object", "readers get one object", "ALIAS-01", SameObject),
    layers_mutant("layers_own_object", "the caller's object is written later", "ALIAS-01", OwnObject),
]
