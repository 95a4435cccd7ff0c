"""A line about long work on the terminal, which is gone again when the work ends."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TextIO

#: Seconds between two updates. Work that ends sooner shows nothing.
EVERY_S = 0.1

# pytest is in the middle of a line: it has printed letters, or the name of a check, and will go on there. Where in the
# line it stands is its own business, so it is not asked and not repeated. The text stands on the line below, and the
# terminal itself puts the cursor back. At the bottom of the screen there is no line below: IND makes one, by scrolling,
# and RI comes back up in the same column, before the place is saved. All of this the VT100 could do in 1978.
_MAKE_LINE_BELOW = "\x1bD\x1bM"
_SAVE, _RESTORE = "\x1b7", "\x1b8"
_TO_LINE_BELOW = "\x1bD\r"
_CLEAR_LINE = "\x1b[K"
#: From the cursor on there is nothing of pytest's.
_CLEAR_BELOW = "\x1b[J"


class TransientLine:
    """Shows the newest of many texts.

    Args:
        file: The terminal.
        columns: How wide it is now.
        clock: Returns seconds.
    """

    def __init__(
        self,
        file: TextIO,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._columns = columns
        self._clock = clock
        self._last = clock()
        self._shown = False

    def begin(self) -> None:
        """Say that work begins."""
        self._last = self._clock()

    def show(self, text: str) -> None:
        """Show a text, unless another was shown just now."""
        now = self._clock()
        if now - self._last < EVERY_S:
            return
        self._last = now
        # One column stays free: a full line makes some terminals go on to the next.
        line = "  " + "".join(char if char.isprintable() else "?" for char in text)
        line = line[: max(0, self._columns() - 1)]
        self._write(f"{_MAKE_LINE_BELOW}{_SAVE}{_TO_LINE_BELOW}{line}{_CLEAR_LINE}{_RESTORE}")
        self._shown = True

    def erase(self) -> None:
        """Take the line away."""
        if self._shown:
            self._shown = False
            self._write(_CLEAR_BELOW)

    def close(self) -> None:
        """Let the terminal's file go."""
        self.erase()
        self._file.close()

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):  # the terminal is gone, or can't show a letter: nobody misses a progress line
            self._shown = False


def transient_line(stream: TextIO, environ: Mapping[str, str]) -> TransientLine | None:
    """Return a line on the terminal that `stream` writes to; None where it is none, or a simple one.

    The terminal gets a file of its own, so that what a check's call prints can be captured meanwhile, as always.
    """
    if environ.get("CI") or environ.get("TERM", "dumb") == "dumb":
        return None
    try:
        if not stream.isatty():
            return None
        return TransientLine(open(os.dup(stream.fileno()), "w", encoding=stream.encoding or "ascii", errors="replace"))
    except (OSError, ValueError):
        return None
