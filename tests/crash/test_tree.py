"""A tree is written out and read back as it was, and has a name of its own."""

from __future__ import annotations

import os
import socket
import tempfile
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.crash.tree import Tree, at_once, digest, read_tree, write_tree

NAMES = st.text("ab.é ", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes | None]:
    """Draw a tree of up to three levels."""
    found: dict[str, bytes | None] = {}
    folders = [""]
    for name in draw(st.lists(NAMES, max_size=6)):
        path = draw(st.sampled_from(folders)) + name
        if path in found or f"{path}/" in found:
            continue
        if path.count("/") < 2 and draw(st.booleans()):
            found[f"{path}/"] = None
            folders.append(f"{path}/")
        else:
            found[path] = draw(st.binary(max_size=20))
    return found


@settings(max_examples=60, deadline=None)
@given(tree=trees())
def test_a_tree_is_read_as_it_was_written(tree: Tree) -> None:
    """Empty files, empty directories and odd names come back."""
    with tempfile.TemporaryDirectory() as folder:
        write_tree(tree, Path(folder, "place"))
        assert read_tree(Path(folder, "place")) == tree


@given(one=trees(), two=trees())
def test_a_digest_tells_trees_apart(one: Tree, two: Tree) -> None:
    """Equal trees have equal digests, whatever the order of their paths; others have others."""
    assert (digest(one) == digest(two)) == (one == two)
    assert digest(dict(reversed(list(one.items())))) == digest(one)


def test_likely_mistakes_have_digests_of_their_own() -> None:
    """What is a name in one tree and content in another is not mixed up."""
    alike: list[Tree] = [
        {},
        {"a": b""},
        {"a": b"b"},
        {"ab": b""},
        {"a/": None},
        {"a": b"", "b": b""},
        {"a": b"1:b"},
        {"a": b"", "b": b"c"},
        {"a": b"b\x001:c"},
    ]
    assert not [(one, two) for one, two in combinations(alike, 2) if digest(one) == digest(two)]


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """What stands there already would be taken for a part of the tree."""
    with pytest.raises(FileExistsError):
        write_tree({}, tmp_path)


def test_only_files_and_directories_are_read(tmp_path: Path) -> None:
    """Links and sockets are no content."""
    (tmp_path / "file").write_bytes(b"x")
    os.symlink("file", tmp_path / "link")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert read_tree(tmp_path) == {"file": b"x"}


def test_large_files_are_written_whole(tmp_path: Path) -> None:
    """More than one write call may take."""
    tree = {"file": os.urandom(3 << 20)}
    write_tree(tree, tmp_path / "place")
    assert read_tree(tmp_path / "place") == tree


def test_a_worker_is_given_few_large_trees_at_once() -> None:
    """And one in any case; small ones are given as many as are wanted."""
    small: Tree = {"folder/": None, "folder/file": b"x" * 1_000}
    assert at_once(small, 8) == 8
    assert at_once({}, 8) == 8
    large: Tree = {f"file {number}": b"x" * (1 << 20) for number in range(2)}
    assert at_once(large, 8) == 1
    assert at_once({**small, "other": b"x" * (1 << 20)}, 8) == 3
    assert at_once({"huge": bytes(1 << 24)}, 8) == 1
