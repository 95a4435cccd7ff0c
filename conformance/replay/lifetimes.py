"""Opening and closing a store many times in one process, and counting what each time leaves behind."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from conformance.backend import Where
from conformance.place import place_of
from conformance.recording import raised
from conformance.replay.growth import roomy
from conformance.replay.meters import descriptors, threads
from conformance.session import Session
from conformance.values import domain
from conformance.workers.forked import Ended, alone
from conformance.workers.worker import Bay

#: Times that a process counts, and cycles before the first one: what is kept once for a process is there by then.
_EACH = 10
#: Descriptors, and threads, that a process may have more than at the first count.
FEW = 32
#: Threads of a closed store may need so long to end; it is waited for only where there seem to be too many.
_ENDING_S = 5.0


@dataclass(frozen=True)
class Count:
    """What a process has after so many cycles.

    Args:
        cycles: How often the store was opened and closed.
        files: Descriptors; None where nobody tells.
        threads: Threads.
    """

    cycles: int
    files: int | None
    threads: int

    def leaks(self, first: Count) -> bool:
        """Tell whether it is too much, compared with the first count."""
        return self.threads > first.threads + FEW or (self.files or 0) > (first.files or 0) + FEW


@dataclass(frozen=True)
class Lifetimes:
    """What became of the cycles.

    Args:
        counts: In their order; none after the first that leaks.
        error: What the store raised, or how the process ended; empty when all went well.
        gone: Why nothing can be said; empty when there is something.
    """

    counts: tuple[Count, ...]
    error: str = ""
    gone: str = ""


def lived(bay: Bay, cycles: int) -> Lifetimes:
    """Open a store, write, and close it, so often in one process; runs in a worker."""
    with roomy(bay) as folder:
        found = alone(bay, _cycled, (folder, cycles), hang_s=60.0 + cycles)
    if isinstance(found, Ended):
        if found.how == "hung":
            return Lifetimes((), gone=f"{cycles} cycles were not done: {found.detail}")
        return Lifetimes((), error=found.detail)
    done: Lifetimes = found
    return done


def _cycled(bay: Bay, job: tuple[Path, int]) -> Lifetimes:
    gc.enable()
    folder, cycles = job
    where = place_of(bay.backend, folder)
    counts: list[Count] = []
    for cycle in range(1, cycles + 1):
        try:
            _live(bay, where, cycle)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            return Lifetimes(tuple(counts), error=f"opening number {cycle} raised {raised(error)}")
        if cycle % _EACH == 0:
            counts.append(_settled(cycle, counts))
            if counts[-1].leaks(counts[0]):
                break
    return Lifetimes(tuple(counts))


def _live(bay: Bay, where: Where, cycle: int) -> None:
    session = Session(bay.backend, bay.contract, where)
    store = session.open()
    value = domain.numbered(bay.backend.values, cycle)
    if bay.contract == "log":
        store.append(value)
    else:
        store["key"] = value
    store.acknowledge()
    session.close()


def _settled(cycle: int, before: list[Count]) -> Count:
    """Count when all has ended that is about to end."""
    gc.collect()
    end = time.monotonic() + _ENDING_S
    while True:
        count = Count(cycle, descriptors(), threads())
        # Descriptors that no thread has left to close stay open.
        if not before or not count.leaks(before[0]) or count.threads <= before[0].threads or time.monotonic() > end:
            return count
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(timeout=0.01)
        time.sleep(0.01)  # threads that Python does not know can only be asked again
        gc.collect()
