"""A crash state that a check failed on is saved, and met again alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.crash.case import Case, read_case
from conformance.crash.history import Moment
from conformance.crash.perform import Attempt
from conformance.crash.subjects import Step

CODE = "STATE-CRASH-11"
#: A store of lines, that can't be opened when the last line is torn; and the same with that repaired.
STORES = """
from collections.abc import MutableMapping
from conformance import Backend

class Torn(MutableMapping):
    careful = False

    def __init__(self, path):
        self.data = {}
        try:
            lines = open(path).read().split("\\n")[:-1 if self.careful else None]
        except FileNotFoundError:
            lines = []
        self.data.update(eval(line) for line in lines if line)
        self.path = path

    def __getitem__(self, key):
        return self.data[key]

    def __setitem__(self, key, value):
        self.data[key] = value
        self.save()

    def __delitem__(self, key):
        del self.data[key]
        self.save()

    def save(self):
        with open(self.path, "w") as file:
            file.writelines(f"{entry!r}\\n" for entry in self.data.items())

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)

class Careful(Torn):
    careful = True

def refuse(where):
    raise OSError("no server")

down = Backend("down", state=refuse)
modest = Backend("modest", state=lambda where: Torn(where.path / "store"), durability="clean-close")
"""
STORY = ("LOST      write    store [0..20)", "********* POWER LOSS HERE (acknowledged 1 of 1 begun)")


def case_of(files: dict[str, bytes], **fields: Any) -> Case:
    """Return a case in which `a` was set and acknowledged."""
    given: dict[str, Any] = {
        "code": CODE,
        "contract": "state",
        "model": "ext4",
        "verdict": "cannot open",
        "steps": (Step("set", ("a", 1)),),
        "attempts": (Attempt(0),),
        "moment": Moment(1, 1, running=False),
        "files": files,
        "story": STORY,
    }
    return Case(**{**given, **fields})


@pytest.fixture
def saved(project: pytest.Pytester) -> pytest.Pytester:
    """Return a project with stores, and a case in which the last line of the file is torn."""
    project.makepyfile(stores=STORES)
    save(project, case_of({"store": b"('a', 1)\n('b', "}))
    return project


def save(project: pytest.Pytester, case: Case) -> None:
    """Save a case as `one.json`."""
    project.path.joinpath("one.json").write_text(json.dumps(case.to_dict()))


def ids(result: pytest.RunResult) -> list[str]:
    """Return the node ids that were collected."""
    return [line for line in result.outlines if "::" in line]


def test_only_the_check_of_the_case_is_there(saved: pytest.Pytester) -> None:
    """Only the check named in the case is collected, under its own id, and none is deselected."""
    args = ("--backend=stores:Torn", "--collect-only", "-q")
    usual = ids(saved.runpytest(*args, "-k", CODE))
    result = saved.runpytest(*args, "--conformance-case=one.json")
    assert ids(result) == usual
    assert len(usual) == 1
    assert "deselected" not in result.stdout.str()


def test_a_case_is_met_whatever_the_suites_and_the_ini_say(saved: pytest.Pytester) -> None:
    """A project that runs another suite by default, or fails on empty parameter sets, meets its cases all the same."""
    saved.makepyprojecttoml(
        '[tool.conformance]\nsuites = ["round-trip"]\n[tool.pytest.ini_options]\n'
        'empty_parameter_set_mark = "fail_at_collect"'
    )
    result = saved.runpytest("--backend=stores:Careful", "--conformance-case=one.json")
    assert result.parseoutcomes() == {"passed": 1}


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_a_case_that_still_fails_is_shown_with_its_story(saved: pytest.Pytester, workers: list[str]) -> None:
    """The failure shows what the store does now, the story of the case, and how to meet it again without pytest."""
    result = saved.runpytest("--backend=stores:Torn", "--conformance-case=one.json", "--conformance-json=out", *workers)
    assert result.ret == 1
    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(
        [
            f"{CODE}  *",
            "  the saved crash state (ext4): the store cannot be opened",
            "    expected  a usable store with 1 entry",
            "    got       SyntaxError: *",
            "  what happened:",
            f"    {STORY[0]}",
            f"    {STORY[1]}",
            "  in the store: stores.py:* in <genexpr>*",
            f"  reproduce   python .pytest_cache/d/conformance/stores-Torn/{CODE}.py",
            f"  case        pytest --backend=stores:Torn --conformance-case=*/conformance/stores-Torn/{CODE}.case.json",
            f"  rerun       pytest --backend=stores:Torn -k {CODE}",
            "  state/crash-recovery     0/1 *1 comparisons, 1 crash states",
            "  crash engine case: one saved crash state, and no search",
            "  durability   claimed power-loss   BROKEN prefix   not measured: *",
            "  NOT CONFORMANT   1 new failure",
        ]
    )
    if not workers:
        result.stdout.fnmatch_lines([f"  case of {CODE} alone: *one.json"])
    folder = saved.path / ".pytest_cache/d/conformance/stores-Torn"
    assert read_case(folder / f"{CODE}.case.json") == read_case(saved.path / "one.json")
    assert [path.name for path in sorted(folder.iterdir())] == [f"{CODE}.case.json", f"{CODE}.py"]
    report = json.loads(saved.path.joinpath("out").read_text())
    assert report["backends"][0]["case"] == CODE
    script = saved.runpython(folder / f"{CODE}.py")
    assert script.ret == 1
    script.stdout.fnmatch_lines(["expected  a usable store with 1 entry"])
    script.stderr.fnmatch_lines(["*stores.py*in __init__", "*SyntaxError*"])


def test_a_case_that_is_fine_claims_no_more_than_that(saved: pytest.Pytester) -> None:
    """The verdict names the one state; no promise counts as observed."""
    result = saved.runpytest("--backend=stores:Careful", "--conformance-case=one.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "  durability   claimed power-loss   not measured: power-loss, prefix, process-crash, clean-close",
            f"  CONFORMANT in the one saved state of {CODE}, and nothing else was tried",
        ]
    )


def test_a_case_that_is_fine_makes_no_gap_stale(saved: pytest.Pytester) -> None:
    """A known gap stays one while one of its states is fine; a state that is not is the known gap."""
    saved.makepyprojecttoml(f'[[tool.conformance.known-gaps]]\ncheck = "{CODE}"\nreason = "issue 12"')
    assert saved.runpytest("--backend=stores:Careful", "--conformance-case=one.json").ret == 0
    result = saved.runpytest("--backend=stores:Torn", "--conformance-case=one.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  CONFORMANT, 1 known gap in the one saved state of *"])


@pytest.mark.parametrize(
    ("code", "outcome"), [(CODE, "passed"), ("STATE-CRASH-21", "failed")], ids=["earlier state", "nothing lost"]
)
def test_a_lost_write_is_judged_by_the_rule_of_the_check(saved: pytest.Pytester, code: str, outcome: str) -> None:
    """Where an earlier state is asked for, a lost write is none of the check's business; elsewhere it fails."""
    save(saved, case_of({}, code=code))
    result = saved.runpytest("--backend=stores:Careful", "--conformance-case=one.json")
    assert result.parseoutcomes() == {outcome: 1}


def test_what_is_not_promised_is_not_asked_of_a_case(saved: pytest.Pytester) -> None:
    """A case about a promise that the backend does not make is not applicable, and nothing was tested."""
    result = saved.runpytest("--backend=stores:modest", "--conformance-case=one.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  n/a 1: durability is promised at 'clean-close' only*", "  INCONCLUSIVE*"])


def test_a_backend_that_does_not_open_is_said(saved: pytest.Pytester) -> None:
    """Of a backend that does not open, the check that it opens is all there is."""
    result = saved.runpytest("--backend=stores:down", "--conformance-case=one.json")
    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["  inconclusive: opening stores:down raised OSError: no server"])


@pytest.mark.parametrize(
    ("fields", "args", "message"),
    [
        ({"code": "STATE-CRASH-1"}, [], "*no check of the suite crash-recovery is called 'STATE-CRASH-1'. Did you*"),
        ({"code": "STATE-BASIC-01"}, [], "*no check of the suite crash-recovery is called 'STATE-BASIC-01'*"),
        ({"contract": "log"}, [], "*STATE-CRASH-11 is of the contract 'state', the case of 'log'.*"),
        ({}, ["--backend=wal", "--contract=log"], "*the case is of the contract 'state'; wal is judged by log.*"),
    ],
)
def test_a_case_that_does_not_fit_is_a_usage_error(
    saved: pytest.Pytester, fields: dict[str, Any], args: list[str], message: str
) -> None:
    """A case of no check, or of a contract that the backend does not open, ends the run before it begins."""
    save(saved, case_of({}, **fields))
    result = saved.runpytest(*(args or ["--backend=stores:Torn"]), "--conformance-case=one.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: {message}"])


def test_a_case_is_relative_to_where_it_was_typed(saved: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is found from a directory below the project's."""
    deep = saved.mkdir("deep")
    monkeypatch.syspath_prepend(saved.path)
    monkeypatch.setenv("PYTHONPATH", str(saved.path))
    monkeypatch.chdir(deep)
    result = saved.runpytest("--backend=stores:Careful", f"--conformance-case={Path('..', 'one.json')}")
    assert result.parseoutcomes() == {"passed": 1}
