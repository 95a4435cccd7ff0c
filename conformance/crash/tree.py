"""A tree: the files below a directory as plain data, to be written out, read back, compared and named by a digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

#: Path relative to the root -> content; a directory's path ends in "/" and its content is None.
Tree = Mapping[str, bytes | None]


def digest(tree: Tree) -> bytes:
    """Return a name for the content of a tree, the same for equal trees."""
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(tree):
        content = tree[path]
        head = b"D" if content is None else b"%d:" % len(content)
        told = _digest(content) if content is not None and len(content) >= _LARGE else content or b""
        found.update(os.fsencode(path) + b"\0" + head + told)
    return found.digest()


#: Bytes from which on the digest of a content is kept. Most of the trees of a trace share most of their contents: those
#: of a server have hundreds of files, of which a state changes a few.
_LARGE = 4096


@lru_cache(maxsize=1024)
def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


#: Bytes of the trees that a worker is given at once.
_AT_ONCE = 4 << 20


def at_once(tree: Tree, most: int) -> int:
    """Return how many trees that are as large as one a worker is given at once.

    A store with large files takes long to open, such as one in a server: a worker that has many of them at hand is
    busy when the others are done, and when the time is over.
    """
    return max(1, min(most, _AT_ONCE // (1 + sum(len(content or b"") for content in tree.values()))))


def write_tree(tree: Tree, folder: str | Path) -> None:
    """Make `folder`, which must not exist, with the files of a tree in it."""
    folder = os.fspath(folder)
    os.mkdir(folder)
    for path in sorted(tree):
        content = tree[path]
        if content is None:
            os.makedirs(f"{folder}/{path}", exist_ok=True)
            continue
        # os.open, because a crash state is written thousands of times and the file objects of open() cost twice as much
        descriptor = os.open(f"{folder}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)


def read_tree(folder: str | Path) -> dict[str, bytes | None]:
    """Return the files below `folder`; what is neither a file nor a directory is left out."""
    folder = os.fspath(folder)
    found: dict[str, bytes | None] = {}
    for parent, directories, files in os.walk(folder):
        base = os.path.relpath(parent, folder)
        prefix = "" if base == "." else f"{base}/"
        for name in directories:
            found[f"{prefix}{name}/"] = None
        for name in files:
            path = os.path.join(parent, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[prefix + name] = file.read()
    return found
