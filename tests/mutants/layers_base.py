"""An honest little layered store to break, and what opens it; the mutants of layers are made of it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends._json import check_key, check_value, dumps, loads
from tests.mutants.base import Mutant


class PlainLayers:
    """An honest, quick store on one file: JSON texts in SQLite, not synced, with layers and scopes."""

    precedence: Any = ("working", "profile", "policy")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.threads = threading.RLock()  # a statement of one thread sees what another writes through the connection
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode = TRUNCATE")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS entries (scope, layer, key, value, PRIMARY KEY (scope, layer, key))"
        )

    def get(self, key: str, *, layer: str | None = None, scope: str = "") -> Any:
        """Return the value of a key."""
        address = self.keyed(scope, key)
        for name in self.layers(layer):
            rows = self.rows("SELECT value FROM entries WHERE scope = ? AND key = ? AND layer = ?", *address, name)
            if rows:
                return self.decode(rows[0][0])
        return self.missing(key)

    def set(self, key: str, value: Any, *, layer: str | None = None, scope: str = "") -> None:
        """Write the value of a key."""
        owner, encoded = self.keyed(scope, key)
        text, name = self.encode(value), self.layers(layer)[0]
        self.rows("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", owner, name, encoded, text)

    def delete(self, key: str, *, layer: str | None = None, scope: str = "") -> None:
        """Delete a key from a layer."""
        address = self.keyed(scope, key)
        self.rows("DELETE FROM entries WHERE scope = ? AND key = ? AND layer = ?", *address, self.layers(layer)[0])

    def entries(self, *, layer: str | None = None, scope: str = "") -> Any:
        """Return the pairs of the layer that wins, in the order of the keys."""
        found: dict[Any, Any] = {}
        for name in reversed(self.layers(layer)):
            rows = self.rows("SELECT key, value FROM entries WHERE scope = ? AND layer = ?", self.text(scope), name)
            found.update(rows)
        pairs = [(self.untext(key), self.decode(text)) for key, text in found.items()]
        return sorted(pairs, key=lambda pair: pair[0])

    def clear(self, *, layer: str | None = None, scope: str = "") -> None:
        """Delete the entries of a scope."""
        for name in self.layers(layer):
            self.rows("DELETE FROM entries WHERE scope = ? AND layer = ?", self.text(scope), name)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # -- for mutants to change ----------------------------------------------------------------------------------------

    def layers(self, layer: str | None) -> tuple[str, ...]:
        """Return the layers that a verb is about, the one that wins first."""
        if layer is None:
            return tuple(self.precedence)
        if layer not in self.precedence:
            raise ValueError(f"there is no layer {layer!r}")
        return (layer,)

    def keyed(self, scope: str, key: str) -> tuple[Any, Any]:
        """Return the forms in which a scope and a key are stored."""
        return self.text(scope), self.text(key)

    def text(self, text: Any) -> Any:
        """Return the form in which a text is stored."""
        check_key(text)
        return text.encode("utf-8", "surrogatepass")

    def untext(self, stored: Any) -> Any:
        """Return the text of a stored form."""
        return bytes(stored).decode("utf-8", "surrogatepass")

    def missing(self, key: str) -> Any:
        """Say that a key is missing."""
        raise KeyError(key)

    def encode(self, value: Any) -> Any:
        """Return the form in which a value is stored."""
        check_value(value)
        return dumps(value)

    def decode(self, text: Any) -> Any:
        """Return the value of a stored form."""
        return loads(text)

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement and return its rows."""
        with self.threads:
            return self.database.execute(sql, parameters).fetchall()


@dataclass(frozen=True)
class Opener:
    """Opens a store at a place; found again by a child process, as a lambda would not be."""

    layers: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.layers(where.path / "layers")


def backend(name: str, layers: Callable[[Path], Any], **promises: Any) -> Backend:
    """Return a backend that opens `layers` with the path of a file."""
    given = {"durability": "process-crash", "corruption": "silent", **promises}
    return Backend(name, layers=Opener(layers), **given)


def layers_mutant(name: str, bug: str, killed_by: str, layers: Callable[[Path], Any], **promises: Any) -> Mutant:
    """Return a mutant that opens `layers` with the path of a file; `killed_by` has the codes without `LAYERS-`."""
    return Mutant(name, bug, tuple(f"LAYERS-{code}" for code in killed_by.split()), backend(name, layers, **promises))


HONEST = backend("plain_layers", PlainLayers)
