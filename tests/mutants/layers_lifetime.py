"""Layered stores that forget when they are closed, or are one per handle or process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.layers_base import PlainLayers, layers_mutant


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


_STORES: dict[Path, PlainLayers] = {}


class ProcessMemory(PlainLayers):
    """Keeps its entries in a variable of the process, found again by the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(Path(":memory:"))
        self.database.close()
        self.database = _STORES.setdefault(path, PlainLayers(Path(":memory:"))).database

    def close(self) -> None:
        pass


class ExactInMemoryOnly(PlainLayers):
    """Reads what it has written itself from memory; in the file everything is a text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._exact: dict[Any, Any] = {}

    def encode(self, value: Any) -> Any:
        exact = super().encode(value)
        text = super().encode(value if type(value) is dict else str(value))
        self._exact[text] = exact
        return text

    def decode(self, text: Any) -> Any:
        return super().decode(self._exact.get(text, text))


class ClearsInMemoryOnly(PlainLayers):
    """Cleared entries are there again after a reopening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._after = 0

    def clear(self, **of: Any) -> None:
        ((last,),) = self.rows("SELECT coalesce(max(rowid), 0) FROM entries")
        self._after = last

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if "WHERE" in sql:
            sql = f"{sql} AND rowid > {self._after}"
        return super().rows(sql, *parameters)


class MergesAtClose(PlainLayers):
    """Writes down what get gives, in the first layer."""

    def close(self) -> None:
        pairs = super().entries()
        self.clear()
        for key, value in pairs:
            super().set(key, value)
        super().close()


class ScopesInMemory(PlainLayers):
    """Forgets at the close whose entries are whose."""

    def close(self) -> None:
        rows = self.rows("SELECT layer, key, value FROM entries")
        self.rows("DELETE FROM entries")
        for layer, key, value in rows:
            self.rows("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", b"", layer, key, value)
        super().close()


class AsItWasOpened(PlainLayers):
    """Reads from what was there when it was opened, and what it has set itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        memory = PlainLayers(Path(":memory:")).database
        self.database.backup(memory)
        self._memory, self._file = memory, self.database

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        if hasattr(self, "_file"):
            self.database = self._memory
            found = super().rows(sql, *parameters)
            self.database = self._file
            return found if sql.startswith("SELECT") else super().rows(sql, *parameters)
        return super().rows(sql, *parameters)

    def close(self) -> None:
        self._memory.close()
        super().close()


class OneTransaction(PlainLayers):
    """Commits when it is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("PRAGMA journal_mode = WAL")  # readers need not wait

    def set(self, key: str, value: Any, **of: Any) -> None:
        if not self.database.in_transaction:
            self.rows("BEGIN")
        super().set(key, value, **of)

    def close(self) -> None:
        if self.database.in_transaction:
            self.rows("COMMIT")
        super().close()


MUTANTS = [
    layers_mutant(
        "layers_of_the_handle", "entries live in the memory of their handle", "REOPEN-01 SHARED-01", OfTheHandle
    ),
    layers_mutant("layers_deleted_in_memory", "a delete is forgotten at the close", "REOPEN-01", DeletesInMemoryOnly),
    layers_mutant(
        "layers_of_the_process", "entries live in the memory of a process", "REOPEN-02 SHARED-02", ProcessMemory
    ),
    layers_mutant("layers_exact_in_memory", "values in the file are texts", "REOPEN-03", ExactInMemoryOnly),
    layers_mutant("layers_cleared_in_memory", "a clear is forgotten at the close", "REOPEN-04", ClearsInMemoryOnly),
    layers_mutant("layers_merged_at_close", "the close writes one layer", "REOPEN-05", MergesAtClose),
    layers_mutant("layers_scopes_in_memory", "the close writes no scopes", "REOPEN-06", ScopesInMemory),
    layers_mutant("layers_as_it_was_opened", "a handle does not look at the file again", "SHARED-01", AsItWasOpened),
    layers_mutant("layers_one_transaction", "sets are committed at the close", "SHARED-02", OneTransaction),
]
