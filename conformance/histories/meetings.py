"""Whether workers met: what no call was changed by, nobody can have lost.

Calls that raised are no evidence. Nobody knows when they ended, and a store that refuses whatever comes from a second
worker would conform to everything that is asked of several.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from conformance.histories.claims import Deed
from conformance.histories.operation import NEXT_LIFE, UPKEEP, Operation

#: Verbs that change nothing.
LOOKS = ("get", "list", "read", "restore", "search", *UPKEEP)


#: What is noted of a call.
Call: TypeAlias = Operation | Deed


@dataclass
class Meetings:
    """What is known of the meetings in some rounds.

    Args:
        overlapping: Rounds in which calls of different workers, which returned, overlapped.
        changing: Workers with a change that returned while a call of another one was under way.
        returned: Workers with a change that returned.
        raised: What the latest change of a worker raised, by worker.
    """

    overlapping: int = 0
    changing: set[int] = field(default_factory=set)
    returned: set[int] = field(default_factory=set)
    raised: dict[int, str] = field(default_factory=dict)

    def note(self, calls: Iterable[Call], raised: Mapping[int, str]) -> None:
        """Take in what happened in a round.

        Args:
            calls: Those that did not raise.
            raised: What changes raised, by worker.
        """
        met, under_way = False, list[Call]()
        for one in sorted(calls, key=lambda one: one.call):
            under_way = [other for other in under_way if other.end > one.call]
            others = [other for other in under_way if other.worker != one.worker]
            met = met or bool(others)
            self.changing.update(_who(each) for each in ((one, *others) if others else ()) if _changed(each))
            if _changed(one):
                self.returned.add(_who(one))
            under_way.append(one)
        self.overlapping += met
        self.raised.update({worker % NEXT_LIFE: error for worker, error in raised.items()})

    @property
    def alone(self) -> str:
        """What changes raised, where those of one worker at most ever returned beside others; else an empty text."""
        refused = [error for worker, error in self.raised.items() if worker not in self.returned]
        return refused[-1] if refused and len(self.changing) < 2 else ""


def _who(one: Call) -> int:
    return one.worker % NEXT_LIFE


def _changed(one: Call) -> bool:
    return one.outcome == "ok" and one.verb not in LOOKS
