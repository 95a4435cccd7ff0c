"""What a run writes and says beside its summary: reports that agree, the summary of a CI step, annotations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conformance.report.annotations import findings
from conformance.report.folder import BADGE, JUNIT, PAGE, RECORD, SUMMARY
from conformance.report.markdown import markdown
from conformance.running import outputs
from tests.report import agreement
from tests.report.records import checks

GAPS = """
[[tool.conformance.known-gaps]]
check = "STATE-ALIAS-01"
reason = "issue 12"

[[tool.conformance.known-gaps]]
check = "STATE-LIST-02"
reason = "issue 13"
"""
#: New failures and what one blocks, a broken should, a known and a stale gap, passes, and what does not apply.
SELECTED = "STATE-ALIAS or STATE-SHARE or STATE-FAIL-02 or STATE-CAS-01 or STATE-LIST-02 or BACKEND"
COUNTS = {
    "new failure": 2,
    "stale gap": 1,
    "blocked": 1,
    "broken should": 1,
    "known gap": 1,
    "not applicable": 1,
    "pass": 1,
}
ANSWERS = [[], ["-n", "1"]]


def run(pytester: pytest.Pytester, *more: str, select: str = SELECTED) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the selected checks on a store that breaks some, and return the result and the record."""
    result = pytester.runpytest(
        "--backend=mystore:Store", "-k", select, "--effort=quick", "--conformance-json=out.json", *more
    )
    report: dict[str, Any] = json.loads(Path(pytester.path, "out.json").read_text())
    return result, report


@pytest.mark.parametrize("workers", ANSWERS)
def test_all_outputs_of_a_run_agree(
    project: pytest.Pytester, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terminal, record, folder, JUnit, the step's summary and annotations, with workers and without."""
    pytest.importorskip("jinja2")
    if workers:
        pytest.importorskip("xdist")
    project.makepyprojecttoml(GAPS)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "step.md"))
    result, report = run(project, "--conformance-report=out", "--junitxml=own.xml", *workers)
    assert result.ret == 1
    assert agreement.in_record(report) == COUNTS
    written = {name: Path(project.path, "out", name).read_text() for name in (RECORD, PAGE, SUMMARY, BADGE, JUNIT)}
    assert json.loads(written[RECORD]) == report
    assert agreement.in_terminal(result.stdout.lines) == COUNTS
    assert agreement.in_markdown(written[SUMMARY]) == COUNTS
    assert agreement.in_html(written[PAGE]) == COUNTS
    assert agreement.in_junit(written[JUNIT]) == COUNTS
    own = Path(project.path, "own.xml").read_text()
    assert agreement.in_pytests_junit(own) == COUNTS
    assert agreement.evidence_in_pytests_junit(own) == {c["code"]: c["evidence"] for c in checks(report)}
    assert ">NOT CONFORMANT</text>" in written[BADGE]
    # Once, by the process that reports: workers say nothing.
    assert Path(project.path, "step.md").read_text() == f"{markdown(report)}\n"
    told = [line for line in result.stdout.lines if line.startswith("::")]
    assert [line.partition(" ")[0] for line in told] == ["::error", "::error", "::warning", "::warning"]
    assert len(told) == len(list(findings(report, project.path)))
    assert re.match(r"::error file=mystore\.py,line=\d+,title=STATE-ALIAS-02 new failure::mystore:Store: ", told[0])
    assert told[2].startswith("::warning file=pyproject.toml,line=5,title=STATE-LIST-02 stale gap::")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == COUNTS["new failure"] + COUNTS["stale gap"]
    for word in ("blocked", "known gap", "not applicable"):
        assert outcomes[word.split()[0]] == COUNTS[word]


ONE = "STATE-ALIAS-01"


def test_outside_of_a_ci_nothing_is_said(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither commands nor a summary, unless the environment is that of GitHub; a plain run in it says nothing."""
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    result, _ = run(project, select=ONE)
    assert not [line for line in result.stdout.lines if line.startswith("::")]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "step.md"))
    project.makepyfile(test_own="def test_own():\n    assert False")
    plain = project.runpytest("test_own.py")
    assert not [line for line in plain.stdout.lines if line.startswith("::")]
    assert not Path(project.path, "step.md").exists()


def test_the_summary_is_added_to_that_of_the_step(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the step has said before stays; where there is no more room, the run says so and is judged all the same."""
    step = project.path / "step.md"
    step.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    _, report = run(project, select=ONE)
    assert step.read_text() == f"# before\n{markdown(report)}\n"
    monkeypatch.setattr(outputs, "_ALL_MOST", 2_500)
    result, report = run(project, select=ONE)
    result.stdout.fnmatch_lines(["  the summary of the step could not be written: *step.md is full"])
    assert result.ret == 1
    assert step.read_text().startswith("# before\n")


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run says why, and ends as it would."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "none" / "step.md"))
    result, _ = run(project, select="STATE-VALUE-01")
    result.stdout.fnmatch_lines(["  the summary of the step could not be written: *No such file or directory"])
    assert result.ret == 0


def test_annotations_are_relative_to_the_repository(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the project is a folder of what GitHub has checked out, its name is part of the file's."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path.parent))
    result, _ = run(project, select=ONE)
    result.stdout.fnmatch_lines([f"::error file={project.path.name}/mystore.py,line=*,title={ONE} new failure::*"])
