"""Cooperative locks: who would block hands its turn on, for only one thread runs and the owner could never let go.

A lock that was made before stays as it is; the watchdog of the turns then finds who is blocked, at a price in time.
"""

from __future__ import annotations

import errno
import sys
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

from conformance.histories.drivers.points import Points
from conformance.histories.drivers.thread_turns import seat

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds between two looks for what must come from outside, because nobody here can run.
LOOK_S = 0.001
#: The longest sleep of a scheduled thread, in seconds, when nobody here can run; it takes none when somebody can.
NAP_S = 0.01

_real_sleep = time.sleep


class CooperativeLock:
    """`threading.Lock`, except that a scheduled thread hands its turn on until the lock is free."""

    __slots__ = ("__weakref__", "_real")

    def __init__(self) -> None:
        self._real = allocate_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        """Take the lock; return whether it was had. Time passes only while nobody else can run."""
        place = seat()
        if place is None or not blocking or (timeout < 0 and timeout != -1):
            return self._real.acquire(blocking, timeout)
        until = None if timeout < 0 else time.monotonic() + timeout
        while not self._real.acquire(blocking=False):
            if place.wait(self):
                if self._real.acquire(timeout=LOOK_S):
                    break
                if until is not None and time.monotonic() >= until:
                    return False
        return True

    def release(self) -> None:
        """Let go."""
        self._real.release()
        place = seat()
        if place is not None:
            place.turns.freed(self)

    def locked(self) -> bool:
        """Return whether somebody has it."""
        return self._real.locked()

    def _at_fork_reinit(self) -> None:
        self._real = allocate_lock()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def _sleep(seconds: float) -> None:
    place = seat()
    if place is None or seconds < 0:
        _real_sleep(seconds)
    elif place.wait(None):
        _real_sleep(min(seconds, NAP_S))


def _cooperative_file_lock(module: Any, name: str) -> Callable[..., None]:
    real: Callable[..., None] = getattr(module, name)

    def lock(file: Any, operation: int, *more: int) -> None:
        place = seat()
        if place is None or operation & (module.LOCK_NB | module.LOCK_UN):
            return real(file, operation, *more)
        while True:
            try:
                return real(file, operation | module.LOCK_NB, *more)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
            if place.wait(None):
                _real_sleep(LOOK_S)

    return lock


_mutex = allocate_lock()
_active: list[ExitStack] = []
_users = 0


@contextmanager
def cooperative(points: Points | None = None) -> Iterator[None]:
    """Make new locks cooperative, and `time.sleep`, `fcntl.flock` and `fcntl.lockf`; for the time of the context.

    What `threading` and `queue` build on locks follows. Outside a schedule all of them behave as ever. A context within
    another changes nothing.

    Args:
        points: Modules of this code that took a name with `from threading import Lock` get the other one too.
    """
    global _users
    with _mutex:
        _users += 1
        if _users == 1:
            _active.append(_replaced(points))
    try:
        yield
    finally:
        with _mutex:
            _users -= 1
            if _users == 0:
                _active.pop().close()


def _replaced(points: Points | None) -> ExitStack:
    stack = ExitStack()
    # `Condition` makes locks for those who wait by the private name; the `RLock` written in Python is built on it.
    known: list[tuple[ModuleType, str, Any]] = [
        (threading, "Lock", CooperativeLock),
        (threading, "_allocate_lock", CooperativeLock),
        (threading, "RLock", vars(threading)["_RLock"]),
        (time, "sleep", _sleep),
    ]
    if fcntl is not None:
        known += [(fcntl, name, _cooperative_file_lock(fcntl, name)) for name in ("flock", "lockf")]
    others = {id(getattr(module, name)): new for module, name, new in known}
    if points is not None:
        for module in list(sys.modules.values()):
            if points.covers(getattr(module, "__file__", None) or ""):
                known += [(module, name, others[id(it)]) for name, it in vars(module).items() if id(it) in others]
    for module, name, new in known:
        stack.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, new)
    return stack
