"""The servers of a run: one for each engine and its settings, for all processes, and gone in the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from conformance import RedisServer
from conformance.servers import start
from conformance.serving import is_served, served, serving
from tests.servers.engines import ENGINES, await_true, redis_client, script


def answers(url: str) -> bool:
    """Tell whether a Redis server answers."""
    from redis.exceptions import ConnectionError as NobodyThereError

    with closing(redis_client(url)) as client:
        try:
            return bool(client.ping())
        except NobodyThereError:
            return False


def test_a_server_is_there_for_as_long_as_the_block_takes() -> None:
    """Then it is stopped, and nobody finds it any more."""
    server = RedisServer(save="", maxclients="71")
    told: list[str] = []
    assert not is_served(server)
    with serving(server, told.append) as here:
        assert is_served(server)
        assert served(server) == here
        assert (here.private, here.local) == (True, True)
        assert answers(here.url)
    assert any("starting" in line for line in told)
    assert not is_served(server)
    assert not answers(here.url)


def test_a_server_that_is_there_is_used_and_left_alone() -> None:
    """As by the workers of xdist, and by whatever else a run starts."""
    server = RedisServer(save="", maxclients="72")
    script = (
        "from conformance import RedisServer\nfrom conformance.serving import serving\n"
        "with serving(RedisServer(save='', maxclients='72')) as here: print(here.url)"
    )
    with serving(server) as here:
        with serving(server) as again:
            assert again == here
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert told.stdout.split() == [here.url]
        assert answers(here.url)


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_killed_run_leaves_no_files(name: str) -> None:
    """They would stay in memory until the machine is started again: the server's watcher removes them."""
    code = """
import sys
from conformance.servers import folders
from conformance.serving import serving
from tests.servers.engines import ENGINES
with serving(ENGINES[sys.argv[1]].make()) as here:
    assert here.local
    print(*folders.made_here(), sep="|", flush=True)
    input()
"""
    with script(code, name) as child:
        assert child.stdout
        mine = {Path(folder) for folder in child.stdout.readline().strip().split("|")}
        kinds = {folder.name.rpartition("-")[0]: folder for folder in mine}
        assert kinds.keys() == {"conformance-server", "conformance-servers"}
        assert (kinds["conformance-server"] / "data").is_dir()
        child.kill()
        await_true("no folder is left", lambda: not any(folder.exists() for folder in mine))


def test_other_settings_are_another_server() -> None:
    """Both run at once."""
    with serving(RedisServer(maxclients="73")) as one, serving(RedisServer(maxclients="74")) as other:
        found = []
        for here in (one, other):
            with closing(redis_client(here.url)) as client:
                found.append(client.config_get("maxclients")["maxclients"])
    assert found == ["73", "74"]


@pytest.mark.parametrize(("name", "own"), [("redis", {"maxclients": "75"}), ("postgres", {"max_connections": "35"})])
def test_what_was_written_into_a_named_server_is_removed(
    name: str, own: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is somebody else's: nothing of ours stays, and all that was there does.

    Its settings are those of no other test, one of which may have started such a server for all that follow.
    """
    engine = ENGINES[name]
    named = engine.make(**own)
    with start(named, tmp_path / "server") as running:
        monkeypatch.setenv(named.variable, running.url)
        engine.put(running.url, "theirs", "kept")
        with serving(named) as here:
            assert (here.private, here.local) == (False, False)
            engine.put(here.url, f"{here.prefix}-place", "ours")
            assert engine.got(here.url, f"{here.prefix}-place") == "ours"
        assert engine.got(running.url, f"{here.prefix}-place") is None
        assert engine.got(running.url, "theirs") == "kept"
