"""Servers on a given data directory: new, again, left by a crash; killed, paused, started again."""

from __future__ import annotations

import os
import select
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from conformance.servers import NoServer, Running, StartError, folders, prepare, serve, start
from conformance.servers.users import unprivileged
from tests.servers.engines import EACH_WAY, ENGINES, Spoken, await_gone, processes_of, redis_client, runs


@pytest.fixture
def spoken(name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> Spoken:
    """Return how to talk to an engine that is started in one way alone."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    return ENGINES[name]


@EACH_WAY
def test_data_stay(spoken: Spoken, tmp_path: Path) -> None:
    """A second server on the directory of a first has its data; it is reached by a socket in another folder."""
    for number in ("1", "2"):
        with serve(spoken.make(), tmp_path / "a" / "data") as running:
            spoken.put(running.url, f"name-{number}", number)
            assert spoken.got(running.url, "name-1") == "1"
            assert folders.shared().name in running.url
            assert str(tmp_path) not in running.url
    assert not any("sock" in path.name or path.suffix in (".log", ".conf", ".pid") for path in strange(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def strange(folder: Path) -> list[Path]:
    """Return what is in a folder but PostgreSQL's own configuration."""
    own = {"postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"}
    return [path for path in folder.rglob("*") if path.name not in own]


@EACH_WAY
def test_what_was_acknowledged_outlives_a_kill(spoken: Spoken, tmp_path: Path) -> None:
    """All processes of a killed server are gone at once, and the next one has all that was acknowledged."""
    running = serve(spoken.make(), tmp_path / "data")
    spoken.put(running.url, "name-1", "a text")
    assert running.pid
    pids = processes_of(running.pid)
    running.kill()
    assert not [pid for pid in pids if runs(pid)]
    assert running.pid is None
    running.kill()  # again is fine
    with serve(spoken.make(), tmp_path / "data") as again:
        assert spoken.got(again.url, "name-1") == "a text"
    running.stop()


@EACH_WAY
def test_files_that_a_crash_left(spoken: Spoken, tmp_path: Path) -> None:
    """A copy of the files of a running server is what a power loss leaves: a server starts on it, beside the first."""
    with serve(spoken.make(), tmp_path / "data") as first:
        spoken.put(first.url, "name-1", "a text")
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        (tmp_path / "copy").chmod(0o755)
        # PostgreSQL's lock file names a process that runs, and has nothing to do with the copy.
        with serve(spoken.make(), tmp_path / "copy") as second:
            assert spoken.got(second.url, "name-1") == "a text"
            spoken.put(second.url, "name-2", "another")
        assert spoken.got(first.url, "name-2") is None


@EACH_WAY
def test_started_again_at_its_address(spoken: Spoken, tmp_path: Path) -> None:
    """A killed server that is started again has its data and its address; one that runs is not started twice."""
    with start(spoken.make(), tmp_path) as running:
        url, before = running.url, running.pid
        spoken.put(url, "name-1", "a text")
        with pytest.raises(StartError, match=f"process {before} of .* still runs; kill it before"):
            running.restart()
        running.kill()
        running.restart()
        assert running.pid not in (None, before)
        assert spoken.got(url, "name-1") == "a text"


def asked(name: str, running: Running) -> bool:
    """Ask a paused server something, resume it, and return whether it answered before that."""
    if name == "redis":
        with closing(redis_client(running.url)) as client:
            line = client.connection_pool.get_connection()
            running.pause()
            line.send_command("PING")
            early = line.can_read(timeout=0.1)
            running.resume()
            assert line.read_response() == "PONG"
    else:
        import psycopg

        with psycopg.connect(running.url, autocommit=True) as connection:
            running.pause()
            connection.pgconn.send_query(b"SELECT 1")
            early = bool(select.select([connection.pgconn.socket], [], [], 0.1)[0])
            running.resume()
            result = connection.pgconn.get_result()
            assert result is not None
            assert result.get_value(0, 0) == b"1"
            connection.pgconn.get_result()
    return early


@EACH_WAY
def test_a_paused_server_answers_later(name: str, spoken: Spoken, tmp_path: Path) -> None:
    """Nothing is answered while it is paused, also on connections that were there before; then all is."""
    with serve(spoken.make(), tmp_path / "data") as running:
        assert not asked(name, running)


@EACH_WAY
def test_a_paused_server_is_stopped(spoken: Spoken, tmp_path: Path) -> None:
    """It ends in good order, and its data are there."""
    with serve(spoken.make(), tmp_path / "data") as running:
        spoken.put(running.url, "name-1", "a text")
        assert running.pid
        pids = processes_of(running.pid)
        running.pause()
    await_gone(*pids)
    with serve(spoken.make(), tmp_path / "data") as running:
        assert spoken.got(running.url, "name-1") == "a text"


@EACH_WAY
def test_a_directory_has_one_server(spoken: Spoken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one on the same directory would ruin it."""
    with serve(spoken.make(), tmp_path / "data") as running:
        monkeypatch.setattr("conformance.servers.family.GONE_S", 0.0)
        with pytest.raises(StartError, match=rf"\(process {running.pid}\) runs in {tmp_path / 'data'} already"):
            serve(spoken.make(), tmp_path / "data")


@EACH_WAY
def test_settings(name: str, spoken: Spoken, tmp_path: Path) -> None:
    """A server has the durable settings, those that its record was made with, and those that are given at the start."""
    if name == "redis":
        made, given = spoken.make(maxmemory_policy="noeviction", save="900 1"), {"appendfsync": "everysec"}
        expected = {"appendonly": "yes", "appendfsync": "everysec", "save": "900 1", "maxmemory-policy": "noeviction"}
    else:
        made, given = spoken.make(max_connections="17", wal_compression="on"), {"fsync": "off"}
        expected = {"fsync": "off", "full_page_writes": "on", "synchronous_commit": "on", "max_connections": "17"}
    with serve(made, tmp_path / "data", settings=given) as running:
        for setting, value in expected.items():
            assert configured(name, running.url, setting) == value, setting


def configured(name: str, url: str, setting: str) -> str:
    """Return a setting as a server tells it."""
    if name == "redis":
        with closing(redis_client(url)) as client:
            return str(client.config_get(setting)[setting])
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        assert row
        return str(row[0])


@EACH_WAY
def test_a_folder_that_only_root_may_enter(spoken: Spoken, tmp_path: Path) -> None:
    """Data in it are served all the same: the folder is not opened to others for that."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with serve(spoken.make(), closed / "data") as running:
        spoken.put(running.url, "name-1", "a text")
    assert closed.stat().st_mode & 0o777 == 0o700


@EACH_WAY
def test_data_that_are_no_data(name: str, spoken: Spoken, tmp_path: Path) -> None:
    """The server does not start, and what it says of the data is shown; nothing else is tried."""
    (tmp_path / "data" / "appendonlydir").mkdir(parents=True)
    for file in ("appendonly.aof", "appendonlydir/appendonly.aof.manifest", "PG_VERSION"):
        (tmp_path / "data" / file).write_text("rubbish\n", encoding="utf-8")
    with pytest.raises(StartError, match=r"ended at once with exit code [1-9]") as caught:
        serve(spoken.make(), tmp_path / "data")
    assert caught.value.log
    assert not isinstance(caught.value, NoServer)


@EACH_WAY
def test_prepared(name: str, spoken: Spoken, tmp_path: Path) -> None:
    """What is made beforehand is made once, and told; it leaves nothing but what it is there for."""
    told: list[str] = []
    text = prepare(spoken.make(), tell=told.append)
    before = sorted(folders.shared().iterdir())
    assert prepare(spoken.make()) == text
    assert sorted(folders.shared().iterdir()) == before
    assert told == [f"preparing {text.split(',')[0]} ..."]
    with serve(spoken.make(), tmp_path / "data") as running:
        assert running.how == text


@pytest.mark.skipif(unprivileged() is None, reason="every server runs as the user of the tests, who is not root")
@EACH_WAY
def test_who_serves_roots_data(name: str, spoken: Spoken, tmp_path: Path) -> None:
    """PostgreSQL refuses root: another user runs it, who owns the data; Redis is as good as its user."""
    user = unprivileged()
    assert user
    with serve(spoken.make(), tmp_path / "data") as running:
        owner = os.stat(f"/proc/{running.pid}").st_uid
    assert owner == (user.uid if name == "postgres" else 0)
    assert {path.stat().st_uid for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]} == {owner}
