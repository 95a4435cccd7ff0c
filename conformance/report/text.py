"""Text of stores and adapters, made fit for files that other programs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What stands in the place of the end of a text that is too long.
CUT = "…"


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with each character that has no shape of its own as its escape, as `\x1b` or `\ud800`.

    What is left can be encoded, is allowed in XML, moves no cursor and turns no direction of writing.

    Args:
        text: Of whatever origin.
        keep: Characters that stay, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str, most: int) -> str:
    """Return a text on one line, of at most so many characters, and printable."""
    flat = printable(" ".join(text.split()))
    return flat if len(flat) <= most else f"{flat[: most - 1]}{CUT}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def reason_of(check: Mapping[str, Any]) -> str:
    """Return in a line why a check came to what it did: the reason, the finding, or the rule."""
    if check["reason"]:
        return str(check["reason"]).strip().partition("\n")[0]
    example = check["counterexample"]
    if example is not None:
        return f"{example['what']}: expected {example['expected']}, got {example['got']}"
    return str(check["sentence"])
