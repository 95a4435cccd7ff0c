"""The verbs of a mapping with versions, expiry and history, each of them one statement to whoever carries it out."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError
from reference_backends._json import dumps
from reference_backends.postgres import records
from reference_backends.postgres.records import Record, decode_key, encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_backends.postgres.database import Rows

#: What is no version of any record.
_NO_VERSION = -1
_VERSION_MAX = 2**63 - 1

#: A key and a version that were seen to have expired.
Expired = tuple[bytes, int]


class Verbs(MutableMapping[str, Any]):
    """The verbs that a store and a transaction have in common; they differ in who carries out the statements.

    Args:
        clock: Returns the time as POSIX seconds.
        history_limit: How many versions of a key are kept, the present one included; None for all.
    """

    def __init__(self, clock: Callable[[], float], history_limit: int | None) -> None:
        self._clock = clock
        self._history_limit = history_limit

    @abstractmethod
    def _read(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Carry out a statement that changes nothing."""

    @abstractmethod
    def _write(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Carry out a statement that changes something, or nothing when it raises."""

    @abstractmethod
    def _seen_expired(self, expired: list[Expired]) -> None:
        """Move to the history what was treated as missing, so that it never comes back when the clock steps back."""

    def __getitem__(self, key: str) -> Any:
        record = self._found(key)
        if record is None:
            raise KeyError(key)
        return record.loaded()

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        name = encode_key(key)
        gone = self._write(records.DELETE, {"key": name})
        if not gone:
            raise KeyError(key)
        self._trim_history(name)
        ((version, expires_at),) = gone
        if self._has_expired(expires_at):
            self._seen_expired([(name, version)])
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self._found(key) is not None

    def __iter__(self) -> Iterator[str]:
        rows = self._read(records.LIST)
        expired = [(key, version) for key, version, expires_at in rows if self._has_expired(expires_at)]
        if expired:
            self._seen_expired(expired)
        gone = {key for key, _ in expired}
        return iter([decode_key(key) for key, *_ in rows if key not in gone])

    def __len__(self) -> int:
        ((count, keys, versions),) = self._read(records.COUNT, {"now": self._clock()})
        if keys:
            self._seen_expired(list(zip(keys, versions, strict=True)))
        return int(count)

    def clear(self) -> None:
        """Remove every key."""
        self._write(records.CLEAR)

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
        now = self._clock()
        expires_at = None if ttl is None else _expiry(now, ttl)
        self._put({"key": name, "value": text, "now": now, "expires_at": expires_at, "always": True, "expected": None})

    def expires_at(self, key: str) -> float | None:
        """Return when `key` expires, in POSIX seconds; None for never. Raise KeyError when it is missing."""
        record = self._found(key)
        if record is None:
            raise KeyError(key)
        return record.expires_at

    def version(self, key: str) -> int | None:
        """Return the version of `key`, None when it is missing. No version is ever given twice in a store."""
        record = self._found(key)
        return None if record is None else record.version

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
        # True is no version, although it equals 1; and PostgreSQL has no number beyond 64 bits to compare with.
        possible = expected is None or (type(expected) is int and 0 < expected <= _VERSION_MAX)
        parameters = {"key": name, "value": text, "now": self._clock(), "expires_at": None, "always": False}
        written, seen, expires_at = self._put(parameters | {"expected": expected if possible else _NO_VERSION})
        if written is not None:
            return int(written)
        if self._has_expired(expires_at):
            self._seen_expired([(name, seen)])
            seen = None
        raise ConflictError(f"The version of {key!r} is {seen}, not {expected!r}. Read it again, then decide again.")

    def versions(self, key: str, limit: int | None = None) -> list[int]:
        """Return the versions that `key` had and that are kept, newest first, at most `limit` of them.

        Raises:
            ValueError: The limit is negative.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit={limit!r} is negative: give the number of versions that are wanted, or None.")
        return [version for (version,) in self._read(records.VERSIONS, {"key": encode_key(key), "limit": limit})]

    def get_version(self, key: str, version: int) -> Any:
        """Return the value that `key` had at `version`; raise KeyError when it never had, or it is kept no more."""
        name = encode_key(key)
        known = type(version) is int and 0 < version <= _VERSION_MAX
        rows = self._read(records.GET_VERSION, {"key": name, "version": version}) if known else []
        if not rows:
            raise KeyError(key, version)
        return Record("history", *rows[0]).loaded()

    def _found(self, key: object) -> Record | None:
        rows = self._read(records.GET, {"key": encode_key(key)})
        if not rows:
            return None
        record = Record("entries", *rows[0])
        if self._has_expired(record.expires_at):
            self._seen_expired([(record.key, record.version)])
            return None
        return record

    def _has_expired(self, expires_at: float | None) -> bool:
        return expires_at is not None and self._clock() >= expires_at

    def _put(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the new version, None if it was refused; and the version and the expiry of what was there."""
        (found,) = self._write(records.PUT, parameters)
        if found[0] is not None:
            self._trim_history(parameters["key"])
        return found

    def _trim_history(self, name: bytes) -> None:
        if self._history_limit is not None:
            self._write(records.TRIM, {"key": name, "limit": self._history_limit})


def buried(expired: Iterable[Expired]) -> dict[str, Any]:
    """Return the parameters of `records.BURY`."""
    keys, versions = zip(*expired, strict=True)
    return {"keys": list(keys), "versions": list(versions)}


def _expiry(now: float, ttl: float) -> float:
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):
        raise TypeError(f"ttl={ttl!r} is not a number of seconds. Give an int or a float, or None for no expiry.")
    try:
        expires_at = float(now + ttl)
    except OverflowError as error:  # an int beyond any float
        raise ValueError(f"ttl={ttl!r} is too large for a time. Give None for no expiry.") from error
    if not ttl > 0 or not math.isfinite(expires_at):
        raise ValueError(f"ttl={ttl!r} is not a positive, finite number of seconds. Give None for no expiry.")
    return expires_at
