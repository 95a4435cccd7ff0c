"""What the stores of records over a state share: documents that are checked, and changes that lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from reference_backends._errors import ConflictError
from reference_backends._json import check_key, check_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class StateStore(Protocol):
    """A `state` store with versions; what records are kept in."""

    def __getitem__(self, key: str, /) -> Any: ...

    def __setitem__(self, key: str, value: Any, /) -> None: ...

    def __delitem__(self, key: str, /) -> None: ...

    def __iter__(self) -> Iterator[str]: ...

    def version(self, key: str) -> Any:
        """Return the version of a key, None when it is missing."""

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Write `value` if the version of `key` is `expected`, else raise ConflictError."""

    def close(self) -> None:
        """Close the store."""


def check_id(identity: object) -> str:
    """Return an id, which must be a text that is not empty.

    Raises:
        TypeError: It is no text.
        ValueError: It is empty, or does not survive JSON.
    """
    check_key(identity)
    if not isinstance(identity, str) or not identity:
        raise ValueError("An id must not be empty: it is what the record is found by.")
    return identity


def check_record(record: object, what: str) -> str:
    """Return the id of a record, which must be a JSON document with one.

    Raises:
        TypeError: It is no dict, or something in it is not JSON.
        ValueError: It has no id, or something in it does not survive JSON.
    """
    if type(record) is not dict:
        raise TypeError(f"A {what} is a dict with an 'id', not a {type(record).__name__}.")
    if "id" not in record:
        raise ValueError(f"The {what} has no 'id'.")
    check_value(record)
    return check_id(record["id"])


def found(store: StateStore, key: str) -> Any:
    """Return the entry of a key, None when there is none."""
    try:
        return store[key]
    except KeyError:
        return None


def changed(store: StateStore, key: str, change: Callable[[Any], Any]) -> Any:
    """Replace the entry of a key by what `change` makes of it (None: there is none), and return the new one.

    `change` is called again where another writer was faster, so it must have no effect of its own. Nothing is written
    when it returns the entry that it was given.
    """
    while True:
        version = store.version(key)
        entry = found(store, key)
        if (entry is None) != (version is None):
            continue  # written or deleted between the two
        wanted = change(entry)
        if wanted is entry:
            return entry
        try:
            store.compare_and_set(key, wanted, version)
        except ConflictError:
            continue
        return wanted


def listed(store: StateStore) -> Iterator[Any]:
    """Give all entries, in the order of their keys; what is deleted meanwhile is left out."""
    for key in sorted(store):
        entry = found(store, key)
        if entry is not None:
            yield entry
