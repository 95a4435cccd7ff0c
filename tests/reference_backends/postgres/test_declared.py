"""What the `postgres` backend promises, as the configuration of the server has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from conformance import Where
from conformance.servers import start
from conformance.servers.postgres import DURABLE, PostgresServer
from reference_backends.postgres import asynchronous, backend, declare, unsynced
from reference_backends.postgres.declared import promises

DEFAULTS = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on"}


@pytest.mark.parametrize(
    ("settings", "durability", "lacks"),
    [
        ({}, "power-loss", set()),
        ({"synchronous_commit": "local"}, "power-loss", set()),
        ({"fsync": "off"}, "process-crash", {"power-loss"}),
        ({"full_page_writes": "off"}, "process-crash", {"power-loss"}),
        ({"synchronous_commit": "off"}, "clean-close", {"process-crash"}),
        ({"synchronous_commit": "off", "fsync": "off"}, "clean-close", {"power-loss", "process-crash"}),
    ],
)
def test_each_setting_costs_what_it_costs(settings: dict[str, str], durability: str, lacks: set[str]) -> None:
    """The level is that which the reasons leave, and each reason names its setting."""
    found = promises(DEFAULTS | settings)
    assert found["durability"] == durability
    assert found["lacks"].keys() - {"detects", "failed-sync"} == lacks
    assert ("failed-sync" in found["lacks"]) == (durability == "power-loss")
    declared = replace(backend, **found)
    assert (declared.durability, declared.corruption) == (durability, "silent")
    assert replace(declared, durability="power-loss").durability == durability  # by the reasons alone
    for name, value in settings.items():
        if value == "off":
            assert any(f"{name}=off" in reason for reason in found["lacks"].values())


def test_checksums_are_told_of() -> None:
    """They do not reach for a promise, but it matters whether they are there."""
    assert "data_checksums=off" in promises(DEFAULTS | {"data_checksums": "off"})["lacks"]["detects"]
    assert "data_checksums" not in promises(DEFAULTS)["lacks"]["detects"]


def test_a_server_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two configurations of one server; what a role has of its own counts as well."""
    server = PostgresServer(fsync="off")
    monkeypatch.delenv(server.variable, raising=False)
    with start(server, tmp_path) as running:
        where = Where(tmp_path, url=running.url)
        assert declare(where)["durability"] == "process-crash"
        slow = make_conninfo(running.url, options="-c synchronous_commit=off")
        assert declare(replace(where, url=slow))["durability"] == "clean-close"
    with pytest.raises(ConnectionError):
        declare(where)


def test_configurations_for_less() -> None:
    """They are the same stores, which promise what is left."""
    found = {}
    for one in (backend, unsynced, asynchronous):
        assert one.server is not None
        assert (one.state, one.log, one.declare) == (backend.state, backend.log, declare)
        found[one.name] = promises(DEFAULTS | {name: one.server.settings[name] for name in DURABLE})["durability"]
    assert found == {
        "postgres": "power-loss",
        "postgres-unsynced": "process-crash",
        "postgres-asynchronous": "clean-close",
    }
