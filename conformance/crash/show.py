"""A finding in words and lines: what each system call came to on the disk, beside what was acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.crash.disk import MODELS, Disk
from conformance.crash.explore import Explorer, Finding
from conformance.crash.fakedisk import Fake
from conformance.crash.history import MEANING, History, Moment
from conformance.crash.kills import Kill
from conformance.crash.observe import Observation
from conformance.crash.picture import (
    NO_FATE,
    SHOWN,
    Names,
    Row,
    attempt_rows,
    brief,
    drawn,
    fate_of,
    trace_rows,
)
from conformance.crash.subjects import SUBJECTS, Content, Step, Subject, canonical
from conformance.crash.trace import Create, Link, Remove, Rename, Truncate, Write
from conformance.crash.tree import Tree

__all__ = ["SHOWN", "Shown", "brief", "difference", "shown", "shown_fake", "shown_fault", "shown_kill"]


@dataclass(frozen=True)
class Shown:
    """What a person reads about a finding.

    Args:
        what: What was wrong, and when.
        expected: What had been acknowledged, or else what is allowed.
        got: What the store gave.
        story: The system calls with what became of them, the crash, and the files that it left.
        frame: Where in the store's own code it failed, where it did.
        picture: The same as the story, as `picture.drawn` gives it.
    """

    what: str
    expected: str
    got: str
    story: tuple[str, ...]
    frame: str
    picture: Row


def shown(explorer: Explorer, finding: Finding) -> Shown:
    """Return a finding as text."""
    crash = "a process kill" if MODELS[finding.model].kill else f"a power loss that {finding.model} allows"
    expected, got = difference(explorer.recorded.history, finding.moment, finding.observation)
    picture, story = _told_of(explorer, finding)
    return Shown(
        what=f"after {crash}, {MEANING[finding.verdict]}",
        expected=expected,
        got=got,
        story=story,
        frame=finding.observation.frame,
        picture=picture,
    )


def shown_fault(explorer: Explorer, finding: Finding) -> Shown:
    """Return a finding after an error of the disk as text."""
    if finding.model:
        text = shown(explorer, finding)
        return replace(text, what=f"after an error of the disk, then {text.what.removeprefix('after ')}")
    one = explorer.recorded
    expected, got = difference(one.history, finding.moment, finding.observation)
    rows = trace_rows(one, len(one.recording.trace.operations), lambda _: NO_FATE)
    lines = [*map(_line, rows), f"********* {finding.state.label}"]
    return Shown(
        what=f"after an error of the disk, {MEANING[finding.verdict]}",
        expected=expected,
        got=got,
        story=(*_last(lines), f"left on disk: {_files(one.recording.real)}"),
        frame=finding.observation.frame,
        picture=drawn(rows, finding.state.label, None, one.recording.real),
    )


def shown_kill(contract: str, kill: Kill) -> Shown:
    """Return a real kill that left something wrong as text."""
    history = History(contract, kill.steps, kill.attempts, SUBJECTS[contract].empty)
    expected, got = difference(history, kill.moment, kill.observation)
    rows = attempt_rows(history, kill.moment.settled)
    return Shown(
        what=f"after a real kill, {MEANING[kill.verdict]}",
        expected=expected,
        got=got,
        story=(*_last(_paired(rows)), f"********* KILLED HERE, {kill.how}", f"left on disk: {_files(kill.files)}"),
        frame=kill.observation.frame,
        picture=drawn(rows, f"KILLED HERE, {kill.how}", None, kill.files, kill=True),
    )


def shown_fake(contract: str, steps: Sequence[Step], fake: Fake) -> Shown:
    """Return what went wrong on a fake disk as text."""
    history = History(contract, steps, fake.attempts, SUBJECTS[contract].empty)
    settled = len(fake.attempts)
    moment = Moment(settled=settled, acknowledged=settled, running=False)
    expected, got = difference(history, moment, fake.observation)
    rows = attempt_rows(history, settled)
    return Shown(
        what=f"after it, {MEANING[fake.verdict]}",
        expected=expected,
        got=got,
        story=tuple(_last(_paired(rows))),
        frame=fake.observation.frame,
        picture=drawn(rows, "", None, {}),
    )


def _paired(rows: Sequence[Row]) -> list[str]:
    """Return a line for each step, with its end."""
    lines: list[str] = []
    for row in rows:
        if row["row"] == "step":
            lines.append(f"-- {row['text']}")
        else:
            lines[-1] += f"  {row['text']}"
    return lines


def difference(history: History, moment: Moment, observation: Observation) -> tuple[str, str]:
    """Return what had been acknowledged and is not there, and what is there in its place."""
    subject = SUBJECTS[history.contract]
    # Of what is possible where a call raised, what is nearest to what was found, or else what needs the least.
    possible = history.after[moment.settled]
    if observation.content is None:
        due = possible[-1]
    else:
        due = min(possible, key=lambda content: _distance(subject, content, observation.content))
    if observation.usable != "usable":
        count = len(list(subject.parts(due)))
        return f"a usable store with {count} entr{'y' if count == 1 else 'ies'}", observation.detail
    missing = _without(subject.parts(due), subject.parts(observation.content))
    extra = _without(subject.parts(observation.content), subject.parts(due))
    # What is there only because the call in flight took effect is no difference worth telling.
    return _told(subject, missing, "nothing else"), _told(subject, extra, "nothing in its place")


def _distance(subject: Subject, content: Content, other: Content) -> int:
    return len(
        {canonical(part) for part in subject.parts(content)} ^ {canonical(part) for part in subject.parts(other)}
    )


def _without(parts: object, others: object) -> list[Content]:
    gone = {canonical(other) for other in others}  # type: ignore[attr-defined]
    return [part for part in parts if canonical(part) not in gone]  # type: ignore[attr-defined]


def _told(subject: Subject, parts: list[Content], nothing: str) -> str:
    if not parts:
        return nothing
    return ", ".join(map(subject.tell, parts[:3])) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")


def _told_of(explorer: Explorer, finding: Finding) -> tuple[Row, tuple[str, ...]]:
    """Return the picture of a finding, and its story."""
    one, point, kept = explorer.recorded, finding.state.point, finding.state.kept
    disk = explorer.disk(finding.model)
    durable = frozenset() if disk.model.kill else disk.durable(point)
    # A kill may cut the write that was going on: a part of it is on the disk.
    last = point + any(atom in kept for atom in disk.by_operation.get(point, ()))
    rows = trace_rows(one, last, lambda place: fate_of(disk.by_operation.get(place, ()), kept, durable))
    lost = [] if disk.model.kill else _not_synced(disk, point, kept, Names(one.recording.trace))
    begun = finding.moment.settled + finding.moment.running
    crash = "PROCESS KILLED HERE" if disk.model.kill else "POWER LOSS HERE"
    crash = f"{crash} (acknowledged {finding.moment.acknowledged} of {begun} begun)"
    before = disk.tree(frozenset(atom.index for atom in disk.atoms if atom.operation < last))
    after = disk.tree(kept)
    lines = [*_last([_line(row) for row in rows]), f"********* {crash}", f"left on disk: {_files(after)}"]
    if lost:
        lines.append(f"not synced by then: {', '.join(lost)}")
    return drawn(rows, crash, before, after, lost, kill=disk.model.kill), tuple(lines)


def _not_synced(disk: Disk, point: int, kept: frozenset[int], names: Names) -> list[str]:
    """Return what a sync before the crash would have kept: the content of files, and the directories of names."""
    lost = {disk.atoms[index].operation for index in disk.pending(point) - kept}
    told: dict[str, None] = {}
    for place, operation in enumerate(disk.trace.operations[:point]):
        names.after(operation)
        if place not in lost:
            continue
        match operation:
            case Write(node) | Truncate(node):
                told[f"the content of {names.name(node)}"] = None
            case Create(directory) | Link(directory) | Remove(directory) | Rename(_, _, directory):
                told[f"the names in {names.name(directory)}"] = None
    return list(told)


def _line(row: Row) -> str:
    match row["row"]:
        case "call":
            return f"{_fate(row):<9} {row['verb']:<8} {row['text']}".rstrip()
        case _:
            return f"{'':9} -- {row['text']}"


def _fate(row: Row) -> str:
    words = {"survived": "on disk", "lost": "LOST", "torn": f"TORN {row['kept']}/{row['of']}"}
    return words.get(row["fate"]) or str(row["fate"])


def _last(lines: list[str]) -> list[str]:
    hidden = len(lines) - SHOWN
    return lines if hidden <= 1 else [f"{'':9} … {hidden:,} earlier lines …", *lines[hidden:]]


def _files(tree: Tree) -> str:
    told = []
    for path, content in sorted(tree.items()):
        name = "/".join(map(brief, path.split("/")))
        told.append(name if content is None else f"{name} ({len(content):,} bytes)")
    if not told:
        return "nothing"
    return ", ".join(told[:12]) + (f" and {len(told) - 12} more" if len(told) > 12 else "")
