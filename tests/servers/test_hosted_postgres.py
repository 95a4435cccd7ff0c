"""What a PostgreSQL server that has its place to itself does otherwise than one that many share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from conformance.servers import Running, serve, start
from conformance.servers.postgres import DURABLE, PostgresServer


def asked(running: Running, *names: str) -> list[str]:
    """Return settings of a server."""
    with psycopg.connect(running.url) as connection:
        return [str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in names]  # type: ignore[index]


def test_it_ends_when_one_of_its_processes_does(tmp_path: Path) -> None:
    """It is started again by who opens the next store there, and has what was committed."""
    with serve(PostgresServer(), tmp_path / "data") as running:
        with psycopg.connect(running.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert running.pid is not None
        with open(f"/proc/{running.pid}/stat", encoding="ascii"):
            os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        assert running.pid is None
        running.restart()
        with psycopg.connect(running.url) as connection:
            assert connection.execute("SELECT * FROM kept").fetchall() == [(1,)]


def test_one_that_many_share_goes_on(tmp_path: Path) -> None:
    """As PostgreSQL does; in either case all is as durable."""
    server = PostgresServer()
    with start(server, tmp_path) as running:
        assert asked(running, "restart_after_crash", *DURABLE) == ["on", *DURABLE.values()]
    with serve(server, tmp_path / "data") as running:
        assert asked(running, "restart_after_crash", *DURABLE) == ["off", *DURABLE.values()]
    with serve(server, tmp_path / "data", settings={"restart_after_crash": "on"}) as running:
        assert asked(running, "restart_after_crash") == ["on"]
