"""Who hangs, when a process does: told from its stacks, which it writes itself, even when no thread of it can run."""

from __future__ import annotations

import faulthandler
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.frames import is_of_store, shown_path

_KIT = str(Path(__file__).parents[1])
_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')


@contextmanager
def stacks_after(seconds: float, file: Path) -> Iterator[None]:
    """Write the stacks of all threads to a file if the context has not ended after so long.

    Args:
        seconds: More than none.
        file: Where to; it is there from the beginning.
    """
    with file.open("w") as stacks:
        faulthandler.dump_traceback_later(seconds, file=stacks)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def culprit(stacks: str) -> str:
    """Return `file:line in function` of the store's code that never came back; empty if it is the kit that hangs.

    Args:
        stacks: As the file has them: the innermost call first, thread after thread.
    """
    for thread in stacks.split("\n\n"):
        # Where Python itself waits, it is on behalf of who called; a worker that waits for its turn is in the kit.
        ours = ((file, line, name) for file, line, name in _FRAME.findall(thread) if _is_of_someone(file))
        file, line, name = next(ours, ("", "", ""))
        if file and is_of_store(file):
            return f"{shown_path(file)}:{line} in {name}"
    return ""


def _is_of_someone(file: str) -> bool:
    return file.startswith(_KIT) or is_of_store(file)
