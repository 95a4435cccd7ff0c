"""Recorders: a workload is carried out in a child process, and what it asks of the disk is written down in order.

`seccomp` has every file system call of the child and of all it starts wait until it has been carried out by the
recorder. `strace` reads the log of strace(1), and can put no fault on a call. `python` replaces open() and the
functions of `os` in the child, so that it sees nothing of what C extensions do. Whichever it is, what is missing from a
trace shows when the trace, replayed, does not make the files that are really there.
"""

from __future__ import annotations

import os

from conformance.crash.fault import Fault
from conformance.crash.recorder.choice import Choice, choose, recorder
from conformance.crash.recorder.recording import Mark, Recording, Unable, Workload

__all__ = ["Choice", "Mark", "Recording", "Unable", "Workload", "choose", "record"]


def record(
    workload: Workload,
    root: str | os.PathLike[str],
    *,
    fault: Fault | None = None,
    timeout_s: float = 30.0,
    using: str = "",
) -> Recording:
    """Carry out a workload in a child process, and return what it asked of the files below `root`.

    The child is forked, so call this from a process with one thread. It has no terminal and no output, its session is
    its own, and what it starts is killed when it ends.

    Args:
        workload: Called in the child, with a function that puts a word of its own into the trace.
        root: An existing directory.
        fault: What goes wrong with the disk.
        timeout_s: A workload that is not done after so many seconds is killed.
        using: The name of a recorder; without one it is that of `choose`.

    Raises:
        Unable: No recorder works here, or this one doesn't, or it can't put this fault on a call.
        ValueError: There is no recorder of that name.
    """
    name, refused = (using, ()) if using else (choose().name, choose().refused)
    if name == "none":
        raise Unable(" ".join(("No recorder works here.", *refused)))
    return recorder(name)(workload, os.fspath(root), fault=fault, timeout_s=timeout_s)
