"""Snapshots of the whole state, over any `state` store that has `cas`.

    store = SnapshotState(FileState(path))
    store["plan"] = "first"
    store.save_snapshot("before the change")

A snapshot must be the state of one moment, though its keys are read one after the other. So the versions are read
twice, the values in between: where no version has changed, every key had its value when the second listing was made.
Else it is read again. A snapshot is one entry underneath, so that it is there as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends._json import check_key, dumps, loads
from reference_backends._records import StateStore
from reference_backends.file import CorruptDocument, FileState

__all__ = ["ConflictError", "SnapshotState", "backend", "open_state"]

_ENTRY = "entry "
_SNAPSHOT = "snapshot "


class _State(StateStore, Protocol):
    def __contains__(self, key: object, /) -> bool: ...

    def pop(self, key: str, /, *default: Any) -> Any: ...

    def setdefault(self, key: str, default: Any = None, /) -> Any: ...


class SnapshotState(MutableMapping[str, Any]):
    """A state store with snapshots in another one, which belongs to this one from then on.

    As durable, as shared and as careful with damage as the store underneath, whose listing must be of one moment. Every
    verb raises what that one does.

    Args:
        store: Where entries and snapshots are kept; it holds nothing else.
    """

    def __init__(self, store: _State) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        return self._store[_address(key)]

    def __setitem__(self, key: str, value: Any) -> None:
        self._store[_address(key)] = value

    def __delitem__(self, key: str) -> None:
        del self._store[_address(key)]

    def __contains__(self, key: object) -> bool:
        return _address(key) in self._store

    def __iter__(self) -> Iterator[str]:
        return self._under(_ENTRY)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        return self._store.pop(_address(key), *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        return self._store.setdefault(_address(key), default)

    def version(self, key: str) -> Any:
        """Return the version of `key`, None when it is missing."""
        return self._store.version(_address(key))

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write `value` only if the version of `key` is `expected` (None: it is missing), and return the new version.

        Raises:
            ConflictError: The version is another one.
        """
        return self._store.compare_and_set(_address(key), value, expected)

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under `name`, instead of an older snapshot of that name.

        Goes on for as long as others write all the time.
        """
        check_key(name)
        while True:
            try:
                before = self._versions()
                texts = {key: dumps(self[key]) for key in before}
            except KeyError:
                continue  # deleted meanwhile
            if self._versions() == before:
                break
        self._store[f"{_SNAPSHOT}{name}"] = texts

    def load_snapshot(self, name: str) -> dict[str, Any]:
        """Return the state kept under `name`; raise KeyError when there is none. The store stays as it is."""
        check_key(name)
        try:
            texts = self._store[f"{_SNAPSHOT}{name}"]
        except KeyError:
            raise KeyError(name) from None
        return {key: loads(text) for key, text in texts.items()}

    def list_snapshots(self) -> list[str]:
        """Return the names of all snapshots."""
        return list(self._under(_SNAPSHOT))

    def delete_snapshot(self, name: str) -> None:
        """Drop the snapshot kept under `name`; raise KeyError when there is none."""
        check_key(name)
        del self._store[f"{_SNAPSHOT}{name}"]

    def close(self) -> None:
        """Close the store underneath."""
        self._store.close()

    def _versions(self) -> dict[str, Any]:
        return {key: self.version(key) for key in self}

    def _under(self, prefix: str) -> Iterator[str]:
        return (address.removeprefix(prefix) for address in self._store if address.startswith(prefix))


def _address(key: object) -> str:
    check_key(key)
    return f"{_ENTRY}{key}"


def open_state(where: Where) -> SnapshotState:
    """Open the state store in the directory of `where`, over files."""
    return SnapshotState(FileState(where.path / "snapshots"))


backend = Backend(
    "state-snapshots",
    state=open_state,
    corruption="isolates",
    lacks={
        "transactions": "one entry is replaced at a time; there is no moment at which several are",
        "ttl": "nothing looks at the clock",
        "history": "snapshots are of the whole, not of a key; `state-versioned` keeps each version",
        "health": "ask the store underneath",
        "maintenance": "verify and compact the store underneath",
    },
    errors={"conflict": ConflictError, "corrupt": CorruptDocument},
)
