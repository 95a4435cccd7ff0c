"""Hosting: a store that has a server of its own, whose files are all at the store's place.

A store in a server is as hard to crash as a file in this way: opening starts the server on the files at the place,
closing stops it, and who is killed takes the server along. So the engines that record, kill, damage and reopen need to
know nothing of servers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.address import load
from conformance.backend import CONTRACTS, PROMISES, Backend, Opener, Where
from conformance.drive import is_async
from conformance.result import NotApplicable
from conformance.serving import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conformance.servers import Running, Server


@dataclass(frozen=True)
class Hosted:
    """An opener that gives the store a server at its place.

    Args:
        server: The engine.
        opener: Opens the store in a server.
    """

    server: Server
    opener: Opener

    def __call__(self, where: Where) -> Any:
        """Return a context manager of the open store; leaving it stops the server that no other handle uses."""
        return _async_guest(self, where) if is_async(self.opener) else _guest(self, where)


@contextmanager
def _guest(hosted: Hosted, where: Where) -> Iterator[Any]:
    with _serving(hosted.server, where.path) as url:
        yield hosted.opener(replace(where, url=url))


@asynccontextmanager
async def _async_guest(hosted: Hosted, where: Where) -> AsyncIterator[Any]:
    with _serving(hosted.server, where.path) as url:
        yield await hosted.opener(replace(where, url=url))


@dataclass
class _House:
    """The servers of this process, by their files, and how many handles use each."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    servers: dict[Path, Running] = field(default_factory=dict)
    guests: dict[Path, int] = field(default_factory=dict)


_HOUSE = _House()
#: Seconds that a server has to end in good order. One that can't, after an error of the disk, is no fault of the store:
#: it is killed before the engines take the store for hung.
_PATIENCE_S = 3.0


@contextmanager
def _serving(server: Server, data: Path) -> Iterator[str]:
    with _HOUSE.lock:
        there = _HOUSE.servers.get(data)
        if there is not None and _has_died(there):  # who is still its guest is told so by every call
            _HOUSE.servers.pop(data).stop()
        if data not in _HOUSE.servers:
            _HOUSE.servers[data] = _started(server, data)
        _HOUSE.guests[data] = _HOUSE.guests.get(data, 0) + 1
        url = _HOUSE.servers[data].url
    try:
        yield url
    finally:
        with _HOUSE.lock:
            _HOUSE.guests[data] -= 1
            if not _HOUSE.guests[data]:
                del _HOUSE.guests[data]
                if data in _HOUSE.servers:  # or it had died, and could not be started again
                    _HOUSE.servers.pop(data).stop(_PATIENCE_S)


def _has_died(running: Running) -> bool:
    return running.held is not None and running.held.mine and running.pid is None


def _started(server: Server, data: Path) -> Running:
    """Start a server, a second time if need be: service managers do so (`Restart=always` in the unit of Debian).

    The first start may have mended what it found, and ended: Redis 7 does, where a file that is not the last one ends
    with half a transaction.
    """
    from conformance.servers import StartError, serve

    try:
        return serve(server, data)
    except StartError:
        return serve(server, data)


def hosted(backend: Backend) -> Backend:
    """Return a backend that gives each of its places a server of its own; one that has none is returned as it is."""
    if backend.server is None:
        return backend
    openers: dict[str, Any] = {
        contract: Hosted(backend.server, getattr(backend, contract)) for contract in backend.contracts
    }
    return replace(backend, server=None, declare=None, **openers)


def furnished(backend: Backend, contract: str, place: Path) -> None:
    """Put into an empty place what a server begins with: making that is no work of the store's, and not recorded."""
    opener = getattr(backend, contract)
    if isinstance(opener, Hosted) and not any(place.iterdir()):
        from conformance.servers import create

        create(opener.server, place)


def embedded(backend: Backend) -> Backend:
    """Return the backend for engines that kill it and look at its files: with a server at each place, if it needs one.

    Raises:
        NotApplicable: The server of this run is not one that can be started again on other files.
    """
    if backend.server is None:
        return backend
    here = served(backend.server)
    if not here.private:
        raise NotApplicable(
            f"{backend.server.variable} names the server: it is not the kit's to kill, and its files are out of reach"
        )
    if not here.local:
        raise NotApplicable(
            f"the server runs in a container, so its processes and files are out of reach: install "
            f"{backend.server.name} on this machine, or the extra `servers`"
        )
    return hosted(backend)


@dataclass(frozen=True)
class Found:
    """How another process finds a backend again.

    Args:
        source: Its address; the backend itself where it has none.
        settled: The fields that were settled since, by asking its server.
        hosted: Whether each place has a server of its own.
    """

    source: str | Backend
    settled: Mapping[str, Any]
    hosted: bool

    def __call__(self) -> Backend:
        """Return the backend.

        Raises:
            AddressError: It is not found there.
        """
        backend = replace(load(self.source), **self.settled) if isinstance(self.source, str) else self.source
        return hosted(backend) if self.hosted else backend


def finding(backend: Backend) -> Found:
    """Return how another process finds a backend again, with all that it promises here."""
    if not backend.address:
        return Found(backend, {}, hosted=False)
    settled = {name: getattr(backend, name) for name in PROMISES} | {"lacks": dict(backend.lacks)}
    is_hosted = any(isinstance(getattr(backend, contract), Hosted) for contract in CONTRACTS)
    return Found(backend.address, settled, is_hosted)
