"""The servers of a run: started once, found by every process of the run, and stopped with it.

Processes find them by environment variables, which all that is started inherits: the workers of pytest-xdist, the
children of the engines, the scripts of a store. So there is one server for each engine and its settings, however many
processes there are.
"""

from __future__ import annotations

import atexit
import json
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.servers import Server


@dataclass(frozen=True)
class Served:
    """A server of this run.

    Args:
        url: Its address.
        how: What it is and where it came from, for people.
        private: Whether it is ours alone.
        local: Whether it is a process of this machine that we started, so that more of them can be.
        prefix: Begins the names of all that this run keeps there.
    """

    url: str
    how: str
    private: bool
    local: bool
    prefix: str


def served(server: Server) -> Served:
    """Return the server of this run.

    Raises:
        LookupError: None was started.
    """
    told = os.environ.get(_variable(server))
    if told is None:
        raise LookupError(
            f"no {server.name} server was started. pytest --backend=... does it; a program of your own writes `with "
            f"conformance.serving.serving(backend.server): ...` around what it does."
        )
    return Served(**json.loads(told))


def is_served(server: Server) -> bool:
    """Tell whether the server of this run is there, started by this process or by one that started it."""
    return _variable(server) in os.environ


@contextmanager
def serving(server: Server, tell: Callable[[str], None] = lambda _: None) -> Iterator[Served]:
    """Have a server for as long as the block takes; one that is there already is used, and left alone.

    Args:
        server: The engine and its settings.
        tell: Called with a line about what takes long.

    Raises:
        NoServer: None could be had; the text lists what was tried.
    """
    if is_served(server):
        yield served(server)
        return
    from conformance.servers import folders, start
    from conformance.workers.crew import quick_folder

    variable = _variable(server)
    with folders.passing(quick_folder()) as folder, start(server, folder, tell=tell) as running:
        local = running.private and running.pid is not None
        here = Served(running.url, running.how, running.private, local, f"conformance-{uuid.uuid4().hex[:8]}")
        os.environ[variable] = json.dumps(asdict(here))
        try:
            yield here
        finally:
            os.environ.pop(variable, None)
            if local:  # its files are thrown away, so that it need not end in good order, which can take long
                running.kill()
            elif not here.private:
                server.clean(here.url, here.prefix)


@contextmanager
def serving_at(server: Server, folder: Path) -> Iterator[Served]:
    """Have another server in place of this run's for as long as the block takes, with its files in a folder.

    That of a run lies where it is quickest, in memory; this one lies on the disk that is to be measured. A server that
    is not the kit's to start stays.

    Args:
        server: The engine and its settings; one of this run is there.
        folder: Of this server alone; its own user must reach it, where it has one.

    Raises:
        NoServer: None could be had; the text lists what was tried.
    """
    here = served(server)
    if not (here.private and here.local):
        yield here
        return
    from conformance.servers import start

    variable, told = _variable(server), os.environ[_variable(server)]
    with start(server, folder) as running:
        there = Served(running.url, running.how, private=True, local=True, prefix=f"conformance-{uuid.uuid4().hex[:8]}")
        os.environ[variable] = json.dumps(asdict(there))
        try:
            yield there
        finally:
            os.environ[variable] = told
            running.kill()


def serve_until_exit(server: Server) -> None:
    """Have a server until this program ends, for scripts that have no block to put around what they do."""
    block = serving(server, print)
    block.__enter__()
    atexit.register(block.__exit__, None, None, None)


def _variable(server: Server) -> str:
    settings = repr(sorted(server.settings.items()))
    return f"CONFORMANCE_SERVED_{server.name.upper()}_{zlib.crc32(settings.encode()):08X}"
