"""Turns: of several threads exactly one runs, and at each point it is decided which goes on.

A thread that blocks outside, on a lock that knows nothing of turns, is found by a watchdog; the others go on without
it, and it queues up when it is back. That alone depends on time: all else is the same whenever the schedule is.
"""

from __future__ import annotations

import sys
import threading
from _thread import RLock, allocate_lock  # real ones, whatever `threading` is made to offer
from dataclasses import dataclass, field
from types import FrameType

from conformance.histories.drivers.points import Points
from conformance.histories.drivers.schedule import NOBODY, Chooser, Switch

#: Points that a worker passes in a row, while another could run, before it is taken for one that spins.
SPIN = 200


class Stopped(BaseException):
    """Raised in a worker at a point after the time is up, so that it ends."""


@dataclass
class Turns:
    """Who runs, who could, and who waits for what.

    Args:
        chooser: Decides.
        workers: How many there are; they are numbered from 0.
        points: To tell where a worker was stopped.
        spin: Points in a row that make a spinner.
    """

    chooser: Chooser
    workers: int
    points: Points
    spin: int = SPIN
    running: int = field(init=False, default=NOBODY)
    steps: int = field(init=False, default=0)
    beats: int = field(init=False, default=0)
    switches: list[Switch] = field(init=False, default_factory=list)
    over: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._alive = set(range(self.workers))
        self._ready = list(range(self.workers))
        self._away = set[int]()
        self._waiting: dict[int, object] = {}
        self._in_a_row = 0
        self._idle = False
        # Reentrant: a collection of garbage may release a lock of the store in the midst of a decision.
        self._mutex = RLock()
        self._gates = [allocate_lock() for _ in range(self.workers)]
        self._end = allocate_lock()
        for lock in (*self._gates, self._end) if self._alive else ():
            lock.acquire()

    def begin(self) -> None:
        """Give the first turn; the workers are waiting, or will."""
        with self._mutex:
            self._pass_on(NOBODY)

    def point(self, worker: int) -> None:
        """Decide who goes on; return when it is this worker again.

        Raises:
            Stopped: The time is up.
        """
        self._stop_if_over()
        with self._mutex:
            self.beats += 1
            if self.running != worker:
                self._back(worker)
            else:
                if self._waiting and None in self._waiting.values():
                    self._wake(None)
                self._in_a_row += 1
                ready = self._ready
                if self._in_a_row > self.spin and len(ready) > 1:
                    self.chooser.demote(worker)
                    ready = [one for one in ready if one != worker]
                self._decide(worker, ready)
        if self.running != worker:
            self.await_turn(worker)

    def wait(self, worker: int, key: object) -> bool:
        """Let others run until the key is freed, or till the next point of another if the key is None.

        Returns:
            Whether nobody else could run: what is waited for may then come from outside, in its own time.

        Raises:
            Stopped: The time is up.
        """
        self._stop_if_over()
        with self._mutex:
            self.beats += 1
            if self.running != worker:
                self._back(worker)
            else:
                self._waiting[worker] = key
                self._sort()
                if key is None:
                    self.chooser.demote(worker)
                self._pass_on(worker)
        self.await_turn(worker)
        with self._mutex:
            self._waiting.pop(worker, None)
            self._sort()
            return self._idle

    def freed(self, key: object) -> None:
        """Note that those who wait for this may try again."""
        if self._waiting:
            with self._mutex:
                self._wake(key)

    def done(self, worker: int) -> None:
        """Note that a worker has ended."""
        with self._mutex:
            self._alive.discard(worker)
            self._away.discard(worker)
            self._waiting.pop(worker, None)
            self._sort()
            if self.running == worker:
                self.running = NOBODY
                self._pass_on(NOBODY)
            if not self._alive:
                self._end.release()

    def await_turn(self, worker: int) -> None:
        """Return when it is this worker's turn.

        Raises:
            Stopped: The time is up.
        """
        while self.running != worker and not self.over:
            self._gates[worker].acquire()
            with self._mutex:
                # On a busy machine it may be overdue before it has begun its turn; nobody would give it another.
                if self.running != worker and worker in self._away:
                    self._back(worker)
        self._stop_if_over()

    def ended(self, timeout_s: float) -> bool:
        """Wait for the end of all workers; return whether it came."""
        return self._end.acquire(timeout=timeout_s)

    def overdue(self, beats: int, frame: FrameType | None) -> None:
        """Go on without the running worker if there has been no point since that many.

        Args:
            beats: As they were a while ago.
            frame: What the running worker is at.
        """
        with self._mutex:
            others = (set(self._ready) | set(self._waiting)) - {self.running}
            if self.beats == beats and self.running != NOBODY and others:
                self._away.add(self.running)
                self.running = NOBODY
                self._sort()
                self._pass_on(NOBODY, frame)

    def stop(self) -> None:
        """End all workers that wait for a turn, or come to a point."""
        with self._mutex:
            self.over = True
            for gate in self._gates:
                _open(gate)

    def _stop_if_over(self) -> None:
        if self.over:
            raise Stopped("the time is up")

    def _back(self, worker: int) -> None:
        self._away.discard(worker)
        self._sort()
        if self.running == NOBODY:
            self.running = worker

    def _wake(self, key: object) -> None:
        for worker in [worker for worker, wanted in self._waiting.items() if wanted is key]:
            del self._waiting[worker]
        self._sort()

    def _sort(self) -> None:
        self._ready = [one for one in range(self.workers) if one in self._alive - self._away - self._waiting.keys()]

    def _pass_on(self, worker: int, frame: FrameType | None = None) -> None:
        """Let somebody run who is ready, or else somebody who waits look again."""
        if self._ready:
            self._decide(worker, self._ready, frame)
        elif self._waiting:
            waiting = sorted(self._waiting)
            self._idle = True
            self._give(next((one for one in waiting if one > worker), waiting[0]))

    def _decide(self, worker: int, ready: list[int], frame: FrameType | None = None) -> None:
        step = self.steps
        self.steps += 1
        self._idle = False
        chosen = self.chooser.choose(step, worker, ready)
        if chosen != worker:
            left = sys._getframe() if worker != NOBODY else frame
            self.switches.append(Switch(step, chosen, *self.points.place(left)))
            self._give(chosen)

    def _give(self, worker: int) -> None:
        self.running = worker
        self._in_a_row = 0
        _open(self._gates[worker])


def _open(gate: threading.Lock) -> None:
    if gate.locked():
        gate.release()


@dataclass(frozen=True)
class Seat:
    """A worker's place among the turns, as its thread knows it."""

    turns: Turns
    worker: int

    def wait(self, key: object) -> bool:
        """See `Turns.wait`."""
        return self.turns.wait(self.worker, key)


_here = threading.local()


def seat() -> Seat | None:
    """Return the place of this thread, None if it is not scheduled."""
    found: Seat | None = getattr(_here, "seat", None)
    return found


def sit(place: Seat | None) -> None:
    """Note the place of this thread."""
    _here.seat = place
