"""From the calls in a log of strace to the operations of a trace, some time after they were made.

The log doesn't say where an open file is, so descriptors are followed: who shares which, and how far each has been read
and written. The directory is not looked at; it is what it was at the end by now.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.crash.recorder.child import MARK_DESCRIPTOR
from conformance.crash.recorder.ledger import Ledger, Place
from conformance.crash.recorder.strace_lines import Line
from conformance.crash.trace import Link, Mark, Remove, Rename, Sync, SyncAll, Truncate, Write

_CLONES = ("clone", "clone3", "fork", "vfork")


@dataclass
class Description:
    """An open file description: what several descriptors may share."""

    node: int | None
    appends: bool = False
    syncs: bool = False
    place: int = 0
    path: str = ""


@dataclass
class Task:
    """What a thread shares with others of its process."""

    files: dict[int, Description] = field(default_factory=dict)
    folder: list[str] = field(default_factory=lambda: ["/"])


class Calls:
    """Follows the calls of all threads, and logs what they did.

    Args:
        ledger: Where.
        tid: The first thread.
        folder: Where it is.
    """

    def __init__(self, ledger: Ledger, tid: int, folder: str) -> None:
        self.count = 0
        self._ledger = ledger
        self._tasks = {tid: Task(folder=[folder])}
        self._starting: list[Line] = []

    def take(self, line: Line) -> None:
        """Log what one call did."""
        if line.begun:
            if line.name in _CLONES:
                self._starting.append(line)
            return
        self.count += 1
        if line.name in _CLONES:
            self._started(line)
        elif line.name == "write" and line.descriptor(0) == MARK_DESCRIPTOR:
            self._ledger.log(Mark(line.texts(1)[0].decode(errors="replace")))
        elif line.result is not None and line.name in HANDLERS:
            HANDLERS[line.name](self, line)

    def _task(self, tid: int) -> Task:
        if tid not in self._tasks:
            # Its first call is on a line before the one that says that it was started.
            start = self._starting[-1] if self._starting else None
            self._tasks[tid] = self._copy(start) if start else Task()
        return self._tasks[tid]

    def _copy(self, start: Line) -> Task:
        parent, flags = self._task(start.tid), " ".join(start.arguments)
        return Task(
            parent.files if "CLONE_FILES" in flags else dict(parent.files),
            parent.folder if "CLONE_FS" in flags else list(parent.folder),
        )

    def _started(self, line: Line) -> None:
        self._starting = [start for start in self._starting if start.tid != line.tid]
        if line.result and line.result not in self._tasks:
            self._tasks[line.result] = self._copy(line)

    def _description(self, line: Line, index: int) -> Description | None:
        return self._task(line.tid).files.get(line.descriptor(index))

    def _file(self, line: Line, index: int) -> tuple[Description, int] | None:
        found = self._description(line, index)
        if found is None or found.node not in self._ledger.volume.contents:
            return None
        return found, found.node

    def _path(self, line: Line, directory: int | None, index: int) -> str:
        path = os.fsdecode(line.texts(index)[0])
        base = self._task(line.tid).folder[0]
        path = path.removeprefix("/proc/self/cwd/")
        if directory is not None and line.descriptor(directory) != -100:
            found = self._description(line, directory)
            base = found.path if found else "/nowhere"
        return os.path.join(base, path)

    def _place(self, line: Line, directory: int | None, index: int) -> Place | None:
        # A call that has succeeded has no slash behind the name of a file, and one behind a directory says nothing.
        path = os.path.normpath(self._path(line, directory, index))
        if not path.startswith(self._ledger.root + "/"):
            path = os.path.realpath(path)
        return self._ledger.find(path)

    # -- descriptors

    def opened(self, line: Line) -> None:
        """Open a file, and make or empty it."""
        at = line.name != "open" and line.name != "creat"
        flags = line.argument(2 if at else 1) if line.name != "creat" else "O_CREAT|O_TRUNC|O_WRONLY"
        path = self._path(line, 0 if at else None, 1 if at else 0)
        place = self._place(line, 0 if at else None, 1 if at else 0)
        node = place.node if place else None
        if os.path.normpath(path) == self._ledger.root:
            node = 0
        if "O_TMPFILE" in flags:
            self._ledger.miss("files made with O_TMPFILE")
        elif place is not None and node is None and "O_CREAT" in flags:
            node = self._ledger.add(place.directory, place.name)
        elif node is not None and "O_TRUNC" in flags and self._ledger.volume.contents.get(node):
            self._ledger.log(Truncate(node, 0))
        syncs = "O_SYNC" in flags or "O_DSYNC" in flags
        description = Description(node, "O_APPEND" in flags, syncs, path=path)
        self._task(line.tid).files[line.result or 0] = description

    def duplicated(self, line: Line) -> None:
        """Give a description one more descriptor."""
        if line.name == "fcntl" and not line.argument(1).startswith("F_DUPFD"):
            return
        found = self._description(line, 0)
        files = self._task(line.tid).files
        if found is not None:
            files[line.result or 0] = found
        else:
            files.pop(line.result or 0, None)

    def closed(self, line: Line) -> None:
        """Forget a descriptor."""
        self._task(line.tid).files.pop(line.descriptor(0), None)

    def moved(self, line: Line) -> None:
        """Read or seek."""
        found = self._description(line, 0)
        if found is not None:
            found.place = (line.result or 0) + (0 if line.name == "lseek" else found.place)

    def wrote(self, line: Line) -> None:
        """Write, at a place that is given or not."""
        target = self._file(line, 0)
        if target is None:
            return
        data, whole = line.texts(1)
        if not whole:
            self._ledger.miss("long writes")
        given = line.number(3) if line.name.startswith("pwrite") and line.argument(3) != "-1" else None
        self._write(target, data[: line.result], given, line.argument(4) or "")

    def _write(self, target: tuple[Description, int], data: bytes, given: int | None, flags: str = "") -> None:
        description, node = target
        place = description.place if given is None else given
        if description.appends or "RWF_APPEND" in flags:
            place = len(self._ledger.content(node))
        if data:
            self._ledger.log(Write(node, place, data))
        if given is None:
            description.place = place + len(data)
        if description.syncs or "SYNC" in flags:
            self._ledger.log(Sync(node))

    def copied(self, line: Line) -> None:
        """Copy within the kernel; what is copied is known if it comes from a file of ours."""
        source, target = (1, 0) if line.name == "sendfile" else (0, 2)
        source_place, target_place = (2, None) if line.name == "sendfile" else (1, 3)
        to, origin, length = self._file(line, target), self._description(line, source), line.result or 0
        start = _offset(line, source_place)
        if start is None and origin is not None:
            start, origin.place = origin.place, origin.place + length
        if to is None:
            return
        if origin is None or start is None or origin.node not in self._ledger.volume.contents:
            self._ledger.miss("copies within the kernel from other places")
            return
        data = bytes(self._ledger.content(origin.node)[start : start + length])
        self._write(to, data, None if target_place is None else _offset(line, target_place))

    def resized(self, line: Line) -> None:
        """Change a size, by descriptor or by name."""
        if line.name == "truncate":
            place = self._place(line, None, 0)
            node = place.node if place else None
        else:
            found = self._file(line, 0)
            node = found[1] if found else None
        if node in self._ledger.volume.contents and line.number(1) != len(self._ledger.content(node)):
            self._ledger.log(Truncate(node, line.number(1)))

    def allocated(self, line: Line) -> None:
        """Allocate, or make zeros."""
        found = self._file(line, 0)
        if found is None:
            return
        node, modes, start, length = found[1], line.argument(1), line.number(2), line.number(3)
        size = len(self._ledger.content(node))
        if "COLLAPSE" in modes or "INSERT" in modes:
            self._ledger.miss("how fallocate moved data within a file")
            return
        if "KEEP_SIZE" not in modes and start + length > size:
            self._ledger.log(Truncate(node, start + length))
        if ("PUNCH_HOLE" in modes or "ZERO_RANGE" in modes) and start < size:
            self._ledger.log(Write(node, start, bytes(min(length, size - start))))

    def synced(self, line: Line) -> None:
        """Sync a file or a directory."""
        found = self._description(line, 0)
        if found is not None and found.node is not None:
            self._ledger.log(Sync(found.node))

    def synced_all(self, line: Line) -> None:  # noqa: ARG002 (all handlers are called alike)
        """Sync everything."""
        self._ledger.log(SyncAll())

    def mapped(self, line: Line) -> None:
        """Map a file; what is stored there makes no line in the log."""
        found = self._file(line, 4) if "MAP_SHARED" in line.argument(3) and "PROT_WRITE" in line.argument(2) else None
        if found is not None:
            self._ledger.mapped.add(found[1])
            self._ledger.miss("stores to memory maps")

    def synced_map(self, line: Line) -> None:
        """Sync mapped memory; of which file is not in the log, so all are."""
        if "MS_SYNC" in line.argument(2):
            for node in sorted(self._ledger.mapped):
                self._ledger.log(Sync(node))

    # -- names

    def made_directory(self, line: Line) -> None:
        """Make a directory."""
        place = self._place(line, 0, 1) if line.name.endswith("at") else self._place(line, None, 0)
        if place is not None:
            self._ledger.add(place.directory, place.name, is_directory=True)

    def made_node(self, line: Line) -> None:
        """Make an empty file."""
        at = line.name.endswith("at")
        place = self._place(line, 0 if at else None, 1 if at else 0)
        if place is not None and not re.search("S_IF(CHR|BLK|IFO|SOCK)", line.argument(2 if at else 1)):
            self._ledger.add(place.directory, place.name)

    def made_symlink(self, line: Line) -> None:
        """Make a symbolic link, which is not recorded."""
        if self._place(line, *((1, 2) if line.name.endswith("at") else (None, 1))) is not None:
            self._ledger.miss("symbolic links and special files")

    def removed(self, line: Line) -> None:
        """Take a name away."""
        place = self._place(line, 0, 1) if line.name.endswith("at") else self._place(line, None, 0)
        if place is not None and place.node is not None:
            self._ledger.log(Remove(place.directory, place.name))

    def linked(self, line: Line) -> None:
        """Give a file one more name."""
        at = line.name.endswith("at")
        new = self._place(line, *((2, 3) if at else (None, 1)))
        if new is None:
            return
        old = self._place(line, *((0, 1) if at else (None, 0)))
        if old is None or old.node is None:
            self._ledger.miss("files that came into the directory from outside")
        else:
            self._ledger.log(Link(new.directory, new.name, old.node))

    def renamed(self, line: Line) -> None:
        """Move a name."""
        at = line.name != "rename"
        old, new = self._place(line, *((0, 1) if at else (None, 0))), self._place(line, *((2, 3) if at else (None, 1)))
        if "RENAME_EXCHANGE" in line.argument(4):
            self._ledger.miss("exchanges of names")
        elif old is not None and old.node is not None:
            if new is None:
                self._ledger.log(Remove(old.directory, old.name))
            elif old.node != new.node:
                self._ledger.log(Rename(old.directory, old.name, new.directory, new.name))
        elif new is not None:
            if new.node is not None:
                self._ledger.log(Remove(new.directory, new.name))
            self._ledger.miss("files that came into the directory from outside")

    def went(self, line: Line) -> None:
        """Change the directory that relative paths are meant from."""
        if line.name == "chdir":
            self._task(line.tid).folder[0] = os.path.normpath(self._path(line, None, 0))
        elif found := self._description(line, 0):
            self._task(line.tid).folder[0] = found.path


def _offset(line: Line, index: int) -> int | None:
    found = re.match(r"\[(\d+)", line.argument(index))
    return int(found[1]) if found else None


HANDLERS: dict[str, Callable[[Calls, Line], None]] = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), Calls.opened),
    **dict.fromkeys(("dup", "dup2", "dup3", "fcntl"), Calls.duplicated),
    "close": Calls.closed,
    **dict.fromkeys(("read", "readv", "lseek"), Calls.moved),
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), Calls.wrote),
    **dict.fromkeys(("sendfile", "copy_file_range"), Calls.copied),
    **dict.fromkeys(("truncate", "ftruncate"), Calls.resized),
    "fallocate": Calls.allocated,
    **dict.fromkeys(("fsync", "fdatasync"), Calls.synced),
    **dict.fromkeys(("sync", "syncfs"), Calls.synced_all),
    "mmap": Calls.mapped,
    "msync": Calls.synced_map,
    **dict.fromkeys(("mkdir", "mkdirat"), Calls.made_directory),
    **dict.fromkeys(("mknod", "mknodat"), Calls.made_node),
    **dict.fromkeys(("symlink", "symlinkat"), Calls.made_symlink),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), Calls.removed),
    **dict.fromkeys(("link", "linkat"), Calls.linked),
    **dict.fromkeys(("rename", "renameat", "renameat2"), Calls.renamed),
    **dict.fromkeys(("chdir", "fchdir"), Calls.went),
}

#: What strace has to log. A name with ? in front may be missing on this architecture.
TRACED = ",".join(f"?{name}" for name in (*HANDLERS, *_CLONES))
