"""Cycles: components and short cycles of random graphs, against the plain definitions."""

from __future__ import annotations

import random

from conformance.histories.checkers.cycles import components, on_cycles, short_cycle


def reachable(graph: list[list[int]], start: int) -> set[int]:
    """Return what can be reached from a node by one step or more."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        for after in graph[waiting.pop()]:
            if after not in found:
                found.add(after)
                waiting.append(after)
    return found


def random_graph(draw: random.Random) -> list[list[int]]:
    """Return a small graph of any density."""
    nodes = draw.randint(1, 9)
    chance = draw.choice([0.05, 0.15, 0.3])
    return [[other for other in range(nodes) if other != one and draw.random() < chance] for one in range(nodes)]


def test_components_are_what_reaches_each_other() -> None:
    """Each component has all nodes that reach each other; a node by itself is none."""
    draw = random.Random(3)
    for _ in range(1000):
        graph = random_graph(draw)
        reach = [reachable(graph, node) for node in range(len(graph))]
        every = {frozenset(other for other in reach[node] if node in reach[other]) for node in range(len(graph))}
        expected = every - {frozenset()}
        assert {frozenset(one) for one in components(graph)} == expected
        assert bool(on_cycles(graph)) == bool(expected)
        assert set().union(*expected) <= set(on_cycles(graph))
        assert {frozenset(one) for one in components(graph, on_cycles(graph))} == expected


def test_a_short_cycle_is_a_cycle_and_the_shortest() -> None:
    """With enough budget none is shorter."""
    draw = random.Random(4)
    for _ in range(1000):
        graph = random_graph(draw)
        for component in components(graph):
            cycle = short_cycle(graph, component)
            assert all(other in graph[one] for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
            assert len(cycle) == min(shortest(graph, node) for node in component)


def shortest(graph: list[list[int]], start: int) -> int:
    """Return the length of the shortest way back to a node."""
    level, length = {start}, 0
    while start not in level or not length:
        level = {after for node in level for after in graph[node]}
        length += 1
    return length


def test_the_search_ends_when_the_budget_does() -> None:
    """In one great ring a cycle is found all the same, and it is not looked for from each node."""
    size = 50_000
    graph = [[(node + 1) % size] for node in range(size)]
    assert [len(one) for one in components(graph)] == [size]
    assert len(short_cycle(graph, list(range(size)), edges=100)) == size
