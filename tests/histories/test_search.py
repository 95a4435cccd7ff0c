"""Searching: honest stores come through, broken ones are found, and what hangs or dies is told."""

from __future__ import annotations

import ctypes
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.histories import search as searching
from conformance.histories.drivers.locks import CooperativeLock
from conformance.histories.kinds import judged
from conformance.histories.operation import NEVER, Operation
from conformance.histories.perform import Raised
from conformance.histories.rounds import handles, threads
from conformance.histories.rounds.round import Round
from conformance.histories.rounds.ways import Way
from conformance.histories.search import Order, plan_of, search, search_in_child
from conformance.workers import Bay
from tests.mutants import concurrency_processes, concurrency_threads

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
ORDER = Order("registers", "processes", seed=1, workers=2, length=30, age=20, rounds=6, seconds=60.0)
EACH_WAY = pytest.mark.parametrize("way", ["scheduled", "free", "processes", "paused"])


def mutant(name: str) -> Backend:
    """Return the backend of a mutant."""
    all_of_them = (*concurrency_threads.MUTANTS, *concurrency_processes.MUTANTS)
    return next(one.backend for one in all_of_them if one.name == name)


@EACH_WAY
@pytest.mark.parametrize("plan", ["registers", "overwrites", "distinct keys", "swaps", "updates", "listings"])
def test_an_honest_store_comes_through(plan: str, way: Way, tmp_path: Path) -> None:
    """Whatever is asked of it, and however the workers meet; and calls did overlap."""
    honest = concurrency_processes.HONEST if way in ("processes", "paused") else concurrency_threads.HONEST
    # Free threads switch often, but one with few calls is done before the next has begun.
    order = replace(ORDER, plan=plan, way=way, length=100 if way == "free" else 8, rounds=10)
    found = search(honest, "state", tmp_path, order)
    assert found.found is None
    assert (found.rounds, found.unknown, found.raised) == (10, 0, 0)
    assert found.overlapping > 0
    assert found.operations > 20
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "plan", "way"),
    [
        ("whole_document_overwrite", "registers", "scheduled"),
        ("value_in_two_writes", "overwrites", "scheduled"),
        ("cas_check_then_set", "swaps", "scheduled"),
        ("thread_lock_for_processes", "registers", "processes"),
        ("file_rewritten_in_place", "overwrites", "paused"),
    ],
)
def test_a_broken_store_is_found(name: str, plan: str, way: Way, tmp_path: Path) -> None:
    """At each of some seeds; the round tells what happened."""
    for seed in range(3):
        size: dict[str, Any] = {"workers": 2, "length": 4, "age": 4} if way == "scheduled" else {}
        order = replace(ORDER, plan=plan, way=way, seed=seed, rounds=200, **size)
        found = search(mutant(name), "state", tmp_path / str(seed), order).found
        assert found is not None
        assert found.verdict.broken
        assert found.verdict.why
        assert bool(found.round.switches) == (way == "scheduled")


@pytest.mark.parametrize("way", ["scheduled", "handles"])
def test_lost_points_are_no_pass(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler whose points do not fire would find every store fine; so it proves first that they do."""

    def lost() -> None:
        raise RuntimeError("opcode points are lost")

    for module in (threads, handles):
        monkeypatch.setattr(module, "self_test", lost)
    with pytest.raises(RuntimeError, match="points are lost"):
        search(concurrency_threads.HONEST, "state", tmp_path, replace(ORDER, way=way))


def test_threads_in_turns_do_the_same_again(tmp_path: Path) -> None:
    """The same seed finds the same round, with the same switches and the same history."""
    order = replace(ORDER, plan="swaps", way="scheduled", seed=7, length=3, age=6, rounds=200)
    first, *more = (search(mutant("cas_check_then_set"), "state", tmp_path / str(n), order) for n in range(5))
    assert first.found is not None
    assert all(again == first for again in more)


def test_a_plan_is_found_again() -> None:
    """The order and the number of the round are enough."""
    assert plan_of(ORDER, 3) == plan_of(ORDER, 3) != plan_of(ORDER, 4)


def test_a_call_that_only_looks_must_not_raise() -> None:
    """A write may be refused, and then nobody knows; a read has no reason to."""
    history = [
        Operation(0, NEVER, 0, "put", "a", 1, outcome="info"),
        Operation(1, NEVER, 1, "get", "a", outcome="info"),
    ]
    assert judged("registers", Round(history[:1], [Raised(0, "put", "OSError: busy")])).holds
    verdict = judged("registers", Round(history, [Raised(1, "get", "OSError: torn")]))
    assert verdict.broken
    assert verdict.witness == (history[1],)
    assert verdict.why == "a get raised OSError: torn while others wrote"


def test_a_search_in_a_child(tmp_path: Path) -> None:
    """It comes to the same."""
    found = search_in_child(Bay(concurrency_processes.HONEST, "state", tmp_path), ORDER)
    assert (found.rounds, found.found) == (6, None)


class Deadly(concurrency_threads.Memory):
    """Ends the process."""

    def __setitem__(self, key: str, value: Any) -> None:
        os._exit(3)


def open_deadly(_: Where) -> Deadly:
    """Open the store that ends the process."""
    return Deadly()


@pytest.mark.parametrize(
    ("way", "why"), [("free", "the process in which the store was open died"), ("processes", "died")]
)
def test_a_store_that_dies_is_found(way: Way, why: str, tmp_path: Path) -> None:
    """Whichever process it takes with it."""
    found = search_in_child(Bay(Backend("deadly", state=open_deadly), "state", tmp_path), replace(ORDER, way=way)).found
    assert found is not None
    assert why in found.verdict.why


def test_a_search_that_fails_says_nothing_about_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the kit, and told as one."""

    def broken(*_: object) -> None:
        raise ValueError("a bug of the kit")

    monkeypatch.setattr(searching, "search", broken)
    with pytest.raises(RuntimeError, match="a bug of the kit"):
        search_in_child(Bay(concurrency_threads.HONEST, "state", tmp_path), ORDER)


class Holding(dict[str, Any]):
    """A store that holds on to everything: not even the thread that looks after the others gets to run."""

    def __setitem__(self, key: str, value: Any) -> None:
        ctypes.PyDLL(None).pause()


@pytest.mark.skipif(not hasattr(signal, "pause"), reason="there is no pause() in its C library")
def test_a_store_that_lets_nothing_go_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line of its code at which all hangs."""
    monkeypatch.setattr(searching, "LIMIT_S", 0.2)
    bay = Bay(Backend("holding", state=lambda _: Holding()), "state", tmp_path)
    found = search_in_child(bay, replace(ORDER, way="free", seconds=0.0)).found
    assert found is not None
    assert found.verdict.why.startswith("a call of the store never came back, and nothing else could go on: ")
    assert found.verdict.why.endswith(" in __setitem__")


def test_a_search_that_hangs_says_nothing_about_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of the kit, told with its stacks; and everything that it started is gone."""
    monkeypatch.setattr(searching, "LIMIT_S", 0.1)
    lock = CooperativeLock()
    lock.acquire()
    monkeypatch.setattr(searching, "search", lambda *_: lock.acquire())
    with pytest.raises(RuntimeError, match=r"the search hung:(.|\n)*in search_in_child"):
        search_in_child(Bay(concurrency_threads.HONEST, "state", tmp_path), replace(ORDER, seconds=0.0))
