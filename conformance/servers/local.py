"""A server of a binary on this machine: its place made, its process started and waited for."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import time
from pathlib import Path

from conformance.servers import folders
from conformance.servers.family import await_nobody_in
from conformance.servers.processes import Launch, Process
from conformance.servers.running import Running
from conformance.servers.server import STOP_S, TIMEOUT_S, Engine, Place, Program, Server, StartError, Tell
from conformance.servers.users import User, unprivileged


def user_of(engine: Engine) -> User | None:
    """Return the user that a server of an engine runs as; None for that of this process."""
    return unprivileged() if engine.refuses_root else None


def start(
    server: Server,
    program: Program,
    data: Path,
    *,
    port: int | None = None,
    log: Path | None = None,
    tell: Tell,
    timeout_s: float,
) -> Running:
    """Start a server on a data directory, and wait until it answers.

    Args:
        server: Which engine, with which settings.
        program: Its binary.
        data: Its data directory; made when it is not there, or empty.
        port: On 127.0.0.1; None for a server that is reached by a socket alone.
        log: For what it prints; in its private folder unless given.
        tell: Told what is being started, and how long that took.
        timeout_s: Seconds that it may take until it answers.

    Raises:
        StartError: It does not start; ends with the last lines of its log.
    """
    engine, begin = server.engine, time.monotonic()
    tell(f"starting {program.name} ...")
    try:
        if not data.is_dir() or not any(data.iterdir()):
            engine.create(program, data)
        else:
            await_nobody_in(data, program.path.name)
        user = user_of(engine)
        place = Place(data, folders.for_sockets(user), port)
        if log is not None:
            log.unlink(missing_ok=True)
        one = _One(server, program, place, log or place.run / "server.log", user)
    except OSError as error:
        raise StartError(f"{program.path}: {error}") from error
    try:
        one.begin(timeout_s)
    except BaseException:
        one.stop()
        raise
    tell(f"{program.name} is up after {time.monotonic() - begin:.2f} s")
    return Running(engine.address(place), str(program), held=one)


class _One:
    """One server; may be started again after it was killed."""

    def __init__(self, server: Server, program: Program, place: Place, log: Path, user: User | None) -> None:
        self._engine = server.engine
        self._program = program
        self._place = place
        self._launch = Launch(
            command=lambda data: self._engine.command(program, server.settings, place, data),
            folder=place.data,
            run=place.run,
            log=log,
            user=user,
            leave=self._engine.leave,
            environment=self._engine.environment(),
        )
        self._process: Process | None = None
        self._maker = os.getpid()
        atexit.register(self.stop)
        self._timeout_s = TIMEOUT_S

    @property
    def mine(self) -> bool:
        return os.getpid() == self._maker

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.alive else None

    @property
    def log(self) -> str:
        return self._process.log if self._process else ""

    def begin(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        if len(os.fsencode(self._place.run)) > folders.RUN_LENGTH_MAX:
            raise StartError(f"{self._place.run} is too long for the path of a socket; set TMPDIR to a shorter folder")
        self._engine.tidy(self._place)
        try:
            process = self._process = Process(self._launch)
        except OSError as error:
            raise StartError(f"{self._program.path} can't be started: {error}") from error
        process.wait_until(lambda: self._engine.waits_for(process.pid, self._place), timeout_s)

    def stop(self, patience_s: float = STOP_S, /) -> None:
        if not self.mine:  # a forked child that ends leaves it alone
            return
        atexit.unregister(self.stop)
        if self._process:
            self._process.stop(patience_s)
        shutil.rmtree(self._place.run, ignore_errors=True)

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def restart(self) -> None:
        if self.pid is not None:
            raise StartError(f"process {self.pid} of {self._program.path} still runs; kill it before")
        self.begin(self._timeout_s)

    def _send(self, number: signal.Signals) -> None:
        if self._process:
            self._process.signal(number)
