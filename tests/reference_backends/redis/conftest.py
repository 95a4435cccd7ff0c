"""A real server for the tests of the `redis` backend, and stores in namespaces of their own."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from conformance import Where
from conformance.servers import Running, start
from conformance.servers.redis import RedisServer
from reference_backends.redis import RedisLog, RedisState, open_log, open_state


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., Running]]:
    """Give a function that starts a server with settings; all are stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="r-") as folder:  # short, as the path of a socket has to be
        begun: list[Running] = []

        def serve(**settings: str) -> Running:
            place = Path(folder) / str(len(begun))
            begun.append(start(RedisServer(**{"appendonly": "no", "save": "", **settings}), place))
            return begun[-1]

        try:
            yield serve
        finally:
            for running in begun:
                running.stop()


@pytest.fixture(scope="session")
def server(serve: Callable[..., Running]) -> Running:
    """Return the server of this process."""
    return serve()


_NUMBERS = itertools.count()


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 1000."""
    return HandClock()


@pytest.fixture
def where(server: Running, tmp_path: Path, clock: HandClock) -> Where:
    """Return a place that nobody used before."""
    return Where(tmp_path, f"test-{tmp_path.name[:20]}-{next(_NUMBERS)}".lower(), clock, server.url)


@pytest.fixture
def store(where: Where) -> Iterator[RedisState]:
    """Give an open state."""
    with closing(open_state(where)) as opened:
        yield opened


@pytest.fixture
def log(where: Where) -> Iterator[RedisLog]:
    """Give an open log."""
    with closing(open_log(where)) as opened:
        yield opened


@pytest.fixture
def raw(server: Running) -> Iterator[redis.Redis]:
    """Give a client that goes behind the back of a store."""
    with closing(redis.Redis.from_url(server.url)) as client:
        yield client
