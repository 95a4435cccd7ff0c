"""The files of a place, and what became of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from conformance.crash.tree import Tree


def steady(before: Tree, after: Tree) -> Mapping[str, bytes]:
    """Return the files, without directories, that were there before and after with the same bytes."""
    return {name: content for name, content in before.items() if content is not None and after.get(name) == content}


def changed(expected: Mapping[str, bytes], found: Tree) -> list[str]:
    """Return what became of files that should be as they were, a line for each that is not; new ones do not count."""
    return [_change(name, content, found.get(name)) for name, content in expected.items() if found.get(name) != content]


@contextmanager
def kept(folder: Path) -> Iterator[Callable[[], None]]:
    """Keep a copy of a folder; gives what makes the folder as it was."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as room:
        copy = Path(room, "copy")
        shutil.copytree(folder, copy, symlinks=True)

        def restore() -> None:
            shutil.rmtree(folder)
            shutil.copytree(copy, folder, symlinks=True)

        yield restore


def _change(name: str, before: bytes, after: bytes | None) -> str:
    if after is None:
        return f"{name}: removed"
    offset = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    if offset is None:
        return f"{name}: {len(before):,} bytes before, {len(after):,} after"
    return f"{name}: another byte at offset {offset:,} of {len(before):,}"
