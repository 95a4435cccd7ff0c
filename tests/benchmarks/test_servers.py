"""Servers on the disk that is measured."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance import Backend
from conformance.address import load
from conformance.benchmarks.contracts import GET, PUT
from conformance.benchmarks.laboratory import Laboratory
from conformance.benchmarks.measured import Measured
from conformance.benchmarks.plan import ONCE
from conformance.benchmarks.servers import ELSEWHERE, open_to_all, servers_on_disk
from conformance.serving import served, serving
from tests.benchmarks.stores import Dict


def test_a_server_of_its_own_lies_on_the_disk(tmp_path: Path) -> None:
    """While it is measured, the store talks to another server than the run's, and to that one again afterwards."""
    backend = load("reference_backends.redis:backend")
    assert backend.server is not None
    with serving(backend.server) as before:
        if not before.local:
            pytest.skip("the server is not the kit's to start")
        laboratory = Laboratory(tmp_path, ONCE, 0)
        with servers_on_disk([backend], tmp_path) as laboratory.elsewhere:
            inside = served(backend.server)
            assert inside.url != before.url
            assert laboratory.elsewhere == {}
            for act in (PUT, GET):
                assert isinstance(laboratory.alone("state", act, [backend])["redis"], Measured)
            laboratory.close()
        assert served(backend.server) == before


def test_a_server_that_is_somebody_elses_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment names lies on a disk that nobody knows: its figures say so."""
    backend = load("reference_backends.redis:backend")
    assert backend.server is not None
    # Undone inside: what is said of the server would be told on when it is gone.
    with serving(backend.server) as there, monkeypatch.context() as patched:
        patched.setenv(backend.server.variable, there.url)
        variable = next(name for name in os.environ if name.startswith("CONFORMANCE_SERVED_REDIS"))
        patched.setenv(variable, os.environ[variable].replace('"private": true', '"private": false'))
        laboratory = Laboratory(tmp_path, ONCE, 0)
        with servers_on_disk([backend], tmp_path) as laboratory.elsewhere:
            assert served(backend.server).url == there.url
            found = laboratory.alone("state", PUT, [backend])["redis"]
            laboratory.close()
        assert isinstance(found, Measured)
        assert found.conditions["disk"] == ELSEWHERE


def test_stores_without_a_server_are_left_alone(tmp_path: Path) -> None:
    """Nothing is started for them, and nothing is said of their disk."""
    with servers_on_disk([Backend("plain", state=lambda where: Dict(), durability="volatile")], tmp_path) as told:
        assert told == {}


def test_a_folder_for_other_users(tmp_path: Path) -> None:
    """A server's files lie where its own user can go, as near as can be; nowhere where nobody else may pass."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    found = open_to_all(inner)
    if found is not None:
        assert all(one.stat().st_mode & 0o001 for one in (found, *found.parents))
        assert found.stat().st_dev == inner.stat().st_dev
    if all(one.stat().st_mode & 0o001 for one in tmp_path.parents):
        tmp_path.chmod(0o755)
        (tmp_path / "a").chmod(0o700)
        assert open_to_all(inner) == tmp_path
