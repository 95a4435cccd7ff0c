"""State stores that change values or lose them."""

from __future__ import annotations

from typing import Any

from tests.mutants.base import PlainState, state_mutant


class MissingIsNone(PlainState):
    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key) if key in self else None


MUTANTS = [
    state_mutant("missing_is_none", "a missing key reads as None", ("STATE-BASIC-01",), MissingIsNone),
]
