"""The sweep: many damages to a specimen, each in a copy of its own, each judged by what the store then shows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from conformance.crash.tree import at_once
from conformance.damage.damage import INTACT
from conformance.damage.examine import Case, Shown, examine_all, examine_alone, stored
from conformance.damage.judge import Judged
from conformance.damage.specimen import Specimen
from conformance.workers import Crew

#: Damages that a worker is given at once at most, and batches that it has at hand.
_BATCH, _AHEAD = 12, 2
#: Damages beyond the budget that are counted: it takes longer to think of all than to try some.
_COUNTED = 1_000


@dataclass(frozen=True)
class Broken:
    """That a rule is broken.

    Args:
        what: In a few words.
        judged: With what was expected, and what was given.
    """

    what: str
    judged: Judged


#: Tells whether what is shown breaks a rule.
Rule = Callable[[Shown], Broken | None]


@dataclass(frozen=True)
class Finding:
    """A damage that breaks a rule, with what became of it."""

    specimen: Specimen
    case: Case
    shown: Shown
    broken: Broken


@dataclass(frozen=True)
class Budget:
    """How much is tried.

    Args:
        damages: So many.
        seconds: None is begun after so long.
    """

    damages: int
    seconds: float


@dataclass
class Swept:
    """What came of a sweep.

    Args:
        classes: How often each operator ended in each class.
        finding: The smallest damage of those that break the rule; None where none does.
        left: Damages that the budget left out, as far as they are counted.
        repairs: Stores that repaired themselves, or tried to.
    """

    classes: Counter[tuple[str, str]] = field(default_factory=Counter)
    finding: Finding | None = None
    left: int = 0
    repairs: int = 0

    @property
    def tried(self) -> int:
        """How many damages were tried."""
        return self.classes.total()

    @property
    def hung(self) -> bool:
        """Whether the store hung."""
        return any(kind == "hung" for _, kind in self.classes)

    def note(self, case: Case, shown: Shown) -> None:
        """Count what became of one."""
        self.classes[case.damage.operator, shown.judged.kind] += 1
        self.repairs += bool(shown.repair)


def sweep(
    crew: Crew,
    specimen: Specimen,
    cases: Iterable[Case],
    budget: Budget,
    broken: Rule,
    progress: Callable[[int], None] = lambda _: None,
) -> Swept:
    """Try damages until the budget is used up, or something is broken.

    A child opens the store on many copies, so what is broken is tried again in a process that has opened nothing else,
    and counts only if it is so again.

    Args:
        crew: Of the store.
        specimen: What is damaged.
        cases: The damages, in the order in which they are tried.
        budget: How much of them.
        broken: The rule.
        progress: Called with how many more have been tried.
    """
    found = Swept()
    until = time.monotonic() + budget.seconds
    waiting = iter(cases)
    name = stored(crew, specimen)
    suspects: list[Case] = []

    def batches() -> Iterator[tuple[str, list[Case]]]:
        left = budget.damages - found.tried
        # After one that hangs no more are begun: each may take as long.
        while left > 0 and time.monotonic() < until and not suspects and not found.hung:
            some = list(islice(waiting, min(at_once(specimen.tree, _BATCH), left)))
            if not some:
                return
            left -= len(some)
            yield name, some

    while True:
        for (_, some), shown in crew.spread(examine_all, batches(), ahead=_AHEAD):
            progress(len(shown))
            for case, one in zip(some, shown, strict=False):
                found.note(case, one)
                if broken(one) is not None:
                    suspects.append(case)
        for case in sorted(suspects, key=_size):
            again: Shown = crew.call(examine_alone, name, case)
            sure = broken(again)
            if sure is not None:
                found.finding = Finding(specimen, case, again, sure)
                break
        if found.finding is not None or not suspects:
            break
        suspects.clear()  # none is broken in a process of its own
    found.left = sum(1 for _ in islice(waiting, _COUNTED))
    return found


def _size(case: Case) -> int:
    return case.damage.length


def intact(crew: Crew, specimen: Specimen) -> Judged:
    """Return what the store shows on the files as they are: whatever is wrong then is not the fault of any damage."""
    shown: Shown = crew.call(examine_alone, stored(crew, specimen), Case(INTACT, all_of_it=True))
    return shown.judged
