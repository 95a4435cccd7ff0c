"""A line on a terminal that tells how far a migration has come; nothing where nobody looks."""

from __future__ import annotations

import time
from typing import TextIO

_BAR = 24
_EVERY_S = 0.1


class ProgressLine:
    """One line that is written over and over.

    Args:
        stream: Where to; nothing is written unless it is a terminal.
        width: Of the terminal.
    """

    def __init__(self, stream: TextIO, width: int) -> None:
        self._stream = stream
        self._width = width
        self._is_shown = stream.isatty()
        self._last = ("", 0.0)

    def show(self, what: str, done: int, of: int) -> None:
        """Show what is done, with a bar where it is known of how many."""
        now = time.monotonic()
        if self._last[0] == what and now - self._last[1] < _EVERY_S and done < of:
            return
        self._last = (what, now)
        self._write(line(what, done, of))

    def erase(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._is_shown:
            self._stream.write("\r" + text[: self._width - 1].ljust(self._width - 1) + ("" if text else "\r"))
            self._stream.flush()


def line(what: str, done: int, of: int) -> str:
    """Return the text of the line."""
    if not of:
        return f"{what} ..."
    full = min(_BAR, _BAR * done // of)
    return f"{what:<14} [{'#' * full}{' ' * (_BAR - full)}] {done:,} of {of:,}"
