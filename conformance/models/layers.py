"""The oracle of the `layers` contract: what a correct store holds after any sequence of calls."""

from __future__ import annotations

import copy
from typing import Any


class LayersModel:
    """Dicts, one for each scope and layer.

    Args:
        precedence: The names of the layers, the one that wins first; a single one for a store without layers.
    """

    def __init__(self, precedence: tuple[str, ...] = ("",)) -> None:
        self.precedence = precedence
        self._content: dict[tuple[str, str], dict[str, Any]] = {}

    def set(self, key: str, value: Any, layer: str | None = None, scope: str = "") -> None:
        """Keep a copy of the value."""
        self._of(self._asked(layer)[0], scope)[key] = copy.deepcopy(value)

    def delete(self, key: str, layer: str | None = None, scope: str = "") -> None:
        """Remove a key, where it is there."""
        self._of(self._asked(layer)[0], scope).pop(key, None)

    def clear(self, layer: str | None = None, scope: str = "") -> None:
        """Remove all keys."""
        for name in self._asked(layer):
            self._of(name, scope).clear()

    def entries(self, layer: str | None = None, scope: str = "") -> dict[str, Any]:
        """Return the value of each key, from the layer that wins."""
        found: dict[str, Any] = {}
        for name in reversed(self._asked(layer)):
            found.update(self._of(name, scope))
        return found

    def _asked(self, layer: str | None) -> tuple[str, ...]:
        return self.precedence if layer is None else (layer,)

    def _of(self, layer: str, scope: str) -> dict[str, Any]:
        return self._content.setdefault((scope, layer), {})
