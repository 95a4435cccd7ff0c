"""A fault: the one thing that goes wrong with the disk while a workload runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: The classes of system calls that a fault can be put on. `create` makes a new name; `open` takes an existing one too.
CallClass = Literal["sync", "write", "create", "rename", "truncate", "open", "any"]
#: Counted apart: writes of at least two bytes, which can be short.
SHORT = "short write"
CALLS: tuple[CallClass, ...] = ("sync", "write", "create", "rename", "truncate", "open", "any")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Faults are only put on calls about files below the recorded directory, made between the marks `armed` and
    `disarmed` of the workload.

    Args:
        call: The class of calls that are counted.
        number: The fault is put on the call with this number, from 1 on.
        kind: `error` makes the call fail; `short` makes a write write only its first half (of at least two bytes);
            `kill` kills the process with SIGKILL before the call takes effect.
        error: The errno of an `error`.
        sticky: Every later call of the class, up to `disarmed`, goes wrong in the same way.
    """

    call: CallClass
    number: int
    kind: Literal["error", "short", "kill"] = "error"
    error: int = 0
    sticky: bool = False

    @property
    def counter(self) -> str:
        """What the number counts: calls of the class, or, for a short write, those that can be short."""
        return SHORT if self.kind == "short" else self.call
