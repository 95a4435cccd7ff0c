"""A trace: what a process asked of the files below one directory, in order, with marks of its own between.

Files and directories are nodes, numbered as they appear; a name is an entry of a directory node. Node 0 is the root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.crash.tree import Tree

ROOT = 0


@dataclass(frozen=True)
class Create:
    """A new file or directory, and its name."""

    directory: int
    name: str
    node: int
    is_directory: bool = False


@dataclass(frozen=True)
class Link:
    """One more name of a file."""

    directory: int
    name: str
    node: int


@dataclass(frozen=True)
class Remove:
    """A name taken away, of a file or an empty directory."""

    directory: int
    name: str


@dataclass(frozen=True)
class Rename:
    """A name moved; what had the new name loses it."""

    directory: int
    name: str
    to_directory: int
    to_name: str


@dataclass(frozen=True)
class Write:
    """Bytes written into a file at an offset, which may lie beyond its end."""

    node: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    """A new size of a file, smaller or larger."""

    node: int
    size: int


@dataclass(frozen=True)
class Sync:
    """A sync of a file or a directory. One that failed leaves the pages it was to write marked clean, but not written.

    Source: Rebello et al., Can Applications Recover from fsync Failures?, USENIX ATC 2020.
    """

    node: int
    failed: bool = False


@dataclass(frozen=True)
class SyncAll:
    """A sync of the whole file system."""


@dataclass(frozen=True)
class Mark:
    """A word of the traced program itself, in order with its system calls."""

    text: str


Operation = Create | Link | Remove | Rename | Write | Truncate | Sync | SyncAll | Mark


@dataclass(frozen=True)
class Trace:
    """What happened below one directory.

    Args:
        initial: Create and Write operations that make what was there before.
        operations: What was asked for, in order; failed calls are not among them, but for failed syncs.
        mapped: Nodes that were mapped into memory shared and writable. Their stores are seen at the next sync or mark.
    """

    initial: tuple[Operation, ...]
    operations: tuple[Operation, ...]
    mapped: frozenset[int] = frozenset()


@dataclass
class Volume:
    """Files and directories in memory; operations are applied to it one by one.

    A content that was written as a whole stays the very bytes of the operation until it is changed: the files of a
    server are large, and most of them are only there.
    """

    entries: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    contents: dict[int, bytes | bytearray] = field(default_factory=dict)

    def apply(self, operation: Operation) -> None:
        """Carry out one operation; syncs and marks change nothing here."""
        match operation:
            case Create(directory, name, node, is_directory):
                self.entries[directory][name] = node
                if is_directory:
                    self.entries[node] = {}
                else:
                    self.contents[node] = b""
            case Link(directory, name, node):
                self.entries[directory][name] = node
            case Remove(directory, name):
                self.entries[directory].pop(name, None)
            case Rename(directory, name, to_directory, to_name):
                self.entries[to_directory][to_name] = self.entries[directory].pop(name)
            case Write(node, 0, data) if not self.contents[node]:
                self.contents[node] = data
            case Write(node, offset, data):
                write_into(self.changeable(node), offset, data)
            case Truncate(node, size):
                resize(self.changeable(node), size)

    def walk(self) -> Iterator[tuple[str, int]]:
        """Give every path, relative to the root, with its node; directories before what is in them."""
        waiting = [("", ROOT)]
        while waiting:
            prefix, directory = waiting.pop()
            for name, node in sorted(self.entries[directory].items()):
                yield prefix + name, node
                if node in self.entries:
                    waiting.append((f"{prefix}{name}/", node))

    def tree(self) -> Tree:
        """Return the files as they are now."""
        return {
            (f"{path}/" if node in self.entries else path): (
                None if node in self.entries else bytes(self.contents[node])
            )
            for path, node in self.walk()
        }

    def changeable(self, node: int) -> bytearray:
        """Return the content of a file, to be changed in place."""
        content = self.contents[node]
        if isinstance(content, bytes):
            self.contents[node] = content = bytearray(content)
        return content


def write_into(content: bytearray, offset: int, data: bytes) -> None:
    """Write `data` at `offset`; a gap before it reads as zeros."""
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def resize(content: bytearray, size: int) -> None:
    """Cut `content` to `size` bytes, or fill it up with zeros."""
    del content[size:]
    content.extend(bytes(size - len(content)))


def replayed(trace: Trace) -> Tree:
    """Return the files that the whole trace makes, as they are when nothing crashes."""
    volume = Volume()
    for operation in (*trace.initial, *trace.operations):
        volume.apply(operation)
    return volume.tree()
