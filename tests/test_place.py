"""Places: what a store is opened with, and how those in a server are kept apart."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance import Backend, RedisServer
from conformance.place import ManualClock, place_of
from conformance.serving import serving


def nothing(where: object) -> object:
    """Open no store."""
    return where


def test_a_store_with_files_has_the_namespace_it_is_given(tmp_path: Path) -> None:
    """It needs no other: its folder is its own."""
    where = place_of(Backend("files", state=nothing), tmp_path, namespace="mine")
    assert (where.path, where.namespace, where.url) == (tmp_path, "mine", "")
    assert isinstance(where.clock, ManualClock)
    assert list(tmp_path.iterdir()) == []


def test_each_place_in_a_server_has_a_namespace_of_its_own(tmp_path: Path) -> None:
    """It is the same on a reopen, and another one when the folder was emptied."""
    backend = Backend("served", state=nothing, server=RedisServer(save=""))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with serving(RedisServer(save="")) as here:
        one, again, other = (place_of(backend, folder) for folder in (first, first, second))
        shutil.rmtree(first)
        first.mkdir()
        emptied = place_of(backend, first)
    assert one.url == again.url == other.url == here.url
    assert one.namespace == again.namespace
    assert len({one.namespace, other.namespace, emptied.namespace}) == 3
    assert all(where.namespace.startswith(f"{here.prefix}-") for where in (one, other, emptied))


def test_those_who_open_a_place_at_once_agree(tmp_path: Path) -> None:
    """However many there are: the first one names it."""
    backend = Backend("served", state=nothing, server=RedisServer(save=""))
    with serving(RedisServer(save="")), ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            found = {where.namespace for where in pool.map(lambda _, at=folder: place_of(backend, at), range(8))}
            assert len(found) == 1
            assert [path.name for path in folder.iterdir()] == ["namespace"]


def test_no_server_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Who uses the kit without pytest starts the server himself."""
    backend = Backend("served", state=nothing, server=RedisServer(maxclients="77"))
    with pytest.raises(LookupError, match=r"no redis server was started. .*with conformance\.serving\.serving"):
        place_of(backend, tmp_path)
