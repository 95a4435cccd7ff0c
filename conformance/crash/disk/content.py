"""From the atoms that are on the disk to the files that are found there: fast, because it is asked thousands of times.

Most crash states differ in one file, so what each file holds is remembered by which of its own atoms are there, and
the layout of the names by which changes of names are.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha1
from os import fsencode

from conformance.crash.disk.atoms import Atom, volume_before
from conformance.crash.trace import ROOT, Create, Trace, resize, write_into

#: What is remembered of contents, in bytes, before all of it is dropped.
REMEMBERED_BYTES_MAX = 64 << 20
#: How many layouts of names are remembered before all of them are dropped.
REMEMBERED_LAYOUTS_MAX = 10_000
#: Every so many atoms of a file, its content with all atoms up to there is remembered as a start.
STRIDE = 64

#: Paths with their nodes; None for a directory, whose path ends in "/". Sorted by path.
Layout = tuple[tuple[str, int | None], ...]


class Contents:
    """The files that sets of atoms make. `scratch` files are empty."""

    def __init__(self, trace: Trace, atoms: tuple[Atom, ...], scratch: frozenset[int]) -> None:
        before = volume_before(trace)
        operations = (*trace.initial, *trace.operations)
        self._atoms = atoms
        self._names = frozenset(atom.index for atom in atoms if atom.kind == "name")
        self._slots: dict[tuple[int, str], int | None] = {
            (place, name): node for place, names in before.entries.items() for name, node in names.items()
        }
        self._directories = frozenset(
            {ROOT} | {one.node for one in operations if isinstance(one, Create) and one.is_directory}
        )
        self._start = {node: b"" if node in scratch else bytes(content) for node, content in before.contents.items()}
        of_node: dict[int, list[int]] = {}
        for atom in atoms:
            if atom.kind != "name":
                of_node.setdefault(atom.node, []).append(atom.index)
        self._of_node = {node: tuple(found) for node, found in of_node.items()}
        self._sets_of_node = {node: frozenset(found) for node, found in of_node.items()}
        self._layouts: dict[frozenset[int], tuple[list[bytes], Layout]] = {}
        self._contents: dict[tuple[int, frozenset[int]], tuple[bytes, bytes]] = {}
        self._starts: dict[tuple[int, int], bytes] = {}
        self._remembered = 0

    def tree(self, kept: frozenset[int]) -> dict[str, bytes | None]:
        """Return the files that are found when exactly the atoms `kept` reached the disk."""
        return {path: None if node is None else self._content(node, kept)[0] for path, node in self.layout(kept)}

    def fingerprint(self, kept: frozenset[int]) -> bytes:
        """Return a name for `tree(kept)`: the same if and only if the trees are equal, but for chance."""
        told = [
            encoded + b"/" if node is None else encoded + b"\0" + self._content(node, kept)[1]
            for encoded, (_, node) in zip(*self._laid_out(kept), strict=True)
        ]
        return sha1(b"".join(told), usedforsecurity=False).digest()

    def layout(self, kept: frozenset[int]) -> Layout:
        """Return the paths that are found when the atoms `kept` reached the disk."""
        return self._laid_out(kept)[1]

    def _laid_out(self, kept: frozenset[int]) -> tuple[list[bytes], Layout]:
        """Return the same, and before it each path as the disk has it."""
        names = kept & self._names
        found = self._layouts.get(names)
        if found is None:
            if len(self._layouts) >= REMEMBERED_LAYOUTS_MAX:
                self._layouts.clear()
            layout = self._lay_out(names)
            found = self._layouts[names] = ([fsencode(path) for path, _ in layout], layout)
        return found

    def _lay_out(self, names: frozenset[int]) -> Layout:
        slots = dict(self._slots)
        for index in sorted(names):
            slots.update(self._atoms[index].sets)
        inside: dict[int, list[tuple[str, int]]] = {}
        for (place, name), to in slots.items():
            if to is not None:
                inside.setdefault(place, []).append((name, to))
        found: list[tuple[str, int | None]] = []
        # Renames kept out of order may put a directory into itself, or leave it with two names: the way down from the
        # root is remembered, and none is gone twice on one way.
        waiting: list[tuple[str, int, frozenset[int]]] = [("", ROOT, frozenset({ROOT}))]
        while waiting:
            prefix, directory, above = waiting.pop()
            for name, node in inside.get(directory, ()):
                if node not in self._directories:
                    found.append((prefix + name, node))
                elif node not in above:
                    found.append((f"{prefix}{name}/", None))
                    waiting.append((f"{prefix}{name}/", node, above | {node}))
        return tuple(sorted(found, key=lambda pair: pair[0]))

    def _content(self, node: int, kept: frozenset[int]) -> tuple[bytes, bytes]:
        of_node = self._sets_of_node.get(node, frozenset())
        key = (node, kept & of_node)
        found = self._contents.get(key)
        if found is None:
            content = self._make(node, key[1])
            self._remember(content)
            found = self._contents[key] = (content, sha1(content, usedforsecurity=False).digest())
        return found

    def _make(self, node: int, kept: frozenset[int]) -> bytes:
        mine = self._of_node.get(node, ())
        missing = self._sets_of_node.get(node, frozenset()) - kept
        whole = mine.index(min(missing)) if missing else len(mine)
        at = whole - whole % STRIDE
        content = bytearray(self._first(node, at))
        self._apply(content, (index for index in mine[at:] if index in kept))
        return bytes(content)

    def _first(self, node: int, count: int) -> bytes:
        """Return what a file holds with the first `count` of its atoms, a multiple of `STRIDE`."""
        at = count
        while at and (node, at) not in self._starts:
            at -= STRIDE
        content = bytearray(self._starts[node, at] if at else self._start.get(node, b""))
        while at < count:
            self._apply(content, self._of_node[node][at : at + STRIDE])
            at += STRIDE
            self._remember(content)
            self._starts[node, at] = bytes(content)
        return bytes(content)

    def _apply(self, content: bytearray, atoms: Iterable[int]) -> None:
        for index in atoms:
            atom = self._atoms[index]
            if atom.size is None:
                write_into(content, atom.offset, atom.data)
            else:
                resize(content, atom.size)

    def _remember(self, content: bytes | bytearray) -> None:
        self._remembered += len(content) + 200
        if self._remembered > REMEMBERED_BYTES_MAX:
            self._contents.clear()
            self._starts.clear()
            self._remembered = len(content)
