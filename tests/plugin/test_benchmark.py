"""The suite `benchmark` in a pytest run: measured, not judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.benchmarks.plan import PLANS

ONE = ("--suite=benchmark", "--effort=quick", "--contract=state", "-k", "test_get")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the runs of these tests for what they are: pytest-benchmark disables itself in a worker of pytest-xdist."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def benchmarks(project: pytest.Pytester) -> list[dict[str, Any]]:
    """Return the entries of the record."""
    found: list[dict[str, Any]] = json.loads((project.path / "r.json").read_text())["benchmarks"]
    return found


def test_measuring_is_no_verdict(project: pytest.Pytester) -> None:
    """A run that only measures is green, and says that nothing was judged; pytest-benchmark has the same figures."""
    result = project.runpytest(
        "--backend=mystore:Store", "--conformance-json=r.json", "--benchmark-json=b.json", "--junit-xml=r.xml", *ONE
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "  NOT JUDGED   1 operation measured, no rule tested",
            "*= benchmark =*",
            "  operation *x bare disk*durability",
            "  state get *mystore:Store *claims power-loss, not observed",
            "*bare disk: pread, in memory: *",
            "*benchmark 'state get': 1 tests*",
            "test_get?mystore:Store?*",
        ]
    )
    result.stdout.no_fnmatch_line("*CONFORMANT*")
    record = json.loads((project.path / "r.json").read_text())
    assert (record["verdict"], record["backends"][0]["verdict"]) == ("NOT JUDGED", "NOT JUDGED")
    assert record["machine"]["cpu_count"] >= 1
    (one,) = record["benchmarks"]
    (theirs,) = json.loads((project.path / "b.json").read_text())["benchmarks"]
    assert theirs["fullname"] == "conformance/benchmark/state.py::test_get[mystore:Store]"
    assert theirs["stats"]["median"] == pytest.approx(one["median"], rel=1e-3)
    assert theirs["stats"]["rounds"] == one["rounds"] == PLANS["quick"].rounds
    assert theirs["stats"]["iterations"] == one["batch"]
    assert theirs["extra_info"]["ratio_to_limit"] == one["ratio_to_limit"]


def test_two_backends_are_measured_in_turns(project: pytest.Pytester) -> None:
    """The first is the reference of the second, and what they promise stands on each line."""
    result = project.runpytest("--backend=mystore:Store", "--backend=memory", "--conformance-json=r.json", *ONE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*x mystore:Store*",
            "  state get*mystore:Store *",
            "*memory *claims volatile: not the same durability as mystore:Store",
        ]
    )
    first, second = benchmarks(project)
    assert (first["reference"], second["reference"]) == ("", "mystore:Store")
    assert second["ratio_to_reference"] == pytest.approx(second["median"] / first["median"], rel=1e-2)
    # Both were beside the same bare disk, in the same rounds.
    assert first["limits"][0]["median"] == second["limits"][0]["median"]


def test_the_first_backend_is_the_reference_in_any_order_of_the_items(project: pytest.Pytester) -> None:
    """Plugins put items into other orders; what is compared with what does not change with it."""
    project.makeconftest(
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(items):
            items.reverse()
        """
    )
    run = ("--backend=mystore:Store", "--backend=memory", "--conformance-json=r.json", "-p", "no:randomly")
    assert project.runpytest(*run, *ONE).ret == 0
    references = {one["backend"]: one["reference"] for one in benchmarks(project)}
    assert references == {"mystore:Store": "", "memory": "mystore:Store"}


def test_a_store_that_raises_is_red(project: pytest.Pytester) -> None:
    """The item of the backend fails with its own frame; the other one is measured; the verdict is no pass."""
    project.makepyfile(
        broken="""
        from mystore import Store

        class Slow(Store):
            def __getitem__(self, key):
                raise OSError("the disk is gone")
        """
    )
    result = project.runpytest("--backend=broken:Slow", "--backend=memory", "--conformance-json=r.json", *ONE)
    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(
        [
            "broken.py:5: OSError",
            "  INCONCLUSIVE   1 operation could not be measured",
            "  NOT JUDGED   1 operation measured, no rule tested",
            "  failed       broken:Slow: state get: OSError: the disk is gone",
        ]
    )


def test_disabling_carries_out_once(project: pytest.Pytester) -> None:
    """With --benchmark-disable nothing is measured, and that is said; with --benchmark-skip nothing is even done."""
    result = project.runpytest("--backend=mystore:Store", "--conformance-json=r.json", "--benchmark-disable", *ONE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  NOT JUDGED   1 operation carried out once, no rule tested", "*1 passed*"])
    (one,) = benchmarks(project)
    assert "median" not in one
    result = project.runpytest("--backend=mystore:Store", "--conformance-json=r.json", "--benchmark-skip", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing was tested", "*1 skipped*"])
    assert benchmarks(project) == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-n2"], "*the suite benchmark measures one thing at a time*leave out -n for it."),
        (["--conformance-shard=1/2"], "*benchmarks are not divided: leave out the shard 1/2."),
        (["-pno:benchmark"], "*needs pytest-benchmark*pip install 'pytest-backend-conformance?benchmark?'*"),
    ],
)
def test_what_can_not_be_measured_is_refused(project: pytest.Pytester, args: list[str], message: str) -> None:
    """Several workers at once, and pytest-benchmark missing, are usage errors that say what to do."""
    result = project.runpytest("--backend=memory", "--suite=benchmark", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: {message}"])


def test_what_is_required_is_not_measured_by_times(project: pytest.Pytester) -> None:
    """A run that only measures meets no requirement, and is red where there is one."""
    result = project.runpytest("--backend=mystore:Store", "--require=power-loss", "--benchmark-disable", *ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing was tested"])


def test_it_runs_when_it_is_asked_for(project: pytest.Pytester) -> None:
    """A run without a --suite collects no measurement, and one with it has node ids like those of the checks."""
    asked = ("--backend=memory", "--contract=layers", "--collect-only", "-q")
    assert "benchmark/" not in project.runpytest(*asked).stdout.str()
    result = project.runpytest(*asked, "--suite=benchmark")
    result.stdout.fnmatch_lines(
        ["conformance/benchmark/layers.py::test_set?memory?", "conformance/benchmark/layers.py::test_get?memory?"]
    )


def test_pytest_benchmark_may_be_missing_elsewhere(project: pytest.Pytester) -> None:
    """Whoever does not measure needs no pytest-benchmark."""
    result = project.runpytest("--backend=memory", "-k", "STATE-BASIC-01", "-p", "no:benchmark")
    assert result.ret == 0
