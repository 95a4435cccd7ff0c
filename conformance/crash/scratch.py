"""Finding scratch files by experiment: files whose content is immaterial, such as shared-memory indexes and locks.

They are written all the time and never synced, so they would multiply the crash states, and prove nothing. Their names
are not known beforehand: what stands in them is replaced, and when the store does not notice, they are scratch.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.crash.disk import MODELS, Disk, Substitute, scratch_candidates, substituted
from conformance.crash.explore import Explorer

#: States that each candidate is tried in, and what is put in its place.
_TRIED_IN = 4
_INSTEAD: tuple[Substitute, ...] = ("empty", "zeros", "random")


def scratch_files(explorer: Explorer) -> frozenset[int]:
    """Return the nodes of a trace whose content the store does not need.

    Args:
        explorer: Of the workload. A node is scratch when the store shows the same with nothing, zeros and random bytes
            in its place, in several states after a kill in which it has content.
    """
    trace = explorer.recorded.recording.trace
    disk = Disk(trace, MODELS["kill"])
    return frozenset(node for node in sorted(scratch_candidates(trace)) if _immaterial(explorer, disk, node))


def _immaterial(explorer: Explorer, disk: Disk, node: int) -> bool:
    states = list(_states_with(disk, node))
    for kept in states:
        before = explorer.observe(disk.tree(kept))
        if before.usable != "usable":
            return False
        for instead in _INSTEAD:
            after = explorer.observe(substituted(disk, kept, frozenset({node}), instead))
            if (after.usable, after.content) != (before.usable, before.content):
                return False
    return bool(states)


def _states_with(disk: Disk, node: int) -> Iterator[frozenset[int]]:
    """Give a few states in which the node has content, spread over the trace."""
    last = max((atom.operation for atom in disk.atoms if atom.node == node), default=-1)
    places = [atom.operation for atom in disk.atoms if atom.node == node and atom.kind != "name"]
    step = max(1, len(places) // _TRIED_IN)
    for place in sorted({*places[step - 1 :: step], last} if places else ()):
        yield frozenset(atom.index for atom in disk.atoms if atom.operation <= place)
