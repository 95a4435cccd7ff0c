"""Starting a server: the ways in their order, and servers on a given data directory."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.servers import containers, folders, local, programs
from conformance.servers.ports import PORTS, TAKEN, free_port
from conformance.servers.running import Running
from conformance.servers.server import (
    TIMEOUT_S,
    Absent,
    Engine,
    NoServer,
    Program,
    Server,
    StartError,
    Tell,
    first_line,
    quiet,
)
from conformance.servers.users import User

#: Restricts the ways that are tried, e.g. `binary,wheel`.
VARIABLE = "CONFORMANCE_SERVERS"
WAYS = ("url", "binary", "wheel", "container")
Begin = Callable[[Path, Tell, float], Running]


def start(server: Server, folder: Path, *, tell: Tell = quiet, timeout_s: float = TIMEOUT_S) -> Running:
    """Start a private server, or find the one that the environment names.

    Tried in this order: the address in the environment, an installed binary, one of a wheel, a container. The variable
    CONFORMANCE_SERVERS restricts that, e.g. to `binary,wheel`. An address that does not answer ends it: who names a
    server does not want another one tested.

    Args:
        server: Which engine, with which settings.
        folder: For its data and its log; made when it is not there.
        tell: Told what is being started, and how long that took.
        timeout_s: Seconds that it may take until it answers.

    Raises:
        NoServer: None could be had; says what was tried.
        ValueError: CONFORMANCE_SERVERS names an unknown way.
    """
    ways = _ways()
    tried: list[tuple[str, str]] = []
    log = ""
    for way in WAYS:
        what, begin = _WAYS[way](server)
        if way not in ways:
            tried.append((what, _left_out()))
            continue
        try:
            return begin(folder, tell, timeout_s)
        except Absent as error:
            tried.append((what, str(error)))
        except StartError as error:
            tell(f"{what}: {error.why}")
            tried.append((what, error.why))
            log = error.log or log
            if way == "url":
                break
    raise NoServer(server, tuple(tried), log)


def serve(
    server: Server,
    data: Path,
    *,
    settings: Mapping[str, str] | None = None,
    tell: Tell = quiet,
    timeout_s: float = TIMEOUT_S,
) -> Running:
    """Start a server on a data directory, which a crash may have left; it is reached by a socket alone.

    The directory stays as the server leaves it. One that is not there, or is empty, is made first; that is not synced,
    so that a crash state of it can be anything: make it before what is recorded.

    Args:
        server: Which engine, with which settings; a binary or a wheel, as CONFORMANCE_SERVERS says.
        data: Its data directory.
        settings: Replace some of the server's.
        tell: Told what is being started, and how long that took.
        timeout_s: Seconds that it may take until it answers.

    Raises:
        StartError: It does not start on this data; ends with the last lines of its log.
        NoServer: There is no binary.
        ValueError: CONFORMANCE_SERVERS names an unknown way.
    """
    wanted = server.with_settings(settings or {})
    return local.start(wanted, _program(server), data.absolute(), tell=tell, timeout_s=timeout_s)


def prepare(server: Server, *, tell: Tell = quiet) -> str:
    """Do beforehand what `serve` needs once, in this process and those it starts: PostgreSQL's takes a second.

    Args:
        server: Which engine.
        tell: Told what is being done.

    Returns:
        What will be started, in a line for a report.

    Raises:
        StartError: No data directory can be made.
        NoServer: There is no binary.
        ValueError: CONFORMANCE_SERVERS names an unknown way.
    """
    program = _program(server)
    tell(f"preparing {program.name} ...")
    empty = folders.for_sockets(None) / "data"
    try:
        server.engine.create(program, empty)
    finally:
        shutil.rmtree(empty.parent, ignore_errors=True)
    return str(program)


def create(server: Server, data: Path) -> None:
    """Put into an empty directory what a server begins with, as `serve` does when there is nothing.

    Raises:
        StartError: It can't be made.
        NoServer: There is no binary.
    """
    server.engine.create(_program(server), data.absolute())


def _by_url(server: Server) -> tuple[str, Begin]:
    def begin(_folder: Path, tell: Tell, _timeout_s: float) -> Running:
        url = os.environ.get(server.variable, "").strip()
        if not url:
            raise Absent("not set")
        tell(f"asking {_hidden(url)} ...")
        try:
            version = server.engine.ask(url)
        except ImportError as error:
            raise StartError(f"the package {error.name} is not installed, which is needed to talk to it") from error
        except Exception as error:  # whatever a client raises, the address can't be used
            raise StartError(f"{_hidden(url)} does not answer: {first_line(error)}") from error
        return Running(url, f"{server.name} {version} at {_hidden(url)}, named by {server.variable}", private=False)

    return server.variable, begin


def _by_binary(server: Server) -> tuple[str, Begin]:
    return f"local {server.engine.programs[0]}", _found_by(programs.local, server)


def _by_wheel(server: Server) -> tuple[str, Begin]:
    return f"wheel {next(iter(server.engine.wheels))}", _found_by(programs.wheel, server)


def _by_container(server: Server) -> tuple[str, Begin]:
    def begin(_folder: Path, tell: Tell, timeout_s: float) -> Running:
        return containers.start(server, tell=tell, timeout_s=timeout_s)

    return f"container {server.engine.image.name}", begin


def _found_by(find: Callable[[Engine, User | None], Program], server: Server) -> Begin:
    def begin(folder: Path, tell: Tell, timeout_s: float) -> Running:
        program = find(server.engine, local.user_of(server.engine))
        folder.mkdir(parents=True, exist_ok=True)
        data, log = folder.absolute() / "data", folder.absolute() / "server.log"
        for last in (False,) * (PORTS - 1) + (True,):
            try:
                return local.start(server, program, data, port=free_port(), log=log, tell=tell, timeout_s=timeout_s)
            except StartError as error:  # another program may have been given the port meanwhile
                if last or TAKEN not in error.log:
                    raise
        raise AssertionError("the last try returns or raises")

    return begin


_WAYS: Mapping[str, Callable[[Server], tuple[str, Begin]]] = {
    "url": _by_url,
    "binary": _by_binary,
    "wheel": _by_wheel,
    "container": _by_container,
}


def _program(server: Server) -> Program:
    """Return what `serve` starts: the first binary that there is."""
    ways, tried = _ways(), []
    for way, find in (("binary", programs.local), ("wheel", programs.wheel)):
        what, _ = _WAYS[way](server)
        if way not in ways:
            tried.append((what, _left_out()))
            continue
        try:
            return find(server.engine, local.user_of(server.engine))
        except Absent as error:
            tried.append((what, str(error)))
    raise NoServer(server, tuple(tried))


def _ways() -> tuple[str, ...]:
    text = os.environ.get(VARIABLE, "")
    ways = tuple(way for way in re.split(r"[,\s]+", text) if way)
    for way in ways:
        if way not in WAYS:
            raise ValueError(
                f"{VARIABLE}={text!r} names {way!r}, which is no way to a server. Write some of {','.join(WAYS)}."
            )
    return ways or WAYS


def _left_out() -> str:
    return f"left out by {VARIABLE}={os.environ.get(VARIABLE, '')}"


def _hidden(url: str) -> str:
    """Return an address without the password in it."""
    return re.sub(r"(?<=:)[^:/@]*(?=@)|(?<=password=)[^&]*", "***", url)
