"""The process that carries out a workload: started by fork, cut off from ours, its result handed back in a file."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

#: A word of the workload is written to this descriptor, which can't be open. Recorders see the call; nothing else does.
MARK_DESCRIPTOR = 0x6D61726B
_DETAIL_LENGTH_MAX = 2000
_POLL_S = 0.002


def mark(text: str) -> None:
    """Say a word that a recorder of system calls takes down, in order with the calls before and after it."""
    with suppress(OSError):  # EBADF, where the recorder has seen it and answers nothing
        os.write(MARK_DESCRIPTOR, text.encode())


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Args:
        how: `returned`, `raised` or `died`.
        detail: What it raised, or what it died of.
        returned: What its body returned.
    """

    how: str
    detail: str = ""
    returned: Any = None


@dataclass(frozen=True)
class Child:
    """A process that was started by `start`.

    Args:
        pid: Of it, and of its session.
        result: The file that its result comes in; it has no name.
    """

    pid: int
    result: IO[bytes]

    def kill(self) -> None:
        """Kill it, and what it started that has not left its session."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group that has only zombies
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout_s: float) -> int | None:
        """Wait until it ends, and return its status as waitpid(2) gives it; None if it doesn't in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
            if time.monotonic() > deadline:
                return None
            # macOS has no pidfd, and a SIGCHLD handler belongs to the whole process, which is not ours.
            time.sleep(_POLL_S)

    def ended(self, status: int) -> Ended:
        """Tell how it ended.

        Args:
            status: As waitpid(2) gave it.
        """
        self.result.seek(0)
        if os.WIFSIGNALED(status):
            return Ended("died", signal.Signals(os.WTERMSIG(status)).name)
        try:
            how, value = pickle.load(self.result)
        except EOFError:
            return Ended("died", f"exit status {os.WEXITSTATUS(status)}")
        except Exception as error:  # noqa: BLE001 (unpickling runs code of whoever wrote the class)
            return Ended("raised", f"its result can't be unpickled: {error}")
        return Ended("returned", returned=value) if how == "returned" else Ended("raised", value)


def start(body: Callable[[], Any]) -> Child:
    """Fork a child that carries out `body` and ends.

    It has a session of its own, no terminal and no output. It never returns, and flushes nothing of ours.

    Args:
        body: Its result must be picklable.
    """
    result = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this function)
    pid = os.fork()
    if pid:
        return Child(pid, result)
    try:
        _detach()
        outcome = _outcome(body)
        view = memoryview(outcome)
        while view:
            view = view[os.write(result.fileno(), view) :]
    finally:
        os._exit(0)


def _detach() -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    # What captures our output may have put objects of its own there, with files that are shared with us.
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _outcome(body: Callable[[], Any]) -> bytes:
    try:
        returned = body()
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is told)
        return _raised(error)
    try:
        return pickle.dumps(("returned", returned))
    except Exception as error:  # noqa: BLE001 (pickling runs code of the result)
        return _raised(TypeError(f"the result of the workload can't be pickled: {error}"))


def _raised(error: BaseException) -> bytes:
    return pickle.dumps(("raised", f"{type(error).__name__}: {error}"[:_DETAIL_LENGTH_MAX]))
