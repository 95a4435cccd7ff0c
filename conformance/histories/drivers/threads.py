"""Threads that share one store: scheduled, so that a seed decides every switch, or free, but shaken."""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import FrameType

from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import At, Points, Watch, watching
from conformance.histories.drivers.schedule import Schedule, Switch, chooser
from conformance.histories.drivers.thread_turns import SPIN, Seat, Stopped, Turns, sit

Body = Callable[[], None]

#: Fewer call slow workers blocked, which makes a run hard to repeat; more make locks that are real slow.
PATIENCE_S = 0.01
#: Seconds that workers get to end when they are told to.
PARTING_S = 0.2


@dataclass(frozen=True)
class Ran:
    """What came of a run.

    Args:
        switches: Each change of who ran; empty if they ran free.
        steps: Decisions that were taken.
        stuck: Whether the time was up before all had ended.
        errors: What each body raised; of those that had not ended in time, `Stopped`.
    """

    switches: tuple[Switch, ...]
    steps: int
    stuck: bool
    errors: tuple[BaseException | None, ...]


@dataclass(frozen=True)
class Noise:
    """Random short sleeps at points.

    Args:
        points: Where.
        seed: Of the sleeps; it does not decide what the threads do.
        rate: The probability of a sleep at each point.
        longest_s: The longest sleep.
        most: How often each thread sleeps at most: a store may pass thousands of points in a call.
    """

    points: Points
    seed: int
    rate: float = 0.03
    longest_s: float = 1e-4
    most: int = 50


def run_scheduled(
    bodies: Sequence[Body],
    schedule: Schedule,
    points: Points,
    limit_s: float = 5.0,
    patience_s: float = PATIENCE_S,
) -> Ran:
    """Run each body in a thread of its own, one at a time, with switches where the schedule has them.

    Locks that the bodies make are cooperative; those of the store are if it was made inside `cooperative()`. Whoever
    runs many rounds does so inside `cooperative(points)`: it is then prepared for only once. Garbage is not collected
    meanwhile.

    Args:
        bodies: What each worker does.
        schedule: Who runs when.
        points: Where a switch may happen.
        limit_s: After so long, workers are ended at their next point; a worker that comes to none is left behind.
        patience_s: After so long without a point a worker counts as blocked outside, and the others go on.
    """
    turns = Turns(chooser(schedule, len(bodies)), len(bodies), points, max(SPIN, schedule.length))
    errors: list[BaseException | None] = [Stopped("it did not end")] * len(bodies)

    def work(worker: int, here: Watch) -> None:
        sit(Seat(turns, worker))
        try:
            turns.await_turn(worker)
            with here(partial(turns.point, worker)):
                bodies[worker]()
            errors[worker] = None
        except BaseException as error:  # noqa: BLE001
            errors[worker] = error
        finally:
            sit(None)
            turns.done(worker)

    # What a collection of garbage ends may be the store's: its points, in the midst of a decision, would wait for a
    # turn that nobody can give. And no seed decides when garbage is collected.
    with _no_collection(), cooperative(points), watching(points) as here:
        threads = _started([partial(work, worker, here) for worker in range(len(bodies))])
        turns.begin()
        until = time.monotonic() + limit_s
        beats = -1
        while not (ended := turns.ended(min(patience_s, limit_s))) and time.monotonic() < until:
            if turns.beats == beats:
                turns.overdue(beats, _frame_of(threads[turns.running]))
            beats = turns.beats
        if not ended:
            turns.stop()
        _joined(threads, PARTING_S)
        return Ran(tuple(turns.switches), turns.steps, not ended, tuple(errors))


@contextmanager
def _no_collection() -> Iterator[None]:
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _frame_of(thread: threading.Thread) -> FrameType | None:
    # Python before 3.11.9 and 3.12.3 deadlocks if garbage is collected meanwhile (cpython #106883): none is, in a run.
    return sys._current_frames().get(thread.ident or 0)


def run_free(
    bodies: Sequence[Body], *, switch_interval_s: float = 1e-6, noise: Noise | None = None, limit_s: float = 5.0
) -> Ran:
    """Run each body in a thread of its own, all at once, with frequent switches, perhaps with random sleeps.

    Args:
        bodies: What each worker does.
        switch_interval_s: As for `sys.setswitchinterval`.
        noise: Which sleeps, if any.
        limit_s: After so long, a worker that has not ended is left behind.
    """
    errors: list[BaseException | None] = [Stopped("it did not end")] * len(bodies)
    start = threading.Barrier(max(1, len(bodies)))
    over = threading.Event()

    def work(worker: int, here: Watch | None) -> None:
        try:
            start.wait()
            with nullcontext() if noise is None or here is None else here(_dozing(noise, worker, over)):
                bodies[worker]()
            errors[worker] = None
        except BaseException as error:  # noqa: BLE001
            errors[worker] = error

    before = sys.getswitchinterval()
    with nullcontext() if noise is None else watching(noise.points) as here:
        sys.setswitchinterval(switch_interval_s)
        try:
            threads = _started([partial(work, worker, here) for worker in range(len(bodies))])
            stuck = not _joined(threads, limit_s)
        finally:
            sys.setswitchinterval(before)
        if stuck:
            over.set()
            _joined(threads, PARTING_S)
        return Ran((), 0, stuck, tuple(errors))


def _dozing(noise: Noise, worker: int, over: threading.Event) -> At:
    draw = random.Random(f"{noise.seed} {worker}")
    left = noise.most

    def at() -> None:
        nonlocal left
        if over.is_set():
            raise Stopped("the time is up")
        if left and draw.random() < noise.rate:
            left -= 1
            time.sleep(draw.random() * noise.longest_s)

    return at


def _started(works: Sequence[Body]) -> list[threading.Thread]:
    # Daemons: a store that hangs must not keep the process alive.
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


def _joined(threads: Sequence[threading.Thread], limit_s: float) -> bool:
    until = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
