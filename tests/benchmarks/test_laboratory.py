"""Operations of several stores are measured in turns, beside the bare disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance import Backend
from conformance.address import load
from conformance.benchmarks.contracts import DELETE, FILLS, GET, PUT, QUERY, SCAN
from conformance.benchmarks.items import measurement_of, measurements
from conformance.benchmarks.laboratory import Laboratory
from conformance.benchmarks.limits import APPENDED, IN_PLACE, READ, WRITTEN
from conformance.benchmarks.measured import Measured, NotMeasuredError
from conformance.benchmarks.plan import ONCE, Plan
from conformance.check import BENCHMARK, catalogue, suite_names
from reference_backends import memory
from tests.benchmarks.stores import Dict, Full, mine

PLAN = Plan(rounds=3, round_ns=1_000, keys=5, longest=10, shortest=10, fill_s=0.0, openings=2, writers=3)


def dicts(name: str, durability: str = "process-crash") -> Backend:
    """Return a backend in memory."""
    return mine(name, durability, state=lambda where: Dict())


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """Return a laboratory that measures next to nothing."""
    return Laboratory(tmp_path, PLAN, 0)


def test_each_is_measured_beside_the_disk_of_its_promise(laboratory: Laboratory) -> None:
    """The first backend is the reference of the others; who promises more is beside a disk that syncs."""
    found = laboratory.alone("state", PUT, [dicts("a"), dicts("b", "power-loss")])
    one, other = found["a"], found["b"]
    assert isinstance(one, Measured)
    assert isinstance(other, Measured)
    assert (one.reference, list(one.limits)) == (None, [WRITTEN])
    assert other.reference == ("a", one.samples)
    assert list(other.limits) == [IN_PLACE, APPENDED]
    assert [len(column) for column in (one.samples, other.samples, *other.limits.values())] == [3] * 4
    record = other.record()
    assert (record["reference"], record["limit"], record["rounds"]) == ("a", IN_PLACE, 3)
    low, high = record["interval"]["reference"]
    assert low <= record["ratio_to_reference"] <= high
    laboratory.close()


def test_each_is_measured_beside_the_bytes_that_it_writes(laboratory: Laboratory) -> None:
    """Backends of different values write records of different sizes, and each has a bare disk of its own size."""
    bare = dicts("bare")
    found = laboratory.alone("state", PUT, [dicts("a"), dicts("same"), replace(bare, values="bytes")])
    one, same, other = found["a"], found["same"], found["bare"]
    assert isinstance(one, Measured)
    assert isinstance(same, Measured)
    assert isinstance(other, Measured)
    assert one.payload_bytes == same.payload_bytes != other.payload_bytes
    assert one.limits == same.limits != other.limits
    laboratory.close()


def test_reads_and_deletes(laboratory: Laboratory) -> None:
    """A get is beside a read; the time of a scan is that of one entry; what is deleted was there."""
    got = laboratory.alone("state", GET, [dicts("a")])["a"]
    scanned = laboratory.alone("state", SCAN, [dicts("a")])["a"]
    deleted = laboratory.alone("state", DELETE, [dicts("a")])["a"]
    for found in (got, scanned, deleted):
        assert isinstance(found, Measured), found
    assert list(got.limits) == [READ]  # type: ignore[union-attr]
    assert scanned.parts == 5  # type: ignore[union-attr]
    laboratory.close()


def test_a_store_that_raises_leaves_the_others_alone(laboratory: Laboratory) -> None:
    """What it raised is what came of it; its place is given up, and the next operation begins in a new one."""
    backends = [mine("full", state=lambda where: Full()), dicts("b")]
    plan = Plan(rounds=60, round_ns=1, keys=5, longest=5, shortest=5, fill_s=0.0, openings=1)
    laboratory.plan = plan
    found = laboratory.alone("state", PUT, backends)
    assert str(found["full"]) == "no space left"
    assert isinstance(found["b"], Measured)
    assert found["b"].reference is None
    again = laboratory.alone("state", GET, backends)
    assert isinstance(again["full"], Measured)
    laboratory.close()


def test_a_store_that_does_not_open(laboratory: Laboratory) -> None:
    """What opening raised is what came of every operation."""

    def broken(where: object) -> Dict:
        raise OSError("no such disk")

    found = laboratory.alone("state", PUT, [mine("broken", state=broken), dicts("b")])
    assert str(found["broken"]) == "no such disk"
    assert isinstance(found["b"], Measured)
    assert isinstance(laboratory.alone("state", PUT, [mine("alone", state=broken)])["alone"], OSError)
    laboratory.close()


def test_who_does_not_share_is_not_asked_to(laboratory: Laboratory) -> None:
    """Threads and processes write at once only where that is promised; it is said why not."""
    single = Backend("single", state=lambda where: Dict(), sharing="single", durability="volatile")
    found = laboratory.at_once("state", PUT, [single, dicts("b")], "threads")
    assert str(found["single"]) == "it promises the sharing 'single', not 'threads'"
    assert isinstance(found["b"], Measured)
    assert (found["b"].workers, found["b"].parts, found["b"].operation) == (3, 3, "put by threads")
    assert isinstance(laboratory.at_once("state", PUT, [single, dicts("b")], "processes")["b"], NotMeasuredError)
    laboratory.close()


def test_processes_write_at_once(laboratory: Laboratory) -> None:
    """Each process has a handle of its own; what they wrote is there afterwards, and the processes are gone."""
    backend = load("reference_backends.sqlite:backend")
    found = laboratory.at_once("state", PUT, [backend], "processes")["sqlite"]
    assert isinstance(found, Measured), found
    assert found.workers == 3
    assert list(found.limits) == [IN_PLACE, APPENDED]
    entrant = laboratory._entrant("state", backend)
    assert not entrant._shared
    assert len(list(entrant.guest().store)) == PLAN.keys
    laboratory.close()


@pytest.mark.parametrize("measurement", measurements(), ids=lambda one: f"{one.contract}-{one.operation}")
def test_every_operation_of_every_contract_is_carried_out(tmp_path: Path, measurement: object) -> None:
    """Each function of the suite measures the memory reference, or says why it is not measured."""
    assert measurement in measurements()
    backend = memory.backend if measurement.contract != "vectors" else load("reference_backends.vectors:backend")  # type: ignore[attr-defined]
    laboratory = Laboratory(tmp_path, ONCE, 0)
    found = measurement.function(laboratory, [backend])[backend.name]  # type: ignore[attr-defined]
    assert not isinstance(found, Exception) or isinstance(found, NotMeasuredError), found
    laboratory.close()


def test_measurements_are_no_checks() -> None:
    """They stand in no catalogue and in no suite of checks; each has a sentence and a name of its own."""
    assert BENCHMARK not in suite_names()
    assert not [check for check in catalogue().values() if check.suite == BENCHMARK]
    found = measurements()
    assert {one.contract for one in found} == set(FILLS)
    assert len({(one.contract, one.operation) for one in found}) == len(found) >= 20
    for one in found:
        assert one.sentence.endswith("."), one
        assert one.file == f"{BENCHMARK}/{one.contract}.py"
    assert measurement_of(test_measurements_are_no_checks) is None
    assert QUERY.reads
