"""Layered stores in which one scope reads, lists, changes or clears the memory of another."""

from __future__ import annotations

from typing import Any

from tests.mutants.layers_base import PlainLayers, layers_mutant


class ReadsAll(PlainLayers):
    """Finds a key in any scope, its own first."""

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        self.text(scope)
        owners = [self.untext(owner) for (owner,) in self.rows("SELECT DISTINCT scope FROM entries")]
        for owner in (scope, *owners):
            try:
                return super().get(key, layer=layer, scope=owner)
            except KeyError:
                continue
        return self.missing(key)


class ListsAll(PlainLayers):
    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if sql.startswith("SELECT key"):
            sql = sql.replace("scope = ?", "(scope >= x'' OR scope = ?)")
        return super().rows(sql, *parameters)


class ClearsAll(PlainLayers):
    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        self.text(scope)
        for name in self.layers(layer):
            self.rows("DELETE FROM entries WHERE layer = ?", name)


class DeletesInAll(PlainLayers):
    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        _, encoded = self.keyed(scope, key)
        self.rows("DELETE FROM entries WHERE key = ? AND layer = ?", encoded, self.layers(layer)[0])


class ClearsByPrefix(PlainLayers):
    """The clear of a scope takes every scope whose name begins with its name."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if sql.startswith("DELETE") and "key" not in sql:
            sql = sql.replace("scope = ?", "instr(scope, ?) = 1")
        return super().rows(sql, *parameters)


class NoneGivenIsAll(PlainLayers):
    """Without a scope lists and clears those of everybody."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if parameters and parameters[0] == b"" and "key = ?" not in sql and "INSERT" not in sql:
            sql = sql.replace("scope = ?", "scope >= ?")
        return super().rows(sql, *parameters)


class DefaultIsAnother(PlainLayers):
    """Calls the default scope otherwise when it writes."""

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "default") -> None:
        super().set(key, value, layer=layer, scope=scope)

    def get(self, key: str, *, layer: str | None = None, scope: str = "default") -> Any:
        return super().get(key, layer=layer, scope=scope)

    def delete(self, key: str, *, layer: str | None = None, scope: str = "default") -> None:
        super().delete(key, layer=layer, scope=scope)

    def entries(self, *, layer: str | None = None, scope: str = "default") -> Any:
        return super().entries(layer=layer, scope=scope)

    def clear(self, *, layer: str | None = None, scope: str = "default") -> None:
        super().clear(layer=layer, scope=scope)


class Joined(PlainLayers):
    """Makes one text of a scope and a key."""

    mark = ":"

    def keyed(self, scope: str, key: str) -> tuple[Any, Any]:
        self.text(scope)
        return b"", self.text(f"{scope}{self.mark}{key}" if scope else key)

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        self.text(scope)
        prefix = f"{scope}{self.mark}" if scope else ""
        pairs = [(key.removeprefix(prefix), value) for key, value in self._pairs(layer) if key.startswith(prefix)]
        return [(key, value) for key, value in pairs if scope or self.mark not in key]

    def _pairs(self, layer: str | None) -> Any:
        return super().entries(layer=layer)

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        for key, _ in self.entries(layer=layer, scope=scope):
            for name in self.layers(layer):
                self.delete(key, layer=name, scope=scope)


class JoinedByJson(Joined):
    """Makes JSON of a scope and a key by hand."""

    mark = '","'


class FoldsScopes(PlainLayers):
    def keyed(self, scope: str, key: str) -> tuple[Any, Any]:
        return self.text(self.folded(scope)), self.text(key)

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        return super().entries(layer=layer, scope=self.folded(scope))

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        super().clear(layer=layer, scope=self.folded(scope))

    def folded(self, scope: str) -> str:
        return scope.lower()


class CutsScopes(FoldsScopes):
    """Knows the first 64 characters of a name."""

    def folded(self, scope: str) -> str:
        return scope[:64]


class NoneIsAll(PlainLayers):
    """Takes None for everybody."""

    def clear(self, *, layer: str | None = None, scope: Any = "") -> None:
        if scope is None:
            self.rows("DELETE FROM entries")
        else:
            super().clear(layer=layer, scope=scope)


class NoneIsDefault(PlainLayers):
    """Takes None for no scope given."""

    def entries(self, *, layer: str | None = None, scope: Any = "") -> Any:
        return super().entries(layer=layer, scope=scope or "")


class TextOfAnything(PlainLayers):
    """Makes a text of whatever is given."""

    def text(self, text: Any) -> Any:
        return super().text(str(text))


class OneLayerForAll(PlainLayers):
    """Keeps the scopes apart in the first layer; the others belong to everybody."""

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if "layer = ?" in sql and parameters[-1] != self.precedence[0]:
            sql = sql.replace("scope = ?", "(scope >= x'' OR scope = ?)")
        return super().rows(sql, *parameters)


MUTANTS = [
    layers_mutant("layers_scopes_read_all", "a key is found in any scope", "SCOPE-01", ReadsAll),
    layers_mutant("layers_scopes_list_all", "the listing is of all scopes", "SCOPE-01", ListsAll),
    layers_mutant(
        "layers_scopes_clear_all", "the clear of a scope clears all", "SCOPE-02 SCOPE-03 SCOPE-07", ClearsAll
    ),
    layers_mutant("layers_scopes_delete_in_all", "a delete in one scope is one in all", "SCOPE-02", DeletesInAll),
    layers_mutant(
        "layers_scopes_clear_by_prefix",
        "the clear of a scope takes those that begin alike",
        "SCOPE-02 SCOPE-04",
        ClearsByPrefix,
    ),
    layers_mutant("layers_scopes_none_given", "no scope means all of them", "SCOPE-01", NoneGivenIsAll),
    layers_mutant("layers_scopes_default", "the default scope has another name", "SCOPE-03", DefaultIsAnother),
    layers_mutant("layers_scopes_joined", "scope and key are joined by a colon", "SCOPE-04", Joined),
    layers_mutant(
        "layers_scopes_joined_by_json", "scope and key are joined as JSON, unescaped", "SCOPE-04", JoinedByJson
    ),
    layers_mutant("layers_scopes_folded", "scopes are compared without their case", "SCOPE-05", FoldsScopes),
    layers_mutant("layers_scopes_cut", "scopes are cut after 64 characters", "SCOPE-05", CutsScopes),
    layers_mutant("layers_scopes_none_is_all", "the scope None clears everything", "SCOPE-06", NoneIsAll),
    layers_mutant("layers_scopes_none_is_default", "the scope None lists the default one", "SCOPE-06", NoneIsDefault),
    layers_mutant("layers_scopes_text_of_anything", "the scope 1 is the scope '1'", "SCOPE-06", TextOfAnything),
    layers_mutant(
        "layers_scopes_in_one_layer", "scopes are kept apart in the first layer only", "SCOPE-07", OneLayerForAll
    ),
]
