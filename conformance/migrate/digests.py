"""Digests of records: what has none ends in a sentence that names it."""

from __future__ import annotations

from typing import Any

from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.side import Opened
from conformance.recording import raised
from conformance.values.canonical import digest


def digest_of(value: Any, what: str, store: Opened, error: type[Stopped | Unfit] = Stopped) -> str:
    """Return the digest of a record, or of what was made of one.

    Args:
        value: The record.
        what: It in words.
        store: Where it is from.
        error: What is raised where it has none.

    Raises:
        Stopped: It has no digest, as an object whose `repr` tells where it lies in memory.
        Unfit: The same, where that was asked for.
    """
    try:
        return digest(value)
    except Exception as reason:  # a `repr` of the store's own may raise anything, and a loop has no end
        raise error(
            f"{what} of {store.side} has no digest ({raised(reason)}), so nothing could show that it arrived. Write it "
            f"as JSON values in the source, or name the other contracts with --contract"
        ) from reason
