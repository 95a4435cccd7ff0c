"""Random traces that a program could have made, and slow and plain ways to work out what the disk models do fast."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations

from hypothesis import strategies as st

from conformance.crash.disk import Atom, Disk
from conformance.crash.trace import (
    ROOT,
    Create,
    Link,
    Mark,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Volume,
    Write,
    resize,
    write_into,
)

NAMES = ("a", "b", "c1", "d2")
#: What a write or truncation in a random trace is about: inside a sector, across sectors, across pages.
LENGTHS = (1, 30, 600, 5000)
POWER_LOSS = ("ext4", "xfs", "posix", "paranoid")

State = frozenset[tuple[str, bytes | None]]


@st.composite
def traces(draw: st.DrawFn, *, steps_max: int = 12, lengths: tuple[int, ...] = LENGTHS, failing: bool = True) -> Trace:
    """Draw a trace, with files and directories that are there before it."""
    volume = Volume()
    initial: list[Operation] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2)):
        node = len(volume.entries) + len(volume.contents)
        initial.append(Create(ROOT, name, node, is_directory=draw(st.booleans())))
        volume.apply(initial[-1])
        if node in volume.contents:
            initial.append(Write(node, 0, b"!" * draw(st.sampled_from(lengths))))
            volume.apply(initial[-1])
    operations: list[Operation] = []
    for number in range(draw(st.integers(0, steps_max))):
        operations.append(draw(st.one_of(possible(volume, number, lengths, failing=failing))))
        volume.apply(operations[-1])
    return Trace(tuple(initial), tuple(operations))


def possible(
    volume: Volume, number: int, lengths: tuple[int, ...], *, failing: bool
) -> list[st.SearchStrategy[Operation]]:
    """Return what may come next after what made `volume`: operations that would not fail."""
    # Volume keeps the entries of removed directories; a program can still sync those, but make nothing in them.
    reachable = [ROOT, *(node for _, node in volume.walk() if node in volume.entries)]
    names = [(directory, name) for directory in reachable for name in volume.entries[directory]]
    free = [(directory, name) for directory in reachable for name in NAMES if name not in volume.entries[directory]]
    new = len(volume.entries) + len(volume.contents)
    files = sorted(volume.contents)
    named = sorted({volume.entries[d][n] for d, n in names} & set(files))
    nodes = sorted({*files, *reachable})
    failed = st.sampled_from((False, False, failing))
    found: list[st.SearchStrategy[Operation]] = [
        st.just(Mark(f"mark {number}")),
        st.builds(Sync, st.sampled_from(nodes), failed),
    ]
    if number % 4 == 3:
        found.append(st.just(SyncAll()))
    if free and new < 8:
        place = st.sampled_from(free)
        found.append(st.builds(lambda at: Create(*at, new), place))
        found.append(st.builds(lambda at, kind: Create(*at, new, is_directory=kind), place, st.booleans()))
    if free and named:
        found.append(st.builds(lambda at, node: Link(*at, node), st.sampled_from(free), st.sampled_from(named)))
    removable = [(d, n) for d, n in names if not volume.entries.get(volume.entries[d][n])]
    if removable:
        found.append(st.builds(lambda at: Remove(*at), st.sampled_from(removable)))
    renames = [(old, to) for old in names for to in (*free, *names) if may_rename(volume, old, to)]
    if renames:
        found.append(st.builds(lambda pair: Rename(*pair[0], *pair[1]), st.sampled_from(renames)))
    if files:
        file = st.sampled_from(files)
        length = st.sampled_from(lengths)
        byte = bytes([ord("A") + number % 26])
        place_in_file = st.one_of(st.none(), st.just(0), length)
        write = st.builds(
            lambda node, at, size: Write(node, len(volume.contents[node]) if at is None else at, byte * size),
            file,
            place_in_file,
            length,
        )
        found += [write, write, st.builds(Truncate, file, st.one_of(st.just(0), length))]
    return found


def may_rename(volume: Volume, old: tuple[int, str], to: tuple[int, str]) -> bool:
    """Tell whether a rename succeeds, and does anything."""
    node, target = volume.entries[old[0]][old[1]], volume.entries[to[0]].get(to[1])
    if node == target:
        return False
    if node not in volume.entries:
        return target not in volume.entries
    above = {to[0]}
    while any(place not in above and above & set(inside.values()) for place, inside in volume.entries.items()):
        above |= {place for place, inside in volume.entries.items() if above & set(inside.values())}
    return node not in above and (target is None or volume.entries.get(target) == {})


def crash_points(disk: Disk) -> list[int]:
    """Return all points at which a crash may come."""
    return list(range(len(disk.trace.operations) + 1))


def subsets(atoms: frozenset[int]) -> Iterator[frozenset[int]]:
    """Give all subsets."""
    ordered = sorted(atoms)
    every = chain.from_iterable(combinations(ordered, count) for count in range(len(ordered) + 1))
    return (frozenset(one) for one in every)


def legal_sets(disk: Disk, point: int) -> Iterator[frozenset[int]]:
    """Give all sets of atoms that a crash at a point may leave."""
    durable = disk.durable(point)
    for some in subsets(disk.pending(point)):
        if disk.legal(point, durable | some):
            yield durable | some


def found_after(disk: Disk, point: int | None = None) -> set[State]:
    """Return all trees that a crash at a point may leave; at the end if none is given."""
    at = len(disk.trace.operations) if point is None else point
    return {frozenset(disk.tree(kept).items()) for kept in legal_sets(disk, at)}


def rebuilt(disk: Disk, kept: frozenset[int]) -> dict[str, bytes | None]:
    """Return what `Disk.tree` should, atom by atom and without any memory."""
    volume = Volume()
    for operation in disk.trace.initial:
        volume.apply(operation)
    made = (*disk.trace.initial, *disk.trace.operations)
    for operation in made:
        if isinstance(operation, Create):
            (volume.entries if operation.is_directory else volume.contents).setdefault(
                operation.node,
                {} if operation.is_directory else bytearray(),  # type: ignore[arg-type]
            )
    for index in sorted(kept):
        apply_atom(volume, disk.atoms[index])
    return down(volume, ROOT, "", ())


def apply_atom(volume: Volume, atom: Atom) -> None:
    """Do to `volume` what one atom does to a disk."""
    for (directory, name), node in atom.sets:
        if node is None:
            volume.entries[directory].pop(name, None)
        else:
            volume.entries[directory][name] = node
    if atom.kind == "data" or (atom.kind == "size" and atom.size is None):
        write_into(volume.changeable(atom.node), atom.offset, atom.data)
    elif atom.kind == "size" and atom.size is not None:
        resize(volume.changeable(atom.node), atom.size)


def down(volume: Volume, directory: int, prefix: str, above: tuple[int, ...]) -> dict[str, bytes | None]:
    """Return the tree below a directory, which may be in itself."""
    found: dict[str, bytes | None] = {}
    for name, node in volume.entries[directory].items():
        if node in volume.contents:
            found[prefix + name] = bytes(volume.contents[node])
        elif node not in (*above, directory):
            found[f"{prefix}{name}/"] = None
            found |= down(volume, node, f"{prefix}{name}/", (*above, directory))
    return found
