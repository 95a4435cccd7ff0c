"""What is to be measured: jobs, in the order in which they tell most."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.check import SUITES, Check
from tests.mutants.base import Mutant
from tests.proof.kills import Kills, Row

#: At so many seeds a check meets a mutant that it must kill: where nothing is drawn, and where something is.
FEW, MANY = 3, 5
#: The suites whose checks draw nothing, unless what they did says so.
SETTLED = ("open", "round-trip")
#: Kinds of evidence that is drawn.
DRAWN = ("examples", "sequences")
#: What a job's odd store begins with.
ODD = "odd/"
#: The cheap suites first.
ORDER = ("open", "round-trip", "differential", "replay", "corruption", "crash-recovery", "concurrency")


@dataclass(frozen=True)
class Job:
    """One trial.

    Args:
        store: The name of a mutant, the name of an odd store behind `ODD`, or the address of another.
        code: The check.
        seed: The run's.
        long: With the effort of tests/test_mutants.py; else quick.
    """

    store: str
    code: str
    seed: int
    long: bool


def draws(check: Check, evidence: Collection[str]) -> bool:
    """Tell whether two seeds may come to two ends."""
    return check.suite not in SETTLED or check.contract == "vectors" or bool({*DRAWN} & {*evidence})


def wanted(phase: Phase, kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> Iterator[list[Job]]:
    """Give, for each mutant, what is missing of a phase; what needs a server comes last."""
    for mutant in sorted(mutants, key=lambda mutant: (mutant.backend.server is not None, _cost(mutant, checks))):
        jobs = phase(mutant, kills.rows.get(mutant.name, Row("")), checks, kills)
        if jobs:
            yield jobs


def _cost(mutant: Mutant, checks: Mapping[str, Check]) -> int:
    suites = [checks[code].suite for code in mutant.killed_by]
    return max(ORDER.index(suite) if suite in ORDER else len(ORDER) for suite in suites)


def first(mutant: Mutant, row: Row, checks: Mapping[str, Check], kills: Kills) -> list[Job]:
    """Return one trial of each check that must kill a mutant, where there was none."""
    return [Job(mutant.name, code, 0, long=True) for code in mutant.killed_by if not row.trials.get(code)]


def others(mutant: Mutant, row: Row, checks: Mapping[str, Check], kills: Kills) -> list[Job]:
    """Return one trial of each other check of the same contract and suite, where there was none."""
    missing = companions(mutant, checks) - row.others.keys()
    return [Job(mutant.name, code, 0, long=False) for code in checks if code in missing]


def more(mutant: Mutant, row: Row, checks: Mapping[str, Check], kills: Kills) -> list[Job]:
    """Return the trials of checks that must kill a mutant, up to as many as there should be."""
    return [
        Job(mutant.name, code, seed, long=True)
        for code in mutant.killed_by
        for seed in range(len(row.trials.get(code, "")), MANY if code in kills.drawing else FEW)
    ]


Phase = Callable[[Mutant, Row, Mapping[str, Check], Kills], list[Job]]
#: In the order in which they tell most.
PHASES: tuple[Phase, ...] = (first, others, more)


def companions(mutant: Mutant, checks: Mapping[str, Check]) -> set[str]:
    """Return the checks of the same contract and suite as those that must kill a mutant, without these."""
    groups = {(checks[code].contract, checks[code].suite) for code in mutant.killed_by}
    return {code for code, one in checks.items() if (one.contract, one.suite) in groups} - set(mutant.killed_by)


def forget(kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check], homes: Mapping[str, Path]) -> int:
    """Drop what was measured of modules that are not as they were, and of what is gone; return how many results.

    Args:
        kills: It is changed.
        mutants: All that there are.
        checks: All that there are.
        homes: The module that has each mutant.
    """
    before = count(kills)
    current = {one.file: digest(SUITES / one.file) for one in checks.values()}
    stale = {one.code for one in checks.values() if kills.files.get(one.file) not in (None, current[one.file])}
    there = {mutant.name: mutant for mutant in mutants}
    for name, row in list(kills.rows.items()):
        if name not in there or row.digest != digest(homes[name]):
            del kills.rows[name]
            continue
        gone = stale | ({*row.trials, *row.others} - checks.keys())
        drop(
            row, [*gone, *(row.others.keys() & there[name].killed_by), *(row.trials.keys() - {*there[name].killed_by})]
        )
    kills.files = current
    kills.drawing &= checks.keys()
    return before - count(kills)


def anew(codes: Collection[str], checks: Mapping[str, Check]) -> dict[str, str]:
    """Return the digest of each file all of whose checks are among these."""
    files = {one.file for one in checks.values()} - {one.file for one in checks.values() if one.code not in codes}
    return {file: digest(SUITES / file) for file in files}


def drop(row: Row, codes: Iterable[str]) -> None:
    """Forget what came of some checks."""
    for code in codes:
        row.trials.pop(code, None)
        row.others.pop(code, None)


def count(kills: Kills) -> int:
    """Return how many trials there were."""
    return sum(len(letters) for row in kills.rows.values() for letters in (*row.trials.values(), *row.others.values()))


@cache
def digest(path: Path) -> str:
    """Return a short digest of a module, or of all modules of a package."""
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()[:8]
