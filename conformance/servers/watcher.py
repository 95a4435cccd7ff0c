"""A shell that cleans up behind this process, however it ends.

It reads from a pipe that only this process holds open: the pipe ends with it. PR_SET_PDEATHSIG would do without a
shell, but it is Linux alone, fires when the *thread* that forked ends, and reaches no paused child of a server.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

_living: dict[int, Watcher] = {}
#: Those of the parent that a forked child must leave alone, kept so that nobody misses their end.
_inherited: list[Watcher] = []


class Watcher:
    """A shell that runs a script, which reads a line when this process tells one, and the end of it all when it ends.

    Args:
        script: For /bin/sh; what it reads in the end is nothing.
        *arguments: Of the script: `"$1"` and so on.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", *arguments],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )
        #: The process that it watches over, if that is a child of this one.
        self.ward: subprocess.Popen[bytes] | None = None
        _living[id(self)] = self

    def tell(self, line: str) -> None:
        """Have the script read a line."""
        write(self._shell, f"{line}\n")

    def dismiss(self) -> None:
        """End it before it does anything; again is fine."""
        self._shell.kill()
        self._shell.wait()
        close(self._shell)
        _living.pop(id(self), None)

    def leave_alone(self) -> None:
        """Have nothing to do with it any more: this is a forked child, and the watcher is its parent's."""
        close(self._shell)  # or it would watch the child as well
        for process in filter(None, (self._shell, self.ward)):
            process.returncode = 0  # no child of this one: nobody may wait for it


def write(process: subprocess.Popen[bytes], text: str) -> None:
    """Write to a process; nothing happens when it is dead: whoever waits for it finds out."""
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.write(text.encode())
            process.stdin.flush()


def close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe to a process; again is fine."""
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _in_forked_child() -> None:
    for watcher in _living.values():
        watcher.leave_alone()
    _inherited.extend(_living.values())
    _living.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
