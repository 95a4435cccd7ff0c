"""Checks of a failing network and a failing server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.effort import EFFORTS
from conformance.serving import served
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.base import HONEST as WITHOUT_SERVER
from tests.mutants.log_base import HONEST as LOG_WITHOUT_SERVER
from tests.mutants.network_base import HONEST, ServerLog, server_backend
from tests.mutants.registry import BACKENDS


class OffByOne(ServerLog):
    """A log whose positions begin with 2."""

    def push(self, texts: list[str]) -> int:
        """Append texts, and return one more than the position of the last."""
        return super().push(texts) + 1


OFF_BY_ONE = replace(
    server_backend("off-by-one", state=None, log=OffByOne), address="tests.suites.test_network:OFF_BY_ONE"
)

CHECKS = [check for check in catalogue().values() if "-NET-" in check.code]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "address", ["tests.mutants.network_base:HONEST", "tests.network.stores:HONEST", "tests.network.stores:LENIENT"]
)
def test_honest_stores_pass_every_check(address: str, seed: int, tmp_path: Path) -> None:
    """Each check has met faults, and compared what came of them; no other outcome than pass is right."""
    one = bench(load(address), tmp_path, seed=seed, effort=replace(LONG_ENOUGH, patience_s=60.0))
    for check in CHECKS:
        result = one.judge(check)
        assert result.outcome == "pass", result
        assert result.evidence["faults"] > 0
        assert result.evidence["comparisons"] > result.evidence["calls"] / 2
        assert "faults left out" not in result.evidence


def test_each_request_is_cut_in_each_way(tmp_path: Path) -> None:
    """As many faults meet a request as there are requests, four times over; some calls raise, and none for ever."""
    one = bench(HONEST, tmp_path, effort=LONG_ENOUGH)
    result = one.judge(catalogue()["LOG-NET-01"])
    assert result.evidence["faults"] % 4 == 0
    assert result.evidence["faults"] >= 4 * 11
    assert result.evidence["calls that raised"] == result.evidence["faults"]


def test_the_wait_is_told(tmp_path: Path) -> None:
    """How long a call took that got no reply is a condition of the result."""
    result = bench(HONEST, tmp_path).judge(catalogue()["STATE-NET-03"])
    assert result.conditions["longest wait"].endswith(" s")
    assert float(result.conditions["longest wait"].split()[0]) > 0.25


@pytest.mark.parametrize("check", CHECKS[:1] + CHECKS[-2:], ids=lambda check: check.code)
def test_stores_without_a_server_are_not_concerned(check: Check, tmp_path: Path) -> None:
    """A file has no network."""
    backend = WITHOUT_SERVER if check.contract == "state" else LOG_WITHOUT_SERVER
    result = bench(backend, tmp_path).judge(check)
    assert (result.outcome, result.reason) == ("not applicable", "the store talks to no server")


def test_a_server_of_others_is_neither_killed_nor_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections are cut all the same."""
    one = bench(HONEST, tmp_path)
    assert HONEST.server is not None
    here = replace(served(HONEST.server), private=False)
    monkeypatch.setattr("conformance.hosting.served", lambda _: here)
    for number in ("07", "08"):
        result = one.judge(catalogue()[f"LOG-NET-{number}"])
        assert result.outcome == "not applicable", result
        assert "CONFORMANCE_REDIS_URL" in result.reason
    assert one.judge(catalogue()["LOG-NET-04"]).outcome == "pass"


def test_an_address_that_tells_no_port_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be put in between then, which is nothing against the store."""
    one = bench(HONEST, tmp_path)
    assert HONEST.server is not None
    here = replace(served(HONEST.server), url="redis://localhost")
    monkeypatch.setattr("conformance.suites.crash_recovery.network.served", lambda _: here)
    result = one.judge(catalogue()["STATE-NET-01"])
    assert result.outcome == "inconclusive"
    assert "no proxy can be put in between" in result.reason


def broken(name: str) -> Backend:
    """Return a mutant."""
    found: Backend = getattr(BACKENDS, name)
    return found


def test_a_failure_shows_the_fault_and_the_calls(tmp_path: Path) -> None:
    """Which fault at which request, what was asked before and behind it, expected and got, and what was found."""
    result = bench(broken("append_repeated_by_client"), tmp_path).judge(catalogue()["LOG-NET-01"])
    example = result.counterexample
    assert example is not None
    assert "is carried out, and its connection is closed" in example.what
    assert "a call was given an answer that can't be its own" in example.what
    assert example.expected.startswith("store.append(")
    fault = next(number for number, line in enumerate(example.story) if line.startswith("********* a request of the"))
    assert example.story[fault + 1].startswith("-- store.append(")
    assert example.story[-1].startswith("found in the end by a fresh handle, without the proxy: ")


def test_a_hang_shows_where_the_store_stands(tmp_path: Path) -> None:
    """The call that does not end is the last of the story, and the line of the store is told."""
    effort = replace(EFFORTS["quick"], patience_s=2.0)
    one = bench(broken("no_timeout_log"), tmp_path, effort=effort)
    example = one.judge(catalogue()["LOG-NET-03"]).counterexample
    assert example is not None
    assert example.expected == "an answer or an exception within 2 s"
    assert example.story[-1].endswith("DOES NOT END")
    assert "tests/mutants/network_base.py" in example.frame
    assert "recv" in example.frame
    assert one.judge(catalogue()["LOG-NET-04"]).reason == "blocked by LOG-NET-03"
    assert one.judge(catalogue()["LOG-NET-08"]).outcome == "blocked"


def test_no_further_fault_is_tried_on_a_store_that_is_done_for(tmp_path: Path) -> None:
    """Each would take as long; how many were left out is told."""
    result = bench(broken("dead_connection_kept_log"), tmp_path).judge(catalogue()["LOG-NET-02"])
    assert result.outcome == "fail"
    assert result.evidence["faults left out"] > result.evidence["faults"]


def test_a_sweep_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """What was begun is judged; how many faults were left out is told."""
    one = bench(HONEST, tmp_path, effort=replace(EFFORTS["quick"], crash_seconds=0.0))
    result = one.judge(catalogue()["LOG-NET-01"])
    assert result.outcome == "pass"
    assert 0 < result.evidence["faults"] < result.evidence["faults left out"]


def test_a_store_that_fails_without_a_fault_is_inconclusive(tmp_path: Path) -> None:
    """Nothing can be said of faults then."""
    one = bench(OFF_BY_ONE, tmp_path)
    check = replace(catalogue()["LOG-NET-01"], needs=())
    result = one.trial(check).judge()
    assert result.outcome == "inconclusive"
    assert "with no fault at all" in result.reason


def test_a_volatile_server_is_not_asked_to_keep_anything(tmp_path: Path) -> None:
    """What is promised to be gone with the process may be gone; the handle is judged by the other checks."""
    backend = replace(HONEST, durability="volatile", address="")
    assert bench(backend, tmp_path).judge(catalogue()["LOG-NET-07"]).outcome == "not applicable"
