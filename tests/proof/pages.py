"""The pages of the kill matrix: plain text, made from what was measured and from nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.check import Check
from tests.mutants.base import Mutant
from tests.proof.findings import (
    Group,
    Victims,
    decided,
    groups,
    late,
    met_in,
    missed,
    rate,
    unmeasured,
    unsure_of,
    victims,
    without_own,
)
from tests.proof.kills import BLOCKED, FOREIGN, KILLED, LATE, SPARED, UNDECIDED, Kills, Row, area
from tests.proof.sound import Sound, sound_block

NOTE = "<!-- Written by `python -m tests.proof pages`. -->"
#: What the signs of the matrix mean, in the order in which they are told.
SIGNS = {
    KILLED: "killed",
    SPARED: "not killed",
    FOREIGN: "does not apply",
    BLOCKED: "blocked by another check",
    UNDECIDED: "inconclusive",
    LATE: "took too long",
    " ": "not measured",
}
#: Of the mutants that others kill as well so many are named.
NAMED = 3


@dataclass(frozen=True)
class Proof:
    """All that the pages are made of.

    Args:
        kills: What was measured of mutants.
        sound: What was measured of stores without a known bug.
        mutants: All that there are.
        checks: All that there are.
        stores: The names of the stores without a known bug.
    """

    kills: Kills
    sound: Sound
    mutants: Sequence[Mutant]
    checks: Mapping[str, Check]
    stores: Sequence[str]


def pages(proof: Proof) -> dict[str, str]:
    """Return the text of each page, by its path in the documentation."""
    found = {"kill-matrix.md": _summary(proof)}
    killed = victims(proof.kills, proof.mutants, proof.checks)
    contracts = dict.fromkeys(contract for contract, _ in groups(proof.checks))
    for contract in contracts:
        found[f"kill-matrix/{contract}.md"] = _contract_page(proof, contract, killed)
    return found


def _summary(proof: Proof) -> str:
    kills, checks = proof.kills, proof.checks
    alone = without_own(kills, proof.mutants, checks)
    killed = victims(kills, proof.mutants, checks)
    blocks = [
        NOTE,
        "# Kill matrix",
        _intro(proof),
        (
            "`python -m tests.proof kills` measures what is missing or has changed, `python -m tests.proof sound` the "
            "stores without a bug, and `python -m tests.proof pages` writes these pages."
        ),
        "## By contract and suite",
        _table(
            ("contract", "suite", "checks", "alone", "nearby", "unsure", "mutants", "killed", "trials", "pairs"),
            [_summary_row(proof, where, members, killed) for where, members in groups(checks).items()],
        ),
        (
            "*Alone*: checks with a mutant that no other check of the contract and suite killed, all of which it met. "
            "*Nearby*: those, and the checks with a mutant that only they and their neighbours killed. Neighbours are "
            "of one area, as STATE-KEY-01 and STATE-KEY-04 are, and of the same area of another contract, for a mutant "
            "that keeps both in one place. MODEL is near to all: its random sequences ask for every rule. *Unsure*: "
            "others that may be such checks: not all have met their mutants. *Killed*: mutants that each check that "
            "must kill them killed in every trial. *Trials*: of these checks, and how many killed. *Pairs*: of a "
            "mutant and a check, how many were tried."
        ),
        "## Checks without a mutant of their own",
        _without_own_block(proof, alone, killed),
        "## Trials in which a mutant survived",
        _missed_block(proof),
        "## What was not measured",
        _unmeasured_block(proof),
        "## Stores without a bug",
        sound_block(proof.sound, proof.stores, [code for code, one in proof.checks.items() if one.level == "should"]),
    ]
    return "\n\n".join(blocks) + "\n"


def _intro(proof: Proof) -> str:
    rows = proof.kills.rows.values()
    trials = sum(len(letters) for row in rows for letters in row.trials.values())
    singles = sum(len(row.others) for row in rows)
    return (
        "A check that cannot fail proves nothing, and one that fails on a good store is worse. So each check meets "
        "stores with one bug each, the *mutants*, and must fail on those that are made for it; and it meets honest "
        "stores, and legal but odd ones, and must pass. This page is what came of it.\n\n"
        f"{len(proof.checks)} checks, {len(proof.mutants)} mutants. A mutant met the checks that must kill it in "
        f"{trials} trials, each at a seed of its own, with the effort of `tests/test_mutants.py`. It also met the "
        f"other checks of the same contract and suite, once each, at effort `quick`: {singles} trials. "
        "Checks of other suites and contracts were not tried on it: of these nothing is known."
    )


def _summary_row(
    proof: Proof, where: Group, members: Sequence[Check], killed: Mapping[str, Victims]
) -> tuple[str, ...]:
    contract, suite = where
    codes = {check.code for check in members}
    inside = met_in(where, proof.mutants, proof.checks)
    declared = [
        proof.kills.rows.get(mutant.name, Row("")).trials.get(code, "")
        for mutant in inside
        for code in mutant.killed_by
        if code in codes
    ]
    sure = [
        mutant
        for mutant in inside
        if all(
            KILLED in (letters := proof.kills.rows.get(mutant.name, Row("")).trials.get(code, ""))
            and not letters.strip(KILLED)
            for code in mutant.killed_by
            if code in codes
        )
    ]
    tried = sum(bool(proof.kills.rows.get(one.name, Row("")).letters(code)) for one in inside for code in codes)
    return (
        f"[{contract}](kill-matrix/{contract}.md#{suite})",
        suite,
        f"{len(codes)}",
        f"{sum(bool(killed[code].alone) for code in codes)}",
        f"{sum(bool(killed[code].alone or killed[code].nearby) for code in codes)}",
        f"{sum(bool(killed[code].unsure and not (killed[code].alone or killed[code].nearby)) for code in codes)}",
        f"{len(inside)}",
        f"{len(sure)}",
        f"{sum(letters.count(KILLED) for letters in declared)} of {sum(map(len, declared))}",
        f"{tried} of {len(inside) * len(codes)}",
    )


def _without_own_block(proof: Proof, codes: Sequence[str], killed: Mapping[str, Victims]) -> str:
    if not codes:
        return "None: each check has a mutant that only it, or only it and its neighbours, killed, of all that met it."
    rows = []
    for code in codes:
        rarest = sorted(killed[code].others, key=lambda name: (len(proof.kills.rows[name].killers()), name))
        name = rarest[0] if rarest else ""
        beside = [one for one in proof.kills.rows[name].killers() if one != code] if name else []
        rows.append((_link(code, "checks/"), f"{len(rarest)}", f"`{name}`" if name else "none", _codes(beside)))
    return (
        f"{len(codes)} of {len(proof.checks)} checks: each of their mutants is killed by some other check as well, "
        "which is no neighbour. Beside each stands the mutant that the fewest others kill.\n\n"
        + _table(("check", "mutants", "the one with the fewest other killers", "these"), rows)
    )


def _missed_block(proof: Proof) -> str:
    rows = [
        (f"`{mutant.name}`", _link(code, "checks/"), f"{letters.count(KILLED)} of {len(letters)}", _told(letters))
        for mutant, code, letters in missed(proof.kills, proof.mutants)
    ]
    if not rows:
        return "None: whatever must kill a mutant killed it in every trial."
    return _table(("mutant", "must be killed by", "killed in", "the other trials"), rows)


def _told(letters: str) -> str:
    return ", ".join(f"{letters.count(one)} {SIGNS[one]}" for one in dict.fromkeys(letters) if one != KILLED)


def _unmeasured_block(proof: Proof) -> str:
    never, slow = unmeasured(proof.kills, proof.mutants), late(proof.kills)
    unsure = unsure_of(proof.kills, proof.mutants, proof.checks)
    lines = [
        (
            "- Checks of which it is not known whether they have a mutant of their own, because not all checks of the "
            f"suite have met it: {len(unsure)}. {_codes(unsure)}"
        ).rstrip(),
        f"- Never tried, though the check must kill the mutant: {len(never)}."
        + "".join(f" `{name}` by {_link(code, 'checks/')}." for name, code in never),
        f"- Given up, because a trial took too long: {len(slow)}."
        + "".join(f" `{name}` by {_link(code, 'checks/')}." for name, code in slow),
        "- Checks of other suites and contracts than those that must kill a mutant.",
    ]
    return "\n".join(lines)


def _contract_page(proof: Proof, contract: str, killed: Mapping[str, Victims]) -> str:
    title = f"# Kill matrix: {contract}" if contract != "backend" else "# Kill matrix: every contract"
    blocks = [
        NOTE,
        title,
        (
            "[All contracts](../kill-matrix.md), and how it was measured. `3/3`: killed in three trials of three, each "
            "at another seed. Without a number: killed in the one trial there was. *Alone*: no other check killed that "
            "mutant; *with neighbours*: only checks of the same area, and MODEL."
        ),
    ]
    for where, members in groups(proof.checks).items():
        if where[0] == contract:
            blocks += _suite_blocks(proof, where, members, killed)
    return "\n\n".join(blocks) + "\n"


def _suite_blocks(proof: Proof, where: Group, members: Sequence[Check], killed: Mapping[str, Victims]) -> list[str]:
    inside = met_in(where, proof.mutants, proof.checks)
    rows = [_check_row(proof, check.code, killed[check.code]) for check in members]
    return [
        f"## {where[1]}",
        f"{len(members)} checks, {len(inside)} mutants.",
        _table(("check", "kills"), rows),
        f"<details><summary>The {len(inside)} mutants, each with all that kills it</summary>",
        _mutant_list(proof, inside),
        "</details>",
        f"<details><summary>All {len(inside)} mutants by all {len(members)} checks</summary>",
        _matrix(proof, inside, members),
        "</details>",
    ]


def _check_row(proof: Proof, code: str, found: Victims) -> tuple[str, ...]:
    def told(names: Iterable[str]) -> list[str]:
        return [
            f"`{name}` {rate(row, code)}" if code in row.trials else f"`{name}`"
            for name, row in ((name, proof.kills.rows[name]) for name in names)
        ]

    made = [name for name in found.others if code in proof.kills.rows[name].trials]
    more = [name for name in found.others if name not in made]
    others = [*made, *more][: max(len(made), NAMED)]
    rest = len(found.others) - len(others)
    parts = {
        "alone": told(found.alone),
        "with neighbours": told(found.nearby),
        "not met by all checks": told(found.unsure),
        "with others": [*told(others), *([f"{rest} more"] if rest else [])],
    }
    return _link(code, "../checks/"), "; ".join(f"{how}: {', '.join(names)}" for how, names in parts.items() if names)


def _mutant_list(proof: Proof, inside: Sequence[Mutant]) -> str:
    lines = ["<ul>"]
    for mutant in inside:
        row = proof.kills.rows.get(mutant.name, Row(""))
        must = ", ".join(
            f"<b>{code}</b> {rate(row, code)}" if row.trials.get(code) else f"<b>{code}</b> not measured"
            for code in mutant.killed_by
        )
        also = [code for code in row.killers() if code not in mutant.killed_by]
        ending = f"; also by {_codes(also)}" if also else ""
        bug = _coded(html.escape(mutant.bug[:1].upper() + mutant.bug[1:].rstrip("."), quote=False))
        lines.append(f"<li><code>{mutant.name}</code>: {bug}. Killed by {must}{ending}.</li>")
    return "\n".join([*lines, "</ul>"])


def _matrix(proof: Proof, inside: Sequence[Mutant], members: Sequence[Check]) -> str:
    areas: dict[str, list[str]] = {}
    for check in members:
        areas.setdefault(area(check.code), []).append(check.code)
    for codes in areas.values():
        codes.sort()
    short = {name: name.partition("-")[2] for name in areas}
    widths = {name: max(len(codes), len(short[name])) for name, codes in areas.items()}
    longest = max((len(mutant.name) for mutant in inside), default=0)
    lines = [" ".join(["".ljust(longest), *(short[name].ljust(widths[name]) for name in areas)]).rstrip()]
    for mutant in inside:
        row = proof.kills.rows.get(mutant.name, Row(""))
        cells = ("".join(map(_sign, map(row.letters, codes))).ljust(widths[name]) for name, codes in areas.items())
        lines.append(" ".join([mutant.name.ljust(longest), *cells]).rstrip())
    legend = ", ".join(f"`{sign}` {meaning}" for sign, meaning in SIGNS.items() if sign.strip())
    order = "; ".join(
        f"{short[name]}: {', '.join(code.rpartition('-')[2] for code in codes)}" for name, codes in areas.items()
    )
    return (
        f"<p>{_coded(legend)}, empty: {SIGNS[' ']}. The columns of an area are its checks in the order of their "
        f"numbers: {order}.</p>\n<pre>\n{html.escape(chr(10).join(lines), quote=False)}\n</pre>"
    )


def _sign(letters: str) -> str:
    """Return one sign for the trials of a check: killed in any, else what the last that was decided came to."""
    if KILLED in letters:
        return KILLED
    if decided(letters):
        return SPARED
    return letters[-1:] or " "


def _coded(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", text)


def _codes(codes: Sequence[str]) -> str:
    """Return codes with each area told once: STATE-KEY-01, -04."""
    told: dict[str, list[str]] = {}
    for code in codes:
        told.setdefault(area(code), []).append(code.rpartition("-")[2])
    return ", ".join(f"{name}-{', -'.join(numbers)}" for name, numbers in told.items())


def _link(code: str, folder: str) -> str:
    return f"[{code}]({folder}{code}.md)"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in (head, *rows)]
    return "\n".join([f"| {lines[0]} |", "|---" * len(tuple(head)) + "|", *(f"| {line} |" for line in lines[1:])])
