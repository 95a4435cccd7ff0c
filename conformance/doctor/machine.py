"""The machine: Python, forks, the recorder of system calls, processors, and the directory for temporary files."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from conformance.crash.recorder import choose
from conformance.doctor.finding import Finding
from conformance.workers.crew import quick_folder

#: Levels that are measured in processes that are forked, and those that need a recorder as well.
FORKED = ("power-loss", "prefix", "process-crash", "processes", "complete", "isolates", "detects")
RECORDED = ("power-loss", "prefix")
#: What a run at `thorough` may have on the disk at once, and what is written to see that a sync works.
_FREE_BYTES, _TRIED_BYTES = 1 << 30, 1 << 20
_FORK = """
import os, sys
child = os.fork()
if not child:
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 7)
"""
_LINUX = "run it on Linux, or in a container of it"


def machine_findings() -> Iterator[Finding]:
    """Give what was found of the machine."""
    yield Finding(
        "Python", "ok", f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"
    )
    forks = fork()
    yield forks
    if forks.state == "ok":
        yield recorder()
    yield processors()
    yield from directories()


def fork() -> Finding:
    """Return whether a process can be forked."""
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Finding("fork", "ok", "a child was forked and ended as it should")
    why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    so = "nothing is measured about power loss, kills, processes and damage"
    return Finding("fork", "missing", why, so, _LINUX, FORKED)


def recorder() -> Finding:
    """Return which recorder passes its trial."""
    choice = choose()
    refused = " ".join(choice.refused)
    if choice.name == "none":
        return Finding("recorder", "missing", refused, "power loss can't be measured", _LINUX, RECORDED)
    if not choice.refused:
        return Finding("recorder", "ok", f"{choice.name}: sees every call, and can make one fail")
    so = "what C extensions write is not seen: such stores end inconclusive"
    if choice.name == "strace":
        so = "it can make no call fail: checks about errors of the disk end inconclusive"
    return Finding(
        "recorder", "weak", f"{choice.name}, because {refused}", so, "allow ptrace and seccomp in the container"
    )


def processors() -> Finding:
    """Return how many processors this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count > 1:
        return Finding("processors", "ok", f"{count}: -n {count} uses them all")
    so = "processes and free threads meet less often, and a run takes longer"
    return Finding("processors", "weak", "1", so, "give it two or more")


def directories() -> Iterator[Finding]:
    """Give what was found of the directory that stores are opened in, and of the one in memory."""
    folder = Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            begin = time.perf_counter()
            file.write(bytes(_TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())
            took = time.perf_counter() - begin
    except OSError as error:
        yield Finding(
            "temporary files", "missing", f"{folder}: {error.strerror}", "no store can be opened", "set TMPDIR"
        )
        return
    kind, free = file_system(folder), shutil.disk_usage(folder).free
    speed = f"a MiB synced in {took * 1000:.1f} ms"
    found = f"{folder}: {kind or 'a file system without a name'}, {free / 2**30:,.1f} GiB free, {speed}"
    if free < _FREE_BYTES:
        yield Finding("temporary files", "weak", found, "a long run may fill it", "set TMPDIR, or --basetemp=DIR")
    elif kind == "tmpfs":
        so = "no conclusion changes, but benchmarks measure memory and no disk"
        yield Finding("temporary files", "weak", found, so, "benchmarks: --basetemp=DIR on a disk")
    else:
        yield Finding("temporary files", "ok", found)
    memory = quick_folder()
    if memory is not None:
        yield Finding("memory files", "ok", f"{memory}: {shutil.disk_usage(memory).free / 2**30:,.1f} GiB free")
    else:
        so = "crash states are written to the disk, which takes longer"
        yield Finding("memory files", "weak", "no memory that looks like a disk", so, "mount a large tmpfs at /dev/shm")


def file_system(folder: Path) -> str:
    """Return the kind of the file system that a directory is on; empty where the system does not tell."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kinds = {fields[1]: fields[2] for fields in map(str.split, mounts) if len(fields) > 2}
    for place in (folder.resolve(), *folder.resolve().parents):
        if str(place) in kinds:
            return kinds[str(place)]
    return ""
