"""Reopening a store on the files of crash states: in children that a worker forks, each for many of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.crash.observe import Observation, observe
from conformance.crash.tree import Tree, write_tree
from conformance.workers.forked import Ended, alone, each
from conformance.workers.worker import Bay

#: What a worker keeps: the explorations in which a store hung.
_GIVEN_UP = "given up"


def observe_all(bay: Bay, batch: Mapping[bytes, Tree], hang_s: float | None = None) -> dict[bytes, Observation]:
    """Reopen the store on each tree of a batch and return what it shows, by the same names.

    After one that hangs the rest of the batch is left out, since each may take as long.
    """
    found = each(bay, _observed, list(batch.values()), hang_s)
    return dict(zip(batch, map(_told, found), strict=False))


@dataclass(frozen=True)
class Batch:
    """Trees that a worker is given while it is still busy with others.

    Args:
        exploration: A number that they share with the rest of their exploration.
        trees: By name.
    """

    exploration: int
    trees: Mapping[bytes, Tree]


def observe_batch(bay: Bay, batch: Batch, hang_s: float | None = None) -> dict[bytes, Observation]:
    """Do the same; after one that hangs this worker leaves out all that is left of the exploration."""
    given_up: set[int] = bay.kept.setdefault(_GIVEN_UP, set())
    if batch.exploration in given_up:
        return {}
    found = observe_all(bay, batch.trees, hang_s)
    if any(observation.usable == "hung" for observation in found.values()):
        given_up.add(batch.exploration)
    return found


def observe_alone(bay: Bay, tree: Tree | None) -> Observation:
    """Reopen the store on a tree, or on the files that are there, in a child that does nothing else."""
    return _told(alone(bay, _observed, tree))


def _observed(bay: Bay, tree: Tree | None) -> Observation:
    if tree is not None:
        write_tree(tree, bay.cleared())
    return observe(bay.backend, bay.contract, bay.place)


def _told(found: Observation | Ended) -> Observation:
    return Observation(found.how, detail=found.detail) if isinstance(found, Ended) else found
