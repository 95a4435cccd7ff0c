"""What follows from what was measured: who kills whom alone, who missed, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.backend import CONTRACTS
from conformance.check import Check
from tests.mutants.base import Mutant
from tests.proof.kills import KILLED, LATE, SPARED, Kills, Row, are_neighbours
from tests.proof.plan import ORDER, companions

#: A contract and a suite.
Group = tuple[str, str]


@dataclass(frozen=True)
class Victims:
    """The mutants that a check killed.

    Args:
        alone: No other check that met them did.
        nearby: Only checks of the same area did, of whatever contract, and random sequences.
        others: Others did as well.
        unsure: Nobody else but perhaps neighbours did so far, and not all checks have met them.
    """

    alone: tuple[str, ...]
    nearby: tuple[str, ...]
    others: tuple[str, ...]
    unsure: tuple[str, ...]


def group(check: Check) -> Group:
    """Return where a check stands."""
    return check.contract, check.suite


def groups(checks: Mapping[str, Check]) -> dict[Group, list[Check]]:
    """Return the checks by contract and suite, both in the order in which they are explained."""
    found: dict[Group, list[Check]] = {}
    for check in checks.values():
        found.setdefault(group(check), []).append(check)
    places = {name: place for place, name in enumerate((*CONTRACTS, *ORDER))}
    return dict(sorted(found.items(), key=lambda one: [places.get(name, len(places)) for name in one[0]]))


def met_in(where: Group, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> list[Mutant]:
    """Return the mutants that a check of a contract and suite must kill."""
    return [mutant for mutant in mutants if any(group(checks[code]) == where for code in mutant.killed_by)]


def victims(kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> dict[str, Victims]:
    """Return what each check killed."""
    found: dict[str, tuple[list[str], ...]] = {code: ([], [], [], []) for code in checks}
    for mutant in sorted(mutants, key=lambda mutant: mutant.name):
        row = kills.rows.get(mutant.name, Row(""))
        killers = [code for code in row.killers() if code in checks]
        known = companions(mutant, checks) <= row.others.keys()
        neighbours = are_neighbours(killers)
        for code in killers:
            where = 2 if not neighbours else 3 if not known else 0 if len(killers) == 1 else 1
            found[code][where].append(mutant.name)
    return {code: Victims(*map(tuple, four)) for code, four in found.items()}


def without_own(kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> list[str]:
    """Return the checks whose every mutant a check that is no neighbour kills too."""
    found = victims(kills, mutants, checks).items()
    return [code for code, one in found if not (one.alone or one.nearby or one.unsure)]


def unsure_of(kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> list[str]:
    """Return the checks that may have a mutant of their own: not all checks have met it yet."""
    found = victims(kills, mutants, checks).items()
    return [code for code, one in found if one.unsure and not (one.alone or one.nearby)]


def missed(kills: Kills, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, str, str]]:
    """Yield each mutant, with a check that must kill it and did not in some trial, and its letters."""
    for mutant in mutants:
        row = kills.rows.get(mutant.name, Row(""))
        for code in mutant.killed_by:
            letters = row.trials.get(code, "")
            if letters.strip(KILLED):
                yield mutant, code, letters


def unmeasured(kills: Kills, mutants: Sequence[Mutant]) -> list[tuple[str, str]]:
    """Return each (mutant, check that must kill it) that was never tried."""
    return [
        (mutant.name, code)
        for mutant in mutants
        for code in mutant.killed_by
        if not kills.rows.get(mutant.name, Row("")).trials.get(code)
    ]


def strangers(kills: Kills, mutants: Sequence[Mutant], checks: Mapping[str, Check]) -> list[str]:
    """Return the names of mutants and checks that results tell of, and that do not exist."""
    names = kills.rows.keys() - {mutant.name for mutant in mutants}
    codes = {code for row in kills.rows.values() for code in (*row.trials, *row.others)} - checks.keys()
    return sorted({*names, *codes})


def rate(row: Row, code: str) -> str:
    """Return in how many trials of how many a check killed a mutant: `3/3`."""
    letters = row.letters(code)
    return f"{letters.count(KILLED)}/{len(letters)}"


def decided(letters: str) -> bool:
    """Tell whether a trial of these came to an end that says something."""
    return bool({KILLED, SPARED} & {*letters})


def late(kills: Kills) -> list[tuple[str, str]]:
    """Return each (mutant, check) of which a trial took too long."""
    return [
        (name, code)
        for name, row in sorted(kills.rows.items())
        for code in sorted({*row.trials, *row.others})
        if LATE in row.letters(code)
    ]
