"""What the `redis` backend promises, by how the server is configured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from conformance import Where
from conformance.check import catalogue
from conformance.servers import Running
from reference_backends.redis import async_backend, backend, declare
from reference_backends.redis.durability import LACKS
from tests.benches import bench


def promised(where: Where) -> tuple[str, str]:
    """Return the durability that a backend has after the server was asked, and what it says it lacks of it."""
    told: dict[str, Any] = dict(declare(where))
    assert set(told) == {"durability", "lacks"}
    record = replace(backend, **told)  # the record refuses what does not fit together
    assert record.durability == told["durability"]
    assert "no checksums" in record.lacks["detects"]
    (lacked,) = [name for name in record.lacks if name not in LACKS] or [""]
    return record.durability, lacked


@pytest.fixture(scope="module")
def durable(serve: Callable[..., Running]) -> Running:
    """Return a server with an append-only file."""
    return serve(appendonly="yes", appendfsync="always")


@pytest.mark.parametrize(
    ("settings", "level", "lacked"),
    [
        ({"appendfsync": "always"}, "power-loss", ""),
        ({"appendfsync": "everysec"}, "prefix", ""),
        ({"appendfsync": "no"}, "process-crash", "power-loss"),
        ({"appendfsync": "always", "no-appendfsync-on-rewrite": "yes"}, "process-crash", "power-loss"),
        ({"appendfsync": "everysec", "no-appendfsync-on-rewrite": "yes"}, "process-crash", "power-loss"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "volatile", "clean-close"),
        ({"maxmemory": "100mb", "maxmemory-policy": "volatile-lru"}, "power-loss", ""),
        ({"maxmemory": "0", "maxmemory-policy": "allkeys-lru"}, "power-loss", ""),
        ({"appendonly": "no", "save": "3600 1"}, "clean-close", "process-crash"),
        ({"appendonly": "no", "save": ""}, "volatile", "clean-close"),
    ],
)
def test_the_server_is_asked(durable: Running, where: Where, settings: dict[str, str], level: str, lacked: str) -> None:
    """Each setting that decides is set on a real server."""
    usual = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "save": ""}
    usual |= {"maxmemory": "0", "maxmemory-policy": "noeviction"}
    with closing(redis.Redis.from_url(durable.url)) as client:
        for name, value in (usual | settings).items():
            client.config_set(name, value)
    assert promised(replace(where, url=durable.url)) == (level, lacked)


def test_who_may_not_ask_promises_nothing(where: Where, raw: Any) -> None:
    """As on a hosted server; the reason is what the server said."""
    raw.execute_command("ACL", "SETUSER", "guest", "on", ">word", "~*", "+@all", "-config")
    at = "&" if "?" in where.url else "?"
    there = replace(where, url=f"{where.url}{at}username=guest&password=word")
    assert promised(there) == ("volatile", "clean-close")
    assert "config" in declare(there)["lacks"]["clean-close"].lower()


def test_what_redis_can_not_keep_is_disclaimed(tmp_path: Path) -> None:
    """What its own recovery makes of some errors of the disk; other errors, it is tested for."""
    one = bench(backend, tmp_path)
    for contract in ("state", "log"):
        for number, lack in (("51", "failed-sync"), ("56", "too-many-files")):
            result = one.judge(catalogue()[f"{contract.upper()}-CRASH-{number}"])
            assert (result.outcome, result.reason) == ("not applicable", f"lacks {lack}: {LACKS[lack]}")


def test_the_records_name_the_exceptions() -> None:
    """Both open a state and a log; what is kept over a state is not async."""
    assert backend.contracts == ("state", "log", "runs", "jobs", "layers")
    assert async_backend.contracts == ("state", "log")
    for record in (backend, async_backend):
        assert (record.sharing, record.corruption, record.isolation) == ("processes", "silent", "serializable")
        assert set(record.errors) == {"conflict", "corrupt"}
