"""Values that tell who wrote them, and whether they are whole: a number, repeated to any length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Digits of a number.
_WIDTH = 9
#: How often a number is repeated in a long value: longer than a page, and than the buffer of a file.
LONG = 2_000


def value_of(number: int, domain: str, times: int = 1) -> Any:
    """Return the value that is written for a number.

    Args:
        number: Unique in a run.
        domain: The values that the backend promises to keep; `bytes` keeps nothing else.
        times: How often the number is repeated in it.
    """
    text = f"{number:0{_WIDTH}d}" * times
    return text.encode() if domain == "bytes" else text


def list_of(numbers: Sequence[int], domain: str) -> Any:
    """Return the value that is written for a list of numbers; the empty list is not written."""
    text = "".join(f"{number:0{_WIDTH}d}" for number in numbers)
    return text.encode() if domain == "bytes" else text


def numbers_of(value: Any) -> tuple[Any, ...]:
    """Return the numbers of the value of a list, none for None; of one that nobody wrote, a text that says so."""
    if value is None:
        return ()
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(text, str) and text.isdigit() and not len(text) % _WIDTH:
        return tuple(int(text[start : start + _WIDTH]) for start in range(0, len(text), _WIDTH))
    return (f"{str(value)[:40]!r}, which nobody wrote",)


def number_of(value: Any) -> Any:
    """Return the number of a value; of one that is not as it was written, a text that says so."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(text, str) and len(text) >= _WIDTH and not len(text) % _WIDTH:
        head = text[:_WIDTH]
        if head.isdigit() and text == head * (len(text) // _WIDTH):
            return int(head)
        return f"a mixture of {', '.join(_parts(text))}"
    return f"{str(value)[:40]!r}, which nobody wrote"


def _parts(text: str) -> list[str]:
    parts = dict.fromkeys(text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH))
    return [part.lstrip("0") or "0" for part in list(parts)[:3]]
