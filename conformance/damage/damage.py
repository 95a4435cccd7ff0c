"""One damage to the files of a store, as data: so that it travels, is shown, and is done again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from conformance.crash.tree import Tree

#: What a checksum beside the data can show: `corruption="detects"` answers for it.
Detectable = Literal[
    "bit flipped",
    "byte changed",
    "cut short",
    "emptied",
    "block zeroed",
    "blocks swapped",
    "block written elsewhere",
    "block written twice",
    "junk appended",
    "zeros appended",
    "foreign file",
]
#: What needs a witness elsewhere, since every byte that is left is one that the store wrote: `complete` answers for it.
Replaced = Literal[
    "block of an older version",
    "file missing",
    "file twice in a row",
    "copy of a file",
    "another file's content",
    "older version of a file",
]
#: What was done, in words.
Operator = Detectable | Replaced

DETECTS: tuple[Operator, ...] = get_args(Detectable)
COMPLETE: tuple[Operator, ...] = get_args(Replaced)


class Splice(NamedTuple):
    """Bytes of a file that others stand in for.

    Args:
        offset: Of the first.
        length: How many are replaced.
        data: What stands there instead, shorter or longer.
    """

    offset: int
    length: int
    data: bytes


class Damage(NamedTuple):
    """What is done to one file.

    Args:
        operator: What it is called.
        file: Its path below the store's directory.
        splices: What is replaced, in the order of offsets and without overlap; of a file that is not there, all of it.
            None: the file is removed.
        note: More about it, in a few words: `the file as it was after call 3`.
    """

    operator: Operator
    file: str
    splices: tuple[Splice, ...] | None
    note: str = ""

    @property
    def offset(self) -> int:
        """Where it begins."""
        return self.splices[0].offset if self.splices else 0

    @property
    def length(self) -> int:
        """How many bytes were replaced, or stand there now; the larger of the two."""
        return sum(max(one.length, len(one.data)) for one in self.splices or ())


#: No damage at all.
INTACT = Damage("emptied", "", ())


def damaged(tree: Tree, damage: Damage) -> dict[str, bytes | None]:
    """Return the files with the damage done."""
    found = dict(tree)
    if damage.splices is None:
        del found[damage.file]
    elif damage.splices:
        found[damage.file] = spliced(tree.get(damage.file) or b"", damage.splices)
    return found


def spliced(content: bytes, splices: tuple[Splice, ...]) -> bytes:
    """Return content with bytes replaced."""
    parts, at = [], 0
    for one in splices:
        parts += [content[at : one.offset], one.data]
        at = one.offset + one.length
    return b"".join((*parts, content[at:]))


def files_of(tree: Tree) -> Mapping[str, bytes]:
    """Return the files of a tree that have any content: there is nothing in others that could be damaged."""
    return {path: content for path, content in sorted(tree.items()) if content}
