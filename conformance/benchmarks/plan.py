"""How much is measured: rounds, the length of a batch, lengths of logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The budget of a benchmark run.

    Args:
        rounds: That count, of each operation.
        round_ns: Nanoseconds that a batch should take.
        keys: Records that a store is filled with before anything is measured.
        longest: Records of the longest store that is opened; fewer where writing them would take too long.
        shortest: Records that it has at least, however long writing them takes; with fewer, what the file system rounds
            up to would be mistaken for the store's.
        fill_s: Seconds that writing these may take, for each backend.
        openings: Rounds of openings that count.
        writers: Who write at once.
    """

    rounds: int
    round_ns: int
    keys: int
    longest: int
    shortest: int
    fill_s: float
    openings: int
    writers: int = 8


#: Each operation is carried out, and nothing is measured.
ONCE = Plan(rounds=1, round_ns=1, keys=5, longest=5, shortest=5, fill_s=0.0, openings=1)
#: By effort. Many short rounds rather than few long ones: what else the machine does then falls into some of them, and
#: the median is that of the others.
PLANS: Mapping[str, Plan] = {
    "quick": Plan(rounds=31, round_ns=2_500_000, keys=100, longest=1_000, shortest=250, fill_s=0.8, openings=7),
    "normal": Plan(rounds=61, round_ns=8_000_000, keys=500, longest=10_000, shortest=1_000, fill_s=10.0, openings=15),
    "thorough": Plan(
        rounds=201, round_ns=20_000_000, keys=5_000, longest=100_000, shortest=10_000, fill_s=120.0, openings=31
    ),
}
