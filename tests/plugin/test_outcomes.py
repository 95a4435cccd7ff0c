"""Outcomes, the verdict and the exit code; the same with and without workers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.report.merge import merged

QUICK = "--effort=quick"
STORES = '''
from conformance import Backend
from mystore import NoneStore, Store

class Opinionated(Store):
    """Refuses what it can't keep with an error of its own."""

    def __setitem__(self, key, value):
        if type(value) is dict and "bad" in value:
            raise LookupError("unsupported")
        super().__setitem__(key, value)

def refuse(where):
    raise OSError("no server")

def volatile(where):
    return Store(where.path / "store")

cache = Backend("cache", state=volatile, durability="volatile", lacks={"processes": "one process"})
opinionated = Backend("opinionated", state=lambda where: Opinionated(where.path / "store"))
down = Backend("down", state=refuse)
claims = Backend("claims", state=volatile, lacks={"ttl": "not needed"})
'''
ANSWERS = [[], ["-n", "2"]]


@pytest.fixture
def stores(project: pytest.Pytester) -> pytest.Pytester:
    """Return the project with a module of backends."""
    project.makepyfile(stores=STORES)
    return project


def record(pytester: pytest.Pytester) -> dict[str, Any]:
    """Return the record that the run wrote."""
    report: dict[str, Any] = json.loads(pytester.path.joinpath("out.json").read_text())
    return report


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each check by code."""
    return {
        check["code"]: check["outcome"]
        for backend in report["backends"]
        for contract in backend["contracts"]
        for suite in contract["suites"]
        for check in suite["checks"]
    }


def gap(pytester: pytest.Pytester, code: str) -> None:
    """List a check as a known gap."""
    pytester.makepyprojecttoml(f'[[tool.conformance.known-gaps]]\ncheck = "{code}"\nreason = "issue 12"')


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_failure_is_shown_with_all_that_is_needed(stores: pytest.Pytester, workers: list[str]) -> None:
    """A failure shows rule, expected and got, numbered calls, the store's line, and what to do next."""
    result = stores.runpytest("--backend=mystore:NoneStore", "-k", "STATE-BASIC-01", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "STATE-BASIC-01  A value that was stored is read back; *",
            "  level MUST   suite state/round-trip   backend mystore:NoneStore",
            "  reading a key from an empty store",
            "    expected  KeyError to be raised",
            "    got       None",
            "  calls to the store:",
            "    1. store = session.open()  -> NoneStore",
            "    2. store[[]'a']  -> None    <-- here",
            "  in the store: mystore.py:* in NoneStore",
            "  reproduce   python .pytest_cache/d/conformance/mystore-NoneStore/STATE-BASIC-01.py",
            "  rerun       pytest --backend=mystore:NoneStore -k STATE-BASIC-01",
            "  explain     conformance explain STATE-BASIC-01",
            "  NOT CONFORMANT   1 new failure",
            "FAILED conformance/round_trip/state_values.py::test_value_is_read_back*- STATE-BASIC-01*",
        ]
    )
    result.stdout.no_fnmatch_line("*CheckFailed*")


def test_the_reproduction_script_shows_the_failure(stores: pytest.Pytester) -> None:
    """The script beside a failure runs by itself and repeats the calls."""
    stores.runpytest("--backend=mystore:NoneStore", "-k", "STATE-BASIC-01")
    script = stores.path / ".pytest_cache/d/conformance/mystore-NoneStore/STATE-BASIC-01.py"
    result = stores.runpython(script)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*2. store[[]'a'] -> None*"])


@pytest.mark.parametrize("workers", ANSWERS)
def test_checks_that_a_failure_makes_meaningless_are_blocked(stores: pytest.Pytester, workers: list[str]) -> None:
    """Checks that need a failed one are not run, and say which one blocks them; one failure is shown, not a cascade."""
    result = stores.runpytest("--backend=mystore:NoneStore", QUICK, "--conformance-json=out.json", *workers)
    assert result.ret == 1
    found = outcomes(record(stores))
    assert found["STATE-BASIC-01"] == "fail"
    assert found["STATE-VALUE-01"] == "blocked"
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["  blocked by STATE-BASIC-01 (not run): *"])


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_known_gap_does_not_fail_the_run(stores: pytest.Pytester, workers: list[str]) -> None:
    """A failure that is listed as a known gap is counted and shown with its reason; the run passes."""
    gap(stores, "STATE-BASIC-01")
    args = ["--backend=mystore:NoneStore", "-k", "STATE-BASIC-01", "-v", "--conformance-json=out.json", *workers]
    result = stores.runpytest(*args)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*KNOWN GAP (issue 12)*"] if not workers else ["*KNOWN GAP*"])
    result.stdout.fnmatch_lines(
        ["  known gap    STATE-BASIC-01     issue 12", "  CONFORMANT, 1 known gap in the 1 of *", "*1 known gap*"]
    )
    assert outcomes(record(stores)) == {"STATE-BASIC-01": "known gap"}
    assert record(stores)["verdict"] == "CONFORMANT, 1 known gap"


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_gap_that_passes_is_stale(stores: pytest.Pytester, workers: list[str]) -> None:
    """A known gap that passes fails the run, and says that the entry is to be deleted."""
    gap(stores, "STATE-BASIC-01")
    result = stores.runpytest("--backend=mystore:Store", "-k", "STATE-BASIC-01", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["  stale gap: STATE-BASIC-01 is listed in pyproject.toml:1 (issue 12) but passes now: delete the entry"]
    )
    result.stdout.fnmatch_lines(["  NOT CONFORMANT   1 stale gap"])


@pytest.mark.parametrize("workers", ANSWERS)
def test_what_does_not_concern_a_backend_is_said(stores: pytest.Pytester, workers: list[str]) -> None:
    """Checks of promises that are not made are not applicable, each with the reason, and never count as passed."""
    args = [
        "--backend=stores:cache",
        "-k",
        "STATE-REOPEN-01 or STATE-BASIC-01 or STATE-TTL-01",
        "--conformance-json=out.json",
    ]
    result = stores.runpytest(*args, *workers)
    assert result.ret == 0
    assert outcomes(record(stores))["STATE-REOPEN-01"] == "not applicable"
    result.stdout.fnmatch_lines(
        ["  n/a 1: durability is promised at 'volatile' only; the check is about 'clean-close'"]
    )
    result.stdout.fnmatch_lines(["  lacks processes: one process"])
    assert result.parseoutcomes()["not"] == 2 if "not" in result.parseoutcomes() else True


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_broken_should_is_shown_and_does_not_fail(stores: pytest.Pytester, workers: list[str]) -> None:
    """A broken `should` is counted and named; the run passes."""
    result = stores.runpytest("--backend=stores:opinionated", "-k", "STATE-FAIL-02 or STATE-BASIC-01", *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  state/round-trip         1/1     0/1*", "  should       STATE-FAIL-02*", "  CONFORMANT in the 2 of*"]
    )


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_backend_that_does_not_open_is_inconclusive(stores: pytest.Pytester, workers: list[str]) -> None:
    """A backend that raises when it is opened is red and inconclusive, with one message; the others are judged."""
    args = ["--backend=stores:down", "--backend=mystore:Store", "-k", "BACKEND-OPEN-01 or STATE-BASIC-01"]
    result = stores.runpytest(*args, "--conformance-json=out.json", *workers)
    assert result.ret == 1
    assert (
        result.parseoutcomes() == {"failed": 1, "passed": 2, "deselected": result.parseoutcomes().get("deselected", 0)}
        or workers
    )
    result.stdout.fnmatch_lines(["  inconclusive: opening stores:down raised OSError: no server", "  INCONCLUSIVE   *"])
    assert [backend["verdict"] for backend in record(stores)["backends"]] == ["INCONCLUSIVE", "CONFORMANT"]
    assert record(stores)["verdict"] == "INCONCLUSIVE"


def test_nothing_tested_is_not_a_pass(stores: pytest.Pytester) -> None:
    """A selection that matches nothing, or only the opening, ends inconclusive and red."""
    for selection in ("nothing-has-this-name", "BACKEND-OPEN-01"):
        result = stores.runpytest("--backend=mystore:Store", "-k", selection)
        assert result.ret == 1
        result.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing was tested"])


@pytest.mark.parametrize("workers", ANSWERS)
def test_a_check_that_something_else_skips_is_inconclusive(
    stores: pytest.Pytester, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixture of the project, or a mark that a plugin adds, may skip what it likes; that is no pass."""
    stores.makepyfile(
        skipper="""
        import pytest

        @pytest.fixture(autouse=True)
        def _no_docker(request):
            if "ordinary" in request.node.name:
                pytest.skip("no docker here")

        def pytest_collection_modifyitems(items):
            for item in items:
                if "similar" in item.name:
                    item.add_marker(pytest.mark.skip(reason="slow"))
        """
    )
    # A plugin: hooks of a conftest do not apply to the suites, which lie outside the project.
    monkeypatch.setenv("PYTHONPATH", str(stores.path))
    run = ("--backend=mystore:Store", "-p", "skipper", "--effort=quick", "-k", "STATE-KEY", *workers)
    result = stores.runpytest_subprocess(*run, "--conformance-json=r.json")
    (backend,) = json.loads((stores.path / "r.json").read_text())["backends"]
    assert result.ret == 1
    assert backend["verdict"] == "INCONCLUSIVE"
    checks = [check for one in backend["contracts"] for suite in one["suites"] for check in suite["checks"]]
    reasons = {check["reason"] for check in checks if check["outcome"] == "inconclusive"}
    assert reasons == {"setup skipped: no docker here", "setup skipped: slow"}


def test_a_suite_that_was_named_and_tested_nothing_is_not_a_pass(stores: pytest.Pytester) -> None:
    """Asked for by name, a suite of which nothing applies is red beside one that passed; unasked for it is not."""
    run = ("--backend=memory", "--contract=log", "--effort=quick")
    named = stores.runpytest(*run, "--suite=replay", "--suite=corruption", "--conformance-json=named.json")
    assert named.ret == 1
    named.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing of corruption was tested, and it was asked for by name"])
    told = json.loads((stores.path / "named.json").read_text())
    assert told["suites"] == ["replay", "corruption"]
    assert merged([told])["verdict"] == "INCONCLUSIVE"
    one = stores.runpytest(*run, "--suite=replay", "--suite=corruption", "-k", "LOG-REPLAY-02 or LOG-CORR-01")
    assert one.ret == 0  # selected, and told so: CONFORMANT in the 2 of so many checks
    unnamed = stores.runpytest(*run, "-k", "replay or corruption", "--conformance-json=unnamed.json")
    assert unnamed.ret == 0
    assert json.loads((stores.path / "unnamed.json").read_text())["suites"] == []


def test_a_comparison_with_nothing_is_refused(stores: pytest.Pytester) -> None:
    """The suite `differential` needs two backends."""
    result = stores.runpytest("--backend=memory", "--suite=round-trip", "--suite=differential")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*suite 'differential' (command line) compares two backends: name a second one*"])


def test_a_stopped_run_is_inconclusive(stores: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped before its end has no verdict."""
    monkeypatch.setenv("PYTHONPATH", str(stores.path))
    # A plugin: hooks of a conftest do not apply to the suites, which lie outside the project.
    stores.makepyfile(
        stopping="""
        def pytest_runtest_logfinish(nodeid):
            if "state_values" in nodeid:
                raise KeyboardInterrupt
        """
    )
    result = stores.runpytest_subprocess(
        "-p", "stopping", "--backend=mystore:Store", QUICK, "conformance/round_trip/state_values.py"
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["  INCONCLUSIVE   the run was stopped after 1 of * checks"])


def test_a_failing_fixture_of_the_users_is_inconclusive(stores: pytest.Pytester) -> None:
    """A check that could not be set up is counted as inconclusive, not left out."""
    stores.makeconftest("import pytest\n@pytest.fixture(autouse=True)\ndef broken(): raise RuntimeError('no docker')")
    result = stores.runpytest("--backend=mystore:Store", "-k", "STATE-BASIC-01")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["  inconclusive STATE-BASIC-01     setup failed: RuntimeError: no docker*", "  INCONCLUSIVE *"]
    )


def test_a_killed_worker_is_inconclusive(stores: pytest.Pytester) -> None:
    """A check that takes its worker down is counted as inconclusive."""
    stores.makepyfile(
        killer="import os\nfrom mystore import Store\nclass K(Store):\n    def __getitem__(self, key): os._exit(3)"
    )
    args = ["--backend=killer:K", "-k", "STATE-BASIC-01 or BACKEND-OPEN-01", "-n", "1", "--max-worker-restart=0"]
    result = stores.runpytest_subprocess(*args)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*inconclusive STATE-BASIC-01*", "*INCONCLUSIVE*"])


def test_a_lack_whose_methods_exist_is_reported(stores: pytest.Pytester) -> None:
    """A backend that disclaims a capability which its store has is told so."""
    stores.makepyfile(
        lying="""
        from conformance import Backend
        from mystore import Store
        class Pinging(Store):
            def ping(self): return True
            def stats(self): return {}
        backend = Backend("lying", state=lambda w: Pinging(w.path / "s"), lacks={"health": "no"})
        """
    )
    result = stores.runpytest("--backend=lying:backend", "-k", "STATE-BASIC-01")
    result.stdout.fnmatch_lines(["  lacks health: no", "  lacks health, but its methods are there: it was not tested"])


def test_exit_code_follows_the_verdict(stores: pytest.Pytester) -> None:
    """0 for a conformant backend, 1 for one that is not, 4 for a usage error."""
    assert stores.runpytest("--backend=mystore:Store", "-k", "STATE-BASIC-01").ret == 0
    assert stores.runpytest("--backend=mystore:NoneStore", "-k", "STATE-BASIC-01").ret == 1
    assert stores.runpytest("--backend=mystore:Nothing").ret == 4


@pytest.mark.parametrize("workers", ANSWERS)
def test_terminal_junit_and_record_agree(stores: pytest.Pytester, workers: list[str]) -> None:
    """The counts in the summary, in JUnit's properties and in the record are the same."""
    gap(stores, "STATE-WRITE-01")
    args = ["--backend=stores:cache", QUICK, "-k", "STATE-WRITE or STATE-REOPEN", "--junitxml=out.xml"]
    stores.runpytest(*args, "--conformance-json=out.json", *workers)
    found = outcomes(record(stores))
    xml = stores.path.joinpath("out.xml").read_text()
    for outcome in set(found.values()):
        assert xml.count(f'name="conformance_outcome" value="{outcome}"') == list(found.values()).count(outcome)
    assert xml.count('name="conformance_code"') == len(found)


def test_workers_and_one_process_give_the_same_record(stores: pytest.Pytester) -> None:
    """The same seed gives the same record, times apart, with workers and without."""
    pytest.importorskip("xdist")
    records = []
    for workers in ANSWERS:
        stores.runpytest(
            "--backend=mystore:Store",
            QUICK,
            "-k",
            "(VALUE or LIST) and not CONC",
            "--conformance-json=out.json",
            *workers,
        )
        report = record(stores)
        del report["date"]
        for backend in report["backends"]:
            for contract in backend["contracts"]:
                for suite in contract["suites"]:
                    for check in suite["checks"]:
                        del check["duration_s"]
        records.append(report)
    assert records[0] == records[1]


def test_the_debugger_stops_in_the_check(stores: pytest.Pytester) -> None:
    """With --pdb the debugger opens where the rule was found broken, in the check's own frames."""
    stores.makepyfile(
        debugger="""
        import traceback

        class Debugger:
            def reset(self): pass
            def interaction(self, frame, trace):
                print("frames:", *[entry.name for entry in traceback.extract_tb(trace)])
        """
    )
    args = ["--backend=mystore:NoneStore", "-k", "STATE-BASIC-01", "--pdb", "--pdbcls=debugger:Debugger", "-s"]
    result = stores.runpytest_subprocess("-p", "debugger", *args)
    result.stdout.fnmatch_lines(["*frames: *test_value_is_read_back*"])
