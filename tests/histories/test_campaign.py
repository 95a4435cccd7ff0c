"""A search over seeds finds the same whoever carries it out, and adds up in any order."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from conformance.histories.campaign import search_seeds, together
from conformance.histories.search import Found, Searched
from conformance.workers import WorkerError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")

#: A store that reads all, and writes all: of two at once one is lost. And the same with a lock.
SHOP = '''
import json, threading
from pathlib import Path

class Careless(dict):
    """Keeps a copy of everything for each write."""

    def __init__(self, path):
        self.kept = {}

    def change(self, key, value):
        after = dict(self.kept)
        after[key] = value
        self.kept = after

    def __setitem__(self, key, value):
        self.change(key, value)

    def __getitem__(self, key):
        return self.kept[key]

    def __delitem__(self, key):
        self.change(key, self.kept[key])
        self.kept = {one: value for one, value in self.kept.items() if one != key}

    def __iter__(self):
        return iter(dict(self.kept))

    def __len__(self):
        return len(self.kept)

    def __contains__(self, key):
        return key in self.kept

    def close(self):
        pass

class Careful(Careless):
    """One at a time."""

    def __init__(self, path):
        super().__init__(path)
        self.lock = threading.Lock()

    def __setitem__(self, key, value):
        with self.lock:
            super().__setitem__(key, value)

    def __delitem__(self, key):
        with self.lock:
            super().__delitem__(key)
'''
SEEDS = (4, 1, 2)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a directory with the stores in `shop.py`."""
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


@contextmanager
def processes() -> Iterator[Executor]:
    """Give a pool of processes, which share nothing with this one."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def threads() -> Iterator[Executor]:
    """Give a pool of threads."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("executor", [threads, processes, None])
def test_whoever_searches_finds_it(executor: Callable[[], Any] | None, shop: Path) -> None:
    """Threads, processes and no executor find at each seed what can't be, and of the store with a lock nothing."""
    seen: list[int] = []
    with executor() if executor is not None else nullcontext() as pool:
        broken = search_seeds("shop.py:Careless", "state", "registers", SEEDS, base=shop, executor=pool)
        honest = search_seeds(
            "shop.py:Careful",
            "state",
            "registers",
            [*SEEDS, SEEDS[0]],
            rounds=15,
            base=shop,
            executor=pool,
            progress=seen.append,
        )
    assert list(broken) == list(honest) == sorted(SEEDS)
    assert all(one.found is not None and one.found.verdict.broken for one in broken.values())
    assert together(broken).found == broken[min(SEEDS)].found
    whole = together(honest)
    assert (whole.found, whole.rounds, sum(seen), whole.unknown) == (None, 15 * len(SEEDS), 15 * len(SEEDS), 0)
    assert whole.overlapping > 0


def test_searches_add_up_in_any_order() -> None:
    """Counts are those of all; what is shown is what the smallest seed found."""
    first, second = (Found(number, None, None) for number in (1, 2))  # type: ignore[arg-type]
    searches: Mapping[int, Searched] = {
        9: Searched(rounds=2, operations=10, overlapping=1, found=second),
        4: Searched(rounds=3, operations=20, unknown=1, found=first),
        1: Searched(rounds=5, operations=30, raised=2, counted=7),
    }
    one = together(searches)
    assert one == together(dict(reversed(searches.items())))
    assert one == Searched(10, 60, 1, 1, 2, 7, first)
    assert together({7: Searched(alone="second"), 3: Searched(alone="first"), 1: Searched()}).alone == "first"
    assert together({}) == Searched()
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_store_in_a_server_is_refused() -> None:
    """Its server is on this machine, and an executor may be anywhere."""
    with pytest.raises(WorkerError, match="redis is in a server of this machine"):
        search_seeds("reference_backends.redis:backend", "state", "registers", [0])
