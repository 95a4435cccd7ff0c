"""Layered stores whose layers are not kept apart, or win in another order."""

from __future__ import annotations

from typing import Any

from tests.mutants.layers_base import PlainLayers, layers_mutant


class IgnoresLayers(PlainLayers):
    """Accepts a layer and forgets it."""

    def layers(self, layer: str | None) -> tuple[str, ...]:
        return super().layers(layer) and (self.precedence[0],)


class ReadsThrough(PlainLayers):
    """Looks into the layers below when the one that was asked has not got the key."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        for name in self.precedence[self.precedence.index(self.layers(layer)[0]) :]:
            try:
                return super().get(key, layer=name, scope=scope)
            except KeyError:
                continue
        return self.missing(key)


class DeletesEverywhere(PlainLayers):
    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        self.layers(layer)
        for name in self.precedence:
            super().delete(key, layer=name, scope=scope)


class SetsBelowToo(PlainLayers):
    """Writes through to the layers below that have the key."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        super().set(key, value, layer=layer, scope=scope)
        for name in self.precedence[self.precedence.index(self.layers(layer)[0]) + 1 :]:
            if any(key == one for one, _ in self.entries(layer=name, scope=scope)):
                super().set(key, value, layer=name, scope=scope)


class ClearsEverything(PlainLayers):
    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        self.layers(layer)
        super().clear(scope=scope)


class ClearsTheFirst(PlainLayers):
    """Without a layer clears the first one, as set does."""

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        super().clear(layer=layer or self.precedence[0], scope=scope)


class UnknownIsEmpty(PlainLayers):
    """Reads an unknown layer as one that has nothing."""

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        return [] if layer not in (None, *self.precedence) else super().entries(layer=layer, scope=scope)


class EmptyIsNone(PlainLayers):
    """Takes a layer without a name for no layer."""

    def layers(self, layer: str | None) -> tuple[str, ...]:
        return super().layers(layer or None)


class AnyLayer(PlainLayers):
    """Makes the layer that was asked for."""

    def layers(self, layer: str | None) -> tuple[str, ...]:
        return tuple(self.precedence) if layer is None else (layer,)


class Reversed(PlainLayers):
    """Reads from the last layer on."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        for name in reversed(self.layers(layer)):
            try:
                return super().get(key, layer=name, scope=scope)
            except KeyError:
                continue
        return self.missing(key)

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        return [(key, self.get(key, layer=layer, scope=scope)) for key, _ in super().entries(layer=layer, scope=scope)]


class NewestWins(PlainLayers):
    """Gives what was written last, in whatever layer."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        marks = ", ".join("?" * len(self.layers(layer)))
        rows = self.rows(
            f"SELECT value FROM entries WHERE scope = ? AND key = ? AND layer IN ({marks}) ORDER BY rowid DESC",
            *self.keyed(scope, key),
            *self.layers(layer),
        )
        return self.decode(rows[0][0]) if rows else self.missing(key)


class DeletesTheWinner(PlainLayers):
    """Without a layer deletes from the layer that wins, whichever it is."""

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        for name in self.layers(layer):
            if any(key == one for one, _ in self.entries(layer=name, scope=scope)):
                return super().delete(key, layer=name, scope=scope)
        return None


class SetsTheLast(PlainLayers):
    """Without a layer writes to the last one."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        super().set(key, value, layer=layer or self.precedence[-1], scope=scope)


class ListsEachLayer(PlainLayers):
    """A key of two layers is listed twice."""

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        names = self.layers(layer)
        return [pair for name in names for pair in super(ListsEachLayer, self).entries(layer=name, scope=scope)]


class ListsTheLast(PlainLayers):
    """Lists the value of the layer that comes last."""

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        found: dict[str, Any] = {}
        for name in self.layers(layer):
            found.update(super().entries(layer=name, scope=scope))
        return found.items()


class EmptyLoses(PlainLayers):
    """Goes on to the next layer where the value is false."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        found: list[Any] = []
        for name in self.layers(layer):
            try:
                found.append(super().get(key, layer=name, scope=scope))
            except KeyError:
                continue
        return next(filter(None, found), found[0]) if found else self.missing(key)


class OverwritesNothing(PlainLayers):
    """A value that is there already stays."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        name = self.layers(layer)[0]
        if not any(key == there for there, _ in self.entries(layer=name, scope=scope)):
            super().set(key, value, layer=layer, scope=scope)


MUTANTS = [
    layers_mutant("layers_ignored", "a layer is accepted and ignored", "LAYER-01", IgnoresLayers),
    layers_mutant("layers_read_through", "a layer shows what those below it have", "LAYER-01", ReadsThrough),
    layers_mutant(
        "layers_delete_everywhere", "a delete in one layer is one in all", "LAYER-02 PRECEDENCE-02", DeletesEverywhere
    ),
    layers_mutant("layers_set_below_too", "a set overwrites the layers below", "LAYER-02 PRECEDENCE-02", SetsBelowToo),
    layers_mutant("layers_clear_everything", "the clear of a layer clears all", "LAYER-03", ClearsEverything),
    layers_mutant("layers_clear_the_first", "a clear without a layer clears one", "LAYER-03", ClearsTheFirst),
    layers_mutant("layers_unknown_is_empty", "an unknown layer is listed as an empty one", "LAYER-04", UnknownIsEmpty),
    layers_mutant("layers_empty_is_none", "the layer '' is taken for none", "LAYER-04", EmptyIsNone),
    layers_mutant("layers_any", "an unknown layer is made", "LAYER-04", AnyLayer),
    layers_mutant("layers_reversed", "the last layer of the precedence wins", "PRECEDENCE-01", Reversed),
    layers_mutant("layers_newest_wins", "the layer that was written last wins", "PRECEDENCE-01", NewestWins),
    layers_mutant(
        "layers_delete_the_winner",
        "a delete without a layer goes to the one that wins",
        "PRECEDENCE-02",
        DeletesTheWinner,
    ),
    layers_mutant("layers_set_the_last", "a set without a layer writes to the last", "PRECEDENCE-02", SetsTheLast),
    layers_mutant("layers_list_each", "a key of two layers is listed twice", "PRECEDENCE-03", ListsEachLayer),
    layers_mutant("layers_list_the_last", "the listing has the value of the last layer", "PRECEDENCE-03", ListsTheLast),
    layers_mutant("layers_empty_loses", "an empty value does not win", "PRECEDENCE-04", EmptyLoses),
    layers_mutant("layers_overwrite_nothing", "what is there is not overwritten", "MODEL-01", OverwritesNothing),
]
