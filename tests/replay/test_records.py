"""Lives of records: the same each time, and looks that have what the contract settles and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance import Backend, Where
from conformance.contracts import contracts
from conformance.place import ManualClock
from conformance.replay.records import (
    AGAIN,
    BYTES,
    IDS,
    Look,
    claim_again,
    claim_records,
    live_again,
    live_records,
    look_again,
    look_at_records,
)
from conformance.session import Handle, Session
from reference_backends.memory import backend as memory
from reference_backends.sqlite import backend as sqlite
from tests.mutants.records_concurrency_base import Layers, MemoryBox
from tests.mutants.vectors_base import PlainVectors

MISSING = (KeyError,)


class Backwards(PlainVectors):
    """Has another order of what is equally near."""

    def ranked(self, vector: Any, records: Any) -> Any:
        """Order by the id, the last one first."""
        return sorted(super().ranked(vector, records), key=lambda pair: (pair[1], [-ord(one) for one in pair[0]]))


class LastBit(Backwards):
    """Reckons the scores of equal vectors a little differently."""

    def ranked(self, vector: Any, records: Any) -> Any:
        """Differ in the last bit."""
        return [(key, one + place * 1e-9) for place, (key, one) in enumerate(super().ranked(vector, records))]


def opened(contract: str, folder: Path, backend: Backend = memory) -> tuple[Session, Handle, tuple[str, ...]]:
    """Return an open store, with its session and all capabilities of its contract."""
    folder.mkdir()
    session = Session(backend, contract, Where(folder, clock=ManualClock()))
    return session, session.open(), tuple(one.name for one in contracts()[contract].capabilities)


def look_of(contract: str, folder: Path) -> Look:
    """Return what is read after a life in a folder."""
    session, store, offers = opened(contract, folder)
    live_records(store, contract, offers)
    found = look_at_records(store, contract, offers, MISSING)
    session.close()
    return found


def test_a_life_of_runs_has_a_branch_and_an_id_that_is_used_again(tmp_path: Path) -> None:
    """Of the branch there is what the contract settles; the rest of it is the store's."""
    look = look_of("runs", tmp_path / "a")
    assert look == look_of("runs", tmp_path / "b")
    assert look.records.keys() == {*IDS, AGAIN, "branch"}
    assert look.records[AGAIN]["output"] == "output 7"
    assert len(look.records[IDS[1]]["events"]) == 4
    assert look.records["branch"].keys() == {"id", "checkpoints", "state", "lineage"}
    assert {run["id"] for run in look.listed} == look.records.keys()


def test_a_life_of_jobs_and_its_claims(tmp_path: Path) -> None:
    """Some of the jobs are done, some fail, some are handed out again; what a store notes beside is not looked at."""
    look = look_of("jobs", tmp_path / "a")
    assert look.records.keys() == {*IDS, AGAIN}
    assert look.records[IDS[3]]["history"][1] == {"at": 1_766_619_000_000, "status": "failed"}
    assert "x-trace" in look.records[IDS[3]]
    session, store, _ = opened("jobs", tmp_path / "b")
    answers = claim_records(store)
    records = look_at_records(store, "jobs", (), MISSING).records
    session.close()
    assert answers[0] == [IDS[0]]
    assert answers[3] == []
    assert {job["status"] for job in records.values()} >= {"stopped", "running"}
    assert any(len(job["history"]) > 1 for job in records.values())
    session, _, _ = opened("jobs", tmp_path / "c")
    assert claim_again(session, lambda: None, MISSING) == Look(records, (), answers)
    session.close()


def test_a_life_of_layers_is_in_every_layer_and_scope(tmp_path: Path) -> None:
    """Each has the same keys, and values of its own; bytes where a store keeps nothing else."""
    look = look_of("layers", tmp_path / "a")
    assert len(look.records) == 3 * 2 * (len(IDS) + 1)
    assert look.listed == ()
    plain = Backend("plain", layers=lambda _: Layers(MemoryBox()))
    session, store, _ = opened("layers", tmp_path / "b", plain)
    live_records(store, "layers", (BYTES,))
    values = look_at_records(store, "layers", (), MISSING).records.values()
    session.close()
    assert {type(value) for value in values} == {bytes}


def test_a_life_of_vectors_is_told_without_numbers(tmp_path: Path) -> None:
    """Vectors and scores are those of their records; of those that are equally near the order of the store is kept."""

    def looked(store: PlainVectors) -> Look:
        handle = Session(Backend("plain", vectors=lambda _: store), "vectors", Where(tmp_path)).open()
        live_records(handle, "vectors", ("filter",))
        return look_at_records(handle, "vectors", ("filter",), MISSING)

    look, backwards = looked(PlainVectors(tmp_path / "a")), looked(Backwards(tmp_path / "b"))
    assert len(look.records) == len(IDS) + 1 + 6
    assert {vector for _, vector in look.records.values()} == {"its own"}
    assert {told for _, told in look.answers[0]} == {"its own"}
    assert look.answers[1] == [AGAIN]
    assert [key for key, _ in look.answers[6][:6]] == [f"tied {number}" for number in range(6)]
    assert [key for key, _ in backwards.answers[6][:6]] == [f"tied {number}" for number in reversed(range(6))]
    assert looked(LastBit(tmp_path / "c")) == look


def test_errands_step_the_clock_between_the_looks(tmp_path: Path) -> None:
    """A life elsewhere is the one here; a look elsewhere is two looks."""
    steps: list[Any] = []
    session, _, offers = opened("runs", tmp_path / "a", sqlite)
    lived = live_again(session, lambda: steps.append(1), "runs", offers, MISSING)
    assert look_again(session, lambda: steps.append(2), "runs", offers, MISSING) == (lived, lived)
    session.close()
    assert steps == [1, 1, 2, 2]
