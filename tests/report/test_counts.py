"""Every output says the same: how many checks came to what, and the verdict."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from conformance.report.annotations import code_quality, findings, workflow_commands
from conformance.report.badge import badge
from conformance.report.junit import junit
from conformance.report.markdown import markdown
from conformance.report.record import is_red
from conformance.report.terminal import summary_lines
from tests.report import agreement
from tests.report.records import EVERY_OUTCOME, checks, every_outcome, record, together

OF_RECORDS = dict(zip(EVERY_OUTCOME, list(EVERY_OUTCOME.values())[::-1], strict=True))


def newer() -> dict[str, Any]:
    """Return the record of a run in which two checks are newer than the edition, one of which failed."""
    report = record()
    for check in checks(report):
        if check["code"] in ("STATE-LIST-01", "STATE-LIST-02"):
            check |= {"provisional": True, "gates": False}
            check["outcome"] = "fail" if check["code"] == "STATE-LIST-01" else "pass"
    return report


RECORDS = {
    "provisional": newer(),
    "every outcome": every_outcome(),
    "other outcomes": record(OF_RECORDS),
    "plain": record(),
    "few": record(EVERY_OUTCOME, only=[*EVERY_OUTCOME, "STATE-VALUE-02"]),
    "two contracts": record(EVERY_OUTCOME, of=("state", "log")),
    "refused": record(error="no server"),
    "interrupted": record(EVERY_OUTCOME, only=["STATE-LIST-01"], interrupted=True),
    "gaps": record(dict.fromkeys(EVERY_OUTCOME, "known gap")),
    "blocked": record(dict.fromkeys(record()["backends"][0]["expected"][50:70], "blocked")),
}
SEVERAL = together(RECORDS["every outcome"], record(EVERY_OUTCOME, name="other", of=("log", "jobs")))


@pytest.mark.parametrize("report", [*RECORDS.values(), SEVERAL], ids=[*RECORDS, "several"])
def test_all_outputs_agree_with_the_record(report: dict[str, Any]) -> None:
    """Terminal, Markdown, JUnit and annotations have the counts that the outcomes of the record have."""
    wanted = agreement.in_record(report)
    lines = [
        "".join(text for text, _ in line) for backend in report["backends"] for line in summary_lines(backend, 200)
    ]
    assert agreement.in_terminal(lines) == wanted
    assert agreement.in_junit(junit(report)) == wanted
    if len(report["backends"]) == 1:
        assert agreement.in_markdown(markdown(report)) == wanted
    else:
        told_first = re.search(r"^\d+ checks: (.*)\.$", markdown(report), re.MULTILINE)
        assert told_first
        assert agreement.tallied(told_first[1]) == wanted
    told = ("new failure", "inconclusive", "stale gap", "broken should")
    assert len(list(findings(report, Path()))) == sum(wanted[word] for word in told)


@pytest.mark.parametrize("report", [*RECORDS.values(), SEVERAL], ids=[*RECORDS, "several"])
def test_all_outputs_have_the_verdict(report: dict[str, Any]) -> None:
    """Word for word, of the run and of each backend."""
    verdict = report["verdict"]
    assert f"{verdict}: " in markdown(report).splitlines()[0]
    assert re.search(rf">{re.escape(verdict)}[^<]*</text>", badge(report))
    for backend in report["backends"]:
        last = "".join(text for text, _ in list(summary_lines(backend))[-1])
        assert last.strip().startswith(backend["verdict"])
        assert f'<property name="verdict" value="{backend["verdict"]}" />' in junit(report)


REQUIRED = record()
REQUIRED["backends"][0] |= {"verdict": "NOT CONFORMANT", "why": "requires log, the backend opens state"}
REQUIRED["verdict"] = "NOT CONFORMANT"
#: Records whose verdict no check alone tells, and some that say it by their checks.
VERDICTS = {
    **RECORDS,
    "several": SEVERAL,
    "required": REQUIRED,
    "nothing": record(only=[]),
    "stopped": record(only=["STATE-LIST-01"], interrupted=True),
    "one of two": together(record(), record(name="other", only=[])),
    "stale": record({"STATE-ALIAS-02": "stale gap"}),
    "should": record({"STATE-FAIL-02": "fail"}),
}


@pytest.mark.parametrize("report", VERDICTS.values(), ids=VERDICTS)
def test_every_output_of_a_red_run_is_red(report: dict[str, Any]) -> None:
    """A backend that does not conform has a failure in each, and one that conforms has none."""
    root = ET.fromstring(junit(report).encode())
    commands, issues = list(workflow_commands(report, Path())), json.loads(code_quality(report, Path()))
    for backend in report["backends"]:
        name, red = backend["name"], is_red(backend["verdict"])
        suites = [one for one in root if one.attrib["name"].startswith(f"{name}/")]
        assert any(suite.find("testcase/failure") is not None for suite in suites) == red
        told = [issue for issue in issues if f": {name}: " in issue["description"]]
        assert any(issue["severity"] in ("major", "minor") for issue in told) == red
        assert any(f"::{name}: " in line for line in commands if "broken should" not in line) == red
        assert [issue["check_name"] for issue in told].count("verdict") <= 1
    assert root.attrib["failures"] == str(len(root.findall("testsuite/testcase/failure")))
    assert root.attrib["tests"] == str(len(root.findall("testsuite/testcase")))


@pytest.mark.parametrize("report", [*RECORDS.values(), SEVERAL], ids=[*RECORDS, "several"])
def test_the_page_agrees_too(report: dict[str, Any]) -> None:
    """The HTML has the same counts and the same verdict."""
    pytest.importorskip("jinja2")
    from conformance.report.html import html_report

    page = html_report(report)
    assert agreement.in_html(page) == agreement.in_record(report)
    assert report["verdict"] in page
