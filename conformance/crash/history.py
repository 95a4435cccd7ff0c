"""The oracle: what a store may hold after a crash, and which kind of wrong it is when it holds something else.

A call that returned is *acknowledged*: its effect must be there. A call that raised, or was in flight, is *ambiguous*:
its effect may be there, whole, or not. A call that was not begun must have none.

Sources: Witcher, SOSP 2021 (output equivalence: the recovered store is that before or after the operation in flight);
RocksDB's stress test, 2022 (a prefix, no hole); jepsen.io (outcomes ok, fail and info).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt
from conformance.crash.subjects import SUBJECTS, Content, Step, canonical
from conformance.crash.trace import Mark, Trace

Verdict = Literal[
    "fine",
    "died",
    "hung",
    "cannot open",
    "cannot read",
    "torn",
    "mixed",
    "breaks after one more write",
    "lost",
]
#: What each verdict says, worst first; `fine` is no failure.
MEANING: dict[Verdict, str] = {
    "died": "the process that opened the store died",
    "hung": "the store hung",
    "cannot open": "the store cannot be opened",
    "cannot read": "the store opens but cannot be read",
    "torn": "the store holds something that nobody wrote",
    "mixed": "the store holds a mixture that never was: newer writes without older ones",
    "breaks after one more write": "the store can be read but breaks after one more write",
    "lost": "an acknowledged write is lost",
}


@dataclass(frozen=True)
class Moment:
    """How far a workload was at a crash.

    Args:
        settled: Attempts that had returned or raised.
        acknowledged: Those of them that had returned.
        running: Whether one more was in flight.
    """

    settled: int
    acknowledged: int
    running: bool


@dataclass
class History:
    """What a workload may have come to, attempt by attempt.

    Args:
        contract: That of the steps.
        steps: The workload.
        attempts: What was tried, in order, as far as it is known: of a process that died the last may be missing.
        before: What the store held at the start.
    """

    contract: str
    steps: Sequence[Step]
    attempts: Sequence[Attempt]
    before: Content
    #: The contents that are possible after each number of attempts.
    after: list[list[Content]] = field(init=False)
    _known: set[str] = field(init=False)
    _texts: list[set[str]] = field(init=False)
    _places: dict[str, _Place] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        subject = SUBJECTS[self.contract]
        self.after = [[self.before]]
        for attempt in self.attempts:
            here = self.after[-1]
            there = [subject.apply(content, self.steps[attempt.step]) for content in here]
            self.after.append(_distinct(there + here if attempt.raised else there))
        self._texts = [{canonical(content) for content in contents} for contents in self.after]
        self._known = {canonical(part) for content in chain(*self.after) for part in subject.parts(content)}

    def reached(self, content: Content) -> frozenset[int]:
        """Return after how many attempts a content is a possible one."""
        return self._place(content).reached

    def judge(self, observation: Observation, moment: Moment) -> Verdict:
        """Return which kind of wrong an observation after a crash at a moment is, or that it is none."""
        return self.judge_at(observation, [moment])[0]

    def judge_at(self, observation: Observation, moments: Sequence[Moment]) -> list[Verdict]:
        """Return the same for each of several moments."""
        if observation.content is None:
            verdict: Verdict = observation.usable if observation.usable != "usable" else "cannot read"
            return [verdict] * len(moments)
        place = self._place(observation.content)
        return [self._judged(observation, place, moment) for moment in moments]

    def _judged(self, observation: Observation, place: _Place, moment: Moment) -> Verdict:
        if place.torn:
            return "torn"
        underway = {number for number in place.during if number < moment.settled + moment.running}
        if not underway and not any(number <= moment.settled + moment.running for number in place.reached):
            return "mixed"
        if observation.usable != "usable":
            return observation.usable
        there = place.reached & {moment.settled, moment.settled + moment.running}
        return "fine" if there or (moment.running and moment.settled in underway) else "lost"

    def _place(self, content: Content) -> _Place:
        text = canonical(content)
        if text not in self._places:
            subject = SUBJECTS[self.contract]
            reached = (
                number
                for number, contents in enumerate(self.after)
                if text in self._texts[number] or any(subject.agrees(content, one) for one in contents)
            )
            torn = any(canonical(part) not in self._known for part in subject.parts(content))
            during = (
                number
                for number, attempt in enumerate(self.attempts)
                if any(subject.during(content, one, self.steps[attempt.step]) for one in self.after[number])
            )
            self._places[text] = _Place(frozenset(reached), torn, frozenset(during))
        return self._places[text]


@dataclass(frozen=True)
class _Place:
    """Where a content stands.

    Args:
        reached: After how many attempts it is possible.
        torn: Whether nobody wrote some of it.
        during: After how many attempts it is possible while the next one is carried out.
    """

    reached: frozenset[int]
    torn: bool
    during: frozenset[int]


def _distinct(contents: list[Content]) -> list[Content]:
    return list({canonical(content): content for content in contents}.values())


def moments(trace: Trace) -> list[Moment]:
    """Return how far the workload was before each operation of its trace, and at the end."""
    found = [Moment(settled=0, acknowledged=0, running=False)]
    for operation in trace.operations:
        now = found[-1]
        word = operation.text.split()[0] if isinstance(operation, Mark) else ""
        if word == "start":
            now = replace(now, running=True)
        elif word in ("done", "raised"):
            acknowledged = now.acknowledged + (word == "done")
            now = replace(now, settled=now.settled + 1, acknowledged=acknowledged, running=False)
        found.append(now)
    return found
