"""The sweep: many damages to a specimen, each in a copy of its own, each judged by what the store then shows."""

from __future__ import annotations

import os
import pickle
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from conformance.crash.tree import write_tree
from conformance.damage.ask import Name, ask, repair
from conformance.damage.damage import INTACT, Damage, damaged
from conformance.damage.judge import Judged, Truth, judge, lost, unnamed
from conformance.damage.specimen import Specimen
from conformance.workers import Bay, Crew
from conformance.workers.forked import Ended, alone, each

#: Damages that a worker is given at once, and batches that it has at hand.
_BATCH, _AHEAD = 12, 2
#: Damages beyond the budget that are counted: it takes longer to think of all than to try some.
_COUNTED = 1_000
#: Bytes of memory that a store may take for more than it has, before it is told that there is none: a length that
#: damage made large must end in an error of its own, not in that of the machine.
_MEMORY = 2 << 30


@dataclass(frozen=True)
class Case:
    """One damage, and what is asked after it.

    Args:
        damage: What is done.
        undamaged: Records that must be readable all the same, now and after one more write; None to ask nothing more.
        repair: Whether the store repairs itself first; what is asked for must then be readable after that.
        all_of_it: Whether what `verify()` has named damage in is read, too.
    """

    damage: Damage
    undamaged: tuple[Name, ...] | None = None
    repair: bool = False
    all_of_it: bool = False


@dataclass(frozen=True)
class Shown:
    """What became of one damage.

    Args:
        judged: Of the records.
        lost: The first undamaged record that is lost; None where none is, or none was asked for.
        frame: Where in the store's own code it raised first.
        stranger: What became of a foreign file; empty when it is as it was.
        unnamed: What reading noticed and `verify()` did not; None where it named it, or is not offered.
        repair: What the repair said; empty where none was asked for, or the store could not be opened.
    """

    judged: Judged
    lost: Judged | None = None
    frame: str = ""
    stranger: str = ""
    unnamed: Judged | None = None
    repair: str = ""


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
    name = _stored(crew, specimen)
    suspects: list[Case] = []

    def batches() -> Iterator[tuple[str, list[Case]]]:
        left = budget.damages - found.tried
        # After one that hangs no more are begun: each may take as long.
        while left > 0 and time.monotonic() < until and not suspects and not found.hung:
            some = list(islice(waiting, min(_BATCH, left)))
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
    shown: Shown = crew.call(examine_alone, _stored(crew, specimen), Case(INTACT, all_of_it=True))
    return shown.judged


def examine_all(bay: Bay, batch: tuple[str, list[Case]]) -> list[Shown]:
    """Do each damage of a batch to a copy of the specimen, and return what the store shows; runs in a worker."""
    name, cases = batch
    return [_or_ended(one) for one in each(bay, _examine, [(name, case) for case in cases])]


def examine_alone(bay: Bay, name: str, case: Case) -> Shown:
    """Do one, in a process that does nothing else; runs in a worker."""
    return _or_ended(alone(bay, _examine, (name, case)))


def _or_ended(one: Shown | Ended) -> Shown:
    return Shown(Judged(one.how, got=one.detail)) if isinstance(one, Ended) else one


def _examine(bay: Bay, thing: tuple[str, Case]) -> Shown:
    name, case = thing
    if name not in bay.kept:
        bay.kept[name] = pickle.loads(Path(name).read_bytes())
        _limit_memory()
    specimen: Specimen = bay.kept[name]
    tree = damaged(specimen.tree, case.damage)
    write_tree(tree, bay.cleared())
    truth = specimen.truth
    if case.repair:
        return _after_repair(bay, truth, case.undamaged or ())
    again = case.undamaged is not None
    all_of_it = again or case.all_of_it
    seen = ask(bay.backend, bay.contract, bay.place, list(truth.records), again=again, all_of_it=all_of_it)
    gone: Judged | None = None
    if case.undamaged is not None:
        gone = lost(truth, seen, case.undamaged)
        if gone is None and seen.later is not None:
            gone = lost(truth, seen.later, case.undamaged)
    stranger = _stranger(bay.place, case.damage, tree)
    return Shown(judge(truth, seen), gone, seen.frame, stranger, unnamed(truth, seen))


def _after_repair(bay: Bay, truth: Truth, undamaged: tuple[Name, ...]) -> Shown:
    dropped = repair(bay.backend, bay.contract, bay.place)
    if dropped is None:
        return Shown(Judged("detected"))
    said = f"repair() raised {dropped}" if isinstance(dropped, str) else f"repair() says it dropped {list(dropped)}"
    seen = ask(bay.backend, bay.contract, bay.place, list(truth.records))
    judged = judge(truth, seen)
    gone = lost(truth, seen, undamaged)
    if isinstance(dropped, str):
        gone = Judged("detected", expected="a report", got=said)
    elif gone is None and seen.unreadable:
        gone = Judged("detected", expected="a store that can be read", got=f"reading raised {seen.unreadable}")
    elif gone is None and not dropped and judged.kind != "harmless":
        gone = Judged(judged.kind, judged.record, "a report that names what was dropped", said)
    return Shown(judged, gone, seen.frame, repair=said)


def _stranger(place: Path, damage: Damage, tree: Mapping[str, bytes | None]) -> str:
    if damage.operator != "foreign file":
        return ""
    path = place / damage.file
    if not path.is_file():
        return "it is gone"
    return "" if path.read_bytes() == tree[damage.file] else "it is another one"


def _limit_memory() -> None:
    try:
        import resource  # not on Windows

        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, hard))
    except (ImportError, OSError, ValueError):
        pass


def _stored(crew: Crew, specimen: Specimen) -> str:
    """Return the name of a file that the workers' children read the specimen from, once each."""
    path = crew.folder / f"specimen-{specimen.name}"
    path.write_bytes(pickle.dumps(specimen))
    return str(path)


def within(specimen: Specimen, names: Collection[Name]) -> Iterator[tuple[Name, str, int, int]]:
    """Give the places at which the values of some records stand in the files, the records in turn."""
    places = {name: list(specimen.regions[name]) for name in names}
    while any(places.values()):
        for name, left in places.items():
            if left:
                yield (name, *left.pop(0))
