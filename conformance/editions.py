"""Editions: what a project gates on, by name. A check gates from the edition on in which it came.

A newer kit brings more checks. A project that pins an edition is not red one morning because of them: what is newer is
*provisional*, which is carried out and shown, and gates nothing.
"""

from __future__ import annotations

#: All editions, oldest first.
EDITIONS: tuple[str, ...] = ("2026.1",)
#: What a check is of that does not say.
FIRST = EDITIONS[0]


def newest() -> str:
    """Return the edition that counts where none is pinned."""
    return EDITIONS[-1]


def is_newer(one: str, other: str) -> bool:
    """Tell whether one edition came after another."""
    return EDITIONS.index(one) > EDITIONS.index(other)
