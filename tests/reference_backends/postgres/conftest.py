"""A server for the tests of the `postgres` backend, a place for each, and what they all do with them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from conformance.servers import Running, start
from conformance.servers.postgres import PostgresServer
from reference_backends.postgres import PostgresLog, PostgresState

ROOT = Path(__file__).parents[3]
#: Seconds after which what is waited for does not come any more.
_NEVER_S = 60.0


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now


class Place:
    """A place on a server, and a way to it past the store."""

    def __init__(self, url: str, namespace: str = "") -> None:
        self.url = url
        self.namespace = namespace or f"test-{uuid.uuid4().hex}"

    def state(self, **options: Any) -> closing[PostgresState]:
        """Return an open state store, for a with block."""
        return closing(PostgresState(self.url, self.namespace, **options))

    def log(self, **options: Any) -> closing[PostgresLog]:
        """Return an open log, for a with block."""
        return closing(PostgresLog(self.url, self.namespace, **options))

    def edit(self, *statements: str) -> None:
        """Change something behind the back of the store."""
        with self.connection() as connection:
            for statement in statements:
                assert connection.execute(statement.encode()).rowcount != 0

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what the server answers."""
        with self.connection() as connection:
            return connection.execute(statement.encode()).fetchall()

    def connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection of its own, for a with block."""
        connection = psycopg.connect(self.url, autocommit=True)
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.namespace)))
        return connection


def await_that(condition: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail when it never does."""
    end = time.monotonic() + _NEVER_S
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what}: waited {_NEVER_S:g} seconds for it")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server, which does not wait for the disk."""
    with start(PostgresServer(fsync="off"), tmp_path_factory.mktemp("postgres")) as running:
        yield running.url


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Return a server that this test alone has, and may do to what it likes."""
    server = PostgresServer(fsync="off")
    monkeypatch.delenv(server.variable, raising=False)
    with start(server, tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def place(url: str) -> Place:
    """Return a place where nothing is yet."""
    return Place(url)


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 1000."""
    return HandClock()


@pytest.fixture
def store(place: Place, clock: HandClock) -> Iterator[PostgresState]:
    """Give an open state store."""
    with place.state(clock=clock) as opened:
        yield opened


@pytest.fixture
def log(place: Place) -> Iterator[PostgresLog]:
    """Give an open log."""
    with place.log() as opened:
        yield opened
