"""The oracle: what a store may answer, and may hold in the end, when some of its calls raised.

A call that returned had its effect, once, and its answer is true. A call that raised is *ambiguous*: it had its effect,
once, or it had none; and while nobody knows, both must be reckoned with. What comes later may tell.

Sources: Kingsbury and Bailis, The network is reliable, ACM Queue 2014; jepsen.io (outcomes ok, fail and info).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.crash.subjects import SUBJECTS, Content, Step, canonical
from conformance.network.calls import READS, Call, due, fits


@dataclass(frozen=True)
class _World:
    """What may be: a content, and the calls that may still have their effect."""

    content: Content
    pending: frozenset[int] = frozenset()

    @property
    def name(self) -> tuple[str, frozenset[int]]:
        return canonical(self.content), self.pending


@dataclass
class Account:
    """What a workload may have come to, call by call.

    Args:
        contract: `state` or `log`.
        steps: The workload.
        late: Whether an ambiguous call may have its effect at any later time: a server that stood still finds requests
            waiting whose clients have given up.
    """

    contract: str
    steps: Sequence[Step]
    late: bool = False
    calls: list[Call] = field(default_factory=list)
    _worlds: list[_World] = field(init=False)

    def __post_init__(self) -> None:
        self._worlds = [_World(SUBJECTS[self.contract].empty)]

    @property
    def contents(self) -> list[Content]:
        """All contents that are possible now."""
        return list({canonical(world.content): world.content for world in self._reachable()}.values())

    def answers(self, step: Step) -> list[Any]:
        """Return all answers that are possible now."""
        found = [due(content, step) for content in self.contents]
        return list({canonical(answer): answer for answer in found}.values())

    def take(self, call: Call) -> bool:
        """Take a call into account; False for an answer that no possible content gives, which is left out then."""
        step, number = self.steps[call.step], len(self.calls)
        if call.ambiguous:
            self.calls.append(call)
            if step.verb not in READS:
                self._worlds = _distinct([*self._worlds, *self._with(number)])
            return True
        apply = SUBJECTS[self.contract].apply
        after = [
            _World(apply(world.content, step), world.pending)
            for world in self._reachable()
            if fits(world.content, step, call.answer)
        ]
        if not after:
            return False
        self.calls.append(call)
        self._worlds = _distinct(after)
        return True

    def allows(self, content: Content) -> bool:
        """Tell whether the store may hold a content now."""
        text = canonical(content)
        return any(text == canonical(one) for one in self.contents)

    def nearest(self, content: Content) -> Content:
        """Return the possible content that differs least from another."""
        found = self._counted(content)

        def distance(other: Content) -> int:
            mine = self._counted(other)
            return ((mine - found) + (found - mine)).total()

        return min(self.contents, key=distance)

    def difference(self, content: Content) -> tuple[list[Any], list[Any]]:
        """Return the parts that the nearest possible content has and this has not, and the other way round."""
        nearest = self.nearest(content)
        wanted, found = self._counted(nearest), self._counted(content)
        return self._parts(nearest, wanted - found), self._parts(content, found - wanted)

    def written(self) -> set[str]:
        """Return the parts that any call may have written, as canonical texts."""
        subject = SUBJECTS[self.contract]
        each = (subject.apply(subject.empty, self.steps[call.step]) for call in self.calls)
        return {canonical(part) for content in each for part in subject.parts(content)}

    def _with(self, number: int) -> list[_World]:
        step = self.steps[self.calls[number].step]
        if self.late:
            return [_World(world.content, world.pending | {number}) for world in self._worlds]
        apply = SUBJECTS[self.contract].apply
        return [_World(apply(world.content, step)) for world in self._worlds]

    def _reachable(self) -> list[_World]:
        """Return all worlds that effects which are still to come may lead to, in any order."""
        apply = SUBJECTS[self.contract].apply
        found = {world.name: world for world in self._worlds}
        waiting = list(found.values())
        while waiting:
            world = waiting.pop()
            for number in world.pending:
                content = apply(world.content, self.steps[self.calls[number].step])
                then = _World(content, world.pending - {number})
                if then.name not in found:
                    found[then.name] = then
                    waiting.append(then)
        return list(found.values())

    def _counted(self, content: Content) -> Counter[str]:
        return Counter(canonical(part) for part in SUBJECTS[self.contract].parts(content))

    def _parts(self, content: Content, wanted: Counter[str]) -> list[Any]:
        left, found = Counter(wanted), []
        # The last ones: of an event that is there twice the second is too many.
        for part in reversed(list(SUBJECTS[self.contract].parts(content))):
            if left[canonical(part)] > 0:
                left[canonical(part)] -= 1
                found.append(part)
        return found[::-1]


def _distinct(worlds: Iterable[_World]) -> list[_World]:
    return list({world.name: world for world in worlds}.values())
