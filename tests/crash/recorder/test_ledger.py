"""The ledger: what was there at the start, and which names paths stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.crash.recorder.ledger import Ledger
from conformance.crash.trace import Create, Link, Remove, Write, replayed
from conformance.crash.tree import read_tree


def test_what_is_there_at_the_start(tmp_path: Path) -> None:
    """It becomes the start of the trace, not one of its operations."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_bytes(b"content")
    os.link(tmp_path / "d" / "a", tmp_path / "l")
    (tmp_path / "empty").touch()
    ledger = Ledger(tmp_path)
    trace = ledger.trace()
    assert trace.initial == (
        Create(0, "d", 1, is_directory=True),
        Create(1, "a", 2),
        Write(2, 0, b"content"),
        Create(0, "empty", 3),
        Link(0, "l", 2),
    )
    assert (trace.operations, ledger.unseen) == ((), ())
    assert replayed(trace) == read_tree(tmp_path)


def test_special_files_are_told_of(tmp_path: Path) -> None:
    """Symbolic links and the like are not in a trace."""
    (tmp_path / "s").symlink_to("nowhere")
    os.mkfifo(tmp_path / "f")
    assert Ledger(tmp_path).unseen == ("symbolic links and special files",)


def test_an_inode_that_is_given_again(tmp_path: Path) -> None:
    """A new file is a new node, whatever its number."""
    (tmp_path / "a").touch()
    ledger = Ledger(tmp_path)
    found = os.stat(tmp_path / "a")
    assert ledger.node_of(found) == 1
    ledger.log(Remove(0, "a"))
    assert ledger.node_of(found) == 1  # it may still be open
    assert ledger.create(0, "b", found) == 2
    assert ledger.node_of(found) == 2


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("d/a", (1, "a", 2)),
        ("d/new", (1, "new", None)),
        ("d", (0, "d", 1)),
        ("d/", (0, "d", 1)),
        ("d//a", (1, "a", 2)),
        ("d/../d/./a", (1, "a", 2)),
        ("s/a", (1, "a", 2)),
        ("s", (0, "s", None)),
        ("../root/d/a", (1, "a", 2)),
        ("missing/a", None),
        ("missing/../d", None),
        ("d/a/../a", None),
        ("d/a/b", None),
        ("d/..", None),
        (".", None),
        ("", None),
        ("../other", None),
    ],
)
def test_paths(tmp_path: Path, path: str, found: tuple[int, str, int | None] | None) -> None:
    """Only those that name an entry below the root are found, as the kernel would find it."""
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d" / "a").touch()
    (root / "s").symlink_to("d")
    place = Ledger(root).find(f"{root}/{path}")
    assert (None if place is None else (place.directory, place.name, place.node)) == found


def test_links_in_the_last_part_are_followed_when_asked(tmp_path: Path) -> None:
    """To a file, and to one that is not there yet."""
    (tmp_path / "a").touch()
    (tmp_path / "s").symlink_to("a")
    (tmp_path / "t").symlink_to("new")
    (tmp_path / "u").symlink_to("/elsewhere")
    ledger = Ledger(tmp_path)
    found = [ledger.find(f"{tmp_path}/{name}", follow=True) for name in "stu"]
    assert [place and (place.name, place.node) for place in found] == [("a", 1), ("new", None), None]


def test_the_root_may_be_named_by_a_link(tmp_path: Path) -> None:
    """Paths through it are found."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").touch()
    (tmp_path / "alias").symlink_to("root")
    ledger = Ledger(tmp_path / "alias")
    place = ledger.find(f"{tmp_path}/alias/a")
    assert place is not None
    assert (place.node, place.path) == (1, f"{tmp_path.resolve()}/root/a")


def test_paths_of_nodes(tmp_path: Path) -> None:
    """A node has a path as long as it has a name."""
    (tmp_path / "d").mkdir()
    ledger = Ledger(tmp_path)
    assert [ledger.path_of(node) for node in (0, 1, 2)] == [ledger.root, f"{ledger.root}/d", None]
