"""What a checker says of a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from conformance.histories.operation import Operation

Answer = Literal["linearizable", "not linearizable", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """A checker's answer, with its reason.

    Args:
        answer: `unknown` when the budget ended first: reported, and never a pass.
        why: One sentence: what can't be, or which budget ended.
        witness: The operations that show it, two to four where the checker knows; empty where it only searched.
        key: Of these operations, or of the first key that is unknown.
        checker: Which algorithm decided.
    """

    answer: Answer
    why: str = ""
    witness: tuple[Operation, ...] = ()
    key: Any = None
    checker: str = ""

    @property
    def holds(self) -> bool:
        """Whether the history was shown to be fine."""
        return self.answer == "linearizable"

    @property
    def broken(self) -> bool:
        """Whether the history was shown not to be."""
        return self.answer == "not linearizable"
