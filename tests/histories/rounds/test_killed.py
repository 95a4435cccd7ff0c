"""Processes that are killed: one history over all lives, and nothing that was acknowledged is missing from it."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.backend import Opener
from conformance.histories.checkers.register import check_register
from conformance.histories.kinds import judged
from conformance.histories.operation import NEVER, Operation
from conformance.histories.plans.plan import Ask
from conformance.histories.plans.upkeep import writes
from conformance.histories.rounds import killed as rounds
from conformance.histories.rounds.killed import KillWay, Life, killed
from conformance.histories.rounds.round import Round
from tests.mutants import concurrency_kills
from tests.mutants.concurrency_processes import Document

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
EACH_WAY = pytest.mark.parametrize("way", ["killed", "all killed"])


def carried_out(backend: Backend, way: KillWay, folder: Path, seed: int = 1) -> Round:
    """Return one round of two workers that put and get."""
    with killed(way, backend, "state", 2) as carry_out:
        return carry_out(folder, writes(seed, 2, 12, 4), seed)


def reported(path: Path, *operations: Operation) -> Path:
    """Write the report of a life, one operation for each ask."""
    path.write_bytes(b"".join(pickle.dumps(([operation], [])) for operation in operations))
    return path


PUT = Operation(5, 9, 3, "put", "a", 1)
ASKS = [Ask("put", "a", 1), Ask("delete", "a", 2), Ask("put", "a", 3)]


def test_the_call_of_the_kill_is_open(tmp_path: Path) -> None:
    """It was called at some time after the last return; a delete writes no number; the rest was never asked."""
    life = Life(3, ASKS, reported(tmp_path / "report", PUT), begun=1)
    assert life.heard() == ([PUT, Operation(9, NEVER, 3, "delete", "a", outcome="info")], [])
    assert life.left() == ASKS[2:]
    nothing = Life(3, ASKS, tmp_path / "no report", begun=1)
    assert nothing.heard() == ([Operation(1, NEVER, 3, "put", "a", 1, outcome="info")], [])
    assert nothing.left() == ASKS[1:]


def test_what_only_looked_when_it_was_killed_tells_nothing(tmp_path: Path) -> None:
    """Nobody heard the answer."""
    assert Life(0, [Ask("get", "a")], tmp_path / "report", begun=1).heard() == ([], [])


def test_half_a_report_is_none(tmp_path: Path) -> None:
    """Whoever was killed while it wrote one had been answered, but nobody knows what."""
    path = reported(tmp_path / "report", PUT, PUT)
    path.write_bytes(path.read_bytes()[:-3])
    history, _ = Life(3, ASKS, path, begun=1).heard()
    assert [one.outcome for one in history] == ["ok", "info"]


def test_an_open_delete_may_have_deleted() -> None:
    """A history in which it did is fine, and so is one in which it did not."""
    delete = Operation(9, NEVER, 3, "delete", "a", outcome="info")
    for answer in (None, 1):
        assert check_register([PUT, delete, Operation(10, 11, 4, "get", "a", answer=answer)]).holds


@EACH_WAY
def test_lives_make_one_history(way: KillWay, tmp_path: Path) -> None:
    """Of more workers than there are at a time; what was acknowledged is there; each key is read at the end."""
    one = carried_out(concurrency_kills.HONEST, way, tmp_path)
    assert one.stuck == ""
    assert judged("writes", one).holds
    assert len({operation.worker for operation in one.history}) > 3
    assert [operation.verb for operation in one.history[-3:]] == ["get"] * 3
    assert {operation.outcome for operation in one.history} <= {"ok", "info"}


class LockedByItsFile(Document):
    """Its lock is a file, which a dead process never removes."""

    def __setitem__(self, key: str, value: Any) -> None:
        held = self.path.with_name("held")
        while True:
            try:
                os.close(os.open(held, os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                continue
        super().__setitem__(key, value)
        held.unlink()


class DeadlyToOpen(Document):
    """Can be opened by the first two."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        (path.parent / f"opened-{os.getpid()}").touch()
        if len(list(path.parent.glob("opened-*"))) > 2:
            raise OSError("no more")


def backend(store: type[Document]) -> Backend:
    """Return a backend that opens a store."""

    def open_state(where: Where) -> Document:
        return store(where.path / "store.json")

    opener: Opener = open_state
    return replace(concurrency_kills.HONEST, state=opener)


def test_a_lock_of_the_dead_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait for it never come to an end, which is told, and is no failure of the kit."""
    monkeypatch.setattr(rounds, "LIMIT_S", 0.5)
    found = (carried_out(backend(LockedByItsFile), "killed", new_folder(tmp_path, seed), seed) for seed in range(8))
    stuck = next(one for one in found if one.stuck)
    assert stuck.stuck.endswith(("no answer within 0 s", "lives on after 0 s"))
    assert judged("writes", stuck).broken


@EACH_WAY
def test_a_store_that_does_not_open_again_is_found(way: KillWay, tmp_path: Path) -> None:
    """Its exception is told."""
    assert carried_out(backend(DeadlyToOpen), way, tmp_path).stuck == "the store did not open: OSError: no more"


def new_folder(parent: Path, number: int) -> Path:
    """Return an empty folder."""
    folder = parent / str(number)
    folder.mkdir()
    return folder
