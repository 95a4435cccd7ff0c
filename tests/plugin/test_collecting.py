"""Collection: the same node ids from everywhere, whatever the project's ini, conftest and layout."""

from __future__ import annotations

import re

import pytest

BASIC = "conformance/round_trip/state_values.py::test_value_is_read_back[mystore:Store]"
FEW = ("-k", "STATE-BASIC-01 or BACKEND-OPEN-01 or STATE-WRITE-01")


def collected(result: pytest.RunResult) -> list[str]:
    """Return the node ids that `--collect-only -q` printed."""
    return [line for line in result.outlines if "::" in line]


def test_only_the_suites_run_without_targets(project: pytest.Pytester) -> None:
    """With a backend and no targets, the suites run and the project's own tests don't."""
    project.makepyfile(test_own="def test_own(): assert False")
    result = project.runpytest("--backend=mystore:Store", *FEW)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 3


def test_targets_are_what_runs(project: pytest.Pytester) -> None:
    """With targets only those run: the project's tests, the suites, or both."""
    project.makepyfile(test_own="def test_own(): pass")
    own = project.runpytest("--backend=mystore:Store", "test_own.py")
    own.assert_outcomes(passed=1)
    both = project.runpytest("--backend=mystore:Store", "test_own.py", "conformance", "-k", "own or STATE-BASIC-01")
    assert both.parseoutcomes()["passed"] == 2
    one = project.runpytest("--backend=mystore:Store", BASIC)
    assert one.parseoutcomes() == {"passed": 1}


def test_node_ids_are_the_same_from_everywhere(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Node ids don't depend on the working directory, the import mode, or how the suites are named."""
    deep = project.mkdir("deep")
    monkeypatch.syspath_prepend(project.path)
    first = collected(project.runpytest("--backend=mystore:Store", "--collect-only", "-q"))
    assert BASIC in first
    assert all(nodeid.startswith("conformance/") for nodeid in first)
    by_name = collected(project.runpytest("--backend=mystore:Store", "--collect-only", "-q", "conformance"))
    imported = collected(
        project.runpytest("--backend=mystore:Store", "--collect-only", "-q", "--import-mode=importlib")
    )
    monkeypatch.chdir(deep)
    elsewhere = collected(project.runpytest("--backend=mystore:Store", "--collect-only", "-q"))
    assert first == by_name == imported == elsewhere


def test_a_file_in_a_suite_can_be_named(project: pytest.Pytester) -> None:
    """A suite, a file of it, and a check can be given as targets."""
    for target in ("conformance/round_trip", "conformance/round_trip/state_values.py"):
        result = project.runpytest("--backend=mystore:Store", "--collect-only", "-q", target)
        assert BASIC in collected(result)
        assert not any("open/backend" in nodeid for nodeid in collected(result))


def test_the_users_ini_does_not_change_what_is_collected(project: pytest.Pytester) -> None:
    """Naming rules, ignored directories, strictness and warnings-as-errors of the project change nothing."""
    plain = collected(project.runpytest("--backend=mystore:Store", "--collect-only", "-q"))
    project.makeini(
        """
        [pytest]
        python_files = check_*.py
        python_functions = it_*
        python_classes = It*
        norecursedirs = conformance suites round_trip *
        addopts = --strict-markers --strict-config
        filterwarnings = error
        xfail_strict = true
        """
    )
    result = project.runpytest("--backend=mystore:Store", "--collect-only", "-q")
    assert collected(result) == plain
    assert project.runpytest("--backend=mystore:Store", *FEW).ret == 0


def test_the_users_fixtures_take_no_place(project: pytest.Pytester) -> None:
    """Fixtures of a root conftest with short names don't replace the kit's; autouse fixtures run."""
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def trial(): raise RuntimeError("theirs")

        @pytest.fixture
        def store(): raise RuntimeError("theirs")

        @pytest.fixture(autouse=True)
        def always(): pass
        """
    )
    assert project.runpytest("--backend=mystore:Store", *FEW).ret == 0


def test_codes_select_checks(project: pytest.Pytester) -> None:
    """-k takes codes, whole, in part, and in expressions."""
    for expression, number in (("STATE-BASIC-01", 1), ("STATE-ALIAS", 2), ("STATE-ALIAS and not STATE-ALIAS-02", 1)):
        result = project.runpytest("--backend=mystore:Store", "--collect-only", "-q", "-k", expression)
        assert len(collected(result)) == number


def test_deselect_and_last_failed_take_node_ids(project: pytest.Pytester) -> None:
    """--deselect with a pasted id, and --lf after a failure, find the check."""
    bad = BASIC.replace("Store", "NoneStore")
    first = project.runpytest("--backend=mystore:NoneStore", *FEW)
    assert first.parseoutcomes()["failed"] == 1
    again = project.runpytest("--backend=mystore:NoneStore", "--lf", *FEW)
    assert again.parseoutcomes()["failed"] == 1
    assert "passed" not in again.parseoutcomes()
    without = project.runpytest("--backend=mystore:NoneStore", *FEW, "--deselect", bad)
    assert "failed" not in without.parseoutcomes()


def test_a_plain_run_is_not_touched(project: pytest.Pytester) -> None:
    """Without any of its options the plugin adds nothing to a run."""
    project.makepyfile(test_own="def test_own(pytestconfig): assert not pytestconfig.getoption('conformance_backend')")
    result = project.runpytest("-v")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*conformance *")
    result.stdout.no_fnmatch_line("*INCONCLUSIVE*")


def test_a_directory_of_the_users_stays_theirs(project: pytest.Pytester) -> None:
    """A project that has a directory `conformance` can name it; the suites are then reached by their files."""
    project.mkdir("conformance").joinpath("test_theirs.py").write_text("def test_theirs(): pass\n")
    result = project.runpytest("--backend=mystore:Store", "conformance")
    assert result.parseoutcomes() == {"passed": 1}
    result = project.runpytest("--backend=mystore:Store", BASIC)
    assert result.parseoutcomes() == {"passed": 1}


def test_the_contract_can_be_chosen(project: pytest.Pytester) -> None:
    """--contract leaves the checks of other contracts out."""
    result = project.runpytest("--backend=memory", "--contract=log", "--collect-only", "-q")
    files = {nodeid.split("::")[0].rpartition("/")[2] for nodeid in collected(result)}
    assert all(file.startswith(("log", "backend")) for file in files)
    assert any(file.startswith("log") for file in files)


def test_works_without_plugin_autoload(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With autoloading off, `-p conformance.plugin` is enough."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    result = project.runpytest_subprocess("-p", "conformance.plugin", "--backend=mystore:NoneStore", *FEW)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*expected*KeyError to be raised*"])


def test_ids_are_the_same_with_workers(project: pytest.Pytester) -> None:
    """Under pytest-xdist the checks have the same ids, and the verdict is the same."""
    pytest.importorskip("xdist")
    result = project.runpytest("--backend=mystore:NoneStore", "--backend=mystore:Store", "-n", "2", "-v", *FEW)
    assert result.ret == 1
    result.stdout.re_match_lines_random(
        [rf".*PASSED.* {re.escape(BASIC)}", rf".*FAILED.* {re.escape(BASIC.replace('Store]', 'NoneStore]'))}"]
    )
    result.stdout.fnmatch_lines(["*NOT CONFORMANT   1 new failure*", "*CONFORMANT in the 3 of*"])
