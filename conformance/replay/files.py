"""The files of a place, and what became of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Files = Mapping[str, bytes]


def files_below(folder: Path) -> Files:
    """Return the content of all files below a folder, by their paths from there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def steady(before: Files, after: Files) -> Files:
    """Return the files that were there before and after, with the same bytes."""
    return {name: content for name, content in before.items() if after.get(name) == content}


def changed(expected: Files, found: Files) -> list[str]:
    """Return what became of files that should be as they were, a line for each that is not; new ones do not count."""
    return [_change(name, content, found.get(name)) for name, content in expected.items() if found.get(name) != content]


@contextmanager
def kept(folder: Path) -> Iterator[Callable[[], None]]:
    """Keep a copy of a folder; gives what makes the folder as it was."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as room:
        copy = Path(room, "copy")
        shutil.copytree(folder, copy)

        def restore() -> None:
            shutil.rmtree(folder)
            shutil.copytree(copy, folder)

        yield restore


def _change(name: str, before: bytes, after: bytes | None) -> str:
    if after is None:
        return f"{name}: removed"
    offset = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    if offset is None:
        return f"{name}: {len(before):,} bytes before, {len(after):,} after"
    return f"{name}: another byte at offset {offset:,} of {len(before):,}"
