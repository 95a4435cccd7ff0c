"""Stores by name and kind: those of installed packages, those of this process, and what is said of the others."""

from __future__ import annotations

from contextlib import closing
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends import registry
from reference_backends.memory import MemoryLog, MemoryState
from reference_backends.registry import KINDS, UnknownStore, known_stores, open_store, register
from reference_backends.runs import RunStore
from reference_backends.wal import WalLog


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test registered."""
    monkeypatch.setattr(registry, "_registered", {})


def test_stores_of_packages(tmp_path: Path) -> None:
    """Every reference is known by the name that it is judged by; its kinds are those that its record opens."""
    assert {"memory", "file", "sqlite", "wal", "redis", "postgres", "state-cached"} <= set(known_stores())
    with closing(open_store("file", "state", tmp_path / "new" / "place")) as store:
        store["a"] = 1
    with closing(open_store("file", "state", str(tmp_path / "new" / "place"))) as store:
        assert store["a"] == 1
    with closing(open_store("wal", "log", tmp_path)) as log:
        assert isinstance(log, WalLog)


@pytest.mark.parametrize("kind", ["runs", "jobs", "layers"])
def test_records_are_made_of_any_state(kind: str, tmp_path: Path) -> None:
    """A store that opens a state alone gives runs, jobs and layers too, apart from the state of the same place."""
    with (
        closing(open_store("state-cached", "state", tmp_path)) as state,
        closing(open_store("state-cached", kind, tmp_path)) as store,
    ):
        state["x"] = "no record"
        if kind == "layers":
            store.set("tone", "formal")
            assert store.entries() == [("tone", "formal")]
        else:
            getattr(store, f"save_{kind[:-1]}")({"id": "a"})
            assert getattr(store, f"list_{kind}")() == [{"id": "a"}]
        assert dict(state) == {"x": "no record"}


def test_a_state_without_versions_holds_no_records(tmp_path: Path) -> None:
    """A store without compare-and-set is not made into a store of runs, and the text says why."""
    with pytest.raises(UnknownStore, match="WriteBehindState has no compare-and-set"):
        open_store("write-behind", "runs", tmp_path)


def test_a_factory_of_this_process(tmp_path: Path) -> None:
    """What was registered is opened at the place that was asked for, and comes before what packages have."""
    opened: list[Where] = []

    def factory(where: Where) -> MemoryState:
        opened.append(where)
        return MemoryState()

    register("mine", "state", factory)
    register("file", "log", lambda where: MemoryLog())
    open_store("mine", "state", tmp_path, namespace="n")
    assert isinstance(open_store("mine", "runs", "mine://host"), RunStore)
    assert isinstance(open_store("file", "log", tmp_path), MemoryLog)
    assert [(where.path, where.namespace, where.url) for where in opened] == [
        (tmp_path, "n", ""),
        (Path("runs"), "default-runs", "mine://host"),
    ]
    assert "mine" in known_stores()
    with pytest.raises(ValueError, match="'mine' has a factory of the kind 'state' already"):
        register("mine", "state", factory)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("sqlit", "state", r"no store 'sqlit'\. Did you mean 'sqlite'\? Known: .*file.*wal"),
        ("zzz", "state", r"no store 'zzz'\. Known: .*file"),
        ("file", "stat", rf"no kind 'stat' of stores\. Did you mean 'state'\? Known: {', '.join(KINDS)}"),
        ("file", "log", r"The store 'file' has no 'log'\. Known: state, runs, jobs, layers"),
    ],
)
def test_what_is_not_known_is_told_with_what_is(name: str, kind: str, said: str, tmp_path: Path) -> None:
    """An unknown name or kind is told with the nearest and with all that are known."""
    with pytest.raises(UnknownStore, match=said):
        open_store(name, kind, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "place", "said"),
    [
        ("file", "redis://localhost", "'file' is in files: give a directory, not 'redis://localhost'"),
        ("redis", "data", "'redis' is in a server: give its address, with ://, not 'data'"),
    ],
)
def test_a_place_of_another_kind_is_refused(
    name: str, place: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory for a store in a server, and an address for one in files, are refused before anything is opened."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=said):
        open_store(name, "state", place)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a:backend", "b:backend"], "registered by several packages: a:backend, b:backend"),
        (["conformance:adapt"], "conformance:adapt, registered as 'x', is no Backend"),
    ],
)
def test_a_name_that_leads_to_no_record(values: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of two packages, and one of something that is no Backend, are told with their addresses."""

    def points(group: str, **chosen: Any) -> EntryPoints:
        return EntryPoints(EntryPoint("x", value, group) for value in values).select(group=group, **chosen)

    monkeypatch.setattr(registry, "entry_points", points)
    with pytest.raises(UnknownStore, match=said):
        open_store("x", "state", "place")
