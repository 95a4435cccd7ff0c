"""Cycles of dependencies between transactions, and which anomaly each is.

Sources: Adya, Weak consistency, PhD thesis, MIT 1999; Cerone & Gotsman, Analysing snapshot isolation, JACM 2018.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from conformance.histories.checkers.cycles import components, on_cycles, short_cycle

#: Components that are searched for a cycle each.
COMPONENTS_MAX = 16
#: What an edge says: overwrites, reads from, is overwritten by, ended before.
WW, WR, RW, RT = 1, 2, 4, 8


def dependency_cycles(edges: Sequence[Mapping[int, int]]) -> list[list[int]]:
    """Return cycles, at least one for each level that some cycle breaks; linear, whatever the graph."""
    left: Collection[int] = set(on_cycles(edges))

    def part(kinds: int) -> list[list[int]]:
        return [
            [other for other, kind in after.items() if kind & kinds] if one in left else []
            for one, after in enumerate(edges)
        ]

    found: list[list[int]] = []
    for kinds in (WW, WW | WR, WW | WR | RW, WW | WR | RW | RT):
        graph = part(kinds)
        found += [short_cycle(graph, one) for one in components(graph, left)[:COMPONENTS_MAX]]
    # Snapshot isolation forbids cycles without two `rw` in a row: each node is there twice, as reached by `rw` and not.
    reads_from, overwritten = part(WW | WR), part(RW)
    twice: list[list[int]] = []
    for known, missed in zip(reads_from, overwritten, strict=True):
        calm = [2 * other for other in known]
        twice += [calm + [2 * other + 1 for other in missed], calm]
    found += [
        [node // 2 for node in short_cycle(twice, one)]
        for one in components(twice, (2 * node for node in left))[:COMPONENTS_MAX]
    ]
    return found


def anomaly_of(edges: Sequence[Mapping[int, int]], cycle: Sequence[int]) -> str:
    """Return the name of the anomaly that a cycle is."""
    kinds = [edges[one][other] for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
    if all(kind & WW for kind in kinds):
        return "G0"
    if all(kind & (WW | WR) for kind in kinds):
        return "G1c"
    if not all(kind & (WW | WR | RW) for kind in kinds):
        return "real-time"
    missed = [not kind & (WW | WR) for kind in kinds]
    if sum(missed) == 1:
        return "G-single"
    return (
        "G2"
        if any(one and other for one, other in zip(missed, missed[1:] + missed[:1], strict=True))
        else "G-nonadjacent"
    )
