"""A finding as plain data to be drawn: rows of calls with what became of each, and the files before and after.

Each row has the word `row` for its kind: a system `call` with its `fate` (durable, survived, torn, lost; empty: it
changes nothing by itself, or nobody knows), a `step` of the workload, its `end`, a `note`, how many rows are `hidden`,
and the `crash`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from conformance.crash.history import History
from conformance.crash.recorded import Recorded
from conformance.crash.subjects import SUBJECTS
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
#: Files of a picture; those that a crash changed come first.
FILES = 24
#: Characters of a file name, and of a call, that are shown in full.
_LONGEST = 32
_CALL = 70
#: Content that no file has: that of one that is not there. A directory's is None.
_ABSENT = "absent"

Row = Mapping[str, Any]


def trace_rows(one: Recorded, point: int, fate: Callable[[int], Row]) -> list[Row]:
    """Return a row for each of the first operations of a trace.

    Args:
        one: What was recorded.
        point: How many operations.
        fate: Tells what became of the operation at a place, as `fate_of` does.
    """
    names = Names(one.recording.trace)
    found: list[Row] = []
    for place, operation in enumerate(one.recording.trace.operations[:point]):
        verb, text = names.after(operation)
        if isinstance(operation, Mark):
            found += _mark_rows(operation, one)
        else:
            found.append({"row": "call", "verb": verb, "text": text, **fate(place)})
    return found


def fate_of(atoms: tuple[int, ...], kept: frozenset[int], durable: frozenset[int]) -> Row:
    """Return what became of an operation of these atoms, and how many of how many are on the disk."""
    there = sum(atom in kept for atom in atoms)
    if not atoms:
        word = ""
    elif there == len(atoms):
        word = "durable" if durable.issuperset(atoms) else "survived"
    else:
        word = "torn" if there else "lost"
    return {"fate": word, "kept": there, "of": len(atoms)}


#: Of what changed nothing, or where nobody knows what became of it.
NO_FATE: Row = {"fate": "", "kept": 0, "of": 0}


def attempt_rows(history: History, settled: int) -> list[Row]:
    """Return the rows of the calls to a store whose system calls nobody has seen."""
    source = SUBJECTS[history.contract].source
    found: list[Row] = []
    for number, attempt in enumerate(history.attempts):
        found.append({"row": "step", "text": cut(source(history.steps[attempt.step]))})
        if attempt.raised:
            found.append({"row": "end", "text": f"raised {attempt.raised}"})
        elif number < settled:
            found.append({"row": "end", "text": "ACKNOWLEDGED"})
    return found


def drawn(
    rows: Sequence[Row],
    crash: str,
    before: Tree | None,
    after: Tree,
    unsynced: Sequence[str] = (),
    *,
    kill: bool = False,
) -> Row:
    """Return a picture.

    Args:
        rows: Of `trace_rows` or `attempt_rows`; the last are shown.
        crash: What ended them; empty where the process went on.
        before: The files as the process had asked for them; None where nobody knows.
        after: The files that were left.
        unsynced: What a sync before the crash would have kept.
        kill: A process was killed, which takes nothing away that the system had been given.
    """
    hidden = len(rows) - SHOWN
    shown = list(rows) if hidden <= 1 else [{"row": "hidden", "count": hidden}, *rows[hidden:]]
    end: list[Row] = [{"row": "crash", "text": crash}] if crash else []
    known = after if before is None else before
    paths = {*known, *after}
    changed = {path for path in paths if known.get(path, _ABSENT) != after.get(path, _ABSENT)}
    return {
        "kind": "crash",
        "kill": kill,
        "rows": [*shown, *end],
        "compared": before is not None,
        "files": [
            {
                "path": "/".join(map(brief, path.split("/"))),
                "before": _size(before, path),
                "after": _size(after, path),
                "changed": path in changed,
            }
            for path in sorted(paths, key=lambda path: (path not in changed, path))[:FILES]
        ],
        "files_hidden": max(0, len(paths) - FILES),
        "unsynced": list(unsynced),
    }


def _size(tree: Tree | None, path: str) -> int | None:
    """Return the bytes of a file, 0 of a directory; None where it is not there."""
    return None if tree is None or path not in tree else len(tree[path] or b"")


def _mark_rows(mark: Mark, one: Recorded) -> list[Row]:
    word, *numbers = mark.text.split()
    history = one.history
    if word == "start":
        return [{"row": "step", "text": cut(SUBJECTS[history.contract].source(history.steps[int(numbers[1])]))}]
    if word in ("done", "raised"):
        return [{"row": "end", "text": "ACKNOWLEDGED" if word == "done" else "RAISED"}]
    return [{"row": "note", "text": f"the store is {word}"}] if word in ("open", "closed") else []


def cut(source: str) -> str:
    """Return the source of a call, of a long one its beginning."""
    return source if len(source) <= _CALL else f"{source[:_CALL]}…"


class Names:
    """The paths that nodes have, as the operations of a trace go by."""

    def __init__(self, trace: Trace) -> None:
        self.paths = {0: ""}
        for operation in trace.initial:
            self.after(operation)

    def after(self, operation: Operation) -> tuple[str, str]:
        """Describe an operation as its verb and the rest, and let it take effect on the names."""
        match operation:
            case Create(directory, name, node, is_directory):
                self.paths[node] = self._path(directory, name)
                return "mkdir" if is_directory else "create", self.paths[node]
            case Link(directory, name, node):
                old, self.paths[node] = self.paths.get(node, "?"), self._path(directory, name)
                return "link", f"{old} -> {self.paths[node]}"
            case Remove(directory, name):
                return "unlink", self._path(directory, name)
            case Rename(directory, name, to_directory, to_name):
                old, new = self._path(directory, name), self._path(to_directory, to_name)
                self.paths = {node: new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path
                              for node, path in self.paths.items()}  # fmt: skip
                return "rename", f"{old} -> {new}"
            case Write(node, offset, data):
                return "write", f"{self.name(node)} [{offset}..{offset + len(data)})"
            case Truncate(node, size):
                return "truncate", f"{self.name(node)} to {size}"
            case Sync(node, failed):
                return "sync", f"{self.name(node)}{' FAILED' if failed else ''}"
            case SyncAll():
                return "sync", "everything"
        return "", ""

    def _path(self, directory: int, name: str) -> str:
        parent = self.paths.get(directory, "?")
        return f"{parent}/{brief(name)}" if parent else brief(name)

    def name(self, node: int) -> str:
        """Return the path of a node."""
        return self.paths.get(node, "?") or "the directory"


def brief(name: str) -> str:
    """Return a file name, or of a long one, such as a digest, its beginning and its end."""
    return name if len(name) <= _LONGEST else f"{name[:12]}…{name[-8:]}"
