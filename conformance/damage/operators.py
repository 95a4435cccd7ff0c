"""Which damages there are to a store's files: what a disk, a controller, a file system or a person does to them.

Every byte below 4 KiB is a place for a flip; above, places are drawn from equal parts of the file; the first and the
last bytes are always among them, for there are headers and the records written last.

Sources: Bairavasundaram et al., An Analysis of Data Corruption in the Storage Stack, FAST 2008 (bit rot, lost and
misdirected writes); Ganesan et al., Redundancy Does Not Imply Fault Tolerance, FAST 2017 (blocks zeroed, and junk);
Alagappan et al., Protocol-Aware Recovery, FAST 2018 (a crash's tail and bit rot told apart).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, pairwise, zip_longest

from conformance.crash.tree import Tree
from conformance.damage.damage import Damage, Operator, Splice, files_of

#: Below this offset every byte is a place.
EVERY = 4_096
#: Above it, so many parts of a file with a place in each; and so many bytes at the end of it always.
_PARTS, _TAIL = 512, 64
#: What disks, and file systems, write as one.
BLOCKS = (512, 4_096)
#: Lengths to which a file is cut, beside those at the seams of blocks and calls.
_CUTS = 64
_JUNK = (1, 100, 4_096)

#: Gives the damages of an operator to a file.
Source = Callable[[str, bytes, Tree, random.Random], Iterator[Damage]]


def places(size: int, draw: random.Random) -> list[int]:
    """Return offsets in a file of a size, the telling ones first, without any twice."""
    head = list(range(min(size, 32)))
    tail = list(range(max(0, size - _TAIL), size))
    rest = list(range(min(size, EVERY)))
    draw.shuffle(rest)
    above = size - EVERY
    step = max(1, above // _PARTS)
    far = [EVERY + start + draw.randrange(min(step, above - start)) for start in range(0, max(0, above), step)]
    draw.shuffle(far)
    ends = [one for pair in zip_longest(reversed(tail), head) for one in pair if one is not None]
    mixed = [one for pair in zip_longest(rest, far) for one in pair if one is not None]
    # One of the ends, three from anywhere: a budget that is soon used up must not go into headers alone.
    return list(dict.fromkeys(chain(*(group for group in _mixed(ends, mixed)))))


def _mixed(few: Sequence[int], many: Sequence[int]) -> Iterator[Sequence[int]]:
    for number in range(max(len(few), -(-len(many) // 3))):
        yield [*few[number : number + 1], *many[3 * number : 3 * number + 3]]


def damages(
    tree: Tree, operators: Sequence[Operator], *, older: Sequence[tuple[str, Tree]] = (), seed: int = 0
) -> Iterator[Damage]:
    """Give damages by some operators to all files, the operators and files in turn.

    Args:
        tree: The sound files.
        operators: Which.
        older: Earlier states of the files, each with what it is called, newest first.
        seed: Places and values are drawn with it.
    """
    draw = random.Random(seed)
    files = files_of(tree)
    known: dict[Operator, Source] = {
        **_PLAIN,
        "block of an older version": lambda file, content, _, __: _older_blocks(file, content, older),
        "older version of a file": lambda file, content, _, __: _older_files(file, content, older),
    }
    sources = [known[operator](file, content, tree, draw) for operator in operators for file, content in files.items()]
    seen: set[Damage] = set()
    while sources:
        left = []
        for source in sources:
            one = next((each for each in source if each not in seen), None)
            if one is not None:
                seen.add(one)
                yield one
                left.append(source)
        sources = left


def _flips(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    for offset in places(len(content), draw):
        bit = draw.randrange(8)
        data = bytes([content[offset] ^ (1 << bit)])
        yield Damage("bit flipped", file, (Splice(offset, 1, data),), f"bit {bit}")


def _changes(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    for offset in places(len(content), draw):
        # What ends a text, a line or a number is what parsers trip over; any other byte is as likely on a disk.
        data = bytes([draw.choice((0, 0xFF, content[offset] ^ 0xFF, draw.randrange(256)))])
        if data != content[offset : offset + 1]:
            yield Damage("byte changed", file, (Splice(offset, 1, data),))


def _cuts(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    size = len(content)
    seams = [end for block in BLOCKS for end in range(block, size, block)][:_CUTS]
    lines = [at.end() for at in re.finditer(rb"\n", content)][-_CUTS:]
    some = [draw.randrange(1, size) for _ in range(_CUTS)] if size > 1 else []
    lengths = [size - 1, size // 2, *seams, *lines, *range(1, min(size, 9)), *some]
    for length in dict.fromkeys(one for one in lengths if 0 < one < size):
        yield Damage("cut short", file, (Splice(length, size - length, b""),), f"{size:,} -> {length:,} bytes")


def _emptied(file: str, content: bytes, _: Tree, __: random.Random) -> Iterator[Damage]:
    yield Damage("emptied", file, (Splice(0, len(content), b""),), f"{len(content):,} -> 0 bytes")


def _blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Give blocks of a file, the small ones and the large ones in turn; a file of less than one is one."""
    for block in BLOCKS:
        for start in range(0, len(content), block):
            yield start, content[start : start + block]


def _zeroed(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    blocks = list(_blocks(content))
    draw.shuffle(blocks)
    for start, data in blocks:
        if any(data):
            yield Damage("block zeroed", file, (Splice(start, len(data), bytes(len(data))),))


def _pairs(content: bytes, draw: random.Random) -> Iterator[tuple[int, int, int]]:
    """Give pairs of different whole blocks: the two offsets, the smaller first, and the length."""
    for block in BLOCKS:
        starts = list(range(0, len(content) - block + 1, block))
        pairs = list(pairwise(starts))
        pairs += [(min(two), max(two)) for _ in starts if len(two := draw.sample(starts, min(2, len(starts)))) == 2]
        draw.shuffle(pairs)
        for one, other in dict.fromkeys(pairs):
            if content[one : one + block] != content[other : other + block]:
                yield one, other, block


def _swapped(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    for one, other, block in _pairs(content, draw):
        first, second = content[one : one + block], content[other : other + block]
        yield Damage("blocks swapped", file, (Splice(one, block, second), Splice(other, block, first)))


def _twice(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    for one, other, block in _pairs(content, draw):
        yield Damage("block written twice", file, (Splice(other, block, content[one : one + block]),), f"that at {one}")


def _elsewhere(file: str, content: bytes, tree: Tree, draw: random.Random) -> Iterator[Damage]:
    """Give blocks that were meant for another file, or another place, and came down here."""
    others = [(name, other) for name, other in files_of(tree).items() if name != file] or [(file, content)]
    blocks = list(_blocks(content))
    draw.shuffle(blocks)
    for start, data in blocks:
        name, other = draw.choice(others)
        at = draw.randrange(0, max(1, len(other) - len(data) + 1))
        meant = other[at : at + len(data)]
        if meant != data[: len(meant)]:
            yield Damage(
                "block written elsewhere", file, (Splice(start, len(meant), meant),), f"that of {name} at {at}"
            )


def _older_blocks(file: str, content: bytes, older: Sequence[tuple[str, Tree]]) -> Iterator[Damage]:
    """Give blocks as they once were: a write that was acknowledged by the disk, and never done."""
    seen: set[tuple[int, bytes]] = set()
    for name, tree in older:
        before = tree.get(file) or b""
        for start, data in _blocks(before):
            now = content[start : start + len(data)]
            if len(now) == len(data) and now != data and (start, data) not in seen and any(data):
                seen.add((start, data))
                yield Damage("block of an older version", file, (Splice(start, len(data), data),), f"as {name}")


def _older_files(file: str, content: bytes, older: Sequence[tuple[str, Tree]]) -> Iterator[Damage]:
    seen = {content}
    for name, tree in older:
        before = tree.get(file)
        if before and before not in seen:
            seen.add(before)
            yield Damage("older version of a file", file, (Splice(0, len(content), before),), f"as {name}")


def _junk(file: str, content: bytes, _: Tree, draw: random.Random) -> Iterator[Damage]:
    for count in _JUNK:
        yield Damage("junk appended", file, (Splice(len(content), 0, draw.randbytes(count)),), f"{count:,} bytes")


def _zeros(file: str, content: bytes, _: Tree, __: random.Random) -> Iterator[Damage]:
    for count in _JUNK:
        yield Damage("zeros appended", file, (Splice(len(content), 0, bytes(count)),), f"{count:,} bytes")


def _missing(file: str, _: bytes, __: Tree, ___: random.Random) -> Iterator[Damage]:
    yield Damage("file missing", file, None)


def _twice_in_a_row(file: str, content: bytes, _: Tree, __: random.Random) -> Iterator[Damage]:
    yield Damage("file twice in a row", file, (Splice(len(content), 0, content),))


def _copied(file: str, content: bytes, tree: Tree, _: random.Random) -> Iterator[Damage]:
    """Give copies under names like those of the store: the next number, if there is one in the name."""
    folder, slash, name = file.rpartition("/")
    number = re.search(r"\d+(?!.*\d)", name)
    following = f"{int(number[0]) + 1:0{len(number[0])}}" if number else ""
    names = [name[: number.start()] + following + name[number.end() :]] if number else []
    for copy in (*names, f"copy-{name}", f"{name}.1"):
        path = f"{folder}{slash}{copy}"
        if path not in tree:
            yield Damage("copy of a file", path, (Splice(0, 0, content),), f"of {file}")


def _exchanged(file: str, content: bytes, tree: Tree, _: random.Random) -> Iterator[Damage]:
    for other, there in files_of(tree).items():
        if there != content:
            yield Damage("another file's content", file, (Splice(0, len(content), there),), f"that of {other}")


def _foreign(file: str, _: bytes, tree: Tree, draw: random.Random) -> Iterator[Damage]:
    """Give files that somebody else left beside the store's."""
    folder, slash, name = file.rpartition("/")
    if file != next(path for path in files_of(tree) if path.rpartition("/")[0] == folder):
        return  # one of a folder's files is enough to know what they are called
    suffix = "." + name.rpartition(".")[2] if "." in name else ""
    for one, data in ((f"lost+found{suffix}", draw.randbytes(100)), (f"notes{suffix}", b"remember the milk\n")):
        path = f"{folder}{slash}{one}"
        if path not in tree:
            yield Damage("foreign file", path, (Splice(0, 0, data),))


_PLAIN: Mapping[Operator, Source] = {
    "bit flipped": _flips,
    "byte changed": _changes,
    "cut short": _cuts,
    "emptied": _emptied,
    "block zeroed": _zeroed,
    "blocks swapped": _swapped,
    "block written elsewhere": _elsewhere,
    "block written twice": _twice,
    "junk appended": _junk,
    "zeros appended": _zeros,
    "foreign file": _foreign,
    "file missing": _missing,
    "file twice in a row": _twice_in_a_row,
    "copy of a file": _copied,
    "another file's content": _exchanged,
}
