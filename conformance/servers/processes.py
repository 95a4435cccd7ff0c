"""A server's process: started so that it can't outlive this one, stopped gently or killed, with all it has started."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.servers import folders
from conformance.servers.family import await_end, descendants, send
from conformance.servers.memory import segments_of
from conformance.servers.server import STOP_S, StartError
from conformance.servers.users import User, visible
from conformance.servers.watcher import Watcher, close, write

#: Seconds between two looks whether a server is ready: at first, and at most.
_LOOK_S, _LOOK_S_MAX = 0.001, 0.02
#: Becomes the server when the watcher knows of it; ends when this process is gone before.
_SERVER = 'read -r _ && exec "$@" </dev/null'
#: Reads the server's number, waits for the end of this process, and removes what both leave, as `kill` does.
_WATCHER = """
if read -r pid; then
    read -r _
    read -r children <"/proc/$pid/task/$pid/children"
    shared=$(for one in $pid $children; do grep -E '/dev/shm/PostgreSQL|/SYSV' "/proc/$one/maps"; done)
    kill -KILL "$pid" $children
    echo "$shared" | while read -r _ _ _ _ number path; do
        case $path in
        /dev/shm/*) rm -f "$path" ;;
        /SYSV*) ipcrm -m "$number" ;;
        esac
    done
fi
rm -rf -- "$@"
"""


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
        self._watcher = Watcher(_WATCHER, str(launch.run), *map(str, folders.made_here()))
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
            self._watcher.dismiss()
            raise
        self._watcher.ward = self._server
        self._watcher.tell(str(self.pid))
        write(self._server, "\n")
        close(self._server)

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
            send([self.pid], number)
            send(descendants(self.pid), number)

    def kill(self) -> None:
        """Kill the server with all it has started, at once, and wait until they are gone; its folder stays."""
        if self.alive:
            send([self.pid], signal.SIGSTOP)  # so that it starts no other, and sees nothing of what follows
            others = descendants(self.pid)
            shared = segments_of([self.pid, *others])
            send(others, signal.SIGKILL)
            late = [pid for pid in descendants(self.pid) if pid not in others]  # started before it had stopped
            send([*late, self.pid], signal.SIGKILL)
            self._server.wait()
            for pid in (*others, *late):
                await_end(pid)
            shared.remove()
        self._watcher.dismiss()

    def stop(self, patience_s: float = STOP_S) -> None:
        """End the server in good order, or kill it when that takes too long; its folder stays."""
        if self.alive:
            self.signal(signal.SIGCONT)
            send([self.pid], self.launch.leave)
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(patience_s)
        self.kill()


def as_user(user: User | None) -> dict[str, Any]:
    """Return the arguments of `Popen` that make a process another user's."""
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
