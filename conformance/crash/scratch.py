"""Finding scratch files by experiment: files whose content is immaterial, such as shared-memory indexes and locks.

They are written all the time and never synced, so they would multiply the crash states, and prove nothing. Their names
are not known beforehand: what stands in them is replaced, and when the store does not notice, they are scratch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

from conformance.crash.disk import MODELS, Disk, names_of, scratch_candidates, substituted
from conformance.crash.explore import Explorer
from conformance.crash.subjects import canonical
from conformance.crash.trace import Mark, Trace, Volume
from conformance.crash.tree import Tree

#: What may take the place of a content; the first tells most.
_Way = Literal["empty", "zeros", "torn"]
_ALL: tuple[_Way, ...] = ("empty", "zeros", "torn")
#: States of a file's life that are looked at, of each kind, besides the telling ones.
_SPREAD = 3


def scratch_files(
    explorer: Explorer, known: AbstractSet[str] = frozenset(), seconds: float = math.inf
) -> frozenset[int]:
    """Return the nodes of a trace whose content the store does not need.

    Args:
        explorer: Of the workload. A node is scratch when the store shows the same with nothing in its place, with
            zeros, and with older and torn versions of it, at several moments of the file's life. Random bytes are not
            tried: no crash leaves them, and a store may rightly choke on them.
        known: Names of the scratch files of other workloads of the store: one moment is enough for these, with nothing
            and zeros in their place.
        seconds: No node is begun with after so long. Those that are left count as of use, which is always right, but
            makes more states: a server has dozens of such files, and each opening of its store takes half a second.
    """
    until = time.monotonic() + seconds
    trace = explorer.recorded.recording.trace
    disk = Disk(trace, MODELS["kill"])
    names = names_of(trace)
    named = _named(trace)
    moments = {node: list(_states_with(disk, node, named)) for node in sorted(scratch_candidates(trace))}
    # The middle of a file's life tells most: few files are left for the rest.
    middle = {node: kept[len(kept) // 2 :][:1] for node, kept in moments.items() if kept}
    sure = {node: kept for node, kept in middle.items() if names[node] in known}
    found = _immaterial(explorer, disk, sure, ("empty", "zeros"))
    for node in sorted(middle.keys() - sure.keys()):
        if time.monotonic() > until:
            break
        one = {node: middle[node]}
        if _immaterial(explorer, disk, one, ("empty",)) and _immaterial(explorer, disk, one, _ALL):
            found += _immaterial(explorer, disk, {node: moments[node]}, _ALL)
    return frozenset(found)


def names_of_scratch(explorer: Explorer) -> set[str]:
    """Return the names of the scratch files of an explorer's workload."""
    known = names_of(explorer.recorded.recording.trace)
    return {known[node] for node in explorer.scratch}


def scratch_of_the_same_names(explorer: Explorer, trace: Trace) -> frozenset[int]:
    """Return the nodes of another trace of the workload that have the names of this one's scratch files."""
    names = names_of_scratch(explorer)
    return frozenset(node for node, name in names_of(trace).items() if name in names)


def _immaterial(
    explorer: Explorer, disk: Disk, states: Mapping[int, Sequence[frozenset[int]]], ways: Sequence[_Way]
) -> list[int]:
    """Return the nodes that the store does not miss in any of the states given for each."""
    trials = {
        node: [(disk.tree(kept), list(_otherwise(disk, kept, node, ways))) for kept in some]
        for node, some in states.items()
    }
    explorer.observe_all([tree for pairs in trials.values() for before, others in pairs for tree in (before, *others)])
    return [node for node, pairs in trials.items() if all(_same(explorer, *pair) for pair in pairs)]


def _same(explorer: Explorer, tree: Tree, others: Sequence[Tree]) -> bool:
    before = explorer.observe(tree)
    shown = {(one.usable, canonical(one.content)) for one in map(explorer.observe, others)}
    return before.usable == "usable" and shown == {(before.usable, canonical(before.content))}


def _otherwise(disk: Disk, kept: frozenset[int], node: int, ways: Sequence[_Way]) -> Iterator[Tree]:
    """Give the files with other content in the place of a node's."""
    for way in ways:
        if way == "torn":
            yield from _torn(disk, kept, node)
        else:
            yield substituted(disk, kept, frozenset({node}), way)


def _torn(disk: Disk, kept: frozenset[int], node: int) -> Iterator[Tree]:
    """Give the files with older and torn content of a node."""
    data = [index for index in sorted(kept) if disk.atoms[index].node == node and disk.atoms[index].kind == "data"]
    for lost in (data[len(data) // 2 :], data[::2], data[1::2]):
        yield disk.tree(kept - set(lost))


def _states_with(disk: Disk, node: int, named: Mapping[int, Sequence[int]]) -> Iterator[frozenset[int]]:
    """Give states after a kill in which the node has content.

    They are some of those at a mark and of all others, spread evenly, the one after its last write, and those just
    before its name goes: a rollback journal counts at no other time.
    """
    operations = disk.trace.operations
    data = [atom.operation for atom in disk.atoms if atom.node == node and atom.kind == "data"]
    if not data:
        return
    life = [place for place in named.get(node, ()) if place >= data[0]]
    done = [place for place in life if isinstance(operations[place], Mark)]
    ends = [place for place in life if place + 1 not in set(life)]
    spread = [place for some in (done, life) for place in some[:: max(1, len(some) // _SPREAD)]]
    for place in sorted({*spread, *ends, data[-1]} & set(life)):
        yield _kept_at(disk, place)


def _named(trace: Trace) -> Mapping[int, Sequence[int]]:
    """Return, for each node, the operations after which it has a name."""
    volume = Volume()
    for operation in trace.initial:
        volume.apply(operation)
    found: dict[int, list[int]] = {}
    for place, operation in enumerate(trace.operations):
        volume.apply(operation)
        for node in {node for names in volume.entries.values() for node in names.values()}:
            found.setdefault(node, []).append(place)
    return found


def _kept_at(disk: Disk, place: int) -> frozenset[int]:
    return frozenset(atom.index for atom in disk.atoms if atom.operation <= place)
