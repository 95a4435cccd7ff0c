"""What the bare disk does with the same bytes, beside which a store is measured: no store can do better by much."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter_ns

from conformance.benchmarks.crowd import together

#: Bytes of the file that is written in place, and of the one that is read.
_SIZE = 1 << 20
#: fdatasync(2), where there is one; its neighbour, which waits for the times of the file too, elsewhere.
SYNC: Callable[[int], object] = getattr(os, "fdatasync", os.fsync)
_SYNC_NAME = "fdatasync" if SYNC is not os.fsync else "fsync"

#: A record is written over zeros that are on the disk already, and synced: the least that a durable write can do.
IN_PLACE = f"write + {_SYNC_NAME}, in place"
#: A record is written to the end of a file that grows, and synced: the file's new length has to reach the disk too.
APPENDED = f"write + {_SYNC_NAME}, appended"
#: A record is written to the end of a file, and left to the operating system.
WRITTEN = "write, no sync"
#: A record is read from a file that is in memory already.
READ = "pread, in memory"


def limits_of(durability: str, *, reads: bool) -> tuple[str, ...]:
    """Return what a store is measured beside, the nearest to the disk first.

    Args:
        durability: What it promises: only one that survives a power loss has to sync each write.
        reads: Whether the operation reads.
    """
    if reads:
        return (READ,)
    return (IN_PLACE, APPENDED) if durability == "power-loss" else (WRITTEN,)


@dataclass(frozen=True)
class BareDisk:
    """One thing that the bare disk does, again and again.

    Args:
        name: Which: one of the names above.
        file: Of its own; created.
        size: Bytes of each operation.
    """

    name: str
    file: Path
    size: int

    @property
    def _long(self) -> int:
        """The bytes of a file that does not grow: at least two places."""
        return max(_SIZE, 2 * self.size)

    @contextmanager
    def opened(self, workers: int = 1, first: int = 0) -> Iterator[Callable[[int], int]]:
        """Give what does a batch and returns its nanoseconds, with the file open.

        Args:
            workers: Threads that each do a batch at the same time; in place, each has places of its own.
            first: The first place, for processes that do so.
        """
        flags = os.O_RDWR | os.O_CREAT | (os.O_APPEND if self.name in (APPENDED, WRITTEN) else 0)
        descriptor = os.open(self.file, flags, 0o600)
        try:
            if not flags & os.O_APPEND and os.fstat(descriptor).st_size < self._long:
                os.write(descriptor, bytes(self._long))
                os.fsync(descriptor)
            step = self._step(descriptor)
            if workers == 1:
                yield lambda count: _timed(step, range(first, first + count), self.size)
            else:
                yield lambda count: together(
                    [partial(_loop, step, range(count * n, count * (n + 1)), self.size) for n in range(workers)]
                )
        finally:
            os.close(descriptor)

    def _step(self, descriptor: int) -> Callable[[int], object]:
        data, write, sync = os.urandom(self.size), os.write, SYNC
        if self.name == READ:
            return partial(os.pread, descriptor, self.size)
        if self.name == WRITTEN:
            return lambda _: write(descriptor, data)
        if self.name == APPENDED:
            return lambda _: (write(descriptor, data), sync(descriptor))
        return lambda offset: (os.pwrite(descriptor, data, offset), sync(descriptor))


def _loop(step: Callable[[int], object], numbers: range, size: int) -> None:
    places = max(1, _SIZE // size - 1)
    for number in numbers:
        step(number % places * size)


def _timed(step: Callable[[int], object], numbers: range, size: int) -> int:
    start = perf_counter_ns()
    _loop(step, numbers, size)
    return perf_counter_ns() - start
