"""Files of a place: what became of them, and putting them back."""

from __future__ import annotations

from pathlib import Path

from conformance.crash.tree import read_tree
from conformance.replay.files import changed, kept, steady


def test_changes_are_told_and_new_files_are_not(tmp_path: Path) -> None:
    """A changed, a longer and a removed file are told; a new one, one that is as it was, and directories are not."""
    (tmp_path / "in").mkdir()
    for name in ("same", "byte", "longer", "gone"):
        (tmp_path / "in" / name).write_bytes(b"0123")
    (tmp_path / "empty").mkdir()
    before = steady(read_tree(tmp_path), read_tree(tmp_path))
    assert sorted(before) == ["in/byte", "in/gone", "in/longer", "in/same"]
    (tmp_path / "empty").rmdir()
    (tmp_path / "in" / "byte").write_bytes(b"01x3")
    (tmp_path / "in" / "longer").write_bytes(b"01234")
    (tmp_path / "in" / "gone").unlink()
    (tmp_path / "new").write_bytes(b"")
    assert sorted(changed(before, read_tree(tmp_path))) == [
        "in/byte: another byte at offset 2 of 4",
        "in/gone: removed",
        "in/longer: 4 bytes before, 5 after",
    ]
    assert list(steady(before, read_tree(tmp_path))) == ["in/same"]


def test_a_folder_is_put_back(tmp_path: Path) -> None:
    """What was changed, added or removed below a folder is as it was, links too, as often as asked."""
    place = tmp_path / "place"
    (place / "in").mkdir(parents=True)
    (place / "in" / "file").write_bytes(b"before")
    (place / "lock").symlink_to("host:4711")  # it leads nowhere, as the locks of some programs do
    with kept(place) as restore:
        for _ in range(2):
            (place / "in" / "file").write_bytes(b"after")
            (place / "new").write_bytes(b"")
            (place / "lock").unlink()
            restore()
            assert read_tree(place) == {"in/": None, "in/file": b"before"}
            assert (place / "lock").readlink() == Path("host:4711")
