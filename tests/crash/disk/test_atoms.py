"""How operations are cut: units, what extends a file, and what must be there first."""

from __future__ import annotations

from conformance.crash.disk import MODELS, Atom, Disk
from conformance.crash.trace import ROOT, Create, Operation, Rename, Trace, Truncate, Write

FILE, OTHER = 1, 2
BEFORE = (Create(ROOT, "f", FILE), Write(FILE, 0, b"o" * 8192), Create(ROOT, "g", OTHER))


def disk_of(model: str, *operations: Operation) -> Disk:
    """Return a disk on which there is a file of two pages, and an empty one."""
    return Disk(Trace(BEFORE, operations), MODELS[model])


def spans(atoms: tuple[Atom, ...]) -> list[tuple[int, int]]:
    """Return where the bytes of each atom begin and how many there are."""
    return [(atom.offset, len(atom.data)) for atom in atoms if atom.kind == "data"]


def test_what_is_overwritten_tears_between_sectors() -> None:
    """In place the unit is a sector of 512 bytes when power is lost, a page when the process is killed."""
    write = Write(FILE, 4000, b"n" * 700)
    for name in ("ext4", "xfs", "posix", "paranoid"):
        assert spans(disk_of(name, write).atoms) == [(4000, 96), (4096, 512), (4608, 92)]
    assert spans(disk_of("kill", write).atoms) == [(4000, 96), (4096, 604)]


def test_a_file_grows_in_pages_under_a_journal() -> None:
    """Appended bytes come page by page and in order; without a journal sector by sector, with the size on its own."""
    write = Write(OTHER, 0, b"n" * 5000)
    for name in ("ext4", "xfs"):
        atoms = disk_of(name, write).atoms
        assert spans(atoms) == [(0, 4096), (4096, 904)]
        assert [(atom.deps, atom.extends) for atom in atoms] == [((), True), ((0,), True)]
    atoms = disk_of("posix", write).atoms
    assert [atom.kind for atom in atoms] == ["size"] + ["data"] * 10
    assert all(atom.deps == () for atom in atoms)
    disk = disk_of("posix", write)
    assert disk.tree(frozenset({0}))["g"] == bytes(5000)
    assert disk.tree(frozenset({10}))["g"] == bytes(4608) + b"n" * 392


def test_a_write_across_the_end_is_in_place_up_to_the_end() -> None:
    """The sector with the old end is the first that makes the file larger."""
    disk = disk_of("ext4", Write(OTHER, 0, b"n" * 100), Write(OTHER, 50, b"m" * 1000))
    assert [(atom.offset, len(atom.data), atom.extends) for atom in disk.atoms] == [
        (0, 100, True),
        (50, 462, True),
        (512, 538, True),
    ]


def test_bytes_in_place_wait_for_the_file_to_be_that_large() -> None:
    """Under a journal what overwrites bytes that were appended before waits for the append, and not for later ones."""
    disk = disk_of("xfs", Write(OTHER, 0, b"n" * 8192), Write(OTHER, 600, b"m"), Write(OTHER, 8192, b"n"))
    assert disk.atoms[2].deps == (0,)
    assert disk.close(frozenset({2})) == frozenset()
    assert disk.close(frozenset({0, 2})) == {0, 2}


def test_a_sector_comes_with_all_that_was_written_to_it() -> None:
    """No model lets a later write to the same sector come without the earlier one, but for a truncation between."""
    for name in ("ext4", "xfs", "posix", "paranoid"):
        disk = disk_of(name, Write(FILE, 0, b"1"), Write(FILE, 100, b"2"), Write(FILE, 512, b"3"))
        assert [atom.deps for atom in disk.atoms] == [(), (0,), ()]
    cut = disk_of("posix", Write(FILE, 0, b"1"), Truncate(FILE, 0), Write(FILE, 0, b"2"))
    assert [atom.deps for atom in cut.atoms] == [(), (), (), ()]


def test_what_makes_a_file_larger_comes_in_the_order_of_the_journal() -> None:
    """Its size is a change like those of names: none of it is there before what was asked for earlier."""
    disk = disk_of("ext4", Rename(ROOT, "f", ROOT, "h"), Write(OTHER, 0, b"n"), Write(FILE, 0, b"n"))
    assert [atom.deps for atom in disk.atoms] == [(), (0,), ()]


def test_a_file_cut_and_grown_again() -> None:
    """A file that shrank and grew has zeros between; what waits for what is told from the last size on."""
    operations = (Truncate(FILE, 100), Truncate(FILE, 1000), Write(FILE, 2000, b"n"))
    disk = disk_of("ext4", *operations)
    assert [atom.deps for atom in disk.atoms] == [(), (0,), (1,)]
    assert disk.tree(frozenset({0, 1}))["f"] == b"o" * 100 + bytes(900)
    assert disk.tree(frozenset({0, 1, 2}))["f"] == b"o" * 100 + bytes(1900) + b"n"
    # in any order: only the second size came
    assert disk_of("posix", *operations).tree(frozenset({1}))["f"] == b"o" * 1000


def test_what_changes_nothing_has_no_atoms() -> None:
    """A write of nothing and a truncation to the present size are no changes; both are left out."""
    disk = disk_of("posix", Write(OTHER, 10, b""), Truncate(OTHER, 0), Truncate(FILE, 8192))
    assert disk.atoms == ()
    assert disk.by_operation == {}


def test_atoms_by_operation() -> None:
    """Each operation that changes anything has its atoms, in order."""
    disk = disk_of("ext4", Truncate(OTHER, 0), Write(FILE, 0, b"n" * 1000), Rename(ROOT, "f", ROOT, "g"))
    assert disk.by_operation == {1: (0, 1), 2: (2,)}


def test_a_rename_waits_only_for_what_is_not_synced_and_only_over_a_name() -> None:
    """Under ext4 a rename over a name waits for the bytes written to the file so far."""
    write = Write(FILE, 0, b"n" * 600)
    assert disk_of("ext4", write, Rename(ROOT, "f", ROOT, "g")).atoms[2].deps == (0, 1)
    assert disk_of("ext4", write, Rename(ROOT, "f", ROOT, "h")).atoms[2].deps == ()
    assert disk_of("xfs", write, Rename(ROOT, "f", ROOT, "g")).atoms[2].deps == ()
    assert disk_of("ext4", write, Rename(ROOT, "f", ROOT, "f")).atoms[2].deps == ()
