"""Reopening a store on the files of crash states: in children that a worker forks, each for many of them."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import NoReturn

from conformance.crash.observe import Observation, observe
from conformance.crash.tree import Tree, write_tree
from conformance.workers.worker import Bay

#: A store that has not been opened, read, written and reopened after so long hangs. Quick ones take a millisecond.
HANG_S = 10.0
#: Trees after which a child is replaced when it holds more open than after its first ones, and in any case: a fork, and
#: what a new process has to warm up, cost ten openings and more; but what a store leaves open adds up.
_SOME, _MOST = 100, 1000
#: Observations that a child tells at once, at most.
_TOLD = 8


#: What a worker keeps: its child, and the explorations in which a store hung.
_CHILD, _GIVEN_UP = "child", "given up"


def observe_all(bay: Bay, batch: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Reopen the store on each tree of a batch and return what it shows, by the same names.

    One forked child does many; where it dies or hangs, that tree is tried again in a fresh one, and what happens then
    is the observation: a tree must not be blamed for what an earlier one left in the process. After one that hangs the
    rest of the batch is left out, since each may take as long.
    """
    trees = list(batch.values())
    found: list[Observation] = []
    while len(found) < len(trees):
        child = _child(bay)
        found += child.observe(trees[len(found) :][:_SOME])[0]
        if not child.line.closed:
            continue
        # It died, or hung, at the next tree.
        found.append(observe_alone(bay, trees[len(found)]))
        if found[-1].usable == "hung":
            break
    return dict(zip(batch, found, strict=False))


@dataclass(frozen=True)
class Batch:
    """Trees that a worker is given while it is still busy with others.

    Args:
        exploration: A number that they share with the rest of their exploration.
        trees: By name.
    """

    exploration: int
    trees: Mapping[bytes, Tree]


def observe_batch(bay: Bay, batch: Batch) -> dict[bytes, Observation]:
    """Do the same; after one that hangs this worker leaves out all that is left of the exploration."""
    if batch.exploration in _given_up(bay):
        return {}
    found = observe_all(bay, batch.trees)
    if any(observation.usable == "hung" for observation in found.values()):
        _given_up(bay).add(batch.exploration)
    return found


def observe_alone(bay: Bay, tree: Tree | None) -> Observation:
    """Reopen the store on a tree, or on the files that are there, in a child that does nothing else."""
    child = Child(bay)
    found, ended = child.observe([tree])
    child.close()
    return found[0] if found else ended


class Child:
    """A forked child that opens the store on one tree after the other, and is given up when it dies or hangs."""

    def __init__(self, bay: Bay) -> None:
        self.used = 0
        self.held = 0
        self.line, there = Pipe()
        self.process = os.fork()
        if self.process == 0:
            self.line.close()
            _observe_here(bay, there)
        there.close()

    def observe(self, trees: Sequence[Tree | None]) -> tuple[list[Observation], Observation]:
        """Return what came, and what to say of the tree at which the child died or hung, when not all came."""
        self.used += len(trees)
        found: list[Observation] = []
        hung = False
        try:
            self.line.send(trees)
            while len(found) < len(trees) and not hung:
                if self.line.poll(HANG_S):
                    found += self.line.recv()
                    self.held = self.held or self._holds()
                else:
                    hung = True
        except (EOFError, OSError):  # it is dead
            pass
        if len(found) == len(trees):
            return found, Observation("usable")
        if hung:
            os.kill(self.process, signal.SIGKILL)
        code = self.close()
        if hung:
            return found, Observation("hung", detail=f"no answer within {HANG_S:.0f} s")
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
        return found, Observation("died", detail=f"the process {how}")

    @property
    def worn(self) -> bool:
        """Whether a new child is better: this one is gone, or holds more and more open, or has done very much."""
        if self.line.closed or self.used >= _MOST:
            return True
        return self.used >= _SOME and not 0 < self._holds() <= self.held

    def _holds(self) -> int:
        """Return how many files and threads the child has; 0 where nobody tells."""
        try:
            return sum(len(os.listdir(f"/proc/{self.process}/{what}")) for what in ("fd", "task"))
        except OSError:
            return 0

    def close(self) -> int:
        """Let the child go, and return its exit code; a second call returns 0."""
        if self.line.closed:
            return 0
        self.line.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def _child(bay: Bay) -> Child:
    old: Child | None = bay.kept.get(_CHILD)
    if old is not None and not old.worn:
        return old
    if old is not None:
        old.close()
    bay.kept[_CHILD] = new = Child(bay)
    return new


def _given_up(bay: Bay) -> set[int]:
    found: set[int] = bay.kept.setdefault(_GIVEN_UP, set())
    return found


def _observe_here(bay: Bay, requests: Connection) -> NoReturn:
    gc.disable()
    gc.freeze()  # what the worker had is not looked through again
    try:
        while True:
            told: list[Observation] = []
            since = time.monotonic()
            for tree in requests.recv():
                if tree is not None:
                    write_tree(tree, bay.cleared())
                told.append(observe(bay.backend, bay.contract, bay.place))
                # Not one by one: to wake the worker costs as much as a quick store takes.
                if len(told) == _TOLD or time.monotonic() - since > HANG_S / 100:
                    requests.send(told)
                    told, since = [], time.monotonic()
            if told:
                requests.send(told)
            gc.collect()  # what a store left open in a cycle
    except (EOFError, OSError):  # the worker has enough, or is gone
        pass
    finally:
        os._exit(0)
