"""What a store shows on damaged files: each damage is done to a copy of the specimen, in the child of a worker."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.crash.tree import write_tree
from conformance.damage.ask import ask, repair
from conformance.damage.damage import Damage, damaged
from conformance.damage.judge import Judged, Truth, judge, lost, unnamed
from conformance.damage.records import Name
from conformance.damage.specimen import Specimen
from conformance.workers import Bay, Crew
from conformance.workers.forked import Ended, alone, each

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


def stored(crew: Crew, specimen: Specimen) -> str:
    """Return the name of a file that the workers' children read the specimen from, once each."""
    path = crew.folder / f"specimen-{specimen.name}"
    path.write_bytes(pickle.dumps(specimen))
    return str(path)


def examine_all(bay: Bay, batch: tuple[str, list[Case]]) -> list[Shown]:
    """Do each damage of a batch to a copy of the stored specimen, and return what is shown; runs in a worker."""
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
