"""Options of the plugin: where they come from, what they refuse, and that they leave others alone."""

from __future__ import annotations

import json

import pytest

from conformance.crash.disk import MODELS
from conformance.options import DISKS
from conformance.suites.crash_recovery.laboratory import POWER

BASIC = ("-k", "STATE-BASIC-01")


def test_short_and_canonical_names_mean_the_same(project: pytest.Pytester) -> None:
    """`--backend` and `--conformance-backend` select a backend, with `=` and with a space."""
    for args in (
        ["--backend=mystore:Store"],
        ["--backend", "mystore:Store"],
        ["--conformance-backend", "mystore:Store"],
    ):
        result = project.runpytest(*args, *BASIC)
        result.assert_outcomes(passed=1, deselected=result.parseoutcomes()["deselected"])
        assert result.ret == 0


def test_a_conftest_may_own_the_short_name(project: pytest.Pytester) -> None:
    """A project whose conftest defines --backend keeps it; the canonical name works beside it."""
    project.makeconftest(
        """
        def pytest_addoption(parser):
            parser.addoption("--backend", default="theirs")
        """
    )
    project.makepyfile(test_own="def test_own(request): assert request.config.getoption('--backend') == 'mine'")
    result = project.runpytest("--backend=mine", "test_own.py")
    result.assert_outcomes(passed=1)
    result = project.runpytest("--backend=mine", "--conformance-backend=mystore:Store", *BASIC)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*--backend belongs to your conftest; use --conformance-backend*"])
    result = project.runpytest("--conformance-backend=mystore:NoneStore", *BASIC)
    result.stdout.fnmatch_lines(["*rerun*pytest --conformance-backend=mystore:NoneStore -k STATE-BASIC-01*"])


def test_a_conftest_that_is_loaded_late_may_own_the_short_name(project: pytest.Pytester) -> None:
    """The conftest of a folder adds its options when the folder is collected; a run without ours does not hinder it."""
    project.makepyfile(
        **{
            "deep/conftest": "def pytest_addoption(parser): parser.addoption('--backend', default='theirs')",
            "deep/test_own": "def test_own(): assert True",
        }
    )
    project.runpytest().assert_outcomes(passed=1)
    assert project.runpytest("--conformance-backend=mystore:Store", *BASIC).ret == 0


@pytest.mark.parametrize("args", [["--help"], ["-h"]])
def test_the_help_has_the_short_names(project: pytest.Pytester, args: list[str]) -> None:
    """They are added only where they are used, and are told to who asks."""
    result = project.runpytest(*args)
    result.stdout.fnmatch_lines(["*--backend=SPEC*Short for --conformance-backend*"])


def test_a_file_of_arguments_may_use_a_short_name(project: pytest.Pytester) -> None:
    """Pytest reads more of the command line from `@file`."""
    project.path.joinpath("arguments").write_text("--backend=mystore:Store\n-k\nSTATE-BASIC-01\n")
    assert project.runpytest("@arguments").ret == 0


def test_a_suite_without_a_backend_says_what_to_write(project: pytest.Pytester) -> None:
    """Asking for conformance without a backend is a usage error that shows how to name one."""
    result = project.runpytest("--suite=round-trip")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: no backend is named.*--backend=memory*"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--backend=memroy"],
            "*unknown backend 'memroy'.*Did you mean 'memory'?*file, memory, postgres, redis, sqlite, *wal*",
        ),
        (["--backend=memory", "--suite=round-tripp"], "*unknown suite 'round-tripp'*Did you mean 'round-trip'?*"),
        (["--backend=memory", "--contract=stat"], "*unknown contract 'stat'*Did you mean 'state'?*"),
        (["--backend=memory", "--effort=fast"], "*unknown effort 'fast'*Known: quick, normal, thorough*"),
        (["--backend=memory", "--conformance-seed=x"], "*seed='x' (command line) is not a whole number*"),
        (["--backend=memory", "--conformance-seed=-1"], "*seed='-1' (command line) is not a whole number from 0 on*"),
        (["--backend=memory", "--conformance-json=no/where.json"], "*there is no directory*"),
        (
            ["--backend=memory", "--conformance-json=."],
            "json=* (command line): no record can be written into it: *Is a directory*. Name a file, or a new one.",
        ),
        (["--backend=memory", "--conformance-disk=posx"], "*unknown disk 'posx' (command line)*Did you mean 'posix'?*"),
        (["--backend=memory", "--conformance-case=no.json"], "*case (command line): *no.json: No such file*"),
        (["--backend=memory", "--conformance-case=mystore.py"], "*mystore.py is no case file (*a failed check wrote*"),
        (["--conformance-case=no.json"], "*no backend is named*"),
        (["--backend=nowhere:Store"], "*there is no module 'nowhere'*"),
        (["--backend=mystore:Stor"], "*mystore has no attribute 'Stor'.*Did you mean 'Store'?*"),
        (["--backend=./nothing.py:backend"], "*there is no file*nothing.py*"),
        (
            ["--backend=./mystore:Store"],
            "*: './mystore' is no name of a module. Name a file, with its ending: --backend=./mystore.py:Store.",
        ),
        (["--backend=/abs/mystore:Store"], "*'/abs/mystore' is no name of a module*--backend=/abs/mystore.py:Store."),
        (["--backend=mystore.:Store"], "*'mystore.' is no name of a module*"),
        (["--backend=**:Store"], "*'[*][*]' is no name of a module*"),
        (["--backend=math:pi"], "*'math:pi' is a float object, which is not callable*"),
        (["--backend=mystore:Bare"], "*'mystore:Bare'*is no state store: it has no __getitem__*adapt(*"),
        (["--backend=mystore:"], "*not of the form module:attribute*"),
        (["--backend=file", "--contract=log"], "*'file' does not open the contract 'log'; it opens state*"),
        (["--backend=memory", "--backend=reference_backends.memory:backend"], "*two backends are called 'memory'*"),
    ],
)
def test_bad_values_are_usage_errors(project: pytest.Pytester, args: list[str], message: str) -> None:
    """A value that can't be used is an error of one line that names the value, with exit code 4 and no traceback."""
    result = project.runpytest(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: {message}"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_values_come_from_the_project_file(project: pytest.Pytester) -> None:
    """[tool.conformance] gives defaults, and the header says where each value came from."""
    project.makepyprojecttoml(
        """
        [tool.conformance]
        backend = "mine"
        effort = "quick"
        seed = 7
        suites = ["round-trip"]

        [tool.conformance.backends.mine]
        address = "mystore:Store"
        durability = "clean-close"
        lacks = { processes = "one process only" }
        """
    )
    result = project.runpytest("--suite=round-trip", "-k", "STATE-BASIC-01 or STATE-SHARE-01")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "conformance * | effort quick (pyproject.toml) | seed 7 (pyproject.toml)",
            "*backend mine (pyproject.toml): state*",
            "*suites open, round-trip (command line)*",
            "*lacks processes: one process only*",
            "*durability*claimed clean-close*",
        ]
    )
    result.assert_outcomes(passed=1, deselected=result.parseoutcomes()["deselected"])


def test_a_default_backend_does_not_take_over_a_plain_run(project: pytest.Pytester) -> None:
    """With a backend in pyproject.toml, a plain `pytest` still runs the project's own tests and nothing else."""
    project.makepyprojecttoml('[tool.conformance]\nbackend = "mystore:Store"')
    project.makepyfile(test_own="def test_own(): pass")
    result = project.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*conformance: *")


def test_the_environment_asks_for_a_run(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONFORMANCE_BACKEND selects a backend; the command line goes before it."""
    monkeypatch.setenv("CONFORMANCE_BACKEND", "mystore:NoneStore")
    monkeypatch.setenv("CONFORMANCE_EFFORT", "quick")
    result = project.runpytest(*BASIC)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*effort quick (CONFORMANCE_EFFORT)*", "*mystore:NoneStore (CONFORMANCE_BACKEND)*"])
    result = project.runpytest("--backend=mystore:Store", *BASIC)
    assert result.ret == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[tool.conformance]\nefort = "quick"', "*has no key 'efort'. Did you mean 'effort'?*"),
        (
            "[tool.conformance.backends.x]\nlacks = {}",
            '*[[]tool.conformance.backends.x] in *give address = "module:attribute"*',
        ),
        (
            '[tool.conformance.backends.x]\naddress = "mystore:Store"\nlack = {}',
            "*unknown key 'lack'. Did you mean 'lacks'?*",
        ),
        (
            '[tool.conformance.backends.x]\naddress = "mystore:Store"\ndurability = "high"',
            "*durability='high' is unknown*",
        ),
        (
            '[tool.conformance.backends.x]\naddress = "mystore:Store"\nlacks = { tt = "r" }',
            "*lacks={'tt': ...} names neither*",
        ),
        (
            '[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-1"\nreason = "r"',
            "*unknown check 'STATE-BASIC-1'. Did you mean 'STATE-BASIC-01'?*",
        ),
        ('[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-01"', "*STATE-BASIC-01 has no reason*"),
        (
            '[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-01"\nreason = "r"\nexpires = 2020-01-01',
            "*STATE-BASIC-01 expired on 2020-01-01*",
        ),
        (
            '[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-01"\nreason = "r"\nexpires = "soon"',
            "*expires='soon' is not a date*",
        ),
        (
            '[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-01"\nreason = "r"\nuntil = "x"',
            "*has no key 'until'*",
        ),
        ('[tool.conformance]\ndisks = ["ext4"]', "*unknown disk 'ext4' (pyproject.toml)*Known: posix, paranoid*"),
        ("[tool.conformance]\nseed = true", "*seed=True (pyproject.toml) is not a whole number*"),
        ("[tool.conformance]\nseed = inf", "seed=inf (pyproject.toml) is not a whole number*"),
        (
            "[tool.conformance]\nsuites = 5",
            'suite=5 (pyproject.toml) is no list of texts. Write suites = [[]"round-trip"].',
        ),
        ("[tool.conformance]\ndisks = 1.5", 'disk=1.5 (pyproject.toml) is no list of texts. Write disks = *"posix"*'),
        ("[tool.conformance]\ndisks = { posix = true }", "disk={'posix': True} (pyproject.toml) is no list of texts*"),
        ("[tool.conformance]\ndisks = [7]", "disk=7 (pyproject.toml) is not a text."),
        ("[tool]\nconformance = 5", "*pyproject.toml: conformance = 5 is no table. Write [[]tool.conformance]*"),
        (
            '[tool.conformance]\nbackends = ["a"]',
            "*pyproject.toml: backends = [[]'a'] is no table. Write [[]tool.conformance.backends]*",
        ),
    ],
)
def test_bad_project_files_are_usage_errors(project: pytest.Pytester, table: str, message: str) -> None:
    """What can't be used in pyproject.toml is named with the file and the entry."""
    project.path.joinpath("pyproject.toml").write_text(table)
    project.path.joinpath("pytest.ini").write_text("[pytest]\n")
    result = project.runpytest("--backend=x" if "backends.x" in table else "--backend=mystore:Store")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: {message}"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_backend_of_the_project_is_a_text(project: pytest.Pytester) -> None:
    """Where no other is named."""
    project.makepyprojecttoml("[tool.conformance]\nbackend = true")
    result = project.runpytest("--suite=round-trip")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ['ERROR: conformance: backend=True (pyproject.toml) is no list of texts. Write backend = [[]"mystore"].']
    )


def test_a_project_file_that_can_not_be_read_is_a_usage_error(project: pytest.Pytester) -> None:
    """As one that is a directory."""
    project.path.joinpath("pyproject.toml").mkdir()
    project.path.joinpath("pytest.ini").write_text("[pytest]\n")
    result = project.runpytest("--backend=mystore:Store")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: *pyproject.toml can't be read: Is a directory."])


@pytest.mark.parametrize("address", ["leaves:Store", "./leaves.py:Store"])
def test_an_adapter_that_exits_is_a_usage_error(project: pytest.Pytester, address: str) -> None:
    """An adapter may end its process where it misses something: not ours."""
    project.makepyfile(leaves="import sys\nsys.exit('no licence')")
    result = project.runpytest(f"--backend={address}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: backend *: importing * raised SystemExit: no licence"])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def store(path):\n    sys.exit('no licence')", "opening leaves:store raised SystemExit: no licence"),
        ("async def store(path):\n    sys.exit('no licence')", "opening leaves:store raised SystemExit: no licence"),
        (
            "def asked(where):\n    sys.exit(3)\n\nstore = Backend('leaves', state=lambda where: {}, declare=asked)",
            "asking what leaves promises raised SystemExit: 3",
        ),
    ],
)
def test_a_store_that_exits_does_not_open(project: pytest.Pytester, source: str, told: str) -> None:
    """It is told like any other error of a store, and the verdict is INCONCLUSIVE."""
    project.makepyfile(leaves=f"import sys\nfrom conformance import Backend\n\n{source}\n")
    result = project.runpytest("--backend=leaves:store", *BASIC)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*{told}*", "  INCONCLUSIVE *"])
    assert "INTERNALERROR" not in result.stdout.str()


def test_a_hook_names_more_backends(project: pytest.Pytester) -> None:
    """A conftest can name backends by address, for sets that are worked out at run time."""
    project.makeconftest(
        """
        def pytest_conformance_backends(config):
            return {f"mine-{name}": f"mystore:{name}" for name in ("Store", "NoneStore")}
        """
    )
    result = project.runpytest("--backend=mine-Store", "--backend=mine-NoneStore", *BASIC, "-v")
    result.stdout.fnmatch_lines(["*read_back[[]mine-Store] PASSED*", "*read_back[[]mine-NoneStore] FAILED*"])


def test_a_hook_that_returns_something_else_is_refused(project: pytest.Pytester) -> None:
    """A hook that returns no addresses is a usage error that shows what it returned."""
    project.makeconftest("def pytest_conformance_backends(config): return ['mystore:Store']")
    result = project.runpytest("--backend=memory")
    result.stderr.fnmatch_lines(
        ["*pytest_conformance_backends returned*'mystore:Store'*return a dict of name to address*"]
    )


def test_two_hooks_that_name_one_backend_are_refused(project: pytest.Pytester) -> None:
    """Neither of two stores is judged in the name of the other."""
    project.makepyfile(more="def pytest_conformance_backends(config): return {'mine': 'mystore:NoneStore'}")
    project.makeconftest(
        """
        pytest_plugins = ["more"]

        def pytest_conformance_backends(config):
            return {"mine": "mystore:Store"}
        """
    )
    result = project.runpytest("--backend=mine")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*two hooks pytest_conformance_backends name a backend 'mine': mystore:*Give one of*"])


def test_a_hook_may_name_a_store_as_the_kit_does(project: pytest.Pytester) -> None:
    """What is nearest to the command counts."""
    project.makeconftest("def pytest_conformance_backends(config): return {'memory': 'mystore:NoneStore'}")
    project.runpytest("--backend=memory", *BASIC).stdout.fnmatch_lines(["*mystore:NoneStore*"])


def test_the_record_is_written_where_asked(project: pytest.Pytester) -> None:
    """--conformance-json writes the record, relative to where it was typed; the report hook may add to it."""
    project.makeconftest("def pytest_conformance_report(config, report): report['machine']['rack'] = 'r1'")
    project.runpytest("--backend=mystore:Store", "--conformance-json=out.json", *BASIC)
    report = json.loads(project.path.joinpath("out.json").read_text())
    assert report["schema"] == 1
    assert report["machine"]["rack"] == "r1"
    assert report["backends"][0]["address"] == "mystore:Store"


def test_an_owner_that_is_choosy_keeps_its_name(project: pytest.Pytester) -> None:
    """A short name of the project's that takes only certain values is left to the project too."""
    project.makeconftest(
        """
        def pytest_addoption(parser):
            parser.addoption("--effort", choices=["low", "high"], default="low")
        """
    )
    project.makepyfile(test_own="def test_own(request): assert request.config.getoption('--effort') == 'high'")
    project.runpytest("--effort=high", "test_own.py").assert_outcomes(passed=1)
    result = project.runpytest("--backend=mystore:Store", "--conformance-effort=quick", *BASIC)
    result.stdout.fnmatch_lines(["*effort quick (command line)*", "*--effort belongs to your conftest*"])


def test_more_disks_can_be_asked_for(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk models come from the command line, the environment or the project, and reach the checks and the rerun."""
    project.makepyfile(
        spying="""
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_pyfunc_call(pyfuncitem):
            for given in pyfuncitem.funcargs.values():
                if type(given).__name__ == "Bench":
                    print("\\ndisks of the bench:", *given.disks)
            return (yield)
        """
    )
    project.syspathinsert()
    spied = ("-p", "spying", "-s", "--backend=mystore:NoneStore", *BASIC)
    project.runpytest(*spied).stdout.fnmatch_lines(["*disks of the bench:"])
    result = project.runpytest(*spied, "--conformance-disk=posix", "--conformance-disk=paranoid")
    result.stdout.fnmatch_lines(
        [
            "  power loss also by posix, paranoid (command line)",
            "*disks of the bench: posix paranoid",
            "*rerun*-k STATE-BASIC-01 --conformance-disk=posix --conformance-disk=paranoid",
        ]
    )
    monkeypatch.setenv("CONFORMANCE_DISK", "paranoid")
    project.runpytest(*spied).stdout.fnmatch_lines(["*also by paranoid (CONFORMANCE_DISK)", "*bench: paranoid"])
    monkeypatch.delenv("CONFORMANCE_DISK")
    project.makepyprojecttoml('[tool.conformance]\ndisks = ["posix"]')
    project.runpytest(*spied).stdout.fnmatch_lines(["*also by posix (pyproject.toml)", "*bench: posix"])


def test_the_disk_models_exist() -> None:
    """What can be asked for are models of the crash engine, and none that every run judges by."""
    assert set(DISKS) == MODELS.keys() - {"kill", *POWER}
