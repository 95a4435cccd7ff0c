"""Values tell who wrote them, and whether they are whole."""

from __future__ import annotations

import pytest

from conformance.histories.values import LONG, number_of, value_of


@pytest.mark.parametrize("domain", ["json", "bytes"])
@pytest.mark.parametrize("times", [1, 2, LONG])
def test_a_value_tells_its_number(domain: str, times: int) -> None:
    """Whatever its length, and in the type that the backend keeps."""
    value = value_of(700_012, domain, times)
    assert isinstance(value, bytes if domain == "bytes" else str)
    assert number_of(value) == 700_012


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (value_of(12, "json", 2) + value_of(34, "json", 2), "a mixture of 12, 34"),
        (value_of(12, "bytes", 2) + value_of(0, "bytes"), "a mixture of 12, 0"),
        (value_of(12, "json", 3)[:-1], "'00000001200000001200000001', which nobody wrote"),
        ("", "'', which nobody wrote"),
        (None, "'None', which nobody wrote"),
        (12, "'12', which nobody wrote"),
    ],
)
def test_a_value_that_is_not_whole_is_none_that_was_written(value: object, told: str) -> None:
    """It becomes a text, which no number equals; it shows what the value is made of."""
    assert number_of(value) == told
