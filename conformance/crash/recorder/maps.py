"""Files that are mapped into memory: stores make no system call, so the file is compared with what is known of it."""

from __future__ import annotations

import os

from conformance.crash.recorder.ledger import Ledger
from conformance.crash.trace import Truncate, Write

#: What a store through a mapping is seen as: one write for each page that changed.
PAGE = 4096


class Maps:
    """Files that somebody may be storing to, each with a descriptor of our own to read it by.

    Each look costs a read of each whole file, so that this is for files of a few megabytes. A file stays among them
    when it is unmapped; that costs time and nothing else.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._readers: dict[int, int] = {}

    def add(self, node: int, path: str) -> None:
        """Watch a file from now on.

        Args:
            node: Its node.
            path: Where it can be opened; a name below /proc will do.
        """
        self._ledger.mapped.add(node)
        if node not in self._readers:
            self._readers[node] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def look(self, *nodes: int) -> None:
        """Log what changed in these files since the last look; in all of them, if none is named."""
        for node in nodes or tuple(self._readers):
            if node in self._readers:
                self._compare(node, self._readers[node])

    def _compare(self, node: int, reader: int) -> None:
        known, size = self._ledger.content(node), os.fstat(reader).st_size
        now = memoryview(_read_all(reader, size))
        if memoryview(known) == now:
            return
        before = bytes(known)
        if len(before) != size:
            self._ledger.log(Truncate(node, size))
        for start in range(0, size, PAGE):
            page = bytes(now[start : start + PAGE])
            if page != before[start : start + PAGE]:
                self._ledger.log(Write(node, start, page))

    def close(self) -> None:
        """Let go of the files."""
        while self._readers:
            os.close(self._readers.popitem()[1])


def _read_all(descriptor: int, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = os.pread(descriptor, size - len(found), len(found))
        if not part:
            break
        found += part
    return bytes(found)
