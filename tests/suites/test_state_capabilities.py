"""The checks of the capabilities of the state contract pass every honest and odd store."""

from __future__ import annotations

import base64
import importlib.util
import pickle
import time
from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import catalogue
from conformance.result import Result
from tests.benches import bench
from tests.mutants.base import PlainState
from tests.mutants.capable_base import HONEST, CapableState, capable
from tests.odd.capabilities import ODD

CAPABILITIES = ("cas", "transactions", "ttl", "history", "snapshots", "health", "maintenance")
CHECKS = [
    check
    for check in catalogue().values()
    if (check.contract, check.suite) == ("state", "round-trip") and check.capability in CAPABILITIES
]
REFERENCES = [
    pytest.param(f"reference_backends.{name}:backend", id=name)
    for name in ("memory", "file", "sqlite", "wal")
    if importlib.util.find_spec(f"reference_backends.{name}")
]


def judged(backend: Backend, root: Path, *, effort: str = "quick") -> dict[str, Result]:
    """Carry out the round-trip checks of the capabilities."""
    one = bench(backend, root, effort=effort)
    return {check.code: one.judge(check) for check in CHECKS}


def unsound(results: dict[str, Result]) -> list[Result]:
    """Return the results that a sound store must not have."""
    return [result for result in results.values() if result.outcome not in ("pass", "not applicable")]


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_stores_pass(backend: Backend, tmp_path: Path) -> None:
    """A store that obeys the contract fails no check, however odd it is."""
    assert unsound(judged(backend, tmp_path)) == []


def test_the_honest_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a store that offers everything."""
    results = judged(HONEST, tmp_path)
    assert [result.code for result in results.values() if result.outcome != "pass"] == []


@pytest.mark.parametrize("address", REFERENCES)
def test_reference_backends_pass(address: str, tmp_path: Path) -> None:
    """The shipped stores fail no check."""
    assert unsound(judged(load(address), tmp_path)) == []


def test_a_store_without_capabilities_is_judged_by_none(tmp_path: Path) -> None:
    """Where no capability is offered nothing is checked, and the reason says what is missing."""
    backend = Backend("plain", state=lambda where: PlainState(where.path / "store"))
    results = judged(backend, tmp_path)
    assert {result.outcome for result in results.values()} == {"not applicable"}
    assert results["STATE-CAS-01"].reason == "cas is not offered: no version, compare_and_set"


class WallClockState(CapableState):
    """Takes its time from the machine, as a server does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, time.time)


def test_expiry_by_another_clock_is_not_judged(tmp_path: Path) -> None:
    """A store that does not take its time from `where.clock` is told so by the checks of `ttl`, and by no other."""
    backend = capable("wall_clock", lambda path, clock: WallClockState(path))
    results = judged(backend, tmp_path)
    assert unsound(results) == []
    other = [code for code, result in results.items() if result.outcome == "not applicable"]
    assert other == [check.code for check in CHECKS if check.capability == "ttl"]
    assert {results[code].reason for code in other} == {
        "pass where.clock to the store so that expiry can be tested without waiting"
    }


@pytest.mark.parametrize("values", ["bytes", "json+bytes", "pickle"])
def test_every_domain_of_values_is_judged(values: str, tmp_path: Path) -> None:
    """The checks use values of the promised domain alone."""
    backend = capable("pickling", PicklingState, values=values)
    results = judged(backend, tmp_path)
    assert unsound(results) == []
    assert sum(result.outcome == "pass" for result in results.values()) > 60


class PicklingState(CapableState):
    """Keeps whatever can be pickled."""

    def encode(self, value: object) -> str:
        """Return a text."""
        return base64.b64encode(pickle.dumps(value)).decode()

    def decode(self, text: str) -> object:
        """Return what it stands for."""
        return pickle.loads(base64.b64decode(text))
