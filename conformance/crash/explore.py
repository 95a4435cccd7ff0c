"""Exploring: every crash state of a recorded workload under a disk model, as far as the budget goes, worst first.

Each distinct tree is recovered once, whatever states lead to it, and judged for each moment that it may be met at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.crash.disk import Disk
from conformance.crash.exploration import Budget, Exploration, Explored, Finding, disk_of
from conformance.crash.observe import Observation
from conformance.crash.recorded import Recorded
from conformance.crash.reopen import Batch, observe_all, observe_alone, observe_batch
from conformance.crash.tree import Tree, at_once, digest
from conformance.workers import Crew

__all__ = ["AHEAD", "BATCH", "Budget", "Explored", "Explorer", "Finding", "observed"]

#: Trees that a worker is given at once: few, so that all begin soon, and none has much left when the others are done.
BATCH = 8
#: Batches that a worker has at hand: a model that adds few trees to those of the one before takes long to make one.
AHEAD = 3


@dataclass
class Explorer:
    """Explores one recorded workload under several models; a tree that two of them allow is recovered once.

    Args:
        crew: Of the store.
        recorded: The workload.
        scratch: Nodes whose content is immaterial.
        progress: Called with how many trees have been recovered.
    """

    crew: Crew
    recorded: Recorded
    scratch: frozenset[int] = frozenset()
    progress: Callable[[int], None] = lambda _: None
    observations: dict[bytes, Observation] = field(default_factory=dict)

    def explore(self, model: str, budget: Budget, seed: int) -> Explored:
        """Return what is found under a model."""
        return self.explore_all([model], budget, seed)[0]

    def explore_all(self, models: Sequence[str], budget: Budget, seed: int) -> list[Explored]:
        """Return what is found under each of several models; the budget is that of each.

        States of the next model are worked out while the workers recover those of the one before.
        """
        exploration = Exploration(self.recorded, self.scratch, budget, seed)
        for batch, found in self.crew.spread(observe_batch, self._batches(exploration, models), ahead=AHEAD):
            self.observations.update(found)
            self.progress(len(batch.trees))
            if any(one.usable == "hung" for one in found.values()):  # the rest may hang too: that is finding enough
                exploration.stop()
        return exploration.judged(self.observations)

    def disk(self, model: str) -> Disk:
        """Return the trace under a model. A kill leaves scratch files as they are; power loss may leave anything."""
        return disk_of(self.recorded, model, self.scratch)

    def observe(self, tree: Tree) -> Observation:
        """Return what the store shows on one tree."""
        name = digest(tree)
        if name not in self.observations:
            self.observations.update(self.crew.call(observe_all, {name: tree}))
        return self.observations[name]

    def observe_alone(self, tree: Tree) -> Observation:
        """Return what the store shows on a tree in a process that has opened nothing else."""
        found: Observation = self.crew.call(observe_alone, tree)
        return found

    def observe_all(self, trees: Sequence[Tree]) -> None:
        """Observe trees, all workers taking part, so that `observe` knows them."""
        named = {digest(tree): tree for tree in trees}
        self.observations.update(
            observed(self.crew, {name: tree for name, tree in named.items() if name not in self.observations})
        )

    def _batches(self, exploration: Exploration, models: Sequence[str]) -> Iterator[Batch]:
        number = time.monotonic_ns()
        states = exploration.budget.states
        size = min(at_once(self.recorded.recording.real, BATCH), states // (4 * len(self.crew)))
        for disk, new in exploration.new(models, size, self.observations):
            yield Batch(number, {name: disk.tree(kept) for name, kept in new.items()})


def observed(crew: Crew, trees: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Return what the store shows on each of some trees, by the same names; all workers take part."""
    names = list(trees)
    size = min([-(-len(names) // len(crew)), *(at_once(tree, BATCH) for tree in trees.values())]) or 1
    batches = [{name: trees[name] for name in names[start : start + size]} for start in range(0, len(names), size)]
    found: dict[bytes, Observation] = {}
    for _, some in crew.spread(observe_all, batches):
        found.update(some)
    return found
