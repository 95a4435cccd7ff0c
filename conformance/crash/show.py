"""A finding in words and lines: what each system call came to on the disk, beside what was acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from conformance.crash.disk import MODELS, Disk
from conformance.crash.explore import Explorer, Finding
from conformance.crash.fakedisk import Fake
from conformance.crash.history import MEANING, History, Moment
from conformance.crash.kills import Kill
from conformance.crash.observe import Observation
from conformance.crash.recorded import Recorded
from conformance.crash.subjects import SUBJECTS, Content, Step, Subject, canonical
from conformance.crash.trace import (
    Create,
    Link,
    Mark,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Write,
)
from conformance.crash.tree import Tree

#: System calls that are shown before the crash; a minimised case rarely has more.
SHOWN = 40
#: Characters of a file name, and of a call, that are shown in full.
_LONGEST = 32
_CALL = 70


@dataclass(frozen=True)
class Shown:
    """What a person reads about a finding.

    Args:
        what: What was wrong, and when.
        expected: What had been acknowledged, or else what is allowed.
        got: What the store gave.
        story: The system calls with what became of them, the crash, and the files that it left.
        frame: Where in the store's own code it failed, where it did.
    """

    what: str
    expected: str
    got: str
    story: tuple[str, ...]
    frame: str


def shown(explorer: Explorer, finding: Finding) -> Shown:
    """Return a finding as text."""
    crash = "a process kill" if MODELS[finding.model].kill else f"a power loss that {finding.model} allows"
    expected, got = difference(explorer.recorded.history, finding.moment, finding.observation)
    return Shown(
        what=f"after {crash}, {MEANING[finding.verdict]}",
        expected=expected,
        got=got,
        story=tuple(story(explorer, finding)),
        frame=finding.observation.frame,
    )


def shown_fault(explorer: Explorer, finding: Finding) -> Shown:
    """Return a finding after an error of the disk as text."""
    if finding.model:
        text = shown(explorer, finding)
        return replace(text, what=f"after an error of the disk, then {text.what.removeprefix('after ')}")
    one = explorer.recorded
    expected, got = difference(one.history, finding.moment, finding.observation)
    lines = [*_lines(one, len(one.recording.trace.operations), lambda _: ""), f"********* {finding.state.label}"]
    return Shown(
        what=f"after an error of the disk, {MEANING[finding.verdict]}",
        expected=expected,
        got=got,
        story=(*_last(lines), f"left on disk: {_files(one.recording.real)}"),
        frame=finding.observation.frame,
    )


def shown_kill(contract: str, kill: Kill) -> Shown:
    """Return a real kill that left something wrong as text."""
    history = History(contract, kill.steps, kill.attempts, SUBJECTS[contract].empty)
    expected, got = difference(history, kill.moment, kill.observation)
    lines = _attempt_lines(history, kill.moment.settled)
    return Shown(
        what=f"after a real kill, {MEANING[kill.verdict]}",
        expected=expected,
        got=got,
        story=(*_last(lines), f"********* KILLED HERE, {kill.how}", f"left on disk: {_files(kill.files)}"),
        frame=kill.observation.frame,
    )


def shown_fake(contract: str, steps: Sequence[Step], fake: Fake) -> Shown:
    """Return what went wrong on a fake disk as text."""
    history = History(contract, steps, fake.attempts, SUBJECTS[contract].empty)
    settled = len(fake.attempts)
    moment = Moment(settled=settled, acknowledged=settled, running=False)
    expected, got = difference(history, moment, fake.observation)
    return Shown(
        what=f"after it, {MEANING[fake.verdict]}",
        expected=expected,
        got=got,
        story=tuple(_last(_attempt_lines(history, settled))),
        frame=fake.observation.frame,
    )


def _attempt_lines(history: History, settled: int) -> list[str]:
    source = SUBJECTS[history.contract].source
    lines = []
    for number, attempt in enumerate(history.attempts):
        end = f"raised {attempt.raised}" if attempt.raised else "ACKNOWLEDGED" if number < settled else ""
        lines.append(f"-- {_cut(source(history.steps[attempt.step]))}  {end}".rstrip())
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


def story(explorer: Explorer, finding: Finding) -> Iterator[str]:
    """Give the lines of the story of a finding."""
    one, point, kept = explorer.recorded, finding.state.point, finding.state.kept
    disk = explorer.disk(finding.model)
    durable = frozenset() if disk.model.kill else disk.durable(point)
    # A kill may cut the write that was going on: a part of it is on the disk.
    last = point + any(atom in kept for atom in disk.by_operation.get(point, ()))
    yield from _last(_lines(one, last, lambda place: _state(disk.by_operation.get(place, ()), kept, durable)))
    crash = "PROCESS KILLED HERE" if disk.model.kill else "POWER LOSS HERE"
    begun = finding.moment.settled + finding.moment.running
    yield f"********* {crash} (acknowledged {finding.moment.acknowledged} of {begun} begun)"
    yield f"left on disk: {_files(disk.tree(kept))}"
    if not disk.model.kill and (lost := _not_synced(disk, point, kept, _Names(one.recording.trace))):
        yield f"not synced by then: {', '.join(lost)}"


def _not_synced(disk: Disk, point: int, kept: frozenset[int], names: _Names) -> list[str]:
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


def _lines(one: Recorded, point: int, state: Callable[[int], str]) -> list[str]:
    names = _Names(one.recording.trace)
    lines: list[str] = []
    for place, operation in enumerate(one.recording.trace.operations[:point]):
        text = names.after(operation)
        if isinstance(operation, Mark):
            lines += _mark_line(operation, one)
        else:
            lines.append(f"{state(place):<9} {text}".rstrip())
    return lines


def _last(lines: list[str]) -> list[str]:
    hidden = len(lines) - SHOWN
    return lines if hidden <= 1 else [f"{'':9} … {hidden:,} earlier lines …", *lines[hidden:]]


def _state(atoms: tuple[int, ...], kept: frozenset[int], durable: frozenset[int]) -> str:
    there = sum(atom in kept for atom in atoms)
    if not atoms:
        return ""
    if there == len(atoms):
        return "durable" if durable.issuperset(atoms) else "on disk"
    return f"TORN {there}/{len(atoms)}" if there else "LOST"


def _mark_line(mark: Mark, one: Recorded) -> list[str]:
    word, *numbers = mark.text.split()
    history = one.history
    source = SUBJECTS[history.contract].source
    if word == "start":
        return [f"{'':9} -- {_cut(source(history.steps[int(numbers[1])]))}"]
    if word in ("done", "raised"):
        return [f"{'':9} -- {'ACKNOWLEDGED' if word == 'done' else 'RAISED'}"]
    return [f"{'':9} -- the store is {word}"] if word in ("open", "closed") else []


def _cut(source: str) -> str:
    return source if len(source) <= _CALL else f"{source[:_CALL]}…"


class _Names:
    """The paths that nodes have, as the operations of a trace go by."""

    def __init__(self, trace: Trace) -> None:
        self.paths = {0: ""}
        for operation in trace.initial:
            self.after(operation)

    def after(self, operation: Operation) -> str:
        """Describe an operation, and let it take effect on the names."""
        match operation:
            case Create(directory, name, node, is_directory):
                self.paths[node] = self._path(directory, name)
                return f"{'mkdir' if is_directory else 'create':<8} {self.paths[node]}"
            case Link(directory, name, node):
                old, self.paths[node] = self.paths.get(node, "?"), self._path(directory, name)
                return f"link     {old} -> {self.paths[node]}"
            case Remove(directory, name):
                return f"unlink   {self._path(directory, name)}"
            case Rename(directory, name, to_directory, to_name):
                old, new = self._path(directory, name), self._path(to_directory, to_name)
                self.paths = {node: new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path
                              for node, path in self.paths.items()}  # fmt: skip
                return f"rename   {old} -> {new}"
            case Write(node, offset, data):
                return f"write    {self.name(node)} [{offset}..{offset + len(data)})"
            case Truncate(node, size):
                return f"truncate {self.name(node)} to {size}"
            case Sync(node, failed):
                return f"sync     {self.name(node)}{' FAILED' if failed else ''}"
            case SyncAll():
                return "sync     everything"
        return ""

    def _path(self, directory: int, name: str) -> str:
        parent = self.paths.get(directory, "?")
        return f"{parent}/{brief(name)}" if parent else brief(name)

    def name(self, node: int) -> str:
        """Return the path of a node."""
        return self.paths.get(node, "?") or "the directory"


def brief(name: str) -> str:
    """Return a file name, or of a long one, such as a digest, its beginning and its end."""
    return name if len(name) <= _LONGEST else f"{name[:12]}…{name[-8:]}"


def _files(tree: Tree) -> str:
    told = []
    for path, content in sorted(tree.items()):
        name = "/".join(map(brief, path.split("/")))
        told.append(name if content is None else f"{name} ({len(content):,} bytes)")
    if not told:
        return "nothing"
    return ", ".join(told[:12]) + (f" and {len(told) - 12} more" if len(told) > 12 else "")
