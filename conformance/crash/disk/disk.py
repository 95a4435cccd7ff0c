"""One trace under one model of a disk: what a crash may leave of it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from conformance.crash.disk.atoms import Atom, cut
from conformance.crash.disk.candidates import RANKS, Candidate, Window, spread
from conformance.crash.disk.content import Contents
from conformance.crash.disk.describe import Behaviour, behaviour, described, names_of
from conformance.crash.disk.durability import durability
from conformance.crash.disk.model import DiskModel
from conformance.crash.trace import Mark, Sync, SyncAll, Trace

#: How many sets of durable atoms are remembered before all of them are dropped.
_DURABLE_MAX = 256


@dataclass(frozen=True)
class CrashState:
    """What is on the disk after a crash.

    Args:
        point: The crash came just before this operation; what was acknowledged is told by the marks before it.
        kept: The atoms that are on the disk.
        label: What became of the others, in words.
    """

    point: int
    kept: frozenset[int]
    label: str


class Disk:
    """A trace as a disk under one model has it.

    Hard links of one file come out of a crash as separate files with the same content.

    Args:
        trace: What was asked for.
        model: The rules of the disk.
        scratch: Files whose content does not matter: they are empty in every state.
    """

    def __init__(self, trace: Trace, model: DiskModel, scratch: frozenset[int] = frozenset()) -> None:
        found = cut(trace, model, scratch)
        self.trace = trace
        self.model = model
        self.scratch = scratch
        self.atoms: tuple[Atom, ...] = found.atoms
        self._deps = tuple(atom.deps for atom in self.atoms)
        self._has_deps = any(self._deps)
        self._durability = durability(trace, model, found)
        forced = self._durability.forced
        self._in_order_of_force = sorted(range(len(forced)), key=lambda index: (forced[index], index))
        self._times_of_force = [forced[index] for index in self._in_order_of_force]
        self._durable: dict[int, frozenset[int]] = {}
        self._contents = Contents(trace, self.atoms, scratch)
        self._names = names_of(trace)

    @cached_property
    def by_operation(self) -> Mapping[int, tuple[int, ...]]:
        """The atoms of each operation that has any."""
        found: dict[int, list[int]] = {}
        for atom in self.atoms:
            found.setdefault(atom.operation, []).append(atom.index)
        return {operation: tuple(atoms) for operation, atoms in found.items()}

    def durable(self, point: int) -> frozenset[int]:
        """Return the atoms that are on the disk if the crash comes just before the operation `point`."""
        count = bisect_left(self._times_of_force, point)
        found = self._durable.get(count)
        if found is None:
            if len(self._durable) >= _DURABLE_MAX:
                self._durable.clear()
            found = self._durable[count] = frozenset(self._in_order_of_force[:count])
        return found

    def pending(self, point: int) -> frozenset[int]:
        """Return the atoms that may be on the disk, or not, if the crash comes just before the operation `point`."""
        if self.model.kill:
            return frozenset(self.by_operation.get(point, ()))
        forced = self._durability.forced
        return frozenset(atom.index for atom in self.atoms if atom.operation < point <= forced[atom.index])

    def close(self, kept: frozenset[int], point: int | None = None) -> frozenset[int]:
        """Return the largest legal part of `kept`.

        Args:
            kept: Atoms, the durable ones among them.
            point: The operation before which the crash comes. It matters only for traces with failed syncs.
        """
        if not self._has_deps:
            return kept
        if point is None or not self._durability.passed_over:
            return self._closed(frozenset(), kept, frozenset())
        durable = self.durable(point)
        return self._closed(durable & kept, kept - durable, self._passed_over(point))

    def legal(self, point: int, kept: frozenset[int]) -> bool:
        """Tell whether a crash just before the operation `point` may leave exactly these atoms."""
        durable = self.durable(point)
        return durable <= kept <= durable | self.pending(point) and self.close(kept, point) == kept

    def tree(self, kept: frozenset[int]) -> dict[str, bytes | None]:
        """Return the files that are found when the atoms `kept` are on the disk."""
        return self._contents.tree(kept)

    def fingerprint(self, kept: frozenset[int]) -> bytes:
        """Return a name for `tree(kept)`, the same for equal trees of any disk, without building the tree."""
        return self._contents.fingerprint(kept)

    def paths(self, kept: frozenset[int]) -> Mapping[str, int]:
        """Return the node of each file in `tree(kept)`, by path."""
        return {path: node for path, node in self._contents.layout(kept) if node is not None}

    def states(self, seed: int, representatives: int | None = 2) -> Iterator[CrashState]:
        """Give crash states, the most damaging kinds first, each kind from all over the trace.

        Args:
            seed: For the pairs and the random subsets; the same seed gives the same states in the same order.
            representatives: Of the candidates that differ only in which of several like operations they are about, so
                many are taken; None takes them all. Source: Pathfinder, OOPSLA 2025.
        """
        candidates = self._kills() if self.model.kill else _round_robin(self._windows(), seed)
        taken: Counter[Hashable] = Counter()
        behaviours: dict[int, tuple[Behaviour, ...]] = {}
        seen: dict[int, set[frozenset[int]]] = {}
        for window, candidate in candidates:
            if representatives is not None:
                alike = behaviours.get(window.point)
                if alike is None:
                    alike = behaviours[window.point] = self._behaviours(window)
                key = (alike, candidate.relative)
                taken[key] += 1
                if taken[key] > representatives:
                    continue
            durable = self.durable(window.point)
            passed_over = self._passed_over(window.point)
            kept = self._needs(durable, candidate.kept, passed_over) if candidate.with_needs else candidate.kept
            closed = self._closed(durable, kept, passed_over)
            pending = closed - durable
            known = seen.setdefault(window.point, set())
            if pending not in known:
                known.add(pending)
                yield CrashState(window.point, closed, candidate.label)

    def _passed_over(self, point: int) -> frozenset[int]:
        found = self._durability
        return frozenset(atom for atom in found.passed_over if found.is_passed_over(atom, point))

    def _closed(self, sure: frozenset[int], kept: Iterable[int], passed_over: frozenset[int]) -> frozenset[int]:
        if not self._has_deps:
            return sure | frozenset(kept)
        deps, found = self._deps, set(sure)
        for atom in sorted(kept):
            for dep in deps[atom]:
                if dep not in found and dep not in passed_over:
                    break
            else:
                found.add(atom)
        return frozenset(found)

    def _needs(self, sure: frozenset[int], kept: frozenset[int], passed_over: frozenset[int]) -> frozenset[int]:
        found, waiting = set(kept), list(kept)
        while waiting:
            for dep in self._deps[waiting.pop()]:
                if dep not in found and dep not in sure and dep not in passed_over:
                    found.add(dep)
                    waiting.append(dep)
        return frozenset(found)

    def _windows(self) -> Iterator[Window]:
        """Give the points at which a crash leaves states that a later point does not: before syncs, and at the end."""
        operations, forced = self.trace.operations, self._durability.forced
        waiting = iter([*self.atoms, None])
        coming = next(waiting)
        pending: list[Atom] = []
        for point in range(len(operations) + 1):
            while coming is not None and coming.operation < point:
                pending.append(coming)
                coming = next(waiting)
            if point == len(operations) or isinstance(operations[point], Sync | SyncAll):
                pending = [atom for atom in pending if forced[atom.index] >= point]
                if pending or point == len(operations):
                    yield self._window(point, pending)

    def _window(self, point: int, pending: Iterable[Atom]) -> Window:
        groups: dict[int, list[Atom]] = {}
        for atom in pending:
            groups.setdefault(atom.operation, []).append(atom)
        words = tuple(described(self.trace.operations[operation], self._names) for operation in groups)
        return Window(point, tuple(tuple(group) for group in groups.values()), words)

    def _behaviours(self, window: Window) -> tuple[Behaviour, ...]:
        operations = self.trace.operations
        if not self.model.kill:
            return tuple(behaviour(operations[group[0].operation], group, self._names) for group in window.pending)
        # what a killed process was at: all since its last mark, and what would have been next
        first = window.point
        while first and not isinstance(operations[first - 1], Mark):
            first -= 1
        return tuple(
            behaviour(one, [self.atoms[atom] for atom in self.by_operation.get(first + number, ())], self._names)
            for number, one in enumerate(operations[first : window.point + 1])
        )

    def _kills(self) -> Iterator[tuple[Window, Candidate]]:
        """Give the states of a killed process: between all operations, then inside writes of several pages."""
        operations = self.trace.operations
        points = spread(len(operations) + 1)
        for point in points:
            # after a sync all is as it was before it
            if point in (0, len(operations)) or not isinstance(operations[point - 1], Sync | SyncAll):
                before = described(operations[point], self._names) if point < len(operations) else "the end"
                yield Window(point, (), ()), Candidate(frozenset(), f"killed before: {before}", ("all",))
        for point in points:
            pages = self.by_operation.get(point, ())
            for count in sorted({1, len(pages) // 2, len(pages) - 1} - {0, -1}):
                if count < len(pages):
                    label = f"killed in: {described(operations[point], self._names)}, after {count} pages"
                    yield Window(point, (), ()), Candidate(frozenset(pages[:count]), label, ("cut", count))


def _round_robin(windows: Iterable[Window], seed: int) -> Iterator[tuple[Window, Candidate]]:
    """Give the candidates of all windows: one kind after the other, and of each kind one of every window in turn."""
    found = list(windows)
    order = [found[number] for number in spread(len(found))]
    for rank in RANKS:
        # a generator of its own for each window and kind: the others then stay the same when one of them changes
        turns = [(window, rank(window, Random(f"{seed} {window.point} {rank.__name__}"))) for window in order]
        while turns:
            left = []
            for window, candidates in turns:
                candidate = next(candidates, None)
                if candidate is not None:
                    yield window, candidate
                    left.append((window, candidates))
            turns = left
