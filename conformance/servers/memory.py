"""Memory that the processes of a server share under a name or a number: it stays when they are killed.

PostgreSQL has both kinds, removes them when it ends in good order, and finds what a kill left when it is started in the
same folder again, which few servers of tests are. System V has room for some thousands.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

#: A line of /proc/PID/maps that shows a segment: the inode of a System V one is its number.
_SEGMENT = re.compile(r"^\S+ \S+ \S+ \S+ +(\d+) +(?:(/dev/shm/PostgreSQL\.\d+)$|/SYSV)", re.MULTILINE)
#: The command of shmctl(2) that removes a segment, on Linux.
_REMOVE = 0


@dataclass(frozen=True)
class Segments:
    """Segments of shared memory.

    Args:
        paths: Files that are POSIX segments.
        numbers: System V segments.
    """

    paths: frozenset[str]
    numbers: frozenset[int]

    def remove(self) -> None:
        """Remove them; what is not there any more, or not ours, does not matter."""
        for path in self.paths:
            with suppress(OSError):
                os.unlink(path)
        for number in self.numbers:
            ctypes.CDLL(None).shmctl(number, _REMOVE, None)


def segments_of(pids: Iterable[int]) -> Segments:
    """Return what some processes share; nothing where the system does not tell."""
    paths: set[str] = set()
    numbers: set[int] = set()
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            for number, path in _SEGMENT.findall(maps.read()):
                if path:
                    paths.add(path)
                else:
                    numbers.add(int(number))
    return Segments(frozenset(paths), frozenset(numbers))
