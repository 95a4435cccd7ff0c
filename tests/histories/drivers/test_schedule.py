"""Strategies, one decision at a time, and the search for fewer switches."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from conformance.histories.drivers.schedule import NOBODY, Schedule, Switch, chooser, fewer_switches

BOTH = (0, 1)


def chosen(schedule: Schedule, steps: int = 100, workers: int = 2) -> list[int]:
    """Return who runs at each step when all could."""
    strategy = chooser(schedule, workers)
    found = [NOBODY]
    for step in range(steps):
        found.append(strategy.choose(step, found[-1], range(workers)))
    return found[1:]


def changes(found: list[int]) -> int:
    """Return how often somebody else runs next."""
    return sum(one != other for one, other in pairwise(found))


@pytest.mark.parametrize("strategy", ["walk", "pct"])
def test_the_seed_decides(strategy: Any) -> None:
    """The same seed chooses the same; others choose otherwise."""
    runs = {tuple(chosen(Schedule(strategy, seed, length=100))) for seed in range(20)}
    again = {tuple(chosen(Schedule(strategy, seed, length=100))) for seed in range(20)}
    assert runs == again
    assert len(runs) > 10


def test_the_rate_of_a_walk() -> None:
    """The higher the rate, the more switches; at zero there are none."""
    found = [changes(chosen(Schedule("walk", 1, rate=rate), steps=1000)) for rate in (0, 0.1, 0.5, 1)]
    assert found[0] == 0
    assert found == sorted(found)
    assert 350 < found[-1] < 650


def test_pct_changes_as_often_as_it_is_deep() -> None:
    """A bug of depth d needs d - 1 changes of priority, and no more are made."""
    for seed in range(20):
        assert changes(chosen(Schedule("pct", seed, depth=1))) == 0
        assert changes(chosen(Schedule("pct", seed, depth=4), workers=3)) <= 3


def test_pct_runs_a_demoted_worker_last() -> None:
    """Who was demoted runs when nobody else can."""
    strategy = chooser(Schedule("pct", 1, depth=1), 2)
    first = strategy.choose(0, NOBODY, BOTH)
    strategy.demote(first)
    assert strategy.choose(1, first, BOTH) == 1 - first
    assert strategy.choose(2, 1 - first, [first]) == first


def test_a_replay_follows_the_switches() -> None:
    """It switches where the list says so, and else goes on."""
    switches = (Switch(0, 1), Switch(2, 0), Switch(4, 1))
    assert chosen(Schedule("replay", switches=switches), steps=6) == [1, 1, 0, 0, 1, 1]


def test_a_replay_makes_do_with_who_is_ready() -> None:
    """A switch to somebody who can't run is passed over; when the one who ran can't go on, the next runs."""
    strategy = chooser(Schedule("replay", switches=(Switch(0, 1),)), 3)
    assert strategy.choose(0, 2, [0, 2]) == 2
    assert strategy.choose(1, 1, [0, 2]) == 2
    assert strategy.choose(2, 2, [0, 1]) == 0


@pytest.mark.parametrize("strategy", ["walk", "pct", "replay"])
def test_only_who_is_ready_is_chosen(strategy: Any) -> None:
    """Whatever the strategy, nobody is chosen who waits."""
    draw = random.Random(7)
    for seed in range(20):
        it = chooser(Schedule(strategy, seed, switches=(Switch(3, 1), Switch(9, 2))), 3)
        for step in range(50):
            ready = draw.sample(range(3), draw.randint(1, 3))
            running = draw.choice([NOBODY, 0, 1, 2])
            assert it.choose(step, running, ready) in ready
            it.demote(draw.randrange(3))


def test_fewer_switches_keeps_those_that_matter() -> None:
    """What is left fails, and fails no more without any one of it."""
    draw = random.Random(3)
    for _ in range(50):
        switches = tuple(Switch(step, step % 2) for step in range(draw.randint(1, 30)))
        needed = set(draw.sample(switches, draw.randint(0, min(4, len(switches)))))
        assert set(fewer_switches(lambda some, needed=needed: needed <= set(some), switches)) == needed


def test_fewer_switches_leaves_none_out_that_only_helps_together() -> None:
    """Where either of two will do, one is left."""
    switches = tuple(Switch(step, 0) for step in range(6))
    left = fewer_switches(lambda some: bool({switches[1], switches[4]} & set(some)), switches)
    assert len(left) == 1


def test_fewer_switches_leaves_out_what_belongs_together() -> None:
    """A switch away goes with the one back, where either alone would not do."""
    switches = tuple(Switch(step, step % 2) for step in range(7))
    pair = {switches[4], switches[5]}
    left = fewer_switches(lambda some: switches[3] in some and len(pair & set(some)) != 1, switches)
    assert left == (switches[3],)


def stops(switches: tuple[Switch, ...]) -> list[tuple[int, int]]:
    """Return at which switches whom, and after how many steps of his own, a replay of 30 steps stops."""
    ran = [0, 0]
    found: list[tuple[int, int]] = []
    order = chosen(Schedule("replay", switches=switches), steps=30)
    for one, other in pairwise(order):
        ran[one] += 1
        if one != other:
            found.append((one, ran[one]))
    return found


def test_fewer_switches_moves_later_ones() -> None:
    """Where what was interrupted twice needs only one stop, at the same place, that one is found."""
    switches = (Switch(0, 0), Switch(5, 1), Switch(7, 0), Switch(9, 1), Switch(12, 0))
    assert stops(switches) == [(0, 5), (1, 2), (0, 7), (1, 5)]
    left = fewer_switches(lambda some: {(0, 7), (1, 5)} <= set(stops(some)), switches)
    assert stops(left) == [(0, 7), (1, 5)]


def test_a_failure_without_switches() -> None:
    """Where no switch is needed none is left."""
    assert fewer_switches(lambda some: True, [Switch(0, 0), Switch(1, 1)]) == ()
    assert fewer_switches(lambda some: True, ()) == ()
