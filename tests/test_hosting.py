"""Hosting: each place has a server of its own, whose files are at the place."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from conformance import Backend, hosting
from conformance.address import load
from conformance.hosting import embedded, finding, furnished, hosted
from conformance.place import place_of
from conformance.result import NotApplicable
from conformance.servers import Running
from conformance.serving import serving
from conformance.session import Session
from conformance.workers import Bay, Crew
from conformance.workers.forked import HANG_S

ADDRESSES = ("reference_backends.redis:backend", "reference_backends.postgres:backend")
LIMIT_S = 30.0


@pytest.fixture(params=ADDRESSES, ids=["redis", "postgres"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Return a backend whose places have servers of their own."""
    return hosted(load(request.param))


def test_the_files_of_a_place_are_the_store(backend: Backend, tmp_path: Path) -> None:
    """Closed, and opened again by another server, it has what was written; so does a second handle meanwhile."""
    session = Session(backend, "state", place_of(backend, tmp_path))
    store = session.open()
    store["a"] = 1
    second = session.open()
    assert second["a"] == 1
    second["a"] = 2
    second.close()
    assert store["a"] == 2  # the server is still there
    store.close()
    assert any(tmp_path.iterdir())
    store = session.open()
    assert dict(store) == {"a": 2}
    session.close()
    for handle in (store, second):
        handle.leave()


def test_an_async_store_is_hosted_too(tmp_path: Path) -> None:
    """Its opener is awaited, in its loop."""
    backend = hosted(load("reference_backends.redis:async_backend"))
    session = Session(backend, "log", place_of(backend, tmp_path))
    log = session.open()
    assert log.append("first") == 1
    log = session.reopen(log)
    assert log.read() == [(1, "first")]
    session.close()


def test_a_server_that_died_is_started_again(backend: Backend, tmp_path: Path) -> None:
    """By the next opening; whoever had the store open until then is told, and may close it."""
    session = Session(backend, "state", place_of(backend, tmp_path))
    store = session.open()
    store["a"] = 1
    (running,) = hosting._HOUSE.servers.values()
    running.kill()
    with pytest.raises(Exception, match="connect"):
        store["a"] = 2
    second = session.open()
    assert dict(second) == {"a": 1}
    store.close()
    assert dict(second) == {"a": 1}
    second.close()
    assert not hosting._HOUSE.servers
    for handle in (store, second):
        handle.leave()


def test_a_server_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be unable to write what it has to write before; the store is not hung."""
    patience: list[float] = []

    def stop(running: Running, patience_s: float) -> None:
        patience.append(patience_s)
        ended(running, 0.1)

    ended = Running.stop
    monkeypatch.setattr(Running, "stop", stop)
    backend = hosted(load(ADDRESSES[0]))
    session = Session(backend, "state", place_of(backend, tmp_path))
    store = session.open()
    store["a"] = 1
    (running,) = hosting._HOUSE.servers.values()
    with closing(redis.Redis.from_url(running.url)) as client:
        client.config_set("save", "3600 1")  # so that it writes a snapshot before it ends
        client.config_set("rdb-key-save-delay", 60_000_000)
        pid = running.pid
        session.close()
    assert not Path(f"/proc/{pid}").exists()
    assert patience[0] < HANG_S / 2  # a store may be closed twice before it counts as hung
    store.leave()
    store = session.open()
    assert dict(store) == {"a": 1}
    session.close()
    store.leave()


def opened_and_gone(bay: Bay, folder: Path) -> list[int]:
    """Open a store, write, and end without closing; return the processes that were started."""
    session = Session(bay.backend, bay.contract, place_of(bay.backend, folder))
    session.open()["a"] = 1
    return [process for process in processes() if process != os.getpid()]


def processes() -> list[int]:
    """Return the children of this process."""
    return [int(number) for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


@pytest.mark.parametrize("address", ADDRESSES)
def test_another_process_finds_a_hosted_store(address: str, tmp_path: Path) -> None:
    """By its address, with what it promises here; when that process is killed, its server is gone as well."""
    backend = replace(hosted(load(address)), durability="prefix", lacks={"ttl": "a reason"})
    found = finding(backend)()
    assert (found.server, found.durability, dict(found.lacks)) == (None, "prefix", {"ttl": "a reason"})
    crew = Crew(backend, "state", 1)
    try:
        started = crew.call(opened_and_gone, tmp_path)
        os.kill(crew._processes[0][1], signal.SIGKILL)
    finally:
        crew.close()
    until = time.monotonic() + LIMIT_S
    while any(Path(f"/proc/{number}").exists() for number in started):
        assert time.monotonic() < until, f"{started} are still there"
    session = Session(backend, "state", place_of(backend, tmp_path))
    store = session.open()
    assert dict(store) == {"a": 1}
    session.close()
    store.leave()


def test_what_a_server_begins_with_is_not_the_stores_work(backend: Backend, tmp_path: Path) -> None:
    """It is put into an empty place beforehand; a place that has files stays as it is."""
    furnished(backend, "state", tmp_path)
    first = sorted(tmp_path.rglob("*"))
    assert bool(first) == (backend.name == "postgres")
    (tmp_path / "more").write_text("more")
    furnished(backend, "state", tmp_path)
    assert sorted(tmp_path.rglob("*")) == sorted([*first, tmp_path / "more"])


def test_a_store_without_a_server_stays_as_it_is() -> None:
    """There is nothing to host."""
    backend = load("reference_backends.file:backend")
    assert hosted(backend) is backend
    assert embedded(backend) is backend
    assert finding(backend)().name == "file"


def test_a_server_that_is_named_can_not_be_hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is somebody else's."""
    backend = load(ADDRESSES[0])
    assert backend.server is not None
    with serving(backend.server) as here:
        assert embedded(backend).server is None
        monkeypatch.setenv("CONFORMANCE_REDIS_URL", here.url)
        other = replace(backend, server=backend.server.with_settings({"maxclients": "70"}))
        assert other.server is not None
        with serving(other.server), pytest.raises(NotApplicable, match="CONFORMANCE_REDIS_URL names the server: it is"):
            embedded(other)
