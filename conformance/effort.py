"""How much a run does: `--effort=quick|normal|thorough`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """The budget of one check.

    Args:
        name: As on the command line.
        examples: Random examples a property is tried on.
        steps: Calls in one random sequence.
        many: Entries in the checks about many keys and long logs.
    """

    name: str
    examples: int
    steps: int
    many: int


EFFORTS = {
    "quick": Effort("quick", examples=15, steps=20, many=1_000),
    "normal": Effort("normal", examples=60, steps=40, many=10_000),
    "thorough": Effort("thorough", examples=500, steps=100, many=10_000),
}
