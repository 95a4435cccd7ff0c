"""One trace under one model of a disk: what a crash may leave of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.crash.disk.atoms import Atom, cut
from conformance.crash.disk.candidates import KILL_RANKS, RANKS, in_turns
from conformance.crash.disk.content import Contents
from conformance.crash.disk.durability import durability
from conformance.crash.disk.model import DiskModel
from conformance.crash.disk.windows import Window, by_operation, representative, windows_of_kill, windows_of_power_loss
from conformance.crash.trace import Trace

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

    @cached_property
    def by_operation(self) -> Mapping[int, tuple[int, ...]]:
        """The atoms of each operation that has any."""
        groups = by_operation(self.atoms)
        return {operation: tuple(atom.index for atom in group) for operation, group in groups.items()}

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
            representatives: Of the moments that are alike in what was asked for before them, so many are taken; None
                takes them all. Source: Pathfinder, OOPSLA 2025.
        """
        ranks = KILL_RANKS if self.model.kill else RANKS
        windows = representative(list(self._windows()), representatives)
        seen: dict[int, set[frozenset[int]]] = {window.point: set() for window in windows}
        for window, candidate in in_turns(windows, ranks, seed):
            known = seen[window.point]
            if candidate.kept in known and not candidate.with_needs:
                continue  # legal, and given already; most candidates of small windows are
            durable = self.durable(window.point)
            passed_over = self._passed_over(window.point)
            kept = self._needs(durable, candidate.kept, passed_over) if candidate.with_needs else candidate.kept
            closed = self._closed(durable, kept, passed_over)
            pending = closed - durable
            if pending not in known:
                known.add(pending)
                yield CrashState(window.point, closed, candidate.label)

    def _windows(self) -> Iterator[Window]:
        if self.model.kill:
            return windows_of_kill(self.trace, self.atoms)
        return windows_of_power_loss(self.trace, self.atoms, self._durability.forced)

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
