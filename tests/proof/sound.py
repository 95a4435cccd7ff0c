"""Stores without a known bug, honest and odd: at how many seeds they were judged, and who accused them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from conformance.check import Check
from tests.proof.plan import Job

#: At so many seeds each store is to be judged.
SEEDS = 20
#: A check, and what came of it.
Answer = tuple[str, Mapping[str, Any]]
#: What a store without a bug may come to.
WELL = ("pass", "not applicable")
SCHEMA = 1


@dataclass(frozen=True)
class Honest:
    """A store without a known bug.

    Args:
        name: As in reports.
        store: What a job knows it by.
        contracts: That it opens.
        suites: That it is judged by: all, or those in which it is odd.
        home: The module that has it.
        served: It needs a server.
    """

    name: str
    store: str
    contracts: tuple[str, ...]
    suites: tuple[str, ...]
    home: Path
    served: bool


@dataclass
class Judged:
    """What came of one store.

    Args:
        digest: Of its module, when it was judged.
        suites: That it was judged by.
        seeds: From 0, so many; all where nothing draws.
        trials: Of checks that apply.
        drawing: The checks that are repeated at each seed, because two seeds may come to two ends.
        foreign: Checks that do not apply.
        alarms: By outcome and check, the seeds at which the store did not pass.
    """

    digest: str
    suites: list[str] = field(default_factory=list)
    seeds: int = 0
    trials: int = 0
    drawing: list[str] = field(default_factory=list)
    foreign: int = 0
    alarms: dict[str, dict[str, list[int]]] = field(default_factory=dict)


@dataclass
class Sound:
    """All that was measured, by the name of the store."""

    rows: dict[str, Judged] = field(default_factory=dict)


def to_text(sound: Sound) -> str:
    """Return the text of the file: sorted, a line for each store."""
    rows = [
        f"  {json.dumps(name)}: {json.dumps(asdict(row), separators=(',', ':'))}"
        for name, row in sorted(sound.rows.items())
    ]
    return f'{{\n "schema": {SCHEMA},\n "stores": {{\n' + ",\n".join(rows) + "\n }\n}\n"


def from_text(text: str) -> Sound:
    """Return what `to_text` made a text of.

    Raises:
        ValueError: The text is not of this form.
    """
    record = json.loads(text)
    if record.get("schema") != SCHEMA:
        raise ValueError(f"the schema of what stores came to is {record.get('schema')!r}, and should be {SCHEMA}")
    return Sound({name: Judged(**row) for name, row in record["stores"].items()})


def read(path: Path) -> Sound:
    """Return what the file has; nothing when there is no file."""
    return from_text(path.read_text(encoding="utf-8")) if path.exists() else Sound()


def begin(sound: Sound, stores: Sequence[Honest], digest: Callable[[Path], str]) -> None:
    """Let each store have a row, and drop what is told of a store that is gone, or not as it was."""
    for one in stores:
        row = sound.rows.get(one.name)
        if row is None or row.digest != digest(one.home) or row.suites != list(one.suites):
            sound.rows[one.name] = Judged(digest(one.home), list(one.suites))
    names = {one.name for one in stores}
    sound.rows = {name: row for name, row in sound.rows.items() if name in names}


def wanted(sound: Sound, stores: Sequence[Honest], checks: Mapping[str, Check], *, first: bool) -> Iterator[list[Job]]:
    """Give the jobs of each store and seed: all checks at the first, or what draws at those that are missing.

    Stores that are judged soon come before others, so that in any time as many as possible are judged at all seeds.
    """
    met = {
        one.name: [
            code
            for code, check in checks.items()
            if check.contract in ("backend", *one.contracts) and check.suite in one.suites
        ]
        for one in stores
    }
    for one in sorted(stores, key=lambda one: (one.served, len(met[one.name]))):
        row = sound.rows[one.name]
        if first != (row.seeds == 0):
            continue
        again = [code for code in met[one.name] if first or code in row.drawing]
        seeds = range(1) if first else range(row.seeds, SEEDS)
        for seed in seeds if again else ():
            yield [Job(one.store, code, seed, long=False) for code in again]


def learn(row: Judged, seed: int, answers: Iterable[Answer]) -> None:
    """Add what came of one more seed: for each check its outcome, and whether it draws."""
    for code, answer in answers:
        outcome = answer["outcome"]
        if outcome == "not applicable":
            row.foreign += seed == 0
            continue
        row.trials += 1
        if answer["draws"] and code not in row.drawing:
            row.drawing.append(code)
        if outcome not in WELL:
            row.alarms.setdefault(outcome, {}).setdefault(code, []).append(seed)
    row.seeds = seed + 1 if row.drawing else SEEDS  # where nothing draws, one seed is all of them


def learned(
    sound: Sound,
    names: Mapping[str, str],
    batches: Iterable[Sequence[Job]],
    answers: Iterable[tuple[Job, Mapping[str, Any]]],
) -> Iterator[tuple[str, int, list[Answer]]]:
    """Learn what comes of each store seed by seed, in whatever order it comes; give each with what was learned of it.

    Args:
        sound: What is added to.
        names: Of the stores, by what a job knows them by.
        batches: All jobs that may be answered.
        answers: Of the jobs, as they come.
    """
    left = Counter((job.store, job.seed) for batch in batches for job in batch)
    found: dict[tuple[str, int], list[Answer]] = {}
    for job, answer in answers:
        found.setdefault((job.store, job.seed), []).append((job.code, answer))
        left[job.store, job.seed] -= 1
        row = sound.rows[names[job.store]]
        while (job.store, row.seeds) in found and not left[job.store, row.seeds]:
            seed = row.seeds
            learn(row, seed, found[job.store, seed])
            yield names[job.store], seed, found.pop((job.store, seed))


def accused(sound: Sound, advice: Collection[str]) -> list[str]:
    """Return the stores that a rule failed; what is only advice (`should`) a store without a bug may leave."""
    return [name for name, row in sound.rows.items() if row.alarms.get("fail", {}).keys() - {*advice}]


def sound_block(sound: Sound, stores: Sequence[str], advice: Collection[str] = ()) -> str:
    """Return the part of the page that tells of stores without a bug, as Markdown; `advice` are the `should` checks."""
    judged = {name: sound.rows[name] for name in stores if name in sound.rows and sound.rows[name].seeds}
    complete = [name for name, row in judged.items() if row.seeds >= SEEDS]
    bad = accused(Sound(judged), advice)
    mild = [name for name, row in judged.items() if row.alarms.get("fail", {}).keys() & {*advice}]
    undecided = sum(
        len(seeds)
        for row in judged.values()
        for outcome, codes in row.alarms.items()
        if outcome != "fail"
        for seeds in codes.values()
    )
    trials = sum(row.trials for row in judged.values())
    rows = [
        (
            f"`{name}`",
            ", ".join(row.suites),
            f"{row.seeds} of {SEEDS}",
            f"{row.trials}",
            f"{row.foreign}",
            _alarms(row) or "none",
        )
        for name, row in sorted(judged.items())
    ]
    never = [name for name in sorted(stores) if name not in judged]
    return "\n\n".join(
        [
            (
                "The reference backends, and stores that do what the contract allows and few do: list in any order, "
                "hand out copies, refuse what they may refuse. At seed 0 each meets all checks of its contracts, in "
                "the suites in which it is odd, with the effort of `tests/test_odd.py`; at the other seeds those that "
                "draw something: examples, moments, schedules, damages. There each seed adds at least ten crash states "
                "an exploration, ten damaged copies, six schedules and eight examples."
            ),
            f"{len(stores)} stores, {len(complete)} of them at all {SEEDS} seeds, {trials} trials. "
            + (f"Accused: {len(bad)}." if bad else "None was accused.")
            + (f" Below what is advised (`should`): {', '.join(f'`{name}`' for name in mild)}." if mild else "")
            + (f" Trials that came to no verdict: {undecided}." if undecided else ""),
            *([f"Not measured: {', '.join(f'`{name}`' for name in never)}."] if never else []),
            "<details><summary>Each store</summary>",
            _html(("store", "suites", "seeds", "trials", "checks that do not apply", "not passed"), rows),
            "</details>",
        ]
    )


def _alarms(row: Judged) -> str:
    return "; ".join(
        f"{code} {outcome} at seed {', '.join(map(str, seeds))}"
        for outcome, codes in sorted(row.alarms.items())
        for code, seeds in sorted(codes.items())
    )


def _html(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table for inside of an element of HTML, where Markdown is not read."""
    told = ["<table>", "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    for row in rows:
        cells = (cell.replace("`", "") for cell in row)
        told.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "\n".join([*told, "</table>"])
