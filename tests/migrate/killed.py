"""Runs `conformance migrate` and kills itself, with SIGKILL, at the n-th step: before or after a write, or at a file.

Usage: python killed.py N FILE ARGUMENTS; N=0 kills nothing. The number of steps is written to FILE in the end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from conformance.cli import main
from conformance.migrate.side import Opened

WRITES = {"__setitem__", "set", "append", "checkpoint", "compact", "save_run", "save_job"}
FILES = {"os.rename", "os.remove", "shutil.copyfile", "os.mkdir"}


def count_steps(at: int) -> list[int]:
    """Have this process kill itself at a step, and return the list that the number of steps is in."""
    steps = [0]

    def step() -> None:
        steps[0] += 1
        if steps[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    call, each = Opened.call, Opened.each

    def counted(self: Opened, verb: str, *args: Any, **kwargs: Any) -> Any:
        if verb not in WRITES:
            return call(self, verb, *args, **kwargs)
        step()
        result = call(self, verb, *args, **kwargs)
        step()
        return result

    def counted_each(self: Opened, pick: Any, verb: str, *args: Any, **kwargs: Any) -> Any:
        if verb == "append_batch":
            step()
        result = each(self, pick, verb, *args, **kwargs)
        if verb == "append_batch":
            step()
        return result

    Opened.call, Opened.each = counted, counted_each  # type: ignore[method-assign]
    sys.addaudithook(lambda event, _: step() if event in FILES else None)
    return steps


if __name__ == "__main__":
    number, told, *arguments = sys.argv[1:]
    counted_steps = count_steps(int(number))
    code = main(arguments)
    # No hook must see what is written now.
    Path(told).write_text(f"{counted_steps[0]}", encoding="utf-8")
    sys.exit(code)
