"""`--conformance-shard=i/n`: every check in one shard, the same everywhere; the shards together are the run."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from conformance.check import catalogue
from conformance.report.merge import merged

QUICK = ("--effort=quick", "--suite=round-trip", "--contract=state")
#: Some checks of several files, which take moments.
SOME = ("-k", "BASIC or LIST or OPEN")
COUNT = 2


def run(project: pytest.Pytester, *args: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the plugin; return what it printed, and the record."""
    path = project.path / "out.json"
    path.unlink(missing_ok=True)
    result = project.runpytest_inprocess("--backend=mystore:Store", *QUICK, "--conformance-json=out.json", *args)
    return result, json.loads(path.read_text())


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    """Return a record without times."""
    for check in checks(report):
        del check["duration_s"]
    return {field: value for field, value in report.items() if field != "date"}


def checks(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the checks of a record."""
    return [c for b in report["backends"] for o in b["contracts"] for s in o["suites"] for c in s["checks"]]


def names(project: pytest.Pytester, *args: str) -> list[str]:
    """Return the node ids that are collected."""
    result = project.runpytest_inprocess("--backend=mystore:Store", *QUICK, "--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def test_shards_together_are_the_run(project: pytest.Pytester) -> None:
    """Each check is judged in one of them, and their records merge into that of the whole selection."""
    _, whole = run(project, *SOME)
    parts = [run(project, *SOME, f"--conformance-shard={number}/{COUNT}") for number in range(1, COUNT + 1)]
    codes = [check["code"] for _, report in parts for check in checks(report)]
    assert sorted(codes) == sorted(check["code"] for check in checks(whole))
    reports = [report for _, report in parts]
    assert [report["shard"] for report in reports] == ["1/2", "2/2"]
    assert timeless(merged(random.Random(0).sample(reports, COUNT))) == timeless(whole)
    for result, report in parts:
        (backend,) = report["backends"]
        assert result.ret == 0
        assert report["verdict"] == backend["verdict"] == f"CONFORMANT (shard {report['shard']})"
        assert 0 < backend["selected"] < backend["of"]
        assert not any(promise["observed"] for promise in backend["promises"])
        # What comes after it is the business of whoever words the scope.
        result.stdout.fnmatch_lines([f"*shard {report['shard']} (command line): the other checks are left out"])
        result.stdout.fnmatch_lines([f"  CONFORMANT (shard {report['shard']})*"])
        assert result.parseoutcomes()["deselected"] > 0


def test_shards_are_disjoint_and_complete(project: pytest.Pytester) -> None:
    """What is collected in all shards is what is collected without; a check's shard does not depend on -k."""
    whole = names(project)
    parts = [names(project, f"--conformance-shard={number}/{COUNT}") for number in range(1, COUNT + 1)]
    assert sorted(name for part in parts for name in part) == sorted(whole)
    assert all(part == [name for name in whole if name in part] for part in parts)
    values = names(project, "-k", "VALUE")
    some = names(project, f"--conformance-shard=2/{COUNT}", "-k", "VALUE")
    assert [name for name in parts[1] if name in values] == some != []


def test_a_failure_in_a_shard_is_red(project: pytest.Pytester) -> None:
    """A shard with a broken rule fails, and says so without a word about the others."""
    project.makepyfile(broken="from mystore import NoneStore\n")
    found = []
    for number in (1, 2):
        result = project.runpytest_inprocess(
            "--backend=broken:NoneStore", *QUICK, "-k", "STATE-BASIC-01", f"--conformance-shard={number}/2"
        )
        found.append(result)
    assert sorted(int(result.ret) for result in found) == [1, 1]
    (red,) = [result for result in found if "failed" in result.parseoutcomes()]
    red.stdout.fnmatch_lines(["  NOT CONFORMANT   1 new failure*"])
    (empty,) = [result for result in found if result is not red]
    empty.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing was tested"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_check_has_one_result_in_a_shard(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """What passed and could not be torn down is inconclusive, once; what failed stays a failure. So shards merge."""
    if workers:
        pytest.importorskip("xdist")
    project.makeconftest(
        "import pytest\n@pytest.fixture(autouse=True)\ndef stuck():\n    yield\n    raise OSError('busy')"
    )
    reports = []
    for number in (1, 2):
        _, report = run(
            project, "--backend=mystore:NoneStore", "-k", "BASIC", f"--conformance-shard={number}/2", *workers
        )
        for backend in report["backends"]:
            of_backend = checks({"backends": [backend]})
            assert backend["selected"] == len(of_backend) == len({check["code"] for check in of_backend})
        reports.append(report)
    whole = merged(reports, ["s1.json", "s2.json"])
    good, bad = whole["backends"]
    assert {check["outcome"] for check in checks({"backends": [good]})} == {"inconclusive"}
    assert {check["reason"] for check in checks({"backends": [good]})} == {"teardown failed: OSError: busy"}
    (failed,) = [check for check in checks({"backends": [bad]}) if check["code"] == "STATE-BASIC-01"]
    assert (failed["outcome"], failed["counterexample"] is not None) == ("fail", True)
    assert (good["verdict"], bad["verdict"]) == ("INCONCLUSIVE", "NOT CONFORMANT")


def test_gates_of_other_shards_are_judged(project: pytest.Pytester) -> None:
    """A check whose gate is broken is blocked, whichever shard the gate itself is in."""
    outcomes = []
    for number in range(1, 5):
        path = project.path / f"{number}.json"
        project.runpytest_inprocess(
            "--backend=mystore:NoneStore",
            *QUICK,
            "-k",
            "BASIC or FAIL or REOPEN",
            f"--conformance-shard={number}/4",
            f"--conformance-json={path}",
        )
        outcomes.append({check["code"]: check["outcome"] for check in checks(json.loads(path.read_text()))})
    (gate,) = [number for number, found in enumerate(outcomes) if "STATE-BASIC-01" in found]
    assert outcomes[gate]["STATE-BASIC-01"] == "fail"
    assert any("blocked" in found.values() for number, found in enumerate(outcomes) if number != gate)


def test_workers_share_a_shard(project: pytest.Pytester) -> None:
    """With pytest-xdist a shard is the same."""
    pytest.importorskip("xdist")
    _, alone = run(project, *SOME, "--conformance-shard=2/2")
    _, shared = run(project, *SOME, "--conformance-shard=2/2", "-n", "2")
    assert timeless(shared) == timeless(alone)


def test_a_project_s_own_tests_are_in_every_shard(project: pytest.Pytester) -> None:
    """Shards are of checks: whoever shards the tests of a project has other means."""
    project.makepyfile(test_own="def test_own(): pass\n")
    for number in (1, 2):
        collected = names(project, "conformance", "test_own.py", f"--conformance-shard={number}/2")
        assert "test_own.py::test_own" in collected


def test_the_environment_may_say_which_shard(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONFORMANCE_SHARD is what a matrix of CI sets; the command line comes before it."""
    monkeypatch.setenv("CONFORMANCE_SHARD", "1/2")
    result, report = run(project, *SOME)
    assert report["shard"] == "1/2"
    result.stdout.fnmatch_lines(["*shard 1/2 (CONFORMANCE_SHARD): the other checks are left out"])
    _, report = run(project, *SOME, "--conformance-shard=2/2")
    assert report["shard"] == "2/2"


@pytest.mark.parametrize("text", ["0/3", "4/3", "two", ""])
def test_what_is_no_shard_is_a_usage_error(text: str, project: pytest.Pytester) -> None:
    """The value, the rule, and what to write; nothing is judged."""
    result = project.runpytest_inprocess("--backend=mystore:Store", f"--conformance-shard={text}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: conformance: shard (command line): {text!r} is not i/n with whole numbers and 1 <= i <= n, such as*"]
    )


@pytest.mark.parametrize("count", ["99999999999", "9" * 5000])
def test_more_shards_than_checks_are_a_usage_error(count: str, project: pytest.Pytester) -> None:
    """Shards without a check judge nothing: there are as many as there are checks."""
    most = len(catalogue())
    told = f"'1/9*' has more shards than there are checks: give at most {most}."
    result = project.runpytest_inprocess("--backend=mystore:Store", f"--conformance-shard=1/{count}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: shard (command line): {told}"])
    result = project.runpytest_inprocess(
        "--backend=mystore:Store", f"--conformance-shard={most}/{most}", "--collect-only", "-q"
    )
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_one_round_has_no_shards(project: pytest.Pytester) -> None:
    """A saved state or a round is of one check: with a shard it is refused."""
    result = project.runpytest_inprocess(
        "--backend=mystore:Store", "--conformance-round=STATE-CONC-01:scheduled:1:", "--conformance-shard=1/2"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: *a shard of it is nothing: leave the shard out*"])


def test_what_is_measured_is_not_sharded(project: pytest.Pytester) -> None:
    """Benchmarks compare what one run has measured on one machine."""
    pytest.importorskip("pytest_benchmark")
    result = project.runpytest_inprocess("--backend=mystore:Store", "--suite=benchmark", "--conformance-shard=1/2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *benchmarks are not divided: leave out the shard 1/2."])
