"""Cooperative locks: scheduled threads hand on their turn, all others find what they are used to."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.histories.drivers.locks import CooperativeLock, cooperative
from conformance.histories.drivers.points import Points
from conformance.histories.drivers.schedule import Schedule
from conformance.histories.drivers.threads import Ran, run_scheduled

fcntl = pytest.importorskip("fcntl")

HERE = Points((__file__,))
#: Longer than any run: whoever blocks for real is never found, and the run is stuck.
EVER = 60.0
SEEDS = range(10)


@pytest.fixture(autouse=True)
def _cooperative() -> Iterator[None]:
    with cooperative():
        yield


def scheduled(*bodies: Callable[[], object], seed: int = 0, strategy: Any = "walk") -> Ran:
    """Run bodies that end, and that raise nothing."""
    ran = run_scheduled(
        [lambda body=body: _call(body) for body in bodies],
        Schedule(strategy, seed),
        HERE,
        limit_s=20,
        patience_s=EVER,
    )
    assert not ran.stuck
    assert ran.errors == (None,) * len(bodies)
    return ran


def _call(body: Callable[[], object]) -> None:
    body()


@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition", "Semaphore"])
@pytest.mark.parametrize("strategy", ["walk", "pct", "replay"])
def test_what_excludes_still_does(kind: str, strategy: Any) -> None:
    """Of three workers only one is inside, whatever kind of lock it is, and nobody blocks for real."""
    for seed in SEEDS:
        lock = getattr(threading, kind)()
        inside: list[int] = []
        crowds: list[int] = []

        def work(lock: Any = lock, inside: list[int] = inside, crowds: list[int] = crowds) -> None:
            for _ in range(2):
                with lock:
                    inside.append(1)
                    crowds.append(len(inside))
                    inside.pop()

        scheduled(work, work, work, seed=seed, strategy=strategy)
        assert crowds == [1] * 6


def test_a_reentrant_lock_is_reentrant() -> None:
    """Who has it may take it again."""
    lock = threading.RLock()
    inside: list[int] = []

    def work() -> None:
        with lock, lock:
            inside.append(1)

    for seed in SEEDS:
        scheduled(work, work, seed=seed)
    assert len(inside) == 2 * len(SEEDS)


@pytest.mark.parametrize("strategy", ["walk", "pct"])
def test_a_queue_between_workers(strategy: Any) -> None:
    """Who takes from an empty queue, or puts into a full one, waits for the other."""
    for seed in SEEDS:
        between: queue.Queue[int] = queue.Queue(maxsize=1)
        got: list[int] = []

        def give(between: queue.Queue[int] = between) -> None:
            for number in range(3):
                between.put(number)

        def take(between: queue.Queue[int] = between, got: list[int] = got) -> None:
            got.extend([between.get() for _ in range(3)])

        scheduled(give, take, seed=seed, strategy=strategy)
        assert got == [0, 1, 2]


def test_an_event_between_workers() -> None:
    """Who waits for an event goes on when it is set, also where the wait has a limit."""
    for seed in SEEDS:
        event = threading.Event()
        seen: list[bool] = []
        scheduled(lambda event=event, seen=seen: seen.append(event.wait(10)), event.set, seed=seed)
        assert seen == [True]


def test_a_limited_wait_ends_when_nobody_can_help() -> None:
    """Time passes where nobody else can run: the lock is not had, and what is freed in time is."""
    lock = threading.Lock()
    lock.acquire()
    seen: list[bool] = []
    scheduled(lambda: seen.append(lock.acquire(timeout=0.01)), lambda: seen.append(lock.acquire(blocking=False)))
    assert seen == [False, False]
    scheduled(lambda: seen.append(lock.acquire(timeout=60)), lock.release)
    assert seen == [False, False, True]


def test_a_lock_that_is_freed_from_outside() -> None:
    """A thread that is not scheduled may free what workers wait for."""
    lock = threading.Lock()
    lock.acquire()
    waiting = threading.Event()
    done: list[int] = []

    def work() -> None:
        waiting.set()
        with lock:
            done.append(1)

    def free() -> None:
        waiting.wait()
        lock.release()

    outside = threading.Thread(target=free)
    outside.start()
    scheduled(work, work)
    outside.join()
    assert done == [1, 1]


@pytest.mark.parametrize("name", ["flock", "lockf"])
@pytest.mark.parametrize("strategy", ["walk", "pct", "replay"])
def test_file_locks_hand_on(name: str, strategy: Any, tmp_path: Path) -> None:
    """Workers that lock one file, each through a descriptor of its own, wait for each other."""
    inside: list[int] = []
    crowds: list[int] = []

    def work() -> None:
        file = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
        try:
            getattr(fcntl, name)(file, fcntl.LOCK_EX)
            inside.append(1)
            crowds.append(len(inside))
            inside.pop()
            getattr(fcntl, name)(file, fcntl.LOCK_UN)
        finally:
            os.close(file)

    for seed in SEEDS:
        scheduled(work, work, seed=seed, strategy=strategy)
    if name == "flock":  # the other kind belongs to the process: it excludes no thread of it
        assert crowds == [1] * 20


def test_a_file_lock_of_somebody_else(tmp_path: Path) -> None:
    """A lock that no worker has is waited for; who does not want to wait is refused as ever."""
    holder = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    refused = threading.Event()

    def work() -> None:
        with (tmp_path / "lock").open() as file:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            refused.set()
            fcntl.flock(file, fcntl.LOCK_EX)

    def free() -> None:
        refused.wait()
        os.close(holder)

    outside = threading.Thread(target=free)
    outside.start()
    scheduled(work)
    outside.join()


def test_a_bad_file_is_an_error() -> None:
    """Only what says "locked" is waited for."""
    ran = run_scheduled([lambda: fcntl.flock(10**6, fcntl.LOCK_EX)], Schedule("walk"), HERE)
    assert isinstance(ran.errors[0], OSError)


@pytest.mark.parametrize("strategy", ["walk", "pct"])
def test_who_sleeps_lets_others_run(strategy: Any) -> None:
    """A sleep takes no time while another can run; who polls with sleeps sees what the other does."""
    for seed in SEEDS:
        done: list[int] = []

        def poll(done: list[int] = done) -> None:
            while not done:
                time.sleep(3600)

        scheduled(poll, lambda done=done: done.append(1), seed=seed, strategy=strategy)
    ran = run_scheduled([lambda: time.sleep(-1)], Schedule("walk"), HERE)
    assert isinstance(ran.errors[0], ValueError)


def test_outside_a_schedule_nothing_is_different() -> None:
    """A lock blocks, refuses, and times out as the real one does, and knows whether it is held."""
    lock: Any = threading.Lock()
    assert isinstance(lock, CooperativeLock)
    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(blocking=False)
    assert not lock.acquire(timeout=0.001)
    with pytest.raises(ValueError, match="timeout"):
        lock.acquire(blocking=False, timeout=1)
    with pytest.raises(ValueError, match="timeout"):
        lock.acquire(timeout=-2)
    thread = threading.Thread(target=lock.release)
    thread.start()
    assert lock.acquire()
    thread.join()
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()
    with lock as had:
        assert had
    lock.acquire()
    lock._at_fork_reinit()
    assert not lock.locked()
    time.sleep(0)  # no schedule, and so no error, and nobody to ask for a turn


def test_a_context_within_another_changes_nothing() -> None:
    """Names are put back at the end of the outermost context only."""

    def names() -> list[object]:
        locks = [vars(threading)[name] for name in ("Lock", "RLock", "_allocate_lock")]
        return [*locks, time.sleep, fcntl.flock, fcntl.lockf]

    inside = names()
    with cooperative():
        assert names() == inside
    assert names() == inside


def test_a_name_that_was_imported_before() -> None:
    """A chosen module that took `Lock` by name gets the cooperative one, and its own back; no other module does."""
    # In a process of its own, where nothing is cooperative yet.
    done = subprocess.run([sys.executable, "-c", BY_NAME], check=False, capture_output=True, text=True)
    assert done.stderr == ""


BY_NAME = """
import sys, threading, time
from types import ModuleType
from conformance.histories.drivers.locks import CooperativeLock, cooperative
from conformance.histories.drivers.points import Points

chosen, other = ModuleType("chosen"), ModuleType("other")
for module in (chosen, other):
    sys.modules[module.__name__] = module
    module.__file__ = f"/{module.__name__}.py"
    exec("from threading import Lock; from time import sleep", vars(module))
before = threading.Lock, time.sleep
with cooperative(Points(("/chosen.py",))):
    assert chosen.Lock is threading.Lock is CooperativeLock
    assert chosen.sleep is time.sleep is not before[1]
    assert (other.Lock, other.sleep) == before
for module in (chosen, other):
    assert (module.Lock, module.sleep) == (threading.Lock, time.sleep) == before
"""
