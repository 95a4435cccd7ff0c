"""Threads on toy stores: races are found, repaired stores are not accused, and a schedule can be repeated."""

from __future__ import annotations

import gc
import sys
import threading
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.histories.drivers.locks import cooperative
from conformance.histories.drivers.points import Points
from conformance.histories.drivers.schedule import Schedule, Switch, fewer_switches
from conformance.histories.drivers.thread_turns import Stopped
from conformance.histories.drivers.threads import Noise, Ran, run_free, run_scheduled
from tests.histories.drivers import toys
from tests.histories.drivers.toys import BROKEN, REPAIRED, Scene

POINTS = Points((toys.__file__,))
HERE = Points((__file__,))
#: Longer than any run: nobody is taken for blocked.
EVER = 60.0


@pytest.fixture(autouse=True)
def _locks() -> Iterator[None]:
    with cooperative(POINTS):
        yield


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def run(make: Callable[[], Scene], schedule: Schedule, points: Points = POINTS) -> tuple[bool, Ran]:
    """Return whether the outcome was fine, and the run."""
    scene = make()
    ran = run_scheduled(scene.bodies, schedule, points, limit_s=30, patience_s=EVER)
    assert not ran.stuck
    assert ran.errors == (None,) * len(scene.bodies)
    return scene.fine(), ran


def first_failure(make: Callable[[], Scene], strategy: Any, seed: int, rounds: int) -> Ran | None:
    """Return the first run that is not fine."""
    for number in range(rounds):
        fine, ran = run(make, Schedule(strategy, seed * 1000 + number, length=150))
        if not fine:
            return ran
    return None


def test_frames_are_looked_up_with_no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is collected may let go of the GIL in the midst of the look-up: all hung (cpython #106883)."""
    frames = sys._current_frames
    collected: list[bool] = []

    def looked_up() -> Any:
        collected.append(gc.isenabled())
        return frames()

    monkeypatch.setattr(sys, "_current_frames", looked_up)
    outside = allocate_lock()
    outside.acquire()
    ran = run_scheduled([lambda: outside.__enter__() and None, outside.release], Schedule("replay"), HERE, limit_s=30)
    assert not ran.stuck
    assert collected
    assert not any(collected)
    assert gc.isenabled()


class Left:
    """Garbage in a cycle, whose end is code of the store: points of the schedule."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.itself = None  # type: ignore[assignment]


@pytest.mark.parametrize("seed", range(6))
def test_no_garbage_is_collected_in_a_run(seed: int) -> None:
    """Points of a finalizer in the midst of a decision would wait for a turn that nobody can give: all hung."""
    lock = threading.Lock()  # cooperative
    collected: list[bool] = []

    def body() -> None:
        for _ in range(20):
            with lock:
                Left()
                collected.append(gc.isenabled())

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        ran = run_scheduled([body, body, body], Schedule("walk", seed, length=150), HERE, limit_s=30, patience_s=EVER)
    finally:
        gc.set_threshold(*before)
    assert (ran.stuck, ran.errors) == (False, (None, None, None))
    assert collected
    assert not any(collected)
    assert gc.isenabled()


@pytest.mark.parametrize("name", BROKEN)
def test_a_walk_finds_each_race(name: str) -> None:
    """At least 19 of 20 seeds find it within 300 rounds of 2 threads with 3 operations."""
    found = [first_failure(BROKEN[name], "walk", seed, rounds=300) is not None for seed in range(20)]
    assert sum(found) >= 19


@pytest.mark.parametrize("name", BROKEN)
def test_pct_finds_each_race(name: str) -> None:
    """A few seeds are tried: a walk is quicker for races as shallow as these."""
    assert all(first_failure(BROKEN[name], "pct", seed, rounds=400) for seed in range(3))


@pytest.mark.parametrize("strategy", ["walk", "pct"])
@pytest.mark.parametrize("name", REPAIRED)
def test_a_repaired_store_is_never_accused(name: str, strategy: Any) -> None:
    """None of 200 rounds fails, and nobody waits for the watchdog."""
    assert first_failure(REPAIRED[name], strategy, 1, rounds=200) is None


@pytest.mark.parametrize("strategy", ["walk", "pct"])
def test_lines_are_too_coarse_for_one_line(strategy: Any) -> None:
    """With points at lines a race between two lines is found, one within a line is not."""
    points = Points(POINTS.code, "line")
    schedules = [Schedule(strategy, seed, length=40) for seed in range(100)]
    assert not all(run(BROKEN["get/set counter"], schedule, points)[0] for schedule in schedules)
    assert all(run(BROKEN["one-line counter"], schedule, points)[0] for schedule in schedules)


@pytest.mark.parametrize("name", [*BROKEN, *REPAIRED])
@pytest.mark.parametrize("strategy", ["walk", "pct"])
def test_a_seed_gives_the_same_run(name: str, strategy: Any) -> None:
    """The same seed switches at the same steps and lines, to the same workers."""
    make = (BROKEN | REPAIRED)[name]
    runs = {run(make, Schedule(strategy, 5, length=150))[1] for _ in range(5)}
    assert len(runs) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_can_be_replayed(name: str) -> None:
    """Ten of ten replays of its switches are the same run, and fail."""
    found = first_failure(BROKEN[name], "walk", 7, rounds=300)
    assert found is not None
    for _ in range(10):
        assert run(BROKEN[name], Schedule("replay", switches=found.switches)) == (False, found)


@pytest.mark.parametrize("name", BROKEN)
def test_a_failure_needs_few_switches(name: str) -> None:
    """What is left of the switches still fails, and they are few."""
    found = first_failure(BROKEN[name], "walk", 7, rounds=300)
    assert found is not None

    def fails(switches: tuple[Switch, ...]) -> bool:
        return not run(BROKEN[name], Schedule("replay", switches=switches))[0]

    left = fewer_switches(fails, found.switches)
    assert fails(left)
    assert len(left) <= 8, left


def test_switches_tell_the_place() -> None:
    """Each switch at a point has the line at which a worker was stopped."""
    _, ran = run(BROKEN["one-line counter"], Schedule("walk", 3))
    assert ran.switches[0].file == ""
    assert {switch.file for switch in ran.switches} == {"", toys.__file__}
    assert all(switch.line > 0 for switch in ran.switches if switch.file)
    assert [switch.step for switch in ran.switches] == sorted({switch.step for switch in ran.switches})
    assert ran.steps > ran.switches[-1].step


@pytest.mark.parametrize("strategy", ["walk", "pct", "replay"])
def test_who_spins_lets_others_run(strategy: Any) -> None:
    """A worker that waits in a loop for another does not run forever, whatever its priority."""
    for seed in range(10):
        done: list[int] = []

        def wait(done: list[int] = done) -> None:
            while not done:
                pass

        def act(done: list[int] = done) -> None:
            done.append(1)

        ran = run_scheduled([wait, wait, act], Schedule(strategy, seed, rate=0), HERE, limit_s=30, patience_s=EVER)
        assert ran.errors == (None, None, None)


def test_only_one_runs_at_a_time() -> None:
    """Between two points a worker is alone."""
    inside: list[int] = []
    crowds: list[int] = []

    def work() -> None:
        inside.append(1)
        crowds.append(len(inside))  # one opcode after the other: switches fall between them
        inside.pop()

    lines = Points((__file__,), "line")
    for seed in range(20):
        run_scheduled([work] * 3, Schedule("walk", seed, rate=0), lines, limit_s=30, patience_s=EVER)
    assert set(crowds) == {1}


def test_errors_are_told_by_worker() -> None:
    """What a body raises, of any kind, is in its place; the others go on."""

    def fail() -> None:
        raise SystemExit(3)

    ran = run_scheduled([fail, lambda: None], Schedule("walk"), HERE)
    assert isinstance(ran.errors[0], SystemExit)
    assert ran.errors[1] is None
    assert not ran.stuck
    free = run_free([fail, lambda: None])
    assert isinstance(free.errors[0], SystemExit)
    assert free.errors[1] is None


def test_nobody_to_run() -> None:
    """No bodies, nothing done."""
    assert run_scheduled([], Schedule("walk"), HERE) == run_free([]) == Ran((), 0, stuck=False, errors=())


def test_a_lock_that_is_real_is_waited_for_outside() -> None:
    """Who blocks on a lock made before is found by the watchdog; the others go on, and it comes back."""
    lock = threading.Lock()._real  # type: ignore[attr-defined]
    order: list[str] = []

    def work() -> None:
        for _ in range(2):
            with lock:
                order.append("in")
                order.append("out")

    for seed in range(10):
        ran = run_scheduled([work] * 3, Schedule("walk", seed), HERE, limit_s=30, patience_s=0.001)
        assert ran.errors == (None, None, None)
    assert order == ["in", "out"] * 60


def test_a_deadlock_is_told_and_ended() -> None:
    """Workers that wait for each other's locks are stuck, and are ended."""
    stuck: list[Ran] = []
    for seed in range(100):
        one, other = threading.Lock(), threading.Lock()

        def work(first: Any = one, then: Any = other) -> None:
            with first, then:
                pass

        ran = run_scheduled(
            [work, lambda one=one, other=other, work=work: work(other, one)],
            Schedule("walk", seed),
            HERE,
            limit_s=0.2,
        )
        if ran.stuck:
            stuck.append(ran)
            break
        assert ran.errors == (None, None)
    assert stuck
    assert [type(error) for error in stuck[0].errors] == [Stopped, Stopped]


def test_an_endless_loop_is_ended() -> None:
    """A body that never comes to an end is ended at a point; one that had ended is not blamed."""

    def loop() -> None:
        while True:
            pass

    ran = run_scheduled([loop, lambda: None], Schedule("walk"), HERE, limit_s=0.1)
    assert ran.stuck
    assert isinstance(ran.errors[0], Stopped)
    assert ran.errors[1] is None
    free = run_free([loop, lambda: None], noise=Noise(HERE, seed=1), limit_s=0.1)
    assert free.stuck
    assert isinstance(free.errors[0], Stopped)
    assert free.errors[1] is None


@pytest.mark.parametrize("free", [False, True])
def test_who_hangs_outside_is_left_behind(free: bool) -> None:  # noqa: FBT001
    """A body that comes to no point any more is reported, and keeps no process alive."""
    before = set(threading.enumerate())
    gate = threading.Event()
    bodies = [lambda: sys.setrecursionlimit(sys.getrecursionlimit()), lambda: _hang(gate)]
    ran = run_free(bodies, limit_s=0.05) if free else run_scheduled(bodies, Schedule("walk"), POINTS, limit_s=0.05)
    left = set(threading.enumerate()) - before
    gate.set()
    for thread in left:
        thread.join()
    assert ran.stuck
    assert ran.errors[0] is None
    assert isinstance(ran.errors[1], Stopped)
    assert all(thread.daemon for thread in left)


def _hang(gate: threading.Event) -> None:
    # Real, as a call into a library would be: it knows nothing of turns.
    real = threading.Lock()._real  # type: ignore[attr-defined]
    real.acquire()
    while not gate.is_set():
        real.acquire(timeout=0.01)


@pytest.mark.parametrize("name", ["get/set counter", "one-line counter", "check-then-act cas"])
def test_noise_finds_races(name: str) -> None:
    """Free threads with random sleeps at opcodes lose updates before long."""
    for seed in range(500):
        scene = BROKEN[name]()
        ran = run_free(scene.bodies, noise=Noise(POINTS, seed, rate=0.1))
        assert ran.errors == (None, None)
        if not scene.fine():
            return
    pytest.fail("nothing was found")


def test_frequent_switches_find_races() -> None:
    """Free threads that switch every microsecond lose increments in long runs."""

    def lost() -> bool:
        scene = toys.counting(toys.GetSetCounter(), workers=4, each=300)
        assert run_free(scene.bodies).errors == (None,) * 4
        return not scene.fine()

    assert any(lost() for _ in range(100))


@pytest.mark.parametrize("name", REPAIRED)
def test_free_threads_do_not_accuse_a_repaired_store(name: str) -> None:
    """Noise makes no race where there is none."""
    for seed in range(30):
        scene = REPAIRED[name]()
        assert run_free(scene.bodies, noise=Noise(POINTS, seed)).errors == (None, None)
        assert scene.fine()


def test_the_switch_interval_is_restored() -> None:
    """It is small while they run, and as before afterwards, whatever they raise."""
    before = sys.getswitchinterval()
    seen: list[float] = []

    def look() -> None:
        seen.append(sys.getswitchinterval())
        raise ValueError

    run_free([look, look], switch_interval_s=2e-6)
    assert seen == pytest.approx([2e-6, 2e-6])
    assert sys.getswitchinterval() == before


def test_free_threads_start_together() -> None:
    """No body begins before all threads are there."""
    seen: list[int] = []
    before = set(threading.enumerate())
    all_have_looked = threading.Barrier(2)

    def look() -> None:
        seen.append(len(set(threading.enumerate()) - before))
        all_have_looked.wait()

    assert run_free([look, look]).errors == (None, None)
    assert seen == [2, 2]
