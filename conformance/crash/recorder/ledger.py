"""What a recorder has seen so far: the operations in order, and the files they should have made by now."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from conformance.crash.trace import ROOT, Create, Link, Operation, Trace, Volume, Write


@dataclass(frozen=True)
class Place:
    """A name below the root, whether something has it or not.

    Args:
        path: Absolute and without symbolic links before its last part.
        directory: The node that the name is in.
        name: Its last part.
        node: What has the name now; None for nothing, and for what is neither a file nor a directory.
    """

    path: str
    directory: int
    name: str
    node: int | None


class Ledger:
    """Operations below one directory, applied to a volume in memory as they are logged.

    Args:
        root: An existing directory; what is in it becomes the start of the trace.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(root)
        self.volume = Volume()
        self.operations: list[Operation] = []
        self.mapped: set[int] = set()
        self._unseen: dict[str, None] = {}
        self._next = ROOT + 1
        # A file is known by its device and inode. A removed file keeps its entry here: it may still be open. When its
        # number is given to a new file, `bind` says so at once, since nothing is created without being logged.
        self._nodes: dict[tuple[int, int], int] = {}
        self._scan(self.root, ROOT)
        self._initial, self.operations = tuple(self.operations), []

    def _scan(self, folder: str, directory: int) -> None:
        self.bind(os.stat(folder), directory)
        for name in sorted(os.listdir(folder)):
            self.adopt(os.path.join(folder, name), directory, name)

    def adopt(self, path: str, directory: int, name: str) -> None:
        """Log what makes a file or directory that is there already, with all that is in it."""
        found = os.lstat(path)
        known = self.node_of(found)
        if stat.S_ISDIR(found.st_mode):
            self._scan(path, self.create(directory, name, found))
        elif not stat.S_ISREG(found.st_mode):
            self.miss("symbolic links and special files")
        elif known is not None:
            self.log(Link(directory, name, known))
        else:
            node = self.create(directory, name, found)
            with open(path, "rb") as file:
                content = file.read()
            if content:
                self.log(Write(node, 0, content))

    def log(self, operation: Operation) -> None:
        """Add an operation that has been carried out."""
        self.volume.apply(operation)
        self.operations.append(operation)

    def create(self, directory: int, name: str, found: os.stat_result) -> int:
        """Log a new file or directory, whose status is `found`, and return its node."""
        node = self.add(directory, name, is_directory=stat.S_ISDIR(found.st_mode))
        self.bind(found, node)
        return node

    def add(self, directory: int, name: str, *, is_directory: bool = False) -> int:
        """Log a new file or directory that no call will be matched to by its status, and return its node."""
        node, self._next = self._next, self._next + 1
        self.log(Create(directory, name, node, is_directory))
        return node

    def bind(self, found: os.stat_result, node: int) -> None:
        """Remember which file a node is."""
        self._nodes[found.st_dev, found.st_ino] = node

    def node_of(self, found: os.stat_result) -> int | None:
        """Return the node of a file, None when it is not one of ours."""
        return self._nodes.get((found.st_dev, found.st_ino))

    def nodes_of_inodes(self, inodes: set[int]) -> list[int]:
        """Return the nodes that have one of these inode numbers, on whatever device."""
        return sorted(node for (_, inode), node in self._nodes.items() if inode in inodes)

    def miss(self, what: str) -> None:
        """Note something that happened and is not in the trace."""
        self._unseen[what] = None

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was missed, each once, in the order it was met."""
        return tuple(self._unseen)

    def content(self, node: int) -> bytes | bytearray:
        """Return the bytes of a file as they should be now."""
        return self.volume.contents[node]

    def path_of(self, node: int) -> str | None:
        """Return a path of a node, None if it has no name."""
        if node == ROOT:
            return self.root
        return next((f"{self.root}/{path}" for path, known in self.volume.walk() if known == node), None)

    def find(self, path: str, *, follow: bool = False) -> Place | None:
        """Return the place of an absolute path; None when it is not below the root, or does not name an entry of it.

        Args:
            path: As a process gave it; a slash at its end is kept, because it makes some calls fail.
            follow: Also a symbolic link in its last part is followed.
        """
        # Names that are known to be directories cannot be symbolic links. That saves a system call for each of them.
        if not path.startswith(self.root + "/"):
            return self._find_resolved(path, follow=follow)
        place = self._walk(path)
        if place is None or (follow and place.node is None and os.path.islink(path.rstrip("/"))):
            return self._find_resolved(path, follow=follow)
        return place

    def _find_resolved(self, path: str, *, follow: bool) -> Place | None:
        bare = path.rstrip("/")
        parent, name = os.path.split(bare)
        if name in ("", ".", ".."):
            return None
        if follow and os.path.islink(bare):
            resolved = os.path.realpath(bare)
        else:
            # `missing/..` and `file/..` lead nowhere, but realpath() follows them all the same.
            if not os.path.exists(parent):
                return None
            resolved = os.path.join(os.path.realpath(parent), name)
        if not resolved.startswith(self.root + "/"):
            return None
        return self._walk(resolved + path[len(bare) :])

    def _walk(self, path: str) -> Place | None:
        bare = path.rstrip("/")
        *parents, name = bare[len(self.root) + 1 :].split("/")
        directory = ROOT
        for parent in parents:
            below = self.volume.entries.get(directory, {}).get(parent)
            if below is None:
                return None
            directory = below
        if directory not in self.volume.entries or name in ("", ".", ".."):
            return None
        return Place(path, directory, name, self.volume.entries[directory].get(name))

    def trace(self) -> Trace:
        """Return all that was logged."""
        return Trace(self._initial, tuple(self.operations), frozenset(self.mapped))
