"""The exact JSON that the reference backends share."""

from __future__ import annotations

import math
import sys
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_backends._json import DEPTH_MAX, check_key, check_value, dumps, loads

SURROGATE_PAIR = "\ud83d" + "\ude00"  # two characters; the one character of the same UTF-16 is another text

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda items: st.lists(items, max_size=4) | st.dictionaries(st.text(), items, max_size=4),
    max_leaves=20,
)


class Colour(IntEnum):
    """A number that is more than a number."""

    RED = 1


class Name(str):
    """A text that is more than a text."""

    __slots__ = ()


def nested(levels: int) -> list[Any]:
    """Return a list in a list in a list, so many in all."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


class TestExactJson:
    """What `_json` promises to every store that uses it."""

    @settings(deadline=None, max_examples=50)
    @given(value=JSON_VALUES)
    def test_a_value_comes_back(self, value: Any) -> None:
        """Any JSON value comes back equal, with and without indentation."""
        assert repr(loads(dumps(value))) == repr(value)
        assert repr(loads(dumps(value, indent=2))) == repr(value)

    @pytest.mark.parametrize("number", [math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2])
    def test_a_float_comes_back(self, number: float) -> None:
        """Infinities, the sign of zero and the last digit survive."""
        assert repr(loads(dumps(number))) == repr(number)

    def test_nan_comes_back(self) -> None:
        """NaN survives as NaN."""
        assert math.isnan(loads(dumps(math.nan)))

    @pytest.mark.parametrize("text", ["\ud800", "\udc00\ud800", "a\udfff\x00\r\n", "😀"])
    def test_a_lone_surrogate_comes_back(self, text: str) -> None:
        """Lone surrogates survive, in values and in keys."""
        assert loads(dumps({text: [text]})) == {text: [text]}

    @pytest.mark.parametrize("value", [SURROGATE_PAIR, {SURROGATE_PAIR: 1}, ["a", {"b": SURROGATE_PAIR}]])
    def test_a_pair_of_surrogates_is_refused(self, value: Any) -> None:
        """Two surrogates that JSON would join are refused, not joined."""
        with pytest.raises(ValueError, match="high surrogate followed by a low one"):
            check_value(value)

    @pytest.mark.parametrize("digits", [500, 501, 640, 4_300, 4_301, 10_000])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_an_int_of_any_length_comes_back(self, digits: int, sign: int) -> None:
        """An int beyond Python's limit on digits is written and read without touching that limit."""
        limit = getattr(sys, "get_int_max_str_digits", int)()
        number = sign * (10**digits - 7)
        assert loads(dumps(number)) == number
        value = {"a": [number, None, True, -0.0, "b\n", {}, []]}
        assert loads(dumps(value, indent=2)) == value
        assert getattr(sys, "get_int_max_str_digits", int)() == limit

    @pytest.mark.parametrize("place", ["value", "item", "deep"])
    @pytest.mark.parametrize(
        "value",
        [(1,), {1}, b"a", bytearray(b"a"), object(), 1j, range(2), Colour.RED, Name("a"), {1: 2}, {None: 1}],
        ids=lambda value: type(value).__name__,
    )
    def test_a_type_outside_json_is_refused(self, value: object, place: str) -> None:
        """A type that would come back as another is refused, at any depth."""
        with pytest.raises(TypeError):
            dumps({"value": value, "item": [0, value], "deep": {"a": [{"b": value}]}}[place])

    def test_a_refusal_names_the_place(self) -> None:
        """The message leads to the culprit."""
        with pytest.raises(TypeError, match=r"value\['a'\]\[1\]\['b'\] has type tuple"):
            check_value({"a": [0, {"b": ()}]})

    @pytest.mark.parametrize("key", [1, None, b"a", Name("a")])
    def test_a_key_that_is_not_a_str_is_refused(self, key: object) -> None:
        """A key has to be a str itself."""
        with pytest.raises(TypeError, match="only a str"):
            check_key(key)

    def test_the_depth_has_a_limit(self) -> None:
        """The deepest value accepted comes back; one level more is refused."""
        assert loads(dumps(nested(DEPTH_MAX), indent=1)) == nested(DEPTH_MAX)
        assert loads(dumps([nested(DEPTH_MAX - 1), 10**5_000])) == [nested(DEPTH_MAX - 1), 10**5_000]
        with pytest.raises(ValueError, match="more than 200 levels"):
            dumps(nested(DEPTH_MAX + 1))

    def test_a_value_that_contains_itself_is_refused(self) -> None:
        """A cycle is refused at once, however many branches lead into it."""
        cycle: list[Any] = []
        cycle.extend([{"again": cycle}, cycle, cycle])
        with pytest.raises(ValueError, match="contains itself"):
            dumps(cycle)

    @pytest.mark.parametrize("text", ["", "{", "[1,]", "[" * 100_000])
    def test_a_text_that_is_not_json_is_refused(self, text: str) -> None:
        """Whatever is wrong with a text, it is a ValueError."""
        with pytest.raises(ValueError):
            loads(text)
