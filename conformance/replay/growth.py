"""Bounded growth: what a store takes up while it is used and compacted, and what it leaves open when it is closed.

A store may keep a constant beside its live data: a segment that is not full, a write-ahead log, a cache. How large, it
does not say. So it is worked with until it is clear: until little of what was written is left, or more than any
constant that is allowed.
"""

from __future__ import annotations

import errno
import gc
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.drive import Driver
from conformance.place import place_of
from conformance.recording import raised
from conformance.replay.meters import descriptors, disk_of, memory
from conformance.workers.forked import Ended, alone
from conformance.workers.worker import Bay

#: Characters of a value at first, and of one when more must be written until it is clear.
PAYLOAD, LARGE = 16 << 10, 64 << 10
#: Keys that are written over and over.
KEYS = 8
#: Times that a store is compacted in the operations asked for, about: more than the files that it may leave open.
COMPACTIONS = 50
#: A store may take up so many times the live data, and this constant, more than after the first compaction.
FACTOR, CONSTANT = 4, 128 << 20
#: It is clear that a store is bounded when no more than one part in so many of all that was written is left.
LEFT_ON_DISK, LEFT_IN_MEMORY = 8, 2
#: Files that a store may have open beside those it had after the first compaction.
FILES = 32
#: Seconds without a write in which a store that compacts in the background may end that, before its files count as too
#: large. Redis 6.2 goes on for a second with what is written meanwhile, and that is on the disk twice for so long.
REST_S, _LOOK_S = 5.0, 0.05
#: Free bytes that a folder must have: what is never compacted takes up more than the constant.
_ROOM = 1 << 30
_FULL = 16 << 20


@dataclass(frozen=True)
class Reading:
    """What a store takes up after a compaction.

    Args:
        operations: Writes so far.
        written: Characters, or bytes, that were written so far.
        live: Those that can still be read.
        disk: Bytes of its files.
        memory: Bytes of the process that no file backs; None where nobody tells.
        files: Descriptors of the process; None where nobody tells.
    """

    operations: int
    written: int
    live: int
    disk: int
    memory: int | None
    files: int | None


@dataclass(frozen=True)
class Bound:
    """One thing that is measured.

    Args:
        now: How much it is.
        clear: Up to this much, it does not follow what was written.
        most: Beyond this much, it is unbounded.
    """

    now: int
    clear: int
    most: int

    @property
    def decided(self) -> bool:
        """Whether more work would change nothing."""
        return self.now <= self.clear or self.now > self.most


@dataclass(frozen=True)
class Grown:
    """What became of the work.

    Args:
        readings: After each compaction.
        error: What the store raised; empty when it did all.
        gone: Why nothing more can be said: the disk was full, or the time was over; empty when there is more.
    """

    readings: tuple[Reading, ...]
    error: str = ""
    gone: str = ""


def on_disk(first: Reading, reading: Reading) -> Bound:
    """Return the bound of what the files took up more than after the first compaction."""
    return _bound(reading, reading.disk - first.disk, LEFT_ON_DISK)


def in_memory(first: Reading, reading: Reading) -> Bound | None:
    """Return the bound of what the process took more than after the first compaction; None where nobody tells."""
    if first.memory is None or reading.memory is None:
        return None
    return _bound(reading, reading.memory - first.memory, LEFT_IN_MEMORY)


def open_files(first: Reading, reading: Reading) -> Bound | None:
    """Return the bound of the descriptors; None where nobody tells."""
    if first.files is None or reading.files is None:
        return None
    return Bound(reading.files, first.files + FILES, first.files + FILES)


def grown(bay: Bay, operations: int) -> Grown:
    """Write and compact so often, and on until it is clear what grows; runs in a worker."""
    with roomy(bay) as folder:
        found = alone(bay, _worked, (folder, operations), hang_s=120.0 + operations / 20)
    if isinstance(found, Ended):
        if found.how == "hung":
            return Grown((), gone=f"{operations:,} operations were not done: {found.detail}")
        return Grown((), error=found.detail)
    done: Grown = found
    return done


@contextmanager
def roomy(bay: Bay) -> Iterator[Path]:
    """Give an empty folder with much room: in memory where there is enough, else on the disk."""
    if shutil.disk_usage(bay.folder).free > _ROOM:
        bay.cleared().mkdir()
        yield bay.place
        bay.cleared()
    else:
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def _worked(bay: Bay, job: tuple[Path, int]) -> Grown:
    gc.enable()  # the child of a worker has it disabled, and cycles are not what is looked for
    folder, operations = job
    readings: list[Reading] = []
    try:
        with closing(Driver()) as driver:
            opener = getattr(bay.backend, bay.contract)
            store = driver.open(opener, place_of(bay.backend, folder))
            do = _log_work if bay.contract == "log" else _state_work
            work = _Work(bay.backend.values)
            while work.operations < operations or not _clear(readings):
                if work.operations >= operations:
                    work.size = LARGE  # it is not clear yet, and may take long
                do(bay, driver, store, work, max(1, operations // COMPACTIONS))
                readings.append(rested(readings, lambda: _reading(folder, work)))
            if callable(getattr(store, "close", None)):
                driver.call(store.close)
    except Exception as error:  # noqa: BLE001 - a store may raise anything
        full = getattr(error, "errno", None) == errno.ENOSPC or shutil.disk_usage(folder).free < _FULL
        if full:
            return Grown(tuple(readings), gone=f"the disk is full: {raised(error)}")
        return Grown(tuple(readings), error=raised(error))
    return Grown(tuple(readings))


def _reading(folder: Path, work: _Work) -> Reading:
    return Reading(work.operations, work.written, work.live, disk_of(folder), memory(), descriptors())


def rested(before: list[Reading], read: Callable[[], Reading], seconds: float = REST_S) -> Reading:
    """Take a reading; while its files are too large, take another one, until the store has rested for some seconds.

    Args:
        before: The readings so far.
        read: Takes one.
        seconds: How long, at most.
    """
    end, reading = time.monotonic() + seconds, read()
    while before and (disk := on_disk(before[0], reading)).now > disk.most and time.monotonic() < end:
        time.sleep(_LOOK_S)
        reading = read()
    return reading


def _clear(readings: list[Reading]) -> bool:
    first, last = readings[0], readings[-1]
    bounds = (on_disk(first, last), in_memory(first, last), open_files(first, last))
    return all(bound is None or bound.decided for bound in bounds)


def _bound(reading: Reading, now: int, left: int) -> Bound:
    live = FACTOR * reading.live
    return Bound(now, live + min(reading.written // left, CONSTANT), live + CONSTANT)


@dataclass
class _Work:
    """What was done so far, and how large the next value is."""

    domain: str
    size: int = PAYLOAD
    operations: int = 0
    written: int = 0
    live: int = 0

    def next(self) -> Any:
        """Return a value that was never written."""
        self.operations += 1
        self.written += self.size
        return payload(self.domain, self.operations, self.size)


def _log_work(bay: Bay, driver: Driver, store: Any, work: _Work, each: int) -> None:
    """Append, keep a checkpoint, and compact all that it covers."""
    position: int = [driver.call(store.append, work.next()) for _ in range(each)][-1]
    _acknowledge(bay, driver, store)
    driver.call(store.checkpoint, work.next(), position)
    if position >= driver.attribute(store, "first"):  # else the log has compacted itself, and may refuse
        driver.call(store.compact, position)
    work.live = work.size


def _state_work(bay: Bay, driver: Driver, store: Any, work: _Work, each: int) -> None:
    """Write over a few keys, write and delete another one, and compact."""
    for number in range(max(each, KEYS)):
        driver.call(store.__setitem__, f"key {number % KEYS}", work.next())
    passing = f"passing {work.operations}"
    driver.call(store.__setitem__, passing, work.next())
    driver.call(store.__delitem__, passing)
    work.operations += 1
    _acknowledge(bay, driver, store)
    driver.call(store.compact)
    work.live = KEYS * work.size


def _acknowledge(bay: Bay, driver: Driver, store: Any) -> None:
    if bay.backend.flush is not None:
        driver.call(bay.backend.flush, store)


def payload(domain: str, number: int, size: int) -> Any:
    """Return a value of a size that differs for each number, and that nothing packs to less than half."""
    drawn = random.Random(number).randbytes(size // 2)
    return drawn + drawn if domain == "bytes" else drawn.hex()
