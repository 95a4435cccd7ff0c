"""Layered stores that lose entries, alter them, or keep them no longer than their handle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.layers_base import PlainLayers, layers_mutant


class ShowsNothing(PlainLayers):
    """Keeps everything apart from everybody."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        return self.missing(key)


class OfTheHandle(PlainLayers):
    """Keeps its entries in memory, whatever its path says."""

    def __init__(self, path: Path) -> None:
        super().__init__(Path(":memory:"))


class DeletesInMemoryOnly(PlainLayers):
    """A deleted key is there again after a reopening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._deleted: set[str] = set()

    def get(self, key: str, **of: Any) -> Any:
        return self.missing(key) if key in self._deleted else super().get(key, **of)

    def set(self, key: str, value: Any, **of: Any) -> None:
        self._deleted.discard(key)
        super().set(key, value, **of)

    def delete(self, key: str, **of: Any) -> None:
        self._deleted.add(key)

    def entries(self, **of: Any) -> Any:
        return [pair for pair in super().entries(**of) if pair[0] not in self._deleted]


MUTANTS = [
    layers_mutant("layers_show_nothing", "get finds nothing, for anybody", "BASIC-01", ShowsNothing),
    layers_mutant("layers_of_the_handle", "entries live in the memory of their handle", "REOPEN-01", OfTheHandle),
    layers_mutant("layers_deleted_in_memory", "a delete is forgotten at the close", "REOPEN-01", DeletesInMemoryOnly),
]
