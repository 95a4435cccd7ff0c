"""The tables of values and keys."""

from __future__ import annotations

import pytest

from conformance.backend import PROMISES
from conformance.values import cases, domain
from conformance.values.equality import same


@pytest.mark.parametrize("values", PROMISES["values"])
def test_no_value_is_both_required_and_optional(values: str) -> None:
    """In no domain is a value in the table of the accepted and in the table of those that may be refused."""
    accepted, optional = domain.accepted(values), domain.exact_or_refused(values)
    assert accepted
    assert not accepted.keys() & optional.keys()


@pytest.mark.parametrize("values", PROMISES["values"])
def test_plain_values_lie_in_the_domain(values: str) -> None:
    """The values that checks use where any will do are of the promised domain, and differ."""
    one, other = domain.numbered(values, 1), domain.numbered(values, 2)
    assert not same(one, other)
    assert isinstance(one, bytes) == (values == "bytes")
    assert len(domain.sized(values, 5_000)) == 5_000


def test_keys_that_must_work_are_ordinary() -> None:
    """No key that every store must accept has a NUL, a surrogate, or more than 255 bytes."""
    for key in cases.ACCEPTED_KEYS.values():
        assert 0 < len(key.encode()) <= 255
        assert "\x00" not in key


def test_neighbours_are_different_keys() -> None:
    """In each group of similar keys each key stands once."""
    for name, group in cases.NEIGHBOURS.items():
        assert len(set(group)) == len(group), name
