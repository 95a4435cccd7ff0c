r"""Reading the log of strace(1), as `strace -f -y -xx` writes it: one system call on a line, all text in hexadecimal.

    123 openat(AT_FDCWD</tmp>, "\x61", O_RDWR|O_CREAT, 0600) = 3</tmp/a>
    123 write(3</tmp/a>, "\x62"..., 9 <unfinished ...>
    124 mkdir("\x63", 0777) = -1 EEXIST (File exists)
    123 <... write resumed>) = 9

(Within the angle brackets the paths are in hexadecimal too.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)(.*)", re.DOTALL)
_UNFINISHED = re.compile(r"(\d+) +(\w+)\((.*) ?<unfinished \.\.\.>", re.DOTALL)
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2}|[^<>\\])*)>)?")

# Text is skipped as a whole: a page of a file is 16,000 letters.
_SEPARATOR = re.compile(r'[\[\]{}(),]|"[^"]*"')


@dataclass(frozen=True)
class Line:
    """A system call that has returned, or that has not yet.

    Args:
        tid: The thread.
        name: Of the call.
        arguments: As they are written.
        result: What it returned; None when it failed, never returned, or has not yet.
        failed: It returned an error.
        begun: It has not returned yet; another line will follow when it has.
    """

    tid: int
    name: str
    arguments: tuple[str, ...]
    result: int | None = None
    failed: bool = False
    begun: bool = False

    def argument(self, index: int) -> str:
        """Return an argument, an empty one if there is none."""
        return self.arguments[index] if index < len(self.arguments) else ""

    def number(self, index: int) -> int:
        """Return an argument that is a number."""
        return int(self.arguments[index], 0)

    def descriptor(self, index: int) -> int:
        """Return an argument that is a descriptor; -100 for AT_FDCWD."""
        found = _DESCRIPTOR.match(self.arguments[index])
        return -100 if not found or found[1] == "AT_FDCWD" else int(found[1])

    def texts(self, index: int) -> tuple[bytes, bool]:
        """Return all text in an argument, joined, and whether it is all that there was."""
        found = list(_TEXT.finditer(self.arguments[index]))
        return b"".join(_decoded(part[1]) for part in found), not any(part[2] for part in found)


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def read_lines(log: Iterable[str]) -> Iterator[Line]:
    """Give the calls in the order in which they returned; those in two parts also when they began."""
    begun: dict[int, str] = {}
    for text in log:
        line = text.rstrip("\n")
        if found := _UNFINISHED.fullmatch(line):
            begun[int(found[1])] = f"{found[1]} {found[2]}({found[3]}"
            yield Line(int(found[1]), found[2], tuple(_split(found[3])), begun=True)
            continue
        if found := _RESUMED.fullmatch(line):
            line = begun.pop(int(found[1]), f"{found[1]} {found[2]}(") + found[3]
        if found := _CALL.fullmatch(line):
            failed = found[4] == "-1"
            result = None if failed or found[4] == "?" else int(found[4], 0)
            yield Line(int(found[1]), found[2], tuple(_split(found[3])), result, failed)


def _split(arguments: str) -> Iterator[str]:
    """Cut at the commas that are not inside of brackets or of text."""
    depth = start = 0
    for found in _SEPARATOR.finditer(arguments):
        letter = found[0]
        if letter in "[{(":
            depth += 1
        elif letter in "]})":
            depth -= 1
        elif letter == "," and depth == 0:
            yield arguments[start : found.start()].strip()
            start = found.end()
    if arguments[start:].strip():
        yield arguments[start:].strip()
