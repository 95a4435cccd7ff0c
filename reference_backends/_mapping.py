"""The mappings that reference stores are built on: one whose inherited methods are single steps, and a draft."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from reference_backends._json import check_key, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class AtomicMapping(MutableMapping[str, Any]):
    """A mutable mapping whose inherited methods let no other writer in between.

    `MutableMapping` makes its `setdefault` of a read and a write, and its `pop` of a read and a delete: without this,
    another thread or process comes between the two. Only `update` stays what it is in a dict too: a write for each key.
    """

    @abstractmethod
    def _writing(self) -> AbstractContextManager[None]:
        """Keep every other writer out for the length of a block; the same thread may enter it again."""

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        with self._writing():
            return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Remove some key and return it with its value; raise KeyError when there is none."""
        with self._writing():
            return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        with self._writing():
            return super().setdefault(key, default)

    def clear(self) -> None:
        """Remove every key."""
        with self._writing():
            for key in list(self):
                del self[key]


class Draft(MutableMapping[str, Any]):
    """A state as a transaction sees and changes it, apart from the store.

    Args:
        texts: The JSON text of each value at the begin; belongs to the draft from then on.

    Attributes:
        texts: The same with all changes so far.
        changed: The keys that were written or deleted.
        ended: Set when the transaction ends; every verb raises ValueError from then on.
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.changed: set[str] = set()
        self.ended = False

    def __getitem__(self, key: str) -> Any:
        return loads(self._open()[key])

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key)
        self._open()[key] = dumps(value)
        self.changed.add(key)

    def __delitem__(self, key: str) -> None:
        del self._open()[key]
        self.changed.add(key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._open()))

    def __len__(self) -> int:
        return len(self._open())

    def _open(self) -> dict[str, str]:
        if self.ended:
            raise ValueError("The transaction has ended.")
        return self.texts
