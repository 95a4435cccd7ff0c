"""Odd but legal layered stores: the checks must pass every one of them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.layers_base import PlainLayers, backend

SUITES = ("round-trip",)


class NotRemembered(Exception):
    """The key is missing."""


class Entry(NamedTuple):
    """An entry as a store may list it."""

    key: str
    value: Any


class LoudLayers(PlainLayers):
    """Has an exception of its own for what is missing, lists lazily and backwards, and has only one layer."""

    precedence = ("everything",)

    def missing(self, key: str) -> Any:
        """Raise the store's own exception."""
        raise NotRemembered(key)

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        """Refuse to delete what is missing."""
        self.get(key, layer=layer, scope=scope)
        super().delete(key, layer=layer, scope=scope)

    def entries(self, *, layer: str | None = None, scope: str = "") -> Iterator[Entry]:
        """Give entries one by one, the last key first."""
        for key, value in reversed(super().entries(layer=layer, scope=scope)):
            yield Entry(key, value)


class SilentLayers(PlainLayers):
    """Answers None for what is missing, tells its precedence by a method, and lists pairs as lists."""

    def precedence(self) -> list[str]:  # type: ignore[override]
        """Return the layers."""
        return ["session", "user"]

    def layers(self, layer: str | None) -> tuple[str, ...]:
        """Refuse an unknown layer with a KeyError."""
        if layer is None:
            return ("session", "user")
        if layer not in ("session", "user"):
            raise KeyError(layer)
        return (layer,)

    def missing(self, key: str) -> None:
        """Say nothing."""

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        """Give lists."""
        return tuple([list(pair) for pair in super().entries(layer=layer, scope=scope)])


class BufferedLayers(PlainLayers):
    """Writes when it is flushed or closed."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Begin before a change, and leave it open."""
        if not sql.startswith(("SELECT", "PRAGMA")) and not self.database.in_transaction:
            self.database.execute("BEGIN IMMEDIATE")
        return super().rows(sql, *parameters)

    def flush(self) -> None:
        """Commit."""
        self.database.commit()

    def close(self) -> None:
        """Commit what is pending, and let the file go."""
        self.flush()
        super().close()


class FlatMemory:
    """A plain dict with neither layers nor scopes, which lists its items, and takes any object that can be copied."""

    def __init__(self, path: Path) -> None:
        self._data: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Return a copy."""
        return copy.deepcopy(self._data[key])

    def set(self, key: str, value: Any) -> None:
        """Keep a copy."""
        pickle.dumps(value)  # what can't be pickled is refused
        self._data[key] = copy.deepcopy(value)

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._data.pop(key)

    def entries(self) -> Any:
        """Return a view."""
        return copy.deepcopy(self._data).items()

    def clear(self) -> None:
        """Forget all."""
        self._data.clear()


class AsyncLayers:
    """A store whose verbs are coroutines, with scopes and without layers."""

    def __init__(self, path: Path) -> None:
        self._layers = PlainLayers(path)

    async def get(self, key: str, scope: str = "") -> Any:
        """Return the value of a key."""
        return self._layers.get(key, scope=scope)

    async def set(self, key: str, value: Any, scope: str = "") -> None:
        """Write the value of a key."""
        self._layers.set(key, value, scope=scope)

    async def delete(self, key: str, scope: str = "") -> None:
        """Delete a key."""
        self._layers.delete(key, scope=scope)

    async def entries(self, scope: str = "") -> AsyncIterator[Any]:
        """Give the pairs."""
        for pair in self._layers.entries(scope=scope):
            yield pair

    async def clear(self, scope: str = "") -> None:
        """Delete all entries of a scope."""
        self._layers.clear(scope=scope)

    async def close(self) -> None:
        """Close the file."""
        self._layers.close()


class BytesLayers(PlainLayers):
    """Takes bytes and nothing else."""

    def encode(self, value: Any) -> Any:
        """Refuse all but bytes."""
        if type(value) is not bytes:
            raise TypeError(f"a value is bytes, not {type(value).__name__}")
        return value

    def decode(self, text: Any) -> Any:
        """Return the bytes."""
        return bytes(text)


class PickyLayers(PlainLayers):
    """Refuses every key that a store may refuse; the layer without a name is one of its layers."""

    precedence = ("now", "", "always")

    def keyed(self, scope: str, key: str) -> tuple[Any, Any]:
        """Refuse what is empty, long or has NUL."""
        owner, encoded = super().keyed(scope, key)
        if not encoded or len(encoded) > 255 or b"\0" in encoded or (not key.isprintable() and "\ud800" in key):
            raise ValueError(f"the key {key[:50]!r} can't be stored")
        return owner, encoded


ODD = [
    backend("odd_layers_loud", LoudLayers, errors={"missing": NotRemembered}),
    backend("odd_layers_silent", SilentLayers),
    backend("odd_layers_buffered", BufferedLayers, flush=BufferedLayers.flush, sharing="threads"),
    backend("odd_layers_flat", FlatMemory, durability="volatile", sharing="single", values="pickle"),
    backend("odd_layers_async", AsyncLayers),
    backend("odd_layers_of_bytes", BytesLayers, values="bytes"),
    backend("odd_layers_picky", PickyLayers),
]
