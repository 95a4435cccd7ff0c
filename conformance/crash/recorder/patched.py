"""The `python` recorder: in the child, open() and the functions of `os` are replaced by some that take notes.

It works wherever there is fork(2), and sees what Python code does by itself. The system calls of C extensions (sqlite3
among them), stores to memory maps and what subprocesses do remain unseen.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any

from conformance.crash.fault import Fault
from conformance.crash.recorder import child as children
from conformance.crash.recorder.actions import Actions
from conformance.crash.recorder.child import Ended
from conformance.crash.recorder.faults import Faults, Killed
from conformance.crash.recorder.ledger import Ledger
from conformance.crash.recorder.opening import opening
from conformance.crash.recorder.patches import patches
from conformance.crash.recorder.recording import Recording, Unable, Workload
from conformance.crash.trace import Operation
from conformance.crash.tree import read_tree

UNSEEN = ("the system calls of C extensions", "stores to memory maps", "what subprocesses do")

Function = Callable[..., Any]


def record(workload: Workload, root: str, *, fault: Fault | None, timeout_s: float) -> Recording:
    """Record with patched functions; see `conformance.crash.recorder.record`.

    Raises:
        Unable: There is no fork(2) here.
    """
    if not hasattr(os, "fork"):
        raise Unable("python: this platform can't fork")
    ledger = Ledger(root)
    with tempfile.TemporaryFile() as journal:
        child = children.start(lambda: _body(workload, ledger, Faults(fault), journal))
        with child.result:
            try:
                status = child.wait(timeout_s)
            finally:
                child.kill()
            if status is None:
                os.waitpid(child.pid, 0)
                ended = Ended("hung", f"no end after {timeout_s:g} s")
            else:
                ended = child.ended(status)
        notes = _read(journal, ledger)
    if notes.killed:
        ended = Ended("died", "SIGKILL (the fault)")
    return Recording(
        trace=ledger.trace(),
        real=read_tree(ledger.root),
        ended=ended.how,
        detail=ended.detail,
        returned=ended.returned,
        recorder="python",
        unseen=(*UNSEEN, *notes.unseen),
        fired=notes.fired,
        counts=notes.counts,
        calls=notes.calls,
    )


class Notes:
    """What the child says after each call, so that it is known even if the next one kills it."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.unseen: tuple[str, ...] = ()
        self.fired = self.calls = 0
        self.counts: dict[str, int] = {}
        self.killed = False


def _read(journal: IO[bytes], ledger: Ledger) -> Notes:
    """Enter what was noted into the ledger, and return the last note."""
    last = Notes()
    journal.seek(0)
    while True:
        try:
            last = pickle.load(journal)
        except (EOFError, pickle.UnpicklingError):  # the second one: killed in the middle of a note
            return last
        for operation in last.operations:
            ledger.log(operation)


def _body(workload: Workload, ledger: Ledger, faults: Faults, journal: IO[bytes]) -> Any:
    recorder = Recorder(Actions(ledger, faults), journal)
    replacements = {original: recorder.wrap(original, new) for original, new in patches(recorder.actions)}
    _replace_everywhere({**replacements, io.open: opening(recorder.actions)})
    return workload(recorder.wrap(recorder.actions.mark, recorder.actions.mark))


class Recorder:
    """Lets one call through at a time, so that the order of the notes is that of the calls."""

    def __init__(self, actions: Actions, journal: IO[bytes]) -> None:
        self.actions = actions
        self._write = os.write  # before it is replaced
        self._journal = journal.fileno()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._calls = 0

    def wrap(self, original: Function, new: Function) -> Function:
        """Return what is called in place of `original`: `new`, or `original` where we are the caller."""

        def patched(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._local, "inside", False):
                return original(*args, **kwargs)
            with self._lock:
                self._local.inside = True
                self._calls += 1
                killed = False
                try:
                    return new(*args, **kwargs)
                except Killed:
                    killed = True
                finally:
                    self._note(killed=killed)
                    self._local.inside = False
                os.kill(os.getpid(), signal.SIGKILL)
                return None

        patched.__name__ = getattr(original, "__name__", "patched")
        return patched

    def _note(self, *, killed: bool) -> None:
        ledger, faults = self.actions.ledger, self.actions.faults
        notes = Notes()
        notes.operations, ledger.operations = ledger.operations, []
        notes.unseen, notes.fired, notes.counts = ledger.unseen, faults.fired, dict(faults.counts)
        notes.calls, notes.killed = self._calls, killed
        self._write(self._journal, pickle.dumps(notes))


def _replace_everywhere(functions: dict[Function, Function]) -> None:
    """Replace functions in all modules; some have taken them out of `os` by name."""
    spaces: list[Any] = [module for module in tuple(sys.modules.values()) if module is not None]
    # Until Python 3.10 pathlib keeps them in a class.
    accessor = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
    for space in [*spaces, *([accessor] if accessor else [])]:
        for name, value in tuple(vars(space).items()):
            try:
                new = functions.get(value)
            except TypeError:
                continue  # not hashable, so not a function
            if new is not None:
                setattr(space, name, staticmethod(new) if space is accessor else new)
    shutil: Any = sys.modules.get("shutil")
    # Ways to copy that pass by open() and os.write(); without them shutil uses these.
    for name in ("_HAS_FCOPYFILE", "_USE_CP_SENDFILE", "_USE_CP_COPY_FILE_RANGE"):
        if hasattr(shutil, name):
            setattr(shutil, name, False)
