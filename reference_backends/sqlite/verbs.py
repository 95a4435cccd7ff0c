"""The verbs of a mapping with versions, expiry and history, over the records of whatever transaction there is."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError
from reference_backends._json import dumps, loads
from reference_backends.sqlite.records import decode_key, encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from reference_backends.sqlite.records import Head, Records


class Verbs(MutableMapping[str, Any]):
    """The verbs that a store and a transaction have in common; they differ in where the records come from.

    Args:
        clock: Returns the time as POSIX seconds.
        history_limit: How many versions of a key are kept, the present one included; None for all.
    """

    def __init__(self, clock: Callable[[], float], history_limit: int | None) -> None:
        self._clock = clock
        self._history_limit = history_limit

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Records]:
        """Give the records for the length of a block that changes nothing."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Records]:
        """Give the records for the length of a block whose changes are made together, or not at all when it raises."""

    @abstractmethod
    def _seen_expired(self, head: Head) -> None:
        """Take note that an entry was treated as missing, and must never come back when the clock steps back."""

    def __getitem__(self, key: str) -> Any:
        name = encode_key(key)
        with self._reading() as records:
            head = self._find(records, name)
            if head is None:
                raise KeyError(key)
            text = records.value(head)
        return loads(text.decode())

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        name = encode_key(key)
        with self._writing() as records:
            head = self._find(records, name)
            if head is None:
                raise KeyError(key)
            self._remove(records, head)

    def __contains__(self, key: object) -> bool:
        with self._reading() as records:
            return self._find(records, encode_key(key)) is not None

    def __iter__(self) -> Iterator[str]:
        with self._reading() as records:
            keys = [decode_key(head.key) for head in self._all_present(records)]
        return iter(keys)

    def __len__(self) -> int:
        with self._reading() as records:
            return sum(1 for _ in self._all_present(records))

    def clear(self) -> None:
        """Remove every key."""
        with self._writing() as records:
            for head in list(self._all_present(records)):
                self._remove(records, head)

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Write `value`, and remove the expiry of `key` or give it a new one.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            ttl: Seconds from now until the key is missing; None for never.

        Raises:
            TypeError: The ttl is not a number.
            ValueError: The ttl is not positive, or too large for a time.
        """
        name, text = encode_key(key), dumps(value).encode()
        expires_at = None if ttl is None else _expiry(self._clock(), ttl)
        with self._writing() as records:
            self._put(records, name, text, expires_at)

    def expires_at(self, key: str) -> float | None:
        """Return when `key` expires, in POSIX seconds; None for never. Raise KeyError when it is missing."""
        name = encode_key(key)
        with self._reading() as records:
            head = self._find(records, name)
            if head is None:
                raise KeyError(key)
            return head.expires_at

    def version(self, key: str) -> int | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice in a store."""
        with self._reading() as records:
            head = self._find(records, encode_key(key))
            return None if head is None else head.version

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Write `value` only if the version of `key` is `expected`, and return the new version.

        Args:
            key: As in `store[key]`.
            value: As in `store[key] = value`.
            expected: What `version` returned; None to write only if the key is missing.

        Raises:
            ConflictError: The version is another one.
        """
        name, text = encode_key(key), dumps(value).encode()
        with self._writing() as records:
            head = self._find(records, name)
            found = None if head is None else head.version
            if type(expected) is not type(found) or expected != found:  # True is no version, although it equals 1
                raise ConflictError(f"The version of {key!r} is {found}, not {expected!r}.")
            return self._put(records, name, text)

    def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` had and that are kept, newest first, at most `limit` of them.

        Raises:
            ValueError: The limit is negative.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit={limit!r} is negative.")
        name = encode_key(key)
        with self._reading() as records:
            head = records.head("entries", name)
            newest = [] if head is None else [head.version]
            return (newest + [old.version for old in records.versions(name)])[:limit]

    def get_version(self, key: str, version: int) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had, or it is kept no more."""
        name = encode_key(key)
        with self._reading() as records:
            known = type(version) is int and 0 < version <= records.summary.last_version
            head = (records.head("entries", name, version) or records.head("history", name, version)) if known else None
            if head is None:
                raise KeyError(key, version)
            text = records.value(head)
        return loads(text.decode())

    def _find(self, records: Records, name: bytes) -> Head | None:
        head = records.head("entries", name)
        return None if head is None or self._is_expired(head) else head

    def _all_present(self, records: Records) -> Iterator[Head]:
        return (head for head in records.heads("entries") if not self._is_expired(head))

    def _is_expired(self, head: Head) -> bool:
        if head.expires_at is None or self._clock() < head.expires_at:
            return False
        self._seen_expired(head)
        return True

    def _put(self, records: Records, name: bytes, text: bytes, expires_at: float | None = None) -> int:
        before = records.head("entries", name)  # also when it has expired: it is in the way all the same
        if before is not None:
            records.supersede(before)
        version = records.add("entries", name, text, expires_at).version
        self._trim_history(records, name)
        return version

    def _remove(self, records: Records, head: Head) -> None:
        records.supersede(head)
        self._trim_history(records, head.key)

    def _trim_history(self, records: Records, name: bytes) -> None:
        if self._history_limit is None:
            return
        present = 0 if records.head("entries", name) is None else 1
        for head in list(records.versions(name))[self._history_limit - present :]:
            records.remove(head)


def _expiry(now: float, ttl: float) -> float:
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise TypeError(f"ttl={ttl!r} is not a number of seconds.")
    try:
        expires_at = float(now + ttl)
    except OverflowError as error:  # an int beyond any float
        raise ValueError(f"ttl={ttl!r} is too large.") from error
    if not ttl > 0 or not math.isfinite(expires_at):
        raise ValueError(f"ttl={ttl!r} is not a positive, finite number of seconds.")
    return expires_at
