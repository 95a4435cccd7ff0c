"""Migrations from one store into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.migrate import Report, Side, Stopped, Unfit
from conformance.migrate.log import WINDOW
from conformance.migrate.moving import ORDER
from reference_backends import sqlite
from tests.migrate.sides import bytes_in, content, contents, database, files, fill, journal_of, move, only, run, side

#: The verbs that change nothing.
READING = {
    *("__getitem__", "__iter__", "__aiter__", "__len__", "__contains__", "expires_at", "list_snapshots"),
    *("read", "head", "first", "latest_checkpoint"),
    *("get_run", "list_runs", "get_job", "list_jobs", "get", "entries", "scopes", "precedence", "close"),
}


class OnlyRead:
    """A store whose verbs are passed on; one that changes something fails the test."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattribute__(self, name: str) -> Any:
        store = object.__getattribute__(self, "_store")
        found = getattr(store, name)
        if name.startswith("_") and name not in ("__getitem__", "__setitem__", "__delitem__"):
            return found
        if name in READING or not callable(found):
            return found

        def refuse(*_args: Any, **_kwargs: Any) -> Any:
            raise AssertionError(f"the source was asked to {name}")

        refuse.__signature__ = __import__("inspect").signature(found)  # type: ignore[attr-defined]
        return refuse


def only_read(backend: Backend) -> Backend:
    """Return a backend whose stores are only read."""

    def opener(contract: str) -> Callable[[Any], Any]:
        return lambda where: OnlyRead(getattr(backend, contract)(where))

    return replace(backend, **{name: opener(name) for name in ORDER if getattr(backend, name)})  # type: ignore[arg-type]


def test_everything_arrives(tmp_path: Path) -> None:
    """All five contracts are moved, in their order, and both sides hold the same."""
    source, target = fill(files(tmp_path / "a")), database(tmp_path / "b")
    report = move(source, target)
    assert [(one.contract, one.records, one.equal) for one in report.contracts] == [(n, 12, True) for n in ORDER]
    assert contents(target) == contents(source)
    assert report.equal
    assert not journal_of(target).exists()
    assert not report.backup


def test_digests_do_not_depend_on_the_store(tmp_path: Path) -> None:
    """There and back again, each whole has the same digest."""
    first = move(fill(files(tmp_path / "a")), database(tmp_path / "b"))
    second = move(database(tmp_path / "b"), files(tmp_path / "c"))
    assert [one.source for one in first.contracts] == [one.target for one in second.contracts]


def test_the_source_is_only_read(tmp_path: Path) -> None:
    """No verb that changes anything is called on the source, and its files are what they were."""
    fill(files(tmp_path / "a"))
    before = bytes_in(tmp_path / "a")
    source = files(tmp_path / "a")
    report = move(Side(only_read(source.backend), source.where), database(tmp_path / "b"))
    assert report.equal
    assert sum(one.records for one in report.contracts) == 60
    assert bytes_in(tmp_path / "a") == before


def test_the_source_that_is_only_read_refuses(tmp_path: Path) -> None:
    """The double of the test above notices a write."""
    store = only_read(files(tmp_path / "a").backend).state(files(tmp_path / "a").where)  # type: ignore[misc]
    with pytest.raises(AssertionError):
        store.__setitem__("a", 1)


def test_runs_come_after_their_parents(tmp_path: Path) -> None:
    """A target that refuses unknown parents gets parents first, whatever the order of ids."""
    source, target = files(tmp_path / "a"), database(tmp_path / "b")
    store = source.backend.runs(source.where)  # type: ignore[misc]
    for number in range(40):
        store.save_run(run(number, 40))
    assert move(source, target, contracts=["runs"]).equal
    assert content(target, "runs") == content(source, "runs")


def test_records_pass_one_at_a_time(tmp_path: Path) -> None:
    """No more than one value of the source is waiting to be written."""
    waiting, most = 0, 0

    class Counting(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            nonlocal waiting, most
            waiting += 1
            most = max(most, waiting)
            return super().__getitem__(key)

    class Taking(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            nonlocal waiting
            waiting = 0
            super().__setitem__(key, value)

        def __getitem__(self, key: str) -> Any:
            nonlocal waiting
            waiting = 0  # compared
            return super().__getitem__(key)

    held, taken = Counting({f"{n}": n for n in range(500)}), Taking()
    source = side(Backend("a", state=lambda _: held), tmp_path / "a")
    move(source, side(Backend("b", state=lambda _: taken), tmp_path / "b"))
    assert taken.keys() == held.keys()
    assert most == 1


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """A dry run tells what there is, and makes neither the target nor a journal nor a backup."""
    source = fill(files(tmp_path / "a"))
    target = database(tmp_path / "b")
    target.where.path.rmdir()
    report = move(source, target, dry_run=True)
    assert [one.records for one in report.contracts] == [12] * 5
    assert report.is_dry_run
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert list(report.lines())[-1] == "Dry run: nothing was written."


def test_a_target_that_holds_something_is_backed_up(tmp_path: Path) -> None:
    """The files of the target are copied, as they were, before anything is written."""
    source, target = fill(files(tmp_path / "a")), fill(database(tmp_path / "b"), 3)
    before = contents(target)
    report = move(source, target, contracts=["state"])
    assert content(database(Path(report.backup)), "state") == before["state"]
    assert content(target, "state") == content(source, "state")


def test_a_target_with_other_records_is_refused(tmp_path: Path) -> None:
    """Moving is not merging: what the source has not stays in the target, and nothing is written."""
    source, target = fill(files(tmp_path / "a"), 3), fill(database(tmp_path / "b"))
    before = contents(target)
    with pytest.raises(Unfit, match=r"has 9 that the source has not, such as 'key/10'\. Moving is not merging"):
        move(source, target, contracts=["state"])
    assert contents(target) == before
    assert not journal_of(target).exists()


def _logged(of: Side, count: int) -> Side:
    fill(only(of, "log"), count)
    return of


def test_a_log_goes_on_from_its_beginning(tmp_path: Path) -> None:
    """A target whose log is a beginning of the source's gets the rest."""
    source, target = _logged(files(tmp_path / "a"), WINDOW + 20), _logged(database(tmp_path / "b"), 15)
    assert move(source, target, contracts=["log"]).equal
    assert content(target, "log") == content(source, "log")


def test_another_log_is_refused(tmp_path: Path) -> None:
    """A target whose log is no beginning of the source's is refused, with the first event that differs."""
    source, target = fill(files(tmp_path / "a")), database(tmp_path / "b")
    log = target.backend.log(target.where)  # type: ignore[misc]
    log.append({"n": 0})
    log.append({"n": "another"})
    log.close()
    with pytest.raises(Unfit, match=r"Event 2 is \{'n': 'another'\} there, \{'n': 1\} in the source"):
        move(source, target, contracts=["log"])


def test_a_longer_log_is_refused(tmp_path: Path) -> None:
    """A target whose log goes on after the source's end is refused."""
    with pytest.raises(Unfit, match="it is no beginning of it"):
        move(fill(files(tmp_path / "a"), 3), fill(database(tmp_path / "b"), 4), contracts=["log"])


def test_a_compacted_log_keeps_its_positions(tmp_path: Path) -> None:
    """A log that begins late begins there in the target too, with its checkpoint; without compaction it is refused."""
    source, target = _logged(files(tmp_path / "a"), WINDOW + 30), database(tmp_path / "b")
    log = source.backend.log(source.where)  # type: ignore[misc]
    log.checkpoint({"folded": True}, WINDOW + 10)
    log.compact(WINDOW + 5)
    log.close()
    report = move(source, target, contracts=["log"])
    assert report.equal
    assert report.contracts[0].records == 25
    moved = target.backend.log(target.where)  # type: ignore[misc]
    assert (moved.first, moved.head) == (WINDOW + 6, WINDOW + 30)
    assert tuple(moved.latest_checkpoint()) == ({"folded": True}, WINDOW + 10)
    moved.close()
    plain = side(replace(sqlite.backend, lacks={"compaction": "not here"}), tmp_path / "c")
    with pytest.raises(Unfit, match="has no compaction"):
        move(source, plain, contracts=["log"])


def test_entries_expire_when_they_did(tmp_path: Path) -> None:
    """An expiry is moved; a target that keeps everything for ever is not given what expires."""
    source, target = files(tmp_path / "a"), database(tmp_path / "b")
    state = target.backend.state(target.where)  # type: ignore[misc]
    state.set("lasting", 1)
    state.set("passing", 2, ttl=60.5)
    state.close()
    back = side(replace(sqlite.backend, name="other"), tmp_path / "c")
    assert move(target, back, contracts=["state"]).equal
    moved = back.backend.state(back.where)  # type: ignore[misc]
    assert moved.expires_at("passing") == pytest.approx(target.where.clock() + 60.5)
    assert moved.expires_at("lasting") is None
    moved.close()
    with pytest.raises(Stopped, match="'passing' could not be written: 'passing' expires"):
        move(target, source, contracts=["state"])


def test_what_the_target_has_no_store_for_is_told(tmp_path: Path) -> None:
    """A contract that the source holds something of and the target has not is refused, unless others are named."""
    source = fill(files(tmp_path / "a"), 2)
    only_state = Backend("only-state", state=sqlite.open_state)
    with pytest.raises(Unfit, match=r"the log of .* holds 2, and only-state has no log"):
        move(source, side(only_state, tmp_path / "b"))
    assert move(source, side(only_state, tmp_path / "b"), contracts=["state"]).equal


class NoVerbs:
    """A store that a migration never opens."""


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_source_of_vectors_alone_is_refused(tmp_path: Path, *, dry_run: bool) -> None:
    """Where no contract is left to move, nothing is compared: that is no equality, and nothing is made."""
    source = side(Backend("near", vectors=lambda _: NoVerbs()), tmp_path / "a")
    target = database(tmp_path / "b")
    with pytest.raises(Unfit, match=r"near opens vectors alone, which is not moved: .* one of these: state, log, "):
        move(source, target, dry_run=dry_run)
    assert not journal_of(target).exists()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_target_without_any_of_the_contracts_is_refused(tmp_path: Path, *, dry_run: bool) -> None:
    """Also where the source holds nothing of what the target has no store for; so says a look at an absent target."""
    source = side(Backend("only-state", state=sqlite.open_state), tmp_path / "a")
    target = side(Backend("only-log", log=sqlite.open_log), tmp_path / "b")
    told = r"only-log has none of what only-state at .* has: state\. There is nothing to move"
    with pytest.raises(Unfit, match=told):
        move(source, target, dry_run=dry_run)
    target.where.path.rmdir()
    with pytest.raises(Unfit, match=told):
        move(source, target, dry_run=True)
    assert not journal_of(target).exists()


def test_a_dry_run_refuses_what_the_migration_would(tmp_path: Path) -> None:
    """What the source holds and the target has no store for is told, whether the target is there or not."""
    source, target = (
        fill(files(tmp_path / "a"), 2),
        side(Backend("only-state", state=sqlite.open_state), tmp_path / "b"),
    )
    target.where.path.rmdir()
    with pytest.raises(Unfit, match=r"the log of .* holds 2, and only-state has no log"):
        move(source, target, dry_run=True)
    assert not target.where.path.exists()


def test_a_report_about_nothing_is_not_equal() -> None:
    """Without a contract that was compared there is no equality; a dry run compares nothing and says so."""
    nothing = Report("a", "b", (), (), "", "", is_dry_run=False, was_resumed=False, duration_s=0.0)
    assert not nothing.equal
    assert not nothing.to_dict()["equal"]
    assert list(nothing.lines())[-1] == "NOT EQUAL: do not use the target."
    assert replace(nothing, is_dry_run=True).equal


class Thing:
    """What a pickle keeps, and no text tells: its `repr` says where it lies in memory."""


class Torn:
    """A thing whose own `repr` raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def _looped() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("contract", ["state", "log"])
@pytest.mark.parametrize("value", [{"a": Thing()}, Torn(), _looped()], ids=["thing", "torn", "loop"])
def test_pickles_without_a_digest_are_refused(tmp_path: Path, value: Any, contract: str, *, dry_run: bool) -> None:
    """A source that promises pickles is looked through first: what can't be compared afterwards is not copied."""

    class Log:
        head = 2

        def append(self, event: Any) -> int: ...

        def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
            return [(1, 0), (2, value)][start - 1 : 2 if stop is None else stop - 1]

        def close(self) -> None: ...

    held, taken = {"plain": 1, "thing": value}, dict[str, Any]()
    openers: dict[str, Any] = {"state": lambda _: held} if contract == "state" else {"log": lambda _: Log()}
    source = side(Backend("a", **openers, values="pickle"), tmp_path / "a")
    target = side(Backend("b", state=lambda _: taken, log=sqlite.open_log, values="pickle"), tmp_path / "b")
    which = "state 'thing'" if contract == "state" else "event 2 of the log"
    with pytest.raises(Unfit, match=rf"{which} of a at .* has no digest \(.*\), so nothing could show that it arrived"):
        move(source, target, dry_run=dry_run)
    assert taken == {}
    assert not journal_of(target).exists()
    absent = Side(target.backend, Where(tmp_path / "c"))
    with pytest.raises(Unfit, match="has no digest"):
        move(source, absent, dry_run=True)


def test_a_record_without_a_digest_ends_in_a_sentence(tmp_path: Path) -> None:
    """A source that promises JSON and holds something else is found out by the comparison, which says which record."""
    held, taken = {"thing": Thing()}, dict[str, Any]()
    source = side(Backend("a", state=lambda _: held), tmp_path / "a")
    target = side(Backend("b", state=lambda _: taken), tmp_path / "b")
    told = r"state 'thing' of a at .* has no digest \(TypeError: a Thing has no canonical form.*--contract"
    for _ in range(2):
        with pytest.raises(Stopped, match=told):
            move(source, target)
    assert journal_of(target).exists()


def test_scopes_that_nobody_can_list_are_asked_for(tmp_path: Path) -> None:
    """Layers of a store with scopes and without `scopes()` are moved only when the scopes are named."""

    class Unlisted:
        def __init__(self, store: Any) -> None:
            self._store = store
            self.get, self.set, self.delete = store.get, store.set, store.delete
            self.entries, self.clear, self.close = store.entries, store.clear, store.close
            self.precedence = store.precedence

    source = fill(files(tmp_path / "a"))
    unlisted = replace(source.backend, layers=lambda where: Unlisted(source.backend.layers(where)))  # type: ignore[misc]
    target = database(tmp_path / "b")
    with pytest.raises(Unfit, match="Name each with --scope=NAME"):
        move(Side(unlisted, source.where), target, contracts=["layers"])
    report = move(Side(unlisted, source.where), target, contracts=["layers"], scopes=["", "a:b"])
    assert report.equal
    assert report.contracts[0].records == 12
    assert content(target, "layers") == content(source, "layers")


def test_layers_that_another_one_wins_over_are_refused(tmp_path: Path) -> None:
    """A target with another precedence is refused: another value would win there."""
    source = fill(files(tmp_path / "a"), 3)
    turned = replace(
        sqlite.backend,
        layers=lambda where: sqlite.LayerStore(sqlite.open_state(where), ("policy", "profile", "working")),
    )
    with pytest.raises(Unfit, match="has the layers working, profile, policy, in this order"):
        move(source, side(turned, tmp_path / "b"), contracts=["layers"])


def test_one_place_for_both_is_refused(tmp_path: Path) -> None:
    """Source and target must be apart, and neither in the other."""
    with pytest.raises(Unfit, match="are one place, or one is in the other"):
        move(files(tmp_path / "a"), database(tmp_path / "a"))
    with pytest.raises(Unfit, match="are one place, or one is in the other"):
        move(files(tmp_path / "a"), database(tmp_path / "a" / "b"))


def test_a_target_that_alters_values_is_found_out(tmp_path: Path) -> None:
    """A target that keeps something else is told with the first record, both values, and that it must not be used."""

    class Rounding(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            super().__setitem__(key, int(value) if isinstance(value, float) else value)

    held = Rounding()
    source = side(sqlite.backend, tmp_path / "a")
    state = source.backend.state(source.where)  # type: ignore[misc]
    state["price"], state["name"], state["tax"] = 1.0, "x", 2.0
    state.close()
    report = move(source, side(Backend("rounding", state=lambda _: held), tmp_path / "b"), contracts=["state"])
    (found,) = report.contracts
    assert not report.equal
    assert found.differences == 2
    assert found.first == "'price': the source has 1.0, the target 1"
    assert list(report.lines())[-1] == "NOT EQUAL: do not use the target."


def test_a_refused_record_is_named(tmp_path: Path) -> None:
    """A record that the target refuses stops the migration, which names it and what the store said."""

    class Narrow(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            if key == "key/5":
                raise ValueError("too much")
            super().__setitem__(key, value)

    source = fill(files(tmp_path / "a"))
    target = side(Backend("narrow", state=lambda _: Narrow()), tmp_path / "b")
    with pytest.raises(Stopped, match=r"state 'key/5' could not be written: .* ValueError: too much"):
        move(source, target, contracts=["state"])
    assert journal_of(target).exists()


def test_async_stores_are_moved(tmp_path: Path) -> None:
    """An async store is read and written like any other."""

    class Async:
        def __init__(self, held: dict[str, Any]) -> None:
            self._held = held

        async def __getitem__(self, key: str) -> Any:
            return self._held[key]

        async def __setitem__(self, key: str, value: Any) -> None:
            self._held[key] = value

        async def __delitem__(self, key: str) -> None:
            del self._held[key]

        async def __len__(self) -> int:
            return len(self._held)

        async def __aiter__(self) -> Any:
            for key in list(self._held):
                yield key

        async def close(self) -> None: ...

    old: dict[str, Any] = {f"{n}": [n] for n in range(30)}
    new: dict[str, Any] = {}
    source = side(Backend("old", state=lambda _: Async(old)), tmp_path / "a")
    assert move(source, side(Backend("new", state=lambda _: Async(new)), tmp_path / "b")).equal
    assert new == old
