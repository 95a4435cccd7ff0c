"""When the atoms of a trace become durable: what the syncs force, and what a failed sync leaves behind.

Source for failed syncs: Rebello et al., Can Applications Recover from fsync Failures?, USENIX ATC 2020. The pages are
marked clean although they were not written: later syncs pass them over, until something is written to them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conformance.crash.disk.atoms import Atom, Cut, volume_before
from conformance.crash.disk.model import PAGE_BYTES, DiskModel
from conformance.crash.trace import Sync, SyncAll, Trace, Truncate, Write

#: Later than any operation.
NEVER = 1 << 60


@dataclass(frozen=True)
class Durability:
    """What is sure to be on the disk, and when.

    Args:
        forced: For each atom, the operation after which it is durable, or `NEVER`.
        passed_over: For atoms that a failed sync marked clean: spans of operations, from the failed sync up to the
            write that made the page dirty again. What waits for such an atom takes it as written.
    """

    forced: tuple[int, ...]
    passed_over: Mapping[int, tuple[tuple[int, int], ...]]

    def is_passed_over(self, atom: int, point: int) -> bool:
        """Tell whether, just before the operation `point`, the file system believes that the atom was written."""
        return any(first < point <= last for first, last in self.passed_over.get(atom, ()))


def durability(trace: Trace, model: DiskModel, cut: Cut) -> Durability:
    """Work out what the syncs of a trace make durable."""
    if model.kill:
        return Durability(tuple(atom.operation for atom in cut.atoms), {})
    forcing = _Forcing(trace, model, cut)
    waiting = iter([*cut.atoms, None])
    coming = next(waiting)
    for index, operation in enumerate(trace.operations):
        match operation:
            case Sync(node, failed=True):
                # Bytes that are stored again through a mapping make a page dirty again even when they are the same;
                # that can't be seen, so the next sync of a mapped file is believed.
                if node not in trace.mapped:
                    forcing.fail(index, node)
            case Sync(node):
                forcing.sync(index, node)
            case SyncAll():
                forcing.force(index, forcing.pending)
            case Write(node, offset, data) if data:
                forcing.dirty(index, node, offset // PAGE_BYTES, (offset + len(data) - 1) // PAGE_BYTES)
            case Truncate(node, size) if size % PAGE_BYTES:
                # the rest of the last page is filled with zeros
                forcing.dirty(index, node, size // PAGE_BYTES, size // PAGE_BYTES)
        while coming is not None and coming.operation == index:
            forcing.add(coming)
            coming = next(waiting)
    spans = {atom: tuple(found) for atom, found in forcing.spans.items()}
    return Durability(tuple(forcing.forced), spans)


class _Forcing:
    """Goes through the operations in order, and knows what is not yet durable."""

    def __init__(self, trace: Trace, model: DiskModel, cut: Cut) -> None:
        before = volume_before(trace)
        self.model = model
        self.atoms = cut.atoms
        self.hurried = cut.hurried
        self.slots: dict[tuple[int, str], int | None] = {
            (place, name): node for place, names in before.entries.items() for name, node in names.items()
        }
        self.forced = [NEVER] * len(cut.atoms)
        self.pending: dict[int, Atom] = {}
        #: Marked clean by a failed sync, with the operation of that sync.
        self.clean: dict[int, int] = {}
        self.spans: dict[int, list[tuple[int, int]]] = {}

    def add(self, atom: Atom) -> None:
        """Take up what an operation asked for."""
        self.pending[atom.index] = atom
        self.slots.update(atom.sets)

    def fail(self, index: int, node: int) -> None:
        """Mark the pages of a file clean that a sync failed to write."""
        for atom in self.pending.values():
            if atom.node == node and _page(atom) is not None and atom.index not in self.clean:
                self.clean[atom.index] = index
                self.spans.setdefault(atom.index, []).append((index, NEVER))

    def dirty(self, index: int, node: int, first_page: int, last_page: int) -> None:
        """Make pages dirty that a failed sync had marked clean: the next sync writes the whole of them."""
        for found in list(self.clean):
            page = _page(self.atoms[found])
            if self.atoms[found].node == node and page is not None and first_page <= page <= last_page:
                self.spans[found][-1] = (self.clean.pop(found), index)

    def force(self, index: int, atoms: Iterable[int]) -> None:
        """Make atoms durable, and with them what they wait for; pages marked clean are passed over."""
        waiting = [atom for atom in atoms if atom not in self.clean]
        while waiting:
            atom = waiting.pop()
            if self.pending.pop(atom, None) is not None:
                self.forced[atom] = index
                waiting += [dep for dep in self.atoms[atom].deps if dep in self.pending and dep not in self.clean]

    def sync(self, index: int, node: int) -> None:
        """Carry out a sync of a file or a directory.

        One that has nothing of its own to write does nothing: ext4_sync_file and xfs_file_fsync wait for the commit
        that has the last changes of this inode, and none is to come.
        """
        own = [atom.index for atom in self.pending.values() if atom.index not in self.clean and concerns(atom, node)]
        if not own:
            return
        content = [atom for atom in own if self.atoms[atom].kind != "name"]
        if self.model.sync_commits_all:
            in_journal = [atom.index for atom in self.pending.values() if atom.kind != "data"]
            self.force(index, [*content, *in_journal, *self.hurried.get(index, ())])
            return
        above = self.with_parents(node) if self.model.sync_keeps_name else frozenset[int]()
        # What is above the node counts as far as it is older than what the sync writes: a journal would have to commit
        # that first, but a directory that was renamed later may have its old name.
        names = [
            atom.index
            for atom in self.pending.values()
            for (place, _), to in atom.sets
            if place == node or (to in above and (to == node or atom.index < own[-1]))
        ]
        self.force(index, [*content, *names])

    def with_parents(self, node: int) -> frozenset[int | None]:
        """Return a node that has a name, with all directories above it."""
        found: set[int | None] = set()
        waiting = [node]
        while waiting:
            one = waiting.pop()
            places = [place for (place, _), to in self.slots.items() if to == one]
            if places and one not in found:
                found.add(one)
                waiting += places
        return frozenset(found)


def concerns(atom: Atom, node: int) -> bool:
    """Tell whether an atom changes a file's content or one of its names, or what is in a directory."""
    return atom.node == node or any(place == node for (place, _), _ in atom.sets)


def _page(atom: Atom) -> int | None:
    """Return the page of a file that an atom is written with, None for what a file system keeps elsewhere."""
    if atom.kind == "data":
        return atom.offset // PAGE_BYTES
    if atom.kind == "size" and atom.size is None:
        return (atom.offset - 1) // PAGE_BYTES
    return None
