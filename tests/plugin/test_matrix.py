"""The summary of a backend with many contracts, as a person sees it, agrees with the record."""

from __future__ import annotations

import json

import pytest

STORE = '''
from dataclasses import replace
from reference_backends import memory
from reference_backends.runs import RunStore

class Forgetful(RunStore):
    """Says that it has the run, and has not."""

    def save_run(self, run, token=None):
        pass

backend = replace(memory.backend, name="many", runs=lambda where: Forgetful(memory.MemoryState()))
'''
SELECTED = ("-k", "BASIC-01 or MISSING-01 or CRASH-01", "--effort=quick", "--conformance-json=out.json")


def test_each_cell_has_the_counts_of_the_record(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passed and total of the `must` checks that apply, n/a where none does; the cell that is red has its mark."""
    monkeypatch.setenv("COLUMNS", "120")  # the names of suites in one line
    project.makepyfile(many=STORE)
    result = project.runpytest("--backend=./many.py:backend", *SELECTED)
    assert result.ret == 1
    report = json.loads(project.path.joinpath("out.json").read_text())
    told = {contract["name"]: contract["suites"] for contract in report["backends"][0]["contracts"]}
    lines = result.stdout.lines
    start = next(place for place, line in enumerate(lines) if line.split()[:1] == ["must"])
    names = lines[start].split()[1:]
    for name in ("state", "log", "runs", "jobs", "layers"):
        start += 1
        row = lines[start].replace("X ", "X").replace("? ", "?").split()
        suites = {suite["name"]: suite["checks"] for suite in told[name]}
        assert row == [name, *(cell(suites.get(suite, [])) for suite in names)]
    assert "X" in next(line for line in lines if line.startswith("  runs "))
    result.stdout.fnmatch_lines(["  X a rule is broken*", "  suite *must *should *evidence"])


def cell(checks: list[dict[str, str]]) -> str:
    """Return what a cell of these checks must show."""
    musts = [check["outcome"] for check in checks if check["level"] == "must" and check["outcome"] != "not applicable"]
    sign = "X" if "fail" in musts else "?" if "blocked" in musts else ""
    if not musts:
        return "n/a" if checks else "-"
    return f"{sign}{musts.count('pass')}/{len(musts)}"


def test_colours_are_those_of_the_cells(project: pytest.Pytester) -> None:
    """On a terminal with colours a red cell stands in a row whose other cells are green."""
    project.makepyfile(many=STORE)
    result = project.runpytest("--backend=./many.py:backend", *SELECTED, "--color=yes")
    row = next(line for line in result.stdout.lines if line.startswith("  runs "))
    assert "\x1b[31m" in row
    assert "\x1b[32m" in next(line for line in result.stdout.lines if line.startswith("  jobs "))
