"""A `state` store that forgets nothing, over any one that has `cas`: every version of every key can be read for ever.

    store = VersionedState(FileState(path))
    store["plan"] = "first"
    store["plan"] = "second"
    store.get_version("plan", store.versions("plan")[1])    # "first"

A write is two writes underneath: a record with the value and the id of the version before it, which nobody sees yet,
then the head of the key, by compare-and-set. A head tells the newest version and whether the key is there, so a delete
keeps the history. Who dies between the two, or loses a race, leaves a record whose id nobody was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from itertools import islice
from typing import Any
from uuid import uuid4

from conformance import Backend, Where
from reference_backends._errors import ConflictError, CorruptRecord
from reference_backends._json import check_key, dumps, loads
from reference_backends._records import StateStore, changed, found
from reference_backends.file import CorruptDocument, FileState

__all__ = ["ConflictError", "CorruptRecord", "VersionedState", "backend", "open_state"]

_HEAD = "head "
_RECORD = "version "


class VersionedState(MutableMapping[str, Any]):
    """A state store with history in another one, which belongs to this one from then on.

    As durable, as shared and as careful with damage as the store underneath. Every verb raises what that one does, and
    CorruptRecord when a version that a head leads to is missing.

    Args:
        store: Where heads and versions are kept; it holds nothing else.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        return self._value(key, self._newest(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._write(key, value, lambda head: None)  # noqa: ARG005 (nothing is asked of the head)

    def __delitem__(self, key: str) -> None:
        self._bury(key)

    def __contains__(self, key: object) -> bool:
        check_key(key)
        return _is_there(found(self._store, f"{_HEAD}{key}"))

    def __iter__(self) -> Iterator[str]:
        keys = [address.removeprefix(_HEAD) for address in self._store if address.startswith(_HEAD)]
        return iter([key for key in keys if key in self])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # MutableMapping makes these of two verbs; here each is one compare-and-set.

    def pop(self, key: str, *default: Any) -> Any:
        """Remove `key` and return its value; return the default, where one is given, when it is missing."""
        try:
            return self._value(key, self._bury(key))
        except KeyError:
            if default:
                return default[0]
            raise

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`; write `default` first when it is missing."""
        while True:
            try:
                return self[key]
            except KeyError:
                with suppress(ConflictError):  # another writer was faster; its value is there, or was
                    self.compare_and_set(key, default, None)

    def version(self, key: str) -> str | None:
        """Return the version of `key`, None when it is missing; the first one of `versions` while it is there."""
        check_key(key)
        head = found(self._store, f"{_HEAD}{key}")
        return head["newest"] if _is_there(head) else None

    def compare_and_set(self, key: str, value: Any, expected: str | None) -> str:
        """Write `value` only if the version of `key` is `expected` (None: it is missing), and return the new version.

        Raises:
            ConflictError: The version is another one; nothing was written that could be read.
        """

        def check(head: Any) -> None:
            version = head["newest"] if _is_there(head) else None
            if version != expected:
                raise ConflictError(f"The version of {key!r} is {version}, not {expected}.")

        return self._write(key, value, check)

    def versions(self, key: str, limit: int | None = None) -> list[str]:
        """Return the versions that `key` ever had, newest first, at most `limit`; `[]` for a key never written."""
        check_key(key)
        head = found(self._store, f"{_HEAD}{key}")
        return list(islice(self._chain(key, head["newest"]), limit)) if head else []

    def get_version(self, key: str, version: str) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had that version."""
        check_key(key)
        record = found(self._store, f"{_RECORD}{version}")
        if record is None or record["key"] != key:
            raise KeyError(version)
        return loads(record["value"])

    def close(self) -> None:
        """Close the store underneath."""
        self._store.close()

    def _newest(self, key: str) -> str:
        check_key(key)
        head = found(self._store, f"{_HEAD}{key}")
        if not _is_there(head):
            raise KeyError(key)
        newest: str = head["newest"]
        return newest

    def _write(self, key: str, value: Any, check: Callable[[Any], None]) -> str:
        """Add a version, if `check` lets the head pass, and return its id."""
        check_key(key)
        text, version = dumps(value), uuid4().hex

        def add(head: Any) -> Any:
            check(head)
            # Before the head, so that no head ever leads to nothing; again where another writer was faster.
            self._store[f"{_RECORD}{version}"] = {"key": key, "before": head and head["newest"], "value": text}
            return {"newest": version, "there": True}

        changed(self._store, f"{_HEAD}{key}", add)
        return version

    def _bury(self, key: str) -> str:
        """Make a key missing, and return the version that it had."""
        check_key(key)

        def bury(head: Any) -> Any:
            if not _is_there(head):
                raise KeyError(key)
            return {**head, "there": False}

        newest: str = changed(self._store, f"{_HEAD}{key}", bury)["newest"]
        return newest

    def _chain(self, key: str, version: str | None) -> Iterator[str]:
        while version is not None:
            yield version
            version = self._record(key, version)["before"]

    def _value(self, key: str, version: str) -> Any:
        return loads(self._record(key, version)["value"])

    def _record(self, key: str, version: str) -> Any:
        record = found(self._store, f"{_RECORD}{version}")
        if record is None or record["key"] != key:
            raise CorruptRecord(f"version {version}", f"the history of {key!r} leads to it, and it is not there")
        return record


def _is_there(head: Any) -> bool:
    return head is not None and head["there"]


def open_state(where: Where) -> VersionedState:
    """Open the state store in the directory of `where`, over files."""
    return VersionedState(FileState(where.path / "versioned"))


backend = Backend(
    "state-versioned",
    state=open_state,
    corruption="isolates",
    lacks={
        "transactions": "a head is replaced at a time; there is no moment at which several are",
        "ttl": "nothing looks at the clock",
        "snapshots": "versions are of a key, not of the whole; `state-snapshots` keeps these",
        "health": "ask the store underneath",
        "maintenance": "nothing may be dropped; verify the store underneath",
    },
    errors={"conflict": ConflictError, "corrupt": (CorruptRecord, CorruptDocument)},
)
