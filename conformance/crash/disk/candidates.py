"""What a crash may have left of what was pending: candidates, the most damaging kinds first.

The kinds are those of ALICE (prefixes, one operation left out, parts of one operation; OSDI 2014) and of SQLite's
test6.c (any one write dropped or torn), with random subsets after them. A candidate need not be legal; the largest
legal part of it is what becomes a crash state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from conformance.crash.disk.atoms import Atom

#: How many pairs of operations are dropped together, and how many random subsets are tried, in each window.
PAIRS_MAX = 60
RANDOM_SUBSETS = 40


@dataclass(frozen=True)
class Window:
    """What is neither sure to be on the disk nor sure to be lost, if the crash comes just before an operation.

    Args:
        point: That operation.
        pending: The atoms, by operation; both ascend.
        words: The operations in words.
    """

    point: int
    pending: tuple[tuple[Atom, ...], ...]
    words: tuple[str, ...]

    @property
    def everything(self) -> frozenset[int]:
        """All atoms that are pending."""
        return frozenset(atom.index for group in self.pending for atom in group)


@dataclass(frozen=True)
class Candidate:
    """A part of what is pending that may be on the disk.

    Args:
        kept: The atoms.
        label: What became of the pending operations, in words.
        relative: The same with the window's operations by number, equal in windows that are alike.
        with_needs: What the atoms wait for is on the disk as well; else the atoms that wait for what is lost are lost.
    """

    kept: frozenset[int]
    label: str
    relative: tuple[str | int, ...]
    with_needs: bool = False


Rank = Callable[[Window, Random], Iterator[Candidate]]


def spread(count: int) -> list[int]:
    """Return 0 to `count - 1`, the last first, so that any beginning of the list is spread evenly over all of it."""
    bits = max(count - 1, 0).bit_length()
    mirrored = (int(f"{number:0{bits}b}"[::-1], 2) if bits else 0 for number in range(1 << bits))
    return [count - 1 - number for number in mirrored if number < count]


def none(_window: Window, _: Random) -> Iterator[Candidate]:
    """All that was pending is lost."""
    yield Candidate(frozenset(), "all that was not synced is lost", ("none",))


def everything(window: Window, _: Random) -> Iterator[Candidate]:
    """Nothing is lost."""
    yield Candidate(window.everything, "nothing is lost", ("all",))


def one_sort(window: Window, _: Random) -> Iterator[Candidate]:
    """Only names and sizes are there, or only bytes."""
    names = _indexes(atom for group in window.pending for atom in group if atom.kind != "data")
    data = window.everything - names
    if names and data:
        yield Candidate(names, "names and sizes are on the disk, bytes are lost", ("names",), with_needs=True)
        yield Candidate(data, "bytes are on the disk, changes of names and sizes are lost", ("bytes",))


def drop_one(window: Window, _: Random) -> Iterator[Candidate]:
    """One operation is lost."""
    whole = window.everything
    for number in spread(len(window.pending)):
        yield Candidate(whole - _indexes(window.pending[number]), f"lost: {window.words[number]}", ("drop", number))


def only_one(window: Window, _: Random) -> Iterator[Candidate]:
    """One operation is there, and no other that it does not need."""
    for number in spread(len(window.pending)):
        label = f"all lost but: {window.words[number]}"
        yield Candidate(_indexes(window.pending[number]), label, ("only", number), with_needs=True)


def prefixes(window: Window, _: Random) -> Iterator[Candidate]:
    """The operations up to one are there."""
    for number in spread(len(window.pending)):
        kept = _indexes(atom for group in window.pending[: number + 1] for atom in group)
        yield Candidate(kept, f"lost: all after {window.words[number]}", ("prefix", number))


def torn_among_all(window: Window, _: Random) -> Iterator[Candidate]:
    """A part of one operation is there, and all of the others."""
    whole = window.everything
    for number in spread(len(window.pending)):
        rest = whole - _indexes(window.pending[number])
        for part, atoms in parts(window.pending[number]):
            label = f"torn: of {window.words[number]} only {part} is on the disk"
            yield Candidate(rest | atoms, label, ("torn", part, number))


def torn_at_last(window: Window, _: Random) -> Iterator[Candidate]:
    """A part of one operation is there, all before it and nothing after it."""
    for number in spread(len(window.pending)):
        before = _indexes(atom for group in window.pending[:number] for atom in group)
        for part, atoms in parts(window.pending[number]):
            label = f"torn: of {window.words[number]} only {part} is on the disk; lost: all after it"
            yield Candidate(before | atoms, label, ("torn last", part, number))


def drop_file(window: Window, _: Random) -> Iterator[Candidate]:
    """All bytes and sizes of one file are lost, or all changes of names."""
    whole = window.everything
    for number, (what, atoms) in enumerate(by_file(window)):
        yield Candidate(whole - atoms, f"lost: {what}", ("drop file", number))


def only_file(window: Window, _: Random) -> Iterator[Candidate]:
    """Only bytes and sizes of one file are there, or only changes of names, with what they need."""
    for number, (what, atoms) in enumerate(by_file(window)):
        yield Candidate(atoms, f"all lost but: {what}", ("only file", number), with_needs=True)


def drop_two(window: Window, random: Random) -> Iterator[Candidate]:
    """Two operations are lost."""
    whole, count = window.everything, len(window.pending)
    pairs = list(combinations(range(count), 2)) if count * (count - 1) // 2 <= PAIRS_MAX else []
    while count * (count - 1) // 2 > PAIRS_MAX and len(pairs) < PAIRS_MAX:
        first, second = sorted(random.sample(range(count), 2))
        if (first, second) not in pairs:
            pairs.append((first, second))
    for first, second in pairs:
        lost = _indexes(window.pending[first] + window.pending[second])
        label = f"lost: {window.words[first]}, and {window.words[second]}"
        yield Candidate(whole - lost, label, ("drop two", first, second))


def random_subsets(window: Window, random: Random) -> Iterator[Candidate]:
    """A random part is there: of the operations, or of the atoms."""
    for number in range(RANDOM_SUBSETS):
        share = random.choice((0.1, 0.5, 0.9))
        if random.random() < 0.5:
            groups = [group for group in window.pending if random.random() < share]
            kept = _indexes(atom for group in groups for atom in group)
        else:
            kept = _indexes(atom for group in window.pending for atom in group if random.random() < share)
        yield Candidate(kept, f"a random part is lost ({number})", ("random", number))


#: The kinds of candidates, what does most damage first.
RANKS: Sequence[Rank] = (
    none,
    everything,
    one_sort,
    drop_one,
    only_one,
    prefixes,
    torn_among_all,
    torn_at_last,
    drop_file,
    only_file,
    drop_two,
    random_subsets,
)


def parts(group: tuple[Atom, ...]) -> Iterator[tuple[str, frozenset[int]]]:
    """Give the parts of one operation that a crash may leave, with their names; none of them is all or nothing."""
    data = [atom.index for atom in group if atom.kind == "data"]
    size = [atom.index for atom in group if atom.kind != "data"] if data else []
    half = len(data) // 2
    seen = {frozenset[int](), _indexes(group)}
    for name, kept in (
        ("the new size", size),
        ("the first part", data[:1]),
        ("the first half", data[:half]),
        ("the second half", data[half:]),
        ("the last part", data[-1:]),
        ("all but the middle", data[:1] + data[-1:]),
        ("the new size and the first half", size + data[: max(half, 1)]),
        ("the new size and the last part", size + data[-1:]),
    ):
        atoms = frozenset(kept)
        if atoms not in seen:
            seen.add(atoms)
            yield name, atoms


def by_file(window: Window) -> list[tuple[str, frozenset[int]]]:
    """Return the pending atoms of each file, and all changes of names together."""
    found: dict[int | None, list[Atom]] = {}
    words: dict[int | None, str] = {None: "all changes of names"}
    for group, word in zip(window.pending, window.words, strict=True):
        for atom in group:
            node = None if atom.kind == "name" else atom.node
            found.setdefault(node, []).append(atom)
            words.setdefault(node, f"all bytes of the file of {word}")
    return [(words[node], _indexes(atoms)) for node, atoms in found.items()]


def _indexes(atoms: Iterable[Atom]) -> frozenset[int]:
    return frozenset(atom.index for atom in atoms)
