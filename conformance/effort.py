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
        crash_states: Distinct crash states that one exploration recovers.
        crash_seconds: No further crash state of an exploration, and no further damaged copy of a check, is begun after
            so long.
        second_crashes: First crashes, of each exploration, whose recovery is made to crash too.
        kills: Processes that a check really kills.
        faults: Places of a sweep of I/O errors that are tried for each kind of error.
        lasting: Of these, places from which on every call goes wrong, too.
        damages: Damaged copies of a store that one check opens, at most.
        operations: Writes to a store while it is measured what grows; fewer than are done until that is clear.
        agent_seconds: An agent that is killed again and again is simulated for so long; 0 for not at all.
        rounds: Of workers that meet in one way, at most, in one check.
        round_seconds: No round is begun that would end after so long.
        patience_s: Seconds after which a call that waits for a server counts as hanging.
    """

    name: str
    examples: int
    steps: int
    many: int
    crash_states: int
    crash_seconds: float
    second_crashes: int
    kills: int
    faults: int
    lasting: int
    damages: int
    operations: int
    agent_seconds: float
    rounds: int
    round_seconds: float
    patience_s: float = 60.0


EFFORTS = {
    "quick": Effort(
        "quick",
        examples=15,
        steps=20,
        many=1_000,
        crash_states=40,
        crash_seconds=0.5,
        second_crashes=1,
        kills=3,
        faults=3,
        lasting=1,
        damages=60,
        operations=400,
        agent_seconds=0.0,
        rounds=200,
        round_seconds=0.07,
    ),
    "normal": Effort(
        "normal",
        examples=60,
        steps=40,
        many=10_000,
        crash_states=2_000,
        crash_seconds=2.5,
        second_crashes=4,
        kills=20,
        faults=12,
        lasting=12,
        damages=600,
        operations=2_000,
        agent_seconds=0.0,
        rounds=2_000,
        round_seconds=1.0,
    ),
    "thorough": Effort(
        "thorough",
        examples=500,
        steps=100,
        many=10_000,
        crash_states=50_000,
        crash_seconds=60.0,
        second_crashes=500,
        kills=400,
        faults=1_000,
        lasting=1_000,
        damages=100_000,
        operations=50_000,
        agent_seconds=60.0,
        rounds=100_000,
        round_seconds=30.0,
    ),
}
