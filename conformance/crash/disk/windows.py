"""The moments at which a crash is tried, with what may be lost at each; and which of them are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.crash.disk.atoms import Atom
from conformance.crash.disk.describe import Behaviour, behaviour, described, names_of
from conformance.crash.trace import Mark, Sync, SyncAll, Trace


@dataclass(frozen=True)
class Window:
    """What is neither sure to be on the disk nor sure to be lost, if the crash comes just before an operation.

    Args:
        point: That operation.
        pending: The atoms, by operation; both ascend.
        words: The operations in words.
        behaviours: What has to be the same in windows that are alike.
    """

    point: int
    pending: tuple[tuple[Atom, ...], ...]
    words: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]

    @property
    def everything(self) -> frozenset[int]:
        """All atoms that are pending."""
        return frozenset(atom.index for group in self.pending for atom in group)


def windows_of_power_loss(trace: Trace, atoms: Sequence[Atom], forced: Sequence[int]) -> Iterator[Window]:
    """Give the windows before each sync that may have something to write, and at the end.

    What a crash may leave at any other moment it may leave at the next of these too, and more is acknowledged by then.

    Args:
        trace: What was asked for.
        atoms: The same in atoms.
        forced: For each atom, the operation after which it is durable.
    """
    operations, names = trace.operations, names_of(trace)
    pending: list[Atom] = []
    taken = 0
    for point in range(len(operations) + 1):
        if point < len(operations) and not isinstance(operations[point], Sync | SyncAll):
            continue
        while taken < len(atoms) and atoms[taken].operation < point:
            pending.append(atoms[taken])
            taken += 1
        pending = [atom for atom in pending if forced[atom.index] >= point]
        if pending or point == len(operations):
            groups = by_operation(pending)
            yield Window(
                point,
                tuple(groups.values()),
                tuple(described(operations[number], names) for number in groups),
                tuple(behaviour(operations[number], group, names) for number, group in groups.items()),
            )


def windows_of_kill(trace: Trace, atoms: Sequence[Atom]) -> Iterator[Window]:
    """Give the windows between all operations; what is pending is the operation that comes next.

    Those are alike in which the process did the same since its last mark, and was about to do the same.
    """
    operations, names = trace.operations, names_of(trace)
    groups = by_operation(atoms)
    since: list[Behaviour] = []
    for point in range(len(operations) + 1):
        if point and isinstance(operations[point - 1], Mark):
            since = []
        group = groups.get(point, ())
        coming = [behaviour(operations[point], group, names)] if point < len(operations) else []
        word = described(operations[point], names) if coming else "the end"
        since += coming
        # just after a sync all is as it was before it, but a write of several pages may be cut short there
        after_sync = point > 0 and isinstance(operations[point - 1], Sync | SyncAll)
        if not after_sync or len(group) > 1 or point == len(operations):
            yield Window(point, (group,), (word,), tuple(since))


def by_operation(atoms: Iterable[Atom]) -> dict[int, tuple[Atom, ...]]:
    """Return atoms by their operation, in order."""
    found: dict[int, list[Atom]] = {}
    for atom in atoms:
        found.setdefault(atom.operation, []).append(atom)
    return {operation: tuple(group) for operation, group in found.items()}


def spread(count: int) -> list[int]:
    """Return 0 to `count - 1`, the last first, so that any beginning of the list is spread evenly over all of it."""
    bits = max(count - 1, 0).bit_length()
    mirrored = (int(f"{number:0{bits}b}"[::-1], 2) if bits else 0 for number in range(1 << bits))
    return [count - 1 - number for number in mirrored if number < count]


def representative(windows: Sequence[Window], count: int | None) -> list[Window]:
    """Return windows in a spread order, of those that are alike the first `count`; all, if it is None.

    Source: representative testing as in Pathfinder, OOPSLA 2025.
    """
    alike: Counter[tuple[Behaviour, ...]] = Counter()
    found = []
    for number in spread(len(windows)):
        alike[windows[number].behaviours] += 1
        if count is None or alike[windows[number].behaviours] <= count:
            found.append(windows[number])
    return found
