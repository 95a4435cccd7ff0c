"""A `layers` store over any `state` store: policy, profile and working memory, each for any number of scopes.

    layers = LayerStore(FileState(path))
    layers.set("tone", "formal", layer="policy")
    layers.get("tone", scope="another user")            # KeyError

An entry's key is the JSON text of its scope, layer and key, so that no name can be taken for another.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from reference_backends._json import check_key

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PRECEDENCE", "LayerStore"]

#: What is remembered now wins over what is known of the user, and that over what holds for all.
PRECEDENCE = ("working", "profile", "policy")


class _State(Protocol):
    def __getitem__(self, key: str, /) -> Any: ...

    def __setitem__(self, key: str, value: Any, /) -> None: ...

    def __delitem__(self, key: str, /) -> None: ...

    def __iter__(self) -> Iterator[str]: ...

    def close(self) -> None: ...


class LayerStore:
    """Layers in a state store, which belongs to this one from then on.

    As durable, as shared and as careful with damage as the state store is. Every verb takes `layer`, one of the
    `precedence`, and `scope`, whose memory it is. It raises ValueError for another layer, TypeError for a key or a
    scope that is no text, and what the state store raises.

    Args:
        state: Where the entries are kept; it holds nothing else.
        precedence: The names of the layers, the one that wins first.

    Attributes:
        precedence: As given.
    """

    def __init__(self, state: _State, precedence: tuple[str, ...] = PRECEDENCE) -> None:
        self._state = state
        self.precedence = precedence

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        """Return the value of a key, of the layer that wins unless one is named.

        Raises:
            KeyError: No layer has the key.
        """
        for name in self._layers(layer):
            try:
                return self._state[_address(scope, name, key)]
            except KeyError:
                continue
        raise KeyError(key)

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        """Write the value of a key in a layer; in the one that wins unless one is named."""
        self._state[_address(scope, self._layers(layer)[0], key)] = value

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        """Delete a key from a layer, from the one that wins unless one is named; a missing key is no error."""
        try:
            del self._state[_address(scope, self._layers(layer)[0], key)]
        except KeyError:
            return

    def entries(self, *, layer: str | None = None, scope: str = "") -> list[tuple[str, Any]]:
        """Return each key with its value, of the layer that wins unless one is named, in the order of the keys."""
        asked = self._layers(layer)
        ranks: dict[str, int] = {}
        for name, key in self._of(scope):
            if name in asked:
                ranks[key] = min(ranks.get(key, len(asked)), asked.index(name))
        pairs: list[tuple[str, Any]] = []
        for key in sorted(ranks):
            try:
                pairs.append((key, self.get(key, layer=layer, scope=scope)))
            except KeyError:
                continue  # deleted meanwhile
        return pairs

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        """Delete every entry of a scope, of one layer where one is named."""
        asked = self._layers(layer)
        for name, key in self._of(scope):
            if name in asked:
                self.delete(key, layer=name, scope=scope)

    def scopes(self) -> list[str]:
        """Return the names of all scopes that have entries, in order."""
        return sorted({json.loads(address)[0] for address in self._state})

    def close(self) -> None:
        """Close the state store."""
        self._state.close()

    def _layers(self, layer: str | None) -> tuple[str, ...]:
        if layer is None:
            return self.precedence
        if layer not in self.precedence:
            raise ValueError(f"There is no layer {layer!r}; there are {', '.join(self.precedence)}.")
        return (layer,)

    def _of(self, scope: str) -> list[tuple[str, str]]:
        """Return the layer and the key of each entry of a scope."""
        check_key(scope)
        parts = [json.loads(address) for address in self._state]
        return [(layer, key) for owner, layer, key in parts if owner == scope]


def _address(scope: str, layer: str, key: str) -> str:
    check_key(scope)
    check_key(key)
    return json.dumps([scope, layer, key], ensure_ascii=False)
