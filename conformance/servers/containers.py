"""A server in a container, by testcontainers: for a machine without a binary, but with a Docker engine."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from conformance.servers.ports import PORTS, TAKEN, free_port
from conformance.servers.running import Running
from conformance.servers.server import STOP_S, Absent, Server, StartError, Tell, first_line
from conformance.servers.watcher import Watcher

#: Removes a container after the end of this process.
_WATCHER = """
read -r _
docker rm -fv "$1"
"""
#: Why Ryuk, which removes containers of dead processes, does not start here, once that is known.
_no_ryuk: list[str] = []
#: By which the kit's containers can be found.
LABEL = "conformance-server"
#: Seconds between two looks whether a server answers.
_LOOK_S = 0.05
#: Seconds that an engine may take for a connection.
_KNOCK_S = 5.0
#: What Docker says of a port that another container has.
_ALLOCATED = "port is already allocated"


def start(server: Server, *, tell: Tell, timeout_s: float) -> Running:
    """Start a server in a container of the engine's image, and wait until it answers.

    Args:
        server: Which engine, with which settings.
        tell: Told what is being started, and how long that took.
        timeout_s: Seconds that it may take until it answers, once its image is there.

    Raises:
        Absent: testcontainers is not installed, or no Docker engine answers.
        StartError: It does not start; ends with the last lines of its log.
    """
    name, begin = server.engine.image.name, time.monotonic()
    tell(f"starting {server.name} in a container of {name} ...")
    one = _One(server, timeout_s, tell)
    try:
        version = one.begin()
    except BaseException:
        one.stop()
        raise
    tell(f"{server.name} {version} is up after {time.monotonic() - begin:.2f} s")
    return Running(one.url, f"{server.name} {version}, in a container of {name}", held=one)


class _One:
    """One container; may be started again after it was killed."""

    def __init__(self, server: Server, timeout_s: float, tell: Tell) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._maker = os.getpid()
        self._container: Any = _created(server, tell)
        self._watcher = _watcher(self._container) if _no_ryuk else None
        self.url = ""
        atexit.register(self.stop)

    @property
    def mine(self) -> bool:
        return os.getpid() == self._maker

    @property
    def pid(self) -> None:
        return None

    @property
    def log(self) -> str:
        if self._container is None:
            return ""
        text: bytes = self._container.get_wrapped_container().logs()
        return text.decode(errors="replace")

    def begin(self) -> str:
        """Wait until the server answers, and return its version."""
        image, end = self._server.engine.image, time.monotonic() + self._timeout_s
        while True:
            wrapped = self._container.get_wrapped_container()
            wrapped.reload()
            if wrapped.status not in ("created", "running"):
                raise StartError(f"its container has {wrapped.status}", self.log)
            try:
                host = self._container.get_container_host_ip()
                self.url = image.url(host, self._container.get_exposed_port(image.port))
                return self._server.engine.ask(self.url)
            except ImportError as error:
                raise StartError(f"the package {error.name} is not installed, which is needed to talk to it") from error
            except Exception as error:  # whatever a client raises, the server is not ready
                if time.monotonic() > end:
                    why = f"it was not ready within {self._timeout_s:g} s: {first_line(error)}"
                    raise StartError(why, self.log) from error
            time.sleep(_LOOK_S)

    def stop(self, _patience_s: float = STOP_S, /) -> None:  # it is removed at once
        if self._container is None or not self.mine:  # a forked child that ends leaves it alone
            return
        container, self._container = self._container, None
        atexit.unregister(self.stop)
        with suppress(Exception):  # it is gone already, or the engine is
            container.stop()
        if self._watcher:
            self._watcher.dismiss()

    def kill(self) -> None:
        self._do(lambda wrapped: wrapped.kill())

    def pause(self) -> None:
        self._do(lambda wrapped: wrapped.pause())

    def resume(self) -> None:
        self._do(lambda wrapped: wrapped.unpause())

    def restart(self) -> None:
        self._do(lambda wrapped: wrapped.start())
        self.begin()

    def _do(self, action: Callable[[Any], Any]) -> None:
        if self._container is not None:
            action(self._container.get_wrapped_container())


def _watcher(container: Any) -> Watcher | None:
    """Have a container removed when this process is killed, by Docker's own client, where there is one."""
    return Watcher(_WATCHER, str(container.get_wrapped_container().id)) if shutil.which("docker") else None


def _created(server: Server, tell: Tell) -> Any:
    """Return a started container; without Ryuk where that does not start."""
    try:
        from testcontainers.core.config import testcontainers_config as config
        from testcontainers.core.container import Reaper
    except ImportError as error:
        raise Absent("the package testcontainers is not installed") from error
    _knock()
    if config.ryuk_disabled and not _no_ryuk:
        _no_ryuk.append("it is switched off")
    if _no_ryuk:
        return _without_ryuk(server)
    try:
        return _on_some_port(server)
    except StartError as first:  # Ryuk does not start, or the server does not
        with suppress(Exception):
            Reaper.delete_instance()
        try:
            container = _without_ryuk(server)
        except StartError:
            raise first from None
        _no_ryuk.append(first.why)
        tell(f"without Ryuk, which does not start here: {first.why}")
        return container


def _without_ryuk(server: Server) -> Any:
    from testcontainers.core.config import testcontainers_config as config

    before, config.ryuk_disabled = config.ryuk_disabled, True
    try:
        return _on_some_port(server)
    finally:
        config.ryuk_disabled = before


def _where() -> str:
    from testcontainers.core.docker_client import get_docker_host

    return get_docker_host() or "unix:///var/run/docker.sock"


def reachable() -> None:
    """Require that testcontainers is installed and an engine answers; nothing is started or fetched.

    Raises:
        Absent: It is not, or none does.
    """
    try:
        import docker  # type: ignore[import-untyped]
        import testcontainers.core.container  # noqa: F401 - is it there?
    except ImportError as error:
        raise Absent("the package testcontainers is not installed") from error
    _knock()
    try:
        with closing(docker.from_env(timeout=int(_KNOCK_S))) as client:
            client.ping()
    except Exception as error:  # whatever the client raises, there is no engine to use
        raise Absent(f"no Docker engine answers at {_where()}: {first_line(error)}") from error


def _knock() -> None:
    """Connect to the engine's socket: where that fails, Docker's client leaves one of its own open."""
    kind, _, path = _where().partition("://")
    if kind != "unix":
        return
    with closing(socket.socket(socket.AF_UNIX)) as line:
        line.settimeout(_KNOCK_S)
        try:
            line.connect(path)
        except OSError as error:
            raise Absent(f"no Docker engine answers at {_where()}: {error.strerror or error}") from error


def _on_some_port(server: Server) -> Any:
    for last in (False,) * (PORTS - 1) + (True,):
        try:
            return _on(server, free_port())
        except StartError as error:
            if last or not any(text in error.why for text in (TAKEN, _ALLOCATED)):
                raise
    raise AssertionError("the last try returns or raises")


def _on(server: Server, port: int) -> Any:
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.core.container import DockerContainer

    image = server.engine.image
    try:
        container = DockerContainer(image.name)
    except DockerException as error:
        raise Absent(f"no Docker engine answers at {_where()}: {first_line(error)}") from error
    # The port is fixed, so that the address is the same after a restart.
    container = container.with_bind_ports(image.port, port).with_command(image.command(server.settings))
    for name, value in image.environment.items():
        container.with_env(name, value)
    try:
        return container.with_kwargs(labels={LABEL: server.name}).start()
    except Exception as error:
        with suppress(Exception):
            container.stop()
        raise StartError(first_line(error)) from error
