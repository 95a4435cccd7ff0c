"""The values that a check may use, by the domain that a backend promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.values.cases import ACCEPTED_BYTES, ACCEPTED_VALUES, EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES, big_text


def accepted(domain: str) -> Mapping[str, Any]:
    """Return the table of values that a store of the domain must accept."""
    if domain == "bytes":
        return ACCEPTED_BYTES
    if domain == "json":
        return ACCEPTED_VALUES
    return {**ACCEPTED_VALUES, **ACCEPTED_BYTES, **(FOREIGN_VALUES if domain == "pickle" else {})}


def exact_or_refused(domain: str) -> Mapping[str, Any]:
    """Return the table of values that a store of the domain may refuse, but not change."""
    if domain == "pickle":
        return EXACT_OR_REFUSED_VALUES
    foreign = {**FOREIGN_VALUES, **(ACCEPTED_VALUES if domain == "bytes" else {})}
    if domain != "json":
        foreign = {name: value for name, value in foreign.items() if not isinstance(value, bytes)}
    return {**EXACT_OR_REFUSED_VALUES, **foreign}


def numbered(domain: str, number: int) -> Any:
    """Return a small value of the domain that differs for every number."""
    return f"value {number}".encode() if domain == "bytes" else {"n": number}


def sized(domain: str, length: int) -> Any:
    """Return a value of about `length` characters or bytes."""
    return big_text(length).encode() if domain == "bytes" else big_text(length)


def unstorable(domain: str) -> Any:
    """Return a value that no store of the domain can keep: good at first, then something without a stored form."""
    nothing = (number for number in range(0))  # a generator can't be pickled either
    return nothing if domain == "bytes" else {"good": ["text"] * 2_000, "bad": nothing}
