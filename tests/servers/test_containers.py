"""Servers in containers, with a Docker engine where one answers. Each test says what it ran on.

`.ci/containers` starts an engine for them, and has them fail where none answers.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from conformance.servers import NoServer, Running, StartError, containers, start
from conformance.servers.server import Absent, quiet
from tests.servers.engines import EACH_ENGINE, ENGINES, await_true, script

#: Set where an engine must answer.
NEEDED = "CONFORMANCE_NEEDS_DOCKER"


@functools.cache
def engine() -> str:
    """Return which engine answers, or why none does."""
    try:
        import docker
    except ImportError:
        return "none: the package testcontainers is not installed"
    try:
        containers._knock()
    except Absent as error:
        return f"none: {error}"
    client = docker.from_env()
    try:
        found = client.version()
        return f"{found['Platform']['Name'] or 'Docker'} {found['Version']}".strip()
    finally:
        client.close()


@pytest.fixture
def here(name: str, monkeypatch: pytest.MonkeyPatch, record_property: pytest.FixtureRequest) -> bool:
    """Leave only containers as a way, and return whether an engine answers and has the image, or gets it."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "container")
    found = engine()
    print(f"Docker engine: {found}")  # noqa: T201 - the test says what it ran on
    record_property("docker", found)  # type: ignore[operator]
    if found.startswith("none"):
        assert NEEDED not in os.environ, found
        return False
    return True


def not_here(name: str, folder: Path) -> None:
    """Check what is said where no engine answers."""
    with pytest.raises(NoServer) as caught:
        start(ENGINES[name].make(), folder)
    what, why = caught.value.tried[-1]
    assert what == f"container {ENGINES[name].make().engine.image.name}"
    assert why == engine().removeprefix("none: ")
    assert "\n" not in why


@EACH_ENGINE
def test_a_container(name: str, here: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """It takes texts, can be paused, killed and started again at its address, and is removed in the end."""
    if not here:
        return not_here(name, tmp_path)
    spoken, told = ENGINES[name], []
    with start(spoken.make(), tmp_path, tell=told.append) as running:
        number = id_of(running)
        assert containers_with(number) == [number]
        print(running.how)  # noqa: T201
        image = spoken.make().engine.image.name
        assert running.how.endswith(f", in a container of {image}")
        assert running.private
        assert told[0] == f"starting {name} in a container of {image} ..."
        assert told[-1].startswith(f"{running.how.split(',')[0]} is up after ")
        spoken.put(running.url, "name-1", "a text")
        running.pause()
        running.resume()
        running.kill()
        running.restart()
        assert spoken.got(running.url, "name-1") == "a text"
        assert running.log
    assert containers_with(number) == []
    running.stop()  # again is fine
    return None


def id_of(running: Running) -> str:
    """Return the number of a server's container."""
    assert isinstance(running.held, containers._One)
    return str(running.held._container.get_wrapped_container().id)


def containers_with(text: str) -> list[str]:
    """Return the kit's containers with a text in their number or in their command line."""
    import docker

    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": containers.LABEL}, ignore_removed=True)
        return [one.id for one in found if text in f"{one.id} {one.attrs['Config']['Cmd']}"]
    finally:
        client.close()


@EACH_ENGINE
def test_a_killed_process_leaves_no_container(name: str, here: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Ryuk removes it, or, where that does not start, Docker's client."""
    if not here:
        return not_here(name, tmp_path)
    code = """
import sys
from pathlib import Path
from conformance.servers import start
from tests.servers.engines import ENGINES
with start(ENGINES[sys.argv[1]].make(), Path(sys.argv[2])) as running:
    print(running.held._container.get_wrapped_container().id, flush=True)
    input()
"""
    with script(code, name, str(tmp_path), CONFORMANCE_SERVERS="container") as child:
        assert child.stdout
        number = child.stdout.readline().strip()
        assert containers_with(number) == [number]
        child.kill()
    await_true("the container is removed", lambda: not containers_with(number))
    return None


@EACH_ENGINE
def test_settings_of_a_container(name: str, here: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """They are those of the record."""
    from tests.servers.test_serve import configured

    if not here:
        return not_here(name, tmp_path)
    given = {"appendfsync": "everysec", "save": "900 1"} if name == "redis" else {"synchronous_commit": "off"}
    with start(ENGINES[name].make(**given), tmp_path) as running:
        for setting, value in given.items():
            assert configured(name, running.url, setting) == value
    return None


@EACH_ENGINE
def test_a_container_that_dies(name: str, here: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """What the server said is shown, and the container is removed."""
    if not here:
        return not_here(name, tmp_path)
    with pytest.raises(StartError, match="its container has exited") as caught:
        containers.start(ENGINES[name].make(**{f"no_such_{name}": "1"}), tell=quiet, timeout_s=60.0)
    assert "such" in caught.value.log
    assert containers_with(f"such{'-' if name == 'redis' else '_'}{name}") == []
    return None
