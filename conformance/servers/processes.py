"""A server's process: started so that it can't outlive this one, stopped gently or killed, with all it has started.

Each server has a watcher: a shell that reads from a pipe that only this process holds open. However this process ends,
the pipe ends with it, and the watcher kills the server and removes its folder. PR_SET_PDEATHSIG would do with one
process less, but it is Linux alone, fires when the *thread* that forked ends, and reaches no paused child of a server.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.servers import folders
from conformance.servers.server import StartError
from conformance.servers.users import User, visible

#: Seconds between two looks whether a server is ready: at first, and at most.
_LOOK_S, _LOOK_S_MAX = 0.001, 0.02
#: Seconds that a server has to end in good order, and that killed processes have to vanish.
STOP_S = 10.0

#: Becomes the server when the watcher knows of it; ends when this process is gone before.
_SERVER = 'read -r _ && exec "$@" </dev/null'
#: Reads the server's number, waits for the end of this process, and removes what both leave.
_WATCHER = """
if read -r pid; then
    read -r _
    read -r children <"/proc/$pid/task/$pid/children"
    kill -KILL "$pid" $children
fi
rm -rf -- "$@"
"""

_living: dict[int, Process] = {}
#: Processes of the parent that a forked child must leave alone, kept so that nobody misses their end.
_inherited: list[Process] = []


@dataclass(frozen=True)
class Launch:
    """All that is needed to start a server, also again.

    Args:
        command: Makes its command line from the path by which its user gets to the folder.
        folder: Its data directory, and, unless it is another user's, its working directory.
        run: Its private folder; removed in the end.
        log: The file that takes what it prints.
        user: Whom it runs as; None for the user of this process.
        leave: The signal that ends it in good order.
        environment: Of the server.
    """

    command: Callable[[str], Sequence[str]]
    folder: Path
    run: Path
    log: Path
    user: User | None
    leave: signal.Signals
    environment: Mapping[str, str]


class Process:
    """A server's process and its watcher; call `stop` or `kill` in the end."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, "sh", str(launch.run), *map(str, folders.made_here())],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with open(launch.log, "ab") as log, visible(launch.folder, launch.user) as (folder, descriptors):
                self._server = subprocess.Popen[bytes](
                    ["/bin/sh", "-c", _SERVER, "sh", *launch.command(folder)],
                    cwd=launch.folder if launch.user is None else "/",
                    pass_fds=descriptors,
                    env=launch.environment,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for this process, which then stops the server
                    **as_user(launch.user),
                )
        except BaseException:
            self._dismiss_watcher()
            raise
        _living[id(self)] = self
        _write(self._watcher, f"{self.pid}\n")
        _write(self._server, "\n")
        _close(self._server)

    @property
    def pid(self) -> int:
        """The number of the server's process."""
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._server.poll() is None

    @property
    def log(self) -> str:
        """What the server has printed."""
        try:
            return self.launch.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def wait_until(self, obstacle: Callable[[], str], timeout_s: float) -> None:
        """Wait until there is no obstacle.

        Raises:
            StartError: The server ended, or the time is over.
        """
        end, pause = time.monotonic() + timeout_s, _LOOK_S
        while what := obstacle():
            if not self.alive:
                raise StartError(f"it ended at once with {_ending(self._server.returncode)}", self.log)
            if time.monotonic() > end:
                raise StartError(f"it was not ready within {timeout_s:g} s: {what}", self.log)
            time.sleep(pause)
            pause = min(2 * pause, _LOOK_S_MAX)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server, and then to all processes that it has started."""
        if self.alive:
            _send([self.pid], number)
            _send(_descendants(self.pid), number)

    def kill(self) -> None:
        """Kill the server with all it has started, at once, and wait until they are gone; its folder stays."""
        if self.alive:
            _send([self.pid], signal.SIGSTOP)  # so that it starts no other, and sees nothing of what follows
            others = _descendants(self.pid)
            _send(others, signal.SIGKILL)
            late = [pid for pid in _descendants(self.pid) if pid not in others]  # started before it had stopped
            _send([*late, self.pid], signal.SIGKILL)
            self._server.wait()
            for pid in (*others, *late):
                _await_end(pid)
        self._dismiss_watcher()
        _living.pop(id(self), None)

    def stop(self) -> None:
        """End the server in good order, or kill it when that takes too long; its folder stays."""
        if self.alive:
            self.signal(signal.SIGCONT)
            _send([self.pid], self.launch.leave)
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(STOP_S)
        self.kill()

    def leave_alone(self) -> None:
        """Have nothing to do with it any more: this is a forked child, and the server is its parent's."""
        _close(self._watcher)
        self._watcher.returncode = self._server.returncode = 0

    def _dismiss_watcher(self) -> None:
        self._watcher.kill()
        self._watcher.wait()
        _close(self._watcher)


def as_user(user: User | None) -> dict[str, Any]:
    """Return the arguments of `Popen` that make a process another user's."""
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}


def await_nobody_in(folder: Path, program: str) -> None:
    """Wait until no server is in a data directory any more: one whose parent was killed just now may still be dying.

    Raises:
        StartError: One is there to stay.
    """
    end = time.monotonic() + STOP_S
    while holders := list(_holders(folder, program)):
        if time.monotonic() > end:
            raise StartError(f"{program} (process {holders[0]}) runs in {folder} already")
        time.sleep(_LOOK_S_MAX)


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


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and these have started."""
    found: list[int] = []
    with suppress(OSError):  # it is gone
        for child in _children(pid):
            found += [child, *_descendants(child)]
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


def _await_end(pid: int) -> None:
    """Wait until a process that was killed, and that is not our child, is gone."""
    if hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(STOP_S * 1000)
        finally:
            os.close(descriptor)
        return
    end = time.monotonic() + STOP_S
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(pid, 0)
            time.sleep(_LOOK_S)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _write(process: subprocess.Popen[bytes], text: str) -> None:
    if process.stdin:
        with suppress(BrokenPipeError):  # it is dead: whoever waits for it finds out
            process.stdin.write(text.encode())
            process.stdin.flush()


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _in_forked_child() -> None:
    for process in _living.values():
        process.leave_alone()
    _inherited.extend(_living.values())
    _living.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
