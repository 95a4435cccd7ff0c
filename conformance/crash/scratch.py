"""Finding scratch files by experiment: files whose content is immaterial, such as shared-memory indexes and locks.

They are written all the time and never synced, so they would multiply the crash states, and prove nothing. Their names
are not known beforehand: what stands in them is replaced, and when the store does not notice, they are scratch.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.crash.disk import MODELS, Disk, names_of, scratch_candidates, substituted
from conformance.crash.explore import Explorer
from conformance.crash.subjects import canonical
from conformance.crash.trace import Trace
from conformance.crash.tree import Tree

#: States that each candidate is tried in.
_TRIED_IN = 4


def scratch_files(explorer: Explorer) -> frozenset[int]:
    """Return the nodes of a trace whose content the store does not need.

    Args:
        explorer: Of the workload. A node is scratch when the store shows the same with nothing in its place, with
            zeros, and with older and torn versions of it, in several states after a kill in which it has content.
            Random bytes are not tried: no crash leaves them, and a store may rightly choke on them.
    """
    trace = explorer.recorded.recording.trace
    disk = Disk(trace, MODELS["kill"])
    return frozenset(node for node in sorted(scratch_candidates(trace)) if _immaterial(explorer, disk, node))


def scratch_of_the_same_names(explorer: Explorer, trace: Trace) -> frozenset[int]:
    """Return the nodes of another trace of the workload that have the names of this one's scratch files."""
    known = names_of(explorer.recorded.recording.trace)
    names = {known[node] for node in explorer.scratch}
    return frozenset(node for node, name in names_of(trace).items() if name in names)


def _immaterial(explorer: Explorer, disk: Disk, node: int) -> bool:
    pairs = [(disk.tree(kept), list(_otherwise(disk, kept, node))) for kept in _states_with(disk, node)]
    explorer.observe_all([tree for before, others in pairs for tree in (before, *others)])
    for tree, others in pairs:
        before = explorer.observe(tree)
        shown = {(one.usable, canonical(one.content)) for one in map(explorer.observe, others)}
        if before.usable != "usable" or shown != {(before.usable, canonical(before.content))}:
            return False
    return bool(pairs)


def _otherwise(disk: Disk, kept: frozenset[int], node: int) -> Iterator[Tree]:
    """Give the files with other content in the place of a node's."""
    yield substituted(disk, kept, frozenset({node}), "empty")
    yield substituted(disk, kept, frozenset({node}), "zeros")
    data = [index for index in sorted(kept) if disk.atoms[index].node == node and disk.atoms[index].kind == "data"]
    for lost in (data[len(data) // 2 :], data[::2], data[1::2]):
        yield disk.tree(kept - set(lost))


def _states_with(disk: Disk, node: int) -> Iterator[frozenset[int]]:
    """Give a few states in which the node has content, spread over the trace."""
    last = max((atom.operation for atom in disk.atoms if atom.node == node), default=-1)
    places = [atom.operation for atom in disk.atoms if atom.node == node and atom.kind != "name"]
    step = max(1, len(places) // _TRIED_IN)
    for place in sorted({*places[step - 1 :: step], last} if places else ()):
        yield frozenset(atom.index for atom in disk.atoms if atom.operation <= place)
