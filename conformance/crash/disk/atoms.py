"""Operations cut into atoms: the smallest parts that reach a disk whole or not at all, and what each must wait for.

The idea of cutting system calls into such parts is ALICE's (Pillai et al., OSDI 2014); the edges between them make the
legal crash states the closed subsets, as in Pathfinder (OOPSLA 2025).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from conformance.crash.disk.model import SECTOR_BYTES, DiskModel
from conformance.crash.trace import (
    Create,
    Link,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Volume,
    Write,
)

AtomKind = Literal["name", "size", "data"]
#: A place for a name: the directory's node, and the name in it.
Slot = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Atom:
    """What reaches the disk whole or not at all.

    Args:
        index: Its place among the atoms of the trace; what an atom waits for comes before it.
        operation: The operation that it is a part of.
        kind: A change of names, of a size, or of bytes.
        node: The file or directory that is named, sized or written.
        sets: For `name`: which places are given to which node; None takes the name away. All of them at once.
        offset: For `data`: where the bytes go. For a `size` that a write grows: the least size from then on.
        data: For `data`: the bytes.
        size: For a `size` that a truncation sets: the size from then on.
        extends: It makes the file larger than it was when the operation began.
        deps: The atoms that are on the disk whenever this one is.
    """

    index: int
    operation: int
    kind: AtomKind
    node: int
    sets: tuple[tuple[Slot, int | None], ...] = ()
    offset: int = 0
    data: bytes = b""
    size: int | None = None
    extends: bool = False
    deps: tuple[int, ...] = ()


def volume_before(trace: Trace) -> Volume:
    """Return the files as they are before the first operation."""
    volume = Volume()
    for operation in trace.initial:
        volume.apply(operation)
    return volume


@dataclass(frozen=True)
class Cut:
    """A trace in atoms.

    Args:
        atoms: In the order of the operations.
        hurried: By the operation of a sync: the bytes that the file system writes with it although they are another
            file's, see `DiskModel.replace_waits`.
    """

    atoms: tuple[Atom, ...]
    hurried: Mapping[int, tuple[int, ...]]


def cut(trace: Trace, model: DiskModel, scratch: frozenset[int]) -> Cut:
    """Cut the operations of a trace into atoms; the bytes and sizes of `scratch` nodes are left out."""
    cutter = _Cutter(trace, model, scratch)
    hurried = {}
    for index, operation in enumerate(trace.operations):
        cutter.cut(index, operation)
        if cutter.hurried and isinstance(operation, Sync):
            hurried[index] = tuple(cutter.hurried)
    return Cut(tuple(cutter.atoms), hurried)


@dataclass
class _Growth:
    """The atoms that made a file larger since it was last truncated, and where each begins; both ascend."""

    atoms: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)


class _Cutter:
    """Goes through the operations in order, and knows what each new atom has to wait for."""

    def __init__(self, trace: Trace, model: DiskModel, scratch: frozenset[int]) -> None:
        before = volume_before(trace)
        self.model = model
        self.scratch = scratch
        self.atoms: list[Atom] = []
        self.slots = {(place, name): node for place, names in before.entries.items() for name, node in names.items()}
        self.sizes = {node: len(content) for node, content in before.contents.items()}
        #: The last change of a name or a size: the journal writes it before any later one.
        self.last_in_journal: tuple[int, ...] = ()
        self.truncated: dict[int, int] = {}
        self.grown: dict[int, _Growth] = {}
        #: The last atom in each sector of each file.
        self.sectors: dict[int, dict[int, int]] = {}
        #: What was written into each file since it was last synced.
        self.written: dict[int, list[int]] = {}
        #: Files that were cut to nothing and are still open, as far as a trace tells, with what was written to each.
        self.rewritten: dict[int, list[int]] = {}
        #: What the next change of a name or a size waits for, because files were rewritten and closed.
        self.hurried: list[int] = []

    def cut(self, index: int, operation: Operation) -> None:
        """Add the atoms of one operation."""
        self.close_rewritten(operation)
        match operation:
            case Create(directory, name, node, is_directory):
                if not is_directory:
                    self.sizes[node] = 0
                self.name(index, node, {(directory, name): node})
            case Link(directory, name, node):
                self.name(index, node, {(directory, name): node})
            case Remove(directory, name) if (directory, name) in self.slots:
                self.name(index, self.slots[directory, name], {(directory, name): None})
            case Rename(directory, name, to_directory, to_name):
                self.rename(index, (directory, name), (to_directory, to_name))
            case Write(node, offset, data) if data and node not in self.scratch:
                self.write(index, node, offset, data)
            case Truncate(node, size) if size != self.sizes[node] and node not in self.scratch:
                self.truncate(index, node, size)
            case Sync(node, failed=False):
                self.written.pop(node, None)
            case SyncAll():
                self.written.clear()

    def add(
        self,
        operation: int,
        kind: AtomKind,
        node: int,
        deps: Iterable[int],
        *,
        sets: tuple[tuple[Slot, int | None], ...] = (),
        offset: int = 0,
        data: bytes = b"",
        size: int | None = None,
        extends: bool = False,
    ) -> int:
        """Add an atom, and return its index."""
        index = len(self.atoms)
        if self.model.kill:
            deps = [index - 1] if index else []
        waits = tuple(sorted(set(deps)))
        self.atoms.append(Atom(index, operation, kind, node, sets, offset, data, size, extends, waits))
        return index

    def journal(self, index: int) -> None:
        """Take an atom into the journal, in order."""
        if self.model.journal:
            self.last_in_journal = (index,)
        self.hurried = []

    def name(self, index: int, node: int, sets: dict[Slot, int | None], waits: Iterable[int] = ()) -> None:
        """Add a change of names."""
        deps = (*self.last_in_journal, *self.hurried, *waits)
        self.journal(self.add(index, "name", node, deps, sets=tuple(sets.items())))
        for slot, to in sets.items():
            if to is None:
                self.slots.pop(slot, None)
            else:
                self.slots[slot] = to

    def rename(self, index: int, old: Slot, new: Slot) -> None:
        """Add a rename: one name is taken away and the other given in one step, under every model."""
        node = self.slots[old]
        replaces = self.slots.get(new, node) != node
        waits = self.written.get(node, ()) if self.model.replace_waits and replaces else ()
        # the new name comes last, for a rename of a name to itself
        self.name(index, node, {old: None} | {new: node}, waits)

    def truncate(self, index: int, node: int, size: int) -> None:
        """Add a new size of a file."""
        deps = (*self.last_in_journal, *self.hurried)
        self.truncated[node] = self.add(index, "size", node, deps, size=size, extends=size > self.sizes[node])
        self.journal(self.truncated[node])
        self.sizes[node] = size
        self.grown.pop(node, None)
        sectors = self.sectors.get(node, {})
        self.sectors[node] = {sector: atom for sector, atom in sectors.items() if sector * SECTOR_BYTES < size}
        self.rewritten.pop(node, None)
        if size == 0 and self.model.replace_waits:
            self.rewritten[node] = []

    def write(self, index: int, node: int, offset: int, data: bytes) -> None:
        """Add the bytes of a write, page by page or sector by sector."""
        before, end = self.sizes[node], offset + len(data)
        if end > before and not (self.model.journal or self.model.kill):
            self.add(index, "size", node, (), offset=end, extends=True)
        for start, part in self.parts(offset, data, before):
            extends = start + len(part) > before
            deps = self.beneath(node, start, start + len(part), len(self.atoms))
            if self.model.journal:
                deps |= self.waits(node, start + len(part), extends=extends)
            atom = self.add(index, "data", node, deps, offset=start, data=part, extends=extends)
            if extends:
                growth = self.grown.setdefault(node, _Growth())
                growth.atoms.append(atom)
                growth.offsets.append(start)
            self.written.setdefault(node, []).append(atom)
            if node in self.rewritten:
                self.rewritten[node].append(atom)
        self.sizes[node] = max(before, end)

    def parts(self, offset: int, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
        """Give the parts of a write into a file of `size` bytes, each inside one unit of the model."""
        done = 0
        while done < len(data):
            place = offset + done
            unit = self.model.append_bytes if place >= size else self.model.overwrite_bytes
            part = data[done : done + unit - place % unit]
            yield place, part
            done += len(part)

    def beneath(self, node: int, start: int, end: int, atom: int) -> set[int]:
        """Return what was last written to the sectors of a new atom: a sector is written as it is in memory then."""
        sectors = self.sectors.setdefault(node, {})
        covered = range(start // SECTOR_BYTES, (end - 1) // SECTOR_BYTES + 1)
        found = {sectors[sector] for sector in covered if sector in sectors}
        sectors.update(dict.fromkeys(covered, atom))
        return found

    def waits(self, node: int, end: int, *, extends: bool) -> set[int]:
        """Return what bytes at a place wait for under a journal.

        Bytes that make the file larger change its size, and the journal has that in order: after all earlier changes,
        and after the file was as large as it was before. Bytes inside the file only wait until it is that large.
        """
        growth = self.grown.get(node, _NO_GROWTH)
        if extends:
            return {*self.last_in_journal, *growth.atoms[-1:]}
        covering = bisect_left(growth.offsets, end)
        truncated = {self.truncated[node]} if node in self.truncated else set()
        return truncated | set(growth.atoms[max(covering - 1, 0) : covering])

    def close_rewritten(self, operation: Operation) -> None:
        """Take files that were cut to nothing as closed when something else is asked for: a trace has no closes."""
        if self.rewritten and not isinstance(operation, Write):
            for atoms in self.rewritten.values():
                self.hurried += atoms
            self.rewritten = {}


_NO_GROWTH = _Growth()
