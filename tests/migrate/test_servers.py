"""Migrations into servers, and out of them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from conformance import Backend, Where
from conformance.migrate import Side
from conformance.serving import is_served, serve_until_exit, served
from reference_backends import postgres, redis
from tests.migrate.sides import NOW, contents, database, fill, move


@pytest.mark.parametrize("backend", [redis.backend, postgres.backend], ids=lambda backend: backend.name)
def test_there_and_back_again(backend: Backend, tmp_path: Path) -> None:
    """Everything arrives in a server, over what was there, which is backed up first, and comes back as it was."""
    assert backend.server is not None
    if not is_served(backend.server):
        serve_until_exit(backend.server)
    here = served(backend.server)
    namespace = f"{here.prefix}-{uuid.uuid4().hex[:8]}"
    source, inside = fill(database(tmp_path / "a")), Side(backend, Where(tmp_path, namespace, lambda: NOW, here.url))
    assert backend.state is not None
    before = backend.state(inside.where)
    before["key/1"] = "old"
    before.close()
    report = move(source, inside, journal=tmp_path / "journal.json")
    assert report.equal
    lines = [json.loads(line) for line in Path(report.backup).read_text().splitlines()]
    assert lines == [{"contract": "state", "name": ["key/1"], "value": "old"}]
    back = database(tmp_path / "b")
    again = move(inside, back)
    assert again.equal
    assert contents(back) == contents(source)
    assert [one.target for one in again.contracts] == [one.source for one in report.contracts]
