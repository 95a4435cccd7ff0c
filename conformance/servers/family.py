"""Looking at processes: what a server has started, who is in a folder, and whether somebody is gone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from conformance.servers.server import StartError

#: Seconds that processes which were killed have to vanish.
GONE_S = 10.0
#: Seconds between two looks.
_LOOK_S = 0.01


def await_nobody_in(folder: Path, program: str) -> None:
    """Wait until no server is in a data directory any more: one whose parent was killed just now may still be dying.

    Raises:
        StartError: One is there to stay.
    """
    end = time.monotonic() + GONE_S
    while holders := list(_holders(folder, program)):
        if time.monotonic() > end:
            raise StartError(f"{program} (process {holders[0]}) runs in {folder} already")
        time.sleep(_LOOK_S)


def _holders(folder: Path, program: str) -> Iterator[int]:
    here = os.stat(folder)
    for entry in os.scandir("/proc") if os.path.isdir("/proc/self") else ():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # gone already, or another user's
            there = os.stat(f"/proc/{entry.name}/cwd")
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                name = Path(f"/proc/{entry.name}/comm").read_text(encoding="utf-8", errors="replace").strip()
                if name == program[:15]:
                    yield int(entry.name)


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to processes; those that are gone do not matter."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and these have started."""
    found: list[int] = []
    with suppress(OSError):  # it is gone
        for child in _children(pid):
            found += [child, *descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    folder = f"/proc/{pid}/task"
    if os.path.exists(f"{folder}/{pid}/children"):
        found: list[int] = []
        for thread in os.listdir(folder):
            with suppress(FileNotFoundError):
                found += map(int, Path(folder, thread, "children").read_text(encoding="ascii").split())
        return found
    done = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False)
    pairs = (line.split() for line in done.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def await_end(pid: int) -> None:
    """Wait until a process that was killed, and that is not our child, is gone."""
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(GONE_S * 1000)
        finally:
            os.close(descriptor)
        return
    end = time.monotonic() + GONE_S
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(pid, 0)
            time.sleep(_LOOK_S)
