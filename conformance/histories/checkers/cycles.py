"""Cycles in directed graphs: strongly connected components, and a short cycle of one. No search is quadratic.

Source: Tarjan, Depth-first search and linear graph algorithms, SIAM J. Computing 1972.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence

#: Edges that are followed in the search for a shorter cycle, after the first one is found.
EDGES_MAX = 20_000

#: The successors of each node, by its number. No node follows itself.
Graph = Sequence[Collection[int]]


def on_cycles(graph: Graph) -> list[int]:
    """Return the nodes that are left when those that nothing leads to are taken away, again and again; none if acyclic.

    Much cheaper than `components`, and enough where most graphs have no cycle.
    """
    waits = [0] * len(graph)
    for successors in graph:
        for node in successors:
            waits[node] += 1
    ready = [node for node, count in enumerate(waits) if not count]
    for node in ready:
        for after in graph[node]:
            waits[after] -= 1
            if not waits[after]:
                ready.append(after)
    if len(ready) == len(graph):
        return []
    return [node for node, count in enumerate(waits) if count]


def components(graph: Graph, nodes: Iterable[int] | None = None) -> list[list[int]]:
    """Return the strongly connected components of more than one node, those reachable from `nodes`, or all."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    for root in range(len(graph)) if nodes is None else nodes:
        if root in index:
            continue
        path: list[tuple[int, Iterator[int]]] = []
        entered: int | None = root
        while entered is not None or path:
            if entered is not None:
                index[entered] = low[entered] = len(index)
                open_.append(entered)
                is_open.add(entered)
                path.append((entered, iter(graph[entered])))
                entered = None
            node, successors = path[-1]
            for after in successors:
                if after not in index:
                    entered = after
                    break
                if after in is_open and index[after] < low[node]:
                    low[node] = index[after]
            if entered is not None:
                continue
            path.pop()
            if path and low[node] < low[path[-1][0]]:
                low[path[-1][0]] = low[node]
            if low[node] == index[node]:
                place = len(open_) - 1
                while open_[place] != node:
                    place -= 1
                component = open_[place:]
                del open_[place:]
                is_open.difference_update(component)
                if len(component) > 1:
                    found.append(component)
    return found


def short_cycle(graph: Graph, component: Sequence[int], edges: int = EDGES_MAX) -> list[int]:
    """Return the nodes of a cycle in a strongly connected component: the shortest, if the budget lasts.

    Args:
        graph: That the component is of.
        component: Its nodes.
        edges: Followed at most, but for the search that finds a first cycle.
    """
    inside = set(component)
    best: list[int] = []
    spent = 0
    for start in component:
        cycle, cost = _cycle_through(graph, start, inside, len(best))
        spent += cost
        best = cycle or best
        if len(best) == 2 or spent > edges:
            break
    return best


def _cycle_through(graph: Graph, start: int, inside: Collection[int], shorter_than: int) -> tuple[list[int], int]:
    """Return the shortest cycle through a node, if it is short enough (0: any is), and how many edges were followed."""
    came: dict[int, int] = {start: start}
    depth: dict[int, int] = {start: 1}
    waiting = deque([start])
    cost = 0
    while waiting:
        node = waiting.popleft()
        if shorter_than and depth[node] >= shorter_than:
            break
        for after in graph[node]:
            cost += 1
            if after == start:
                cycle = [node]
                while cycle[-1] != start:
                    cycle.append(came[cycle[-1]])
                return cycle[::-1], cost
            if after in inside and after not in came:
                came[after] = node
                depth[after] = depth[node] + 1
                waiting.append(after)
    return [], cost
