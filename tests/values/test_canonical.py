"""The canonical text: equal for equal values and for no others; a digest stays what it is."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict
from typing import Any

import pytest
from hypothesis import given

from conformance.values.canonical import canonical, digest
from conformance.values.cases import ACCEPTED_BYTES, ACCEPTED_VALUES, EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES
from conformance.values.equality import same
from conformance.values.strategies import json_values

TABLES = {**ACCEPTED_VALUES, **ACCEPTED_BYTES, **FOREIGN_VALUES, **EXACT_OR_REFUSED_VALUES}
KNOWN = {name: value for name, value in TABLES.items() if type(value).__repr__ is not object.__repr__}


def test_no_two_values_of_the_tables_share_a_text() -> None:
    """Values that differ in type or content have texts that differ: 1, 1.0 and True, -0.0 and 0.0, lone surrogates."""
    texts = {name: digest(value) for name, value in KNOWN.items() if "deep" not in name}
    for one, other in itertools.combinations(texts, 2):
        assert (texts[one] == texts[other]) == same(KNOWN[one], KNOWN[other]), (one, other)


@given(json_values(), json_values())
def test_texts_are_equal_where_values_are(one: Any, other: Any) -> None:
    """The text says the same as the equality that a store must keep."""
    assert (canonical(one) == canonical(other)) == same(one, other)
    assert canonical(one) == canonical(one)


def test_the_order_of_keys_and_of_sets_does_not_count() -> None:
    """Dicts and sets have their parts in order, at every depth."""
    assert canonical({"b": {"y": 1, "x": {3, 1, 2}}, "a": 2}) == canonical({"a": 2, "b": {"x": {2, 3, 1}, "y": 1}})
    assert canonical({"b": [1, -0.0, 1.0, None, True], "ä": "\ud800"}) == '{"b":[1,-0.0,1.0,null,true],"ä":"\ud800"}'


def test_other_types_are_named() -> None:
    """What is no JSON, and what only looks like it, has the name of its type."""
    alike = [{"a": 1}, OrderedDict(a=1), Counter(a=1), defaultdict(int, a=1)]
    assert len({canonical(value) for value in alike}) == 4
    assert len({canonical(value) for value in ([1], (1,), {1}, "[1]", b"1", {1: 1}, {"1": 1}, {1.0: 1})}) == 8
    assert canonical(math.nan) == "nan"
    assert canonical(10**5000).startswith("0x")


def test_what_has_no_content_is_refused() -> None:
    """An object that shows nothing but its address would be another one in each process."""
    with pytest.raises(TypeError, match="a object has no canonical form: give JSON values"):
        canonical([object()])


def test_a_digest_is_the_same_in_another_process() -> None:
    """The digest of a value hangs on nothing but the value."""
    code = "from conformance.values.canonical import digest; print(digest({'b': {'x', 'y', 'z'}, 'a': [1, 2.5]}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest({"a": [1, 2.5], "b": {"z", "y", "x"}})
