"""What a crash may have left of what was pending: candidates, the most damaging kinds first.

The kinds are those of ALICE (prefixes, one operation left out, parts of one operation; OSDI 2014) and of SQLite's
test6.c (any one write dropped or torn), with other subsets after them: all, or random ones. A candidate need not be
legal; the largest legal part of it is what becomes a crash state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from conformance.crash.disk.atoms import Atom
from conformance.crash.disk.windows import Window, spread

#: How many pairs of operations are dropped together, in each window.
PAIRS_MAX = 60
#: How many subsets are tried at the end, in each window: all that there are, if they are no more, else random ones.
SUBSETS_MAX = 40


@dataclass(frozen=True)
class Candidate:
    """A part of what is pending that may be on the disk.

    Args:
        kept: The atoms.
        label: What became of the pending operations, in words.
        with_needs: What the atoms wait for is on the disk as well; else the atoms that wait for what is lost are lost.
    """

    kept: frozenset[int]
    label: str
    with_needs: bool = False


#: Called with a window and a seed.
Rank = Callable[[Window, str], Iterator[Candidate]]


def none(_window: Window, _: str) -> Iterator[Candidate]:
    """All that was pending is lost."""
    yield Candidate(frozenset(), "all that was not synced is lost")


def everything(window: Window, _: str) -> Iterator[Candidate]:
    """Nothing is lost."""
    yield Candidate(window.everything, "nothing is lost")


def one_sort(window: Window, _: str) -> Iterator[Candidate]:
    """Only names and sizes are there, or only bytes."""
    names = _indexes(atom for group in window.pending for atom in group if atom.kind != "data")
    data = window.everything - names
    if names and data:
        yield Candidate(names, "names and sizes are on the disk, bytes are lost", with_needs=True)
        yield Candidate(data, "bytes are on the disk, changes of names and sizes are lost")


def drop_one(window: Window, _: str) -> Iterator[Candidate]:
    """One operation is lost."""
    whole = window.everything
    for number in spread(len(window.pending)):
        yield Candidate(whole - _indexes(window.pending[number]), f"lost: {window.words[number]}")


def only_one(window: Window, _: str) -> Iterator[Candidate]:
    """One operation is there, and no other that it does not need."""
    for number in spread(len(window.pending)):
        label = f"all lost but: {window.words[number]}"
        yield Candidate(_indexes(window.pending[number]), label, with_needs=True)


def prefixes(window: Window, _: str) -> Iterator[Candidate]:
    """The operations up to one are there."""
    for number in spread(len(window.pending)):
        kept = _indexes(atom for group in window.pending[: number + 1] for atom in group)
        yield Candidate(kept, f"lost: all after {window.words[number]}")


def torn_among_all(window: Window, _: str) -> Iterator[Candidate]:
    """A part of one operation is there, and all of the others."""
    whole = window.everything
    for number in spread(len(window.pending)):
        rest = whole - _indexes(window.pending[number])
        for part, atoms in parts(window.pending[number]):
            label = f"torn: of {window.words[number]} only {part} is on the disk"
            yield Candidate(rest | atoms, label)


def torn_at_last(window: Window, _: str) -> Iterator[Candidate]:
    """A part of one operation is there, all before it and nothing after it."""
    for number in spread(len(window.pending)):
        before = _indexes(atom for group in window.pending[:number] for atom in group)
        for part, atoms in parts(window.pending[number]):
            label = f"torn: of {window.words[number]} only {part} is on the disk; lost: all after it"
            yield Candidate(before | atoms, label)


def drop_file(window: Window, _: str) -> Iterator[Candidate]:
    """All bytes and sizes of one file are lost, or all changes of names."""
    whole = window.everything
    for what, atoms in by_file(window):
        yield Candidate(whole - atoms, f"lost: {what}")


def only_file(window: Window, _: str) -> Iterator[Candidate]:
    """Only bytes and sizes of one file are there, or only changes of names, with what they need."""
    for what, atoms in by_file(window):
        yield Candidate(atoms, f"all lost but: {what}", with_needs=True)


def drop_two(window: Window, seed: str) -> Iterator[Candidate]:
    """Two operations are lost."""
    random = Random(seed)
    whole, count = window.everything, len(window.pending)
    pairs = list(combinations(range(count), 2)) if count * (count - 1) // 2 <= PAIRS_MAX else []
    while count * (count - 1) // 2 > PAIRS_MAX and len(pairs) < PAIRS_MAX:
        first, second = sorted(random.sample(range(count), 2))
        if (first, second) not in pairs:
            pairs.append((first, second))
    for first, second in pairs:
        lost = _indexes(window.pending[first] + window.pending[second])
        label = f"lost: {window.words[first]}, and {window.words[second]}"
        yield Candidate(whole - lost, label)


def subsets(window: Window, seed: str) -> Iterator[Candidate]:
    """Any part is there: every part where there are few atoms, else random ones, of the operations or the atoms."""
    atoms = sorted(window.everything)
    if 1 << len(atoms) <= SUBSETS_MAX:
        for count in range(len(atoms)):
            for chosen in combinations(atoms, count):
                yield Candidate(frozenset(chosen), f"a part is lost: {len(atoms) - count} of {len(atoms)} pieces")
        return
    random = Random(seed)
    for number in range(SUBSETS_MAX):
        share = random.choice((0.1, 0.5, 0.9))
        if random.random() < 0.5:
            groups = [group for group in window.pending if random.random() < share]
            kept = _indexes(atom for group in groups for atom in group)
        else:
            kept = _indexes(atom for group in window.pending for atom in group if random.random() < share)
        yield Candidate(kept, f"a random part is lost ({number})")


def killed_before(window: Window, _: str) -> Iterator[Candidate]:
    """The process is killed between operations."""
    yield Candidate(frozenset(), f"killed before: {window.words[0]}")


def killed_inside(window: Window, _: str) -> Iterator[Candidate]:
    """The process is killed inside a write of several pages."""
    pages = [atom.index for atom in window.pending[0]]
    for count in sorted({1, len(pages) // 2, len(pages) - 1}):
        if 0 < count < len(pages):
            label = f"killed in: {window.words[0]}, after {count} of {len(pages)} pages"
            yield Candidate(frozenset(pages[:count]), label)


#: The kinds of candidates when the process is killed.
KILL_RANKS: Sequence[Rank] = (killed_before, killed_inside)

#: The kinds of candidates when power is lost, what does most damage first.
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
    subsets,
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


def in_turns(windows: Sequence[Window], ranks: Sequence[Rank], seed: int) -> Iterator[tuple[Window, Candidate]]:
    """Give the candidates of all windows: one kind after the other, and of each kind one of every window in turn."""
    for rank in ranks:
        # a seed of its own for each window and kind: the others then stay the same when one of them changes
        turns = [(window, rank(window, f"{seed} {window.point} {rank.__name__}")) for window in windows]
        while turns:
            left = []
            for window, candidates in turns:
                candidate = next(candidates, None)
                if candidate is not None:
                    yield window, candidate
                    left.append((window, candidates))
            turns = left
