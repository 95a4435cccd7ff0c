"""State stores with bugs of the catalogue that are in no other module, under its names."""

from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance import Backend
from reference_backends._json import check_value, dumps, loads
from tests.mutants.base import Mutant, PlainState, state_mutant


class PrefixBoundary(PlainState):
    """Climbing keys name files, if these are below its directory: their path begins with that of the directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "store")
        self._root = str(folder)

    def __setitem__(self, key: str, value: Any) -> None:
        check_value(value)
        if type(key) is str and key.startswith("../"):
            path = os.path.normpath(os.path.join(self._root, key))
            if path.startswith(self._root):  # and so does that of a neighbour: /data/one, /data/one-of-another
                Path(path).write_text(dumps(value), encoding="utf-8")
                return
        super().__setitem__(key, value)


class SubclassDowncast(PlainState):
    """Values of subclasses are stored as what they are made of."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, _downcast(value))


def _downcast(value: Any) -> Any:
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, (list, tuple)):
        return [_downcast(part) for part in value]
    if isinstance(value, dict):
        return {key: _downcast(part) for key, part in value.items()}
    return value


class PickledKeys(PlainState):
    """A key is what pickle makes of it: of two that are equal, one may refer to a part twice, and the other not."""

    def encode(self, key: Any) -> bytes:
        try:
            hash(key)
            return pickle.dumps(key)
        except Exception as error:
            raise TypeError(f"{type(key).__name__} can't be a key") from error

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            rows = self._database.execute("SELECT key FROM state").fetchall()
        return iter([pickle.loads(row[0]) for row in rows])


class HashedKeys(PlainState):
    """A key is found by its checksum alone; the text of it is kept for the listing."""

    def encode(self, key: Any) -> bytes:
        return zlib.crc32(super().encode(key)).to_bytes(4, "big")

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key)[1]

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, [key, value])

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            rows = self._database.execute("SELECT value FROM state").fetchall()
        return iter([loads(row[0])[0] for row in rows])


class NoneForTheRest(PlainState):
    """What can't be stored is stored as None."""

    def __setitem__(self, key: str, value: Any) -> None:
        try:
            super().__setitem__(key, value)
        except (TypeError, ValueError):
            super().__setitem__(key, None)


MUTANTS = [
    Mutant(
        "prefix_boundary",
        "a directory whose name begins like that of the store is taken for a part of it",
        ("STATE-KEY-06",),
        Backend("prefix_boundary", state=lambda where: PrefixBoundary(where.path)),
    ),
    state_mutant("subclass_downcast", "values of subclasses lose their type", ("STATE-VALUE-09",), SubclassDowncast),
    state_mutant("equal_keys_differ", "a key is its pickled bytes", ("STATE-FAIL-03",), PickledKeys),
    state_mutant("hash_collision_wrong_value", "a key is its checksum", ("STATE-KEY-03",), HashedKeys),
    state_mutant("unserialisable_to_none", "None is stored for what can't be", ("STATE-VALUE-09",), NoneForTheRest),
]
