"""One thing that was tried on a machine, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What a trial came to.

    Args:
        name: What was tried.
        state: `ok`, `weak` (less is measured, or less quickly) or `missing`.
        found: What was found.
        so: What follows for a run, unless it is ok.
        fix: What to do about it.
        levels: Levels of promises that can't be measured because of it.
    """

    name: str
    state: Literal["ok", "weak", "missing"]
    found: str
    so: str = ""
    fix: str = ""
    levels: tuple[str, ...] = ()

    def line(self) -> str:
        """Return it in one line."""
        parts = [part for part in (self.found, self.so, self.fix) if part]
        return f"{self.state:<8}{self.name:<18} {'; '.join(' '.join(part.split()) for part in parts)}"
