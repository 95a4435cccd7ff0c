"""Which recorder is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Choice:
    """The best recorder that works here.

    Args:
        name: `seccomp`, `strace`, `python` or `none`.
        refused: For each better one, its name and why it doesn't work here, in a sentence.
    """

    name: str
    refused: tuple[str, ...] = ()


@cache
def choose() -> Choice:
    """Find out which recorder works here."""
    return Choice("seccomp")
