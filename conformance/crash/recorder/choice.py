"""Which recorder is used: the best one that passes a trial, in a child process that is thrown away afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.crash.recorder.recording import Mark, Recording, Unable
from conformance.crash.trace import Mark as Marked
from conformance.crash.trace import replayed

if TYPE_CHECKING:
    from conformance.crash.recorder.child import Ended

#: The module of each recorder, the best one first. They are imported when they are used, since they need fork(2).
RECORDERS = {
    "seccomp": "conformance.crash.recorder.supervise",
    "strace": "conformance.crash.recorder.strace",
    "python": "conformance.crash.recorder.patched",
}
_TRIAL_LIMIT_S = 10.0


@dataclass(frozen=True)
class Choice:
    """The best recorder that works here.

    Args:
        name: `seccomp`, `strace`, `python` or `none`.
        refused: For each better one, its name and why it doesn't work here, in a sentence.
    """

    name: str
    refused: tuple[str, ...] = ()


@cache
def choose() -> Choice:
    """Find out, once in a process, which recorder works here."""
    if not hasattr(os, "fork"):
        return Choice("none", ("No recorder works without fork(2), which this platform doesn't have.",))
    refused: list[str] = []
    for name in RECORDERS:
        reason = _reason_against(name)
        if not reason:
            return Choice(name, tuple(refused))
        refused.append(f"{reason}.")
    return Choice("none", tuple(refused))


def recorder(name: str) -> Callable[..., Recording]:
    """Return the function that records with the recorder of that name.

    Raises:
        ValueError: There is none.
    """
    if name not in RECORDERS:
        raise ValueError(f"using={name!r}: there is no such recorder. Valid names: {', '.join(RECORDERS)}.")
    found: Callable[..., Recording] = import_module(RECORDERS[name]).record
    return found


def _reason_against(name: str) -> str:
    """Try a recorder in a process of its own, and return why it can't be used; empty if it can."""
    if threading.active_count() > 1:
        # A fork of a process with threads may meet a lock that nobody will release.
        code = f"from conformance.crash.recorder.choice import trial\nprint(trial({name!r}))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        return done.stdout.strip() if not done.returncode else f"{name}: the trial failed: {done.stderr.strip()[-300:]}"
    from conformance.crash.recorder import child as children

    child = children.start(lambda: trial(name))
    with child.result:
        status = child.wait(2 * _TRIAL_LIMIT_S)
        child.kill()
        if status is None:
            os.waitpid(child.pid, 0)
            return f"{name}: the trial hung"
        ended: Ended = child.ended(status)
    return ended.returned if ended.how == "returned" else f"{name}: the trial {ended.how}: {ended.detail}"


def trial(name: str) -> str:
    """Record a small workload, and return what is wrong with the recorder; empty if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            recording = recorder(name)(lambda mark: _little(folder, mark), folder, fault=None, timeout_s=_TRIAL_LIMIT_S)
        except Unable as error:
            return str(error)
        except OSError as error:
            return f"{name}: {error}"
    if recording.ended != "returned":
        return f"{name}: a small workload {recording.ended}: {recording.detail}"
    if Marked("done") not in recording.trace.operations or replayed(recording.trace) != recording.real:
        missed = f", and can't see {', '.join(recording.unseen)}" if recording.unseen else ""
        return f"{name}: it missed something of a small workload{missed}"
    return ""


def _little(folder: str, mark: Mark) -> None:
    os.mkdir(f"{folder}/a")
    with open(f"{folder}/a/b", "xb", buffering=0) as file:
        file.write(b"one")
        file.write(b"two")
        os.fsync(file.fileno())
    Path(folder, "a", "b").rename(f"{folder}/c")
    mark("done")
