"""What a recorder gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.crash.trace import Trace
from conformance.crash.tree import Tree

#: What a workload calls to put a word of its own into the trace.
Mark = Callable[[str], None]
#: Carried out in a child process; its result must be picklable.
Workload = Callable[[Mark], Any]


class Unable(Exception):
    """A recorder doesn't work here, or can't do what was asked of it; the message says why."""


@dataclass(frozen=True)
class Recording:
    """A workload that was carried out, and what was seen of it.

    Args:
        trace: What was asked of the disk.
        real: The recorded directory as it really was afterwards.
        ended: `returned`, `raised`, `died` or `hung`.
        detail: The exception, the signal or the limit, where it did not return.
        returned: What the workload returned; None where it did not.
        recorder: The name of the recorder.
        unseen: What this recorder could not see of this workload, each in a phrase; empty where nothing is missing.
        fired: How often the fault went off.
        counts: How many calls of each class there were between `armed` and `disarmed`; None from a recorder that can't
            put a fault on them.
        calls: How many system calls were looked at.
    """

    trace: Trace
    real: Tree
    ended: str
    detail: str = ""
    returned: Any = None
    recorder: str = ""
    unseen: tuple[str, ...] = ()
    fired: int = 0
    counts: Mapping[str, int] | None = None
    calls: int = 0
