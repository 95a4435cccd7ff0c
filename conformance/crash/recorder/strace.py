"""The `strace` recorder: the child is traced by strace(1), and the log is read when it has ended.

It is for where seccomp has no listener to give: under another one, in gVisor, on other processors. It sees C
extensions and subprocesses, and not: stores to memory maps, writes of more than a megabyte, files that come from
outside, exchanges of names. It can put no fault on a call: strace has ways to, but none to write a half, and none that
begins at a mark.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from conformance.crash.fault import Fault
from conformance.crash.recorder import child as children
from conformance.crash.recorder.child import Child, Ended
from conformance.crash.recorder.ledger import Ledger
from conformance.crash.recorder.recording import Recording, Unable, Workload
from conformance.crash.recorder.strace_calls import TRACED, Calls
from conformance.crash.recorder.strace_lines import read_lines
from conformance.crash.tree import read_tree

#: strace prepares so much memory for each text that it writes, so that more makes all of it slow.
_TEXT_LENGTH_MAX = 1 << 20
_ATTACH_LIMIT_S = 10.0
_POLL_S = 0.002
_PR_SET_PTRACER = 0x59616D61  # linux/prctl.h; "Yama", which otherwise lets only ancestors trace
_PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


def record(workload: Workload, root: str, *, fault: Fault | None, timeout_s: float) -> Recording:
    """Record with strace; see `conformance.crash.recorder.record`.

    Raises:
        Unable: It doesn't work here, or a fault was asked for.
    """
    program = shutil.which("strace")
    if program is None or sys.platform != "linux":
        raise Unable("strace: there is no such program")
    if fault is not None:
        raise Unable("strace: it can't put a fault on a call")
    ledger, folder = Ledger(root), os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        wait_at, go = os.pipe()
        child = children.start(lambda: _body(workload, wait_at, go))
        os.close(wait_at)
        with child.result:
            try:
                tracer = _attached(program, child, scratch)
            finally:
                os.close(go)  # now it starts
            ended = _waited(child, timeout_s)
            tracer.wait()
        calls = Calls(ledger, child.pid, folder)
        with open(f"{scratch}/log", encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in read_lines(lines):
                calls.take(line)
    return Recording(
        trace=ledger.trace(),
        real=read_tree(ledger.root),
        ended=ended.how,
        detail=ended.detail,
        returned=ended.returned,
        recorder="strace",
        unseen=ledger.unseen,
        calls=calls.count,
    )


def _body(workload: Workload, wait_at: int, go: int) -> Any:
    os.close(go)
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _PR_SET_PTRACER_ANY, 0, 0, 0)
    os.read(wait_at, 1)  # until it is closed over there
    os.close(wait_at)
    return workload(children.mark)


def _attached(program: str, child: Child, scratch: str) -> subprocess.Popen[bytes]:
    """Start strace, and return when it has hold of the child."""
    command = [program, "-f", "-y", "-xx", "-s", str(_TEXT_LENGTH_MAX), "-o", f"{scratch}/log"]
    command += ["-e", f"trace={TRACED}", "-e", "signal=none", "-p", str(child.pid)]
    # It speaks up for each thread that comes and goes: into a file, since it would die of a pipe that nobody reads.
    with open(f"{scratch}/said", "w+b") as said:
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        deadline = time.monotonic() + _ATTACH_LIMIT_S
        while tracer.poll() is None and time.monotonic() < deadline:
            if b"attached" in Path(said.name).read_bytes():
                return tracer
            time.sleep(_POLL_S)
        tracer.kill()
        tracer.wait()
        child.kill()
        os.waitpid(child.pid, 0)
        why = " ".join(Path(said.name).read_text(errors="replace").split())
    raise Unable(f"strace: {why or 'it ended at once'}")


def _waited(child: Child, timeout_s: float) -> Ended:
    try:
        status = child.wait(timeout_s)
    finally:
        child.kill()
    if status is not None:
        return child.ended(status)
    os.waitpid(child.pid, 0)
    return Ended("hung", f"no end after {timeout_s:g} s")
