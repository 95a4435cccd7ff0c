"""Checks: what their docstrings are taken apart into."""

from __future__ import annotations

import pytest

from conformance.check import _sections


def test_examples_keep_their_indentation() -> None:
    """The example of a check stands as it was written, less the indentation that all of it has."""
    assert _sections("S.\n\nWhy: w.\n\nBreaks it:\n\n    if a:\n        b", "X") == ("S.", "w.", "if a:\n    b")


@pytest.mark.parametrize("text", ["S.", "S.\n\nWhy: w.", "S.\n\nBreaks it:\n\n    a"])
def test_a_docstring_without_its_parts_is_refused(text: str) -> None:
    """A check whose docstring lacks a part names itself."""
    with pytest.raises(ValueError, match="X needs a sentence"):
        _sections(text, "X")
