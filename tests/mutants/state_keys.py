"""State stores that take keys for one another, or for paths."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tests.mutants.base import PlainState, state_mutant


def folding(fold: Callable[[str], str]) -> Callable[[Path], Any]:
    """Return a store that folds keys before it uses them."""

    class Folding(PlainState):
        def encode(self, key: Any) -> bytes:
            return super().encode(fold(key) if type(key) is str else key)

    return Folding


class PathJoining(MutableMapping[str, Any]):
    """A directory of files whose names are the keys."""

    def __init__(self, path: Path) -> None:
        self._folder = path
        path.mkdir(exist_ok=True)

    def __getitem__(self, key: str) -> Any:
        try:
            return json.loads((self._folder / key).read_text(encoding="utf-8"))
        except OSError:
            raise KeyError(key) from None
        except ValueError:
            return (self._folder / key).read_text(encoding="utf-8")

    def __setitem__(self, key: str, value: Any) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")

    def __delitem__(self, key: str) -> None:
        (self._folder / key).unlink()

    def __iter__(self) -> Iterator[str]:
        return (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def close(self) -> None:
        """Nothing is open."""


class Slashes(PlainState):
    """Escapes the slash, but not the percent sign that escapes it."""

    def encode(self, key: Any) -> bytes:
        return super().encode(key.replace("/", "%2F") if type(key) is str else key)

    def __iter__(self) -> Iterator[str]:
        return (key.replace("%2F", "/") for key in super().__iter__())


class UnquotesOnOpen(PlainState):
    """Keeps names quoted; what looks quoted is unquoted once too often after a reopen."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        rows = self._database.execute("SELECT key FROM state").fetchall()
        for (raw,) in rows:
            name = bytes(raw).decode("utf-8", "surrogatepass")
            plain = unquote(name)
            if plain != name and quote(plain, safe="") == name:
                self._database.execute("UPDATE OR REPLACE state SET key = ? WHERE key = ?", (plain.encode(), raw))


_SHARED: dict[str, Any] = {}


class Shared(dict[str, Any]):
    """All stores of the process are one."""

    def __new__(cls, path: Path) -> Any:
        return _Global(_SHARED)


class _Global(MutableMapping[str, Any]):
    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._data))

    def __len__(self) -> int:
        return len(self._data)

    def close(self) -> None:
        """Forget everything, for the next test."""
        self._data.clear()


class ListsOneHundred(PlainState):
    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__())[:100])


MUTANTS = [
    state_mutant("keys_case_folded", "keys are compared without case", ("STATE-KEY-03",), folding(str.casefold)),
    state_mutant(
        "keys_nfc_normalised",
        "keys are normalised",
        ("STATE-KEY-03",),
        folding(lambda key: unicodedata.normalize("NFC", key)),
    ),
    state_mutant("keys_stripped", "spaces around keys are cut", ("STATE-KEY-03", "STATE-KEY-01"), folding(str.strip)),
    state_mutant(
        "keys_cut_at_nul",
        "keys end at NUL",
        ("STATE-KEY-03", "STATE-KEY-02"),
        folding(lambda key: key.split("\0")[0]),
    ),
    state_mutant(
        "keys_cut_at_64", "keys end at 64 characters", ("STATE-KEY-03", "STATE-KEY-01"), folding(lambda k: k[:64])
    ),
    state_mutant("escape_collides", "'a/b' and 'a%2Fb' are one key", ("STATE-KEY-03", "STATE-KEY-04"), Slashes),
    state_mutant("unquotes_on_open", "names are unquoted once too often", ("STATE-KEY-05",), UnquotesOnOpen),
    state_mutant("path_traversal", "keys are joined to a path", ("STATE-KEY-06", "STATE-KEY-01"), PathJoining),
    state_mutant("one_for_all", "all stores of a process are one", ("STATE-LIST-01",), Shared, durability="volatile"),
    state_mutant("lists_100", "the listing stops at 100", ("STATE-LIST-02",), ListsOneHundred),
]
