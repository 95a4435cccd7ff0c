"""Annotations point at the store's own code, are few, and escape what a workflow command would take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.report.annotations import MOST, code_quality, findings, place_of, workflow_commands
from tests.report.records import EVERY_OUTCOME, EXAMPLE, checks, every_outcome, record


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with the file of the store that the examples point at."""
    (tmp_path / "mystore.py").write_text("class Store: ...\n")
    return tmp_path


def test_findings_are_annotated_at_the_store(root: Path) -> None:
    """A new failure and what could not be judged are errors, a stale gap and a broken should are warnings."""
    report = every_outcome()
    rules = {check["code"]: check["sentence"] for check in checks(report)}
    found = "mystore: reading a key: expected KeyError to be raised, got None"
    there = "file=mystore.py,line=9,"
    stale = "mystore: listed in known-gaps (issue 13) but passes now: delete the entry"
    told = (
        ("error", "", "STATE-CORR-01", "inconclusive", "mystore: the worker died"),
        ("error", there, "STATE-CRASH-01", "new failure", found),
        ("error", there, "STATE-LIST-01", "new failure", found),
        ("warning", "", "STATE-ALIAS-02", "stale gap", stale),
        ("warning", there, "STATE-FAIL-02", "broken should", found),
    )
    assert list(workflow_commands(report, root)) == [
        f"::{loudness} {place}title={code} {word}::{text} ({rules[code]})" for loudness, place, code, word, text in told
    ]


def test_a_store_that_conforms_is_not_annotated(root: Path) -> None:
    """Known gaps and what does not apply are nothing to point at."""
    assert (
        list(workflow_commands(record({"STATE-VALUE-01": "known gap", "STATE-CAS-01": "not applicable"}), root)) == []
    )


def test_there_are_no_more_than_are_shown(root: Path) -> None:
    """Nine errors, and a tenth that counts the others; warnings likewise."""
    codes = [check["code"] for check in checks(record()) if check["level"] == "must"][:14]
    lines = list(workflow_commands(record(dict.fromkeys(codes, "fail")), root))
    assert len(lines) == MOST + 1 == 10
    assert lines[-1] == "::error title=conformance::5 more in the summary"
    stale = list(workflow_commands(record(dict.fromkeys(codes[:11], "stale gap")), root))
    assert len(stale) == 10
    assert stale[-1] == "::warning title=conformance::2 more in the summary"


def test_properties_and_text_are_escaped(tmp_path: Path) -> None:
    """Percent signs, line ends, colons and commas can't end a property or begin another command."""
    folder = tmp_path / "a,b:c%"
    folder.mkdir()
    (folder / "s.py").touch()
    example = replace(EXAMPLE, what="50%\r\n::error::x, y: z", frame="a,b:c%/s.py:3 in f")
    lines = list(workflow_commands(record({"STATE-LIST-01": "fail"}, examples={"STATE-LIST-01": example}), tmp_path))
    assert len(lines) == 1
    assert lines[0].startswith(
        "::error file=a%2Cb%3Ac%25/s.py,line=3,title=STATE-LIST-01 new failure::mystore: 50%25 ::error::x, y: z: "
    )


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "missing.py:9 in f",
        "../outside.py:9 in f",
        "/usr/lib/python3/x.py:1 in f",
        "mystore.py",
        "mystore.py:x in f",
        ".venv/lib/python3.13/site-packages/dependency.py:7 in g",
        "a\0b.py:1 in f",
        "x" * 5_000 + ".py:1 in f",
    ],
)
def test_code_that_is_not_the_projects_is_not_pointed_at(root: Path, frame: str) -> None:
    """Without a line in the project the annotation has a title alone: what is installed is not the user's to mend."""
    installed = root / ".venv/lib/python3.13/site-packages"
    installed.mkdir(parents=True)
    (installed / "dependency.py").touch()
    (root.parent / "outside.py").touch()
    check: dict[str, Any] = {"outcome": "fail", "counterexample": {"frame": frame}}
    assert place_of(check, root, root) == ("", 0)
    report = record({"STATE-LIST-01": "fail"}, examples={"STATE-LIST-01": replace(EXAMPLE, frame=frame)})
    assert next(workflow_commands(report, root)).startswith("::error title=STATE-LIST-01 new failure::mystore: ")


def test_a_frame_is_relative_to_where_the_run_was(root: Path) -> None:
    """A run in a folder of the repository annotates names that begin at its root."""
    (root / "pkg").mkdir()
    (root / "pkg" / "inner.py").touch()
    check: dict[str, Any] = {"outcome": "fail", "counterexample": {"frame": "inner.py:4 in f"}}
    assert place_of(check, root, root / "pkg") == ("pkg/inner.py", 4)


def test_a_stale_gap_is_pointed_at_in_its_file(root: Path) -> None:
    """The entry is what is to be deleted, wherever in the project the run was."""
    (root / "pyproject.toml").touch()
    (root / "tests").mkdir()
    report = record({"STATE-ALIAS-02": "stale gap"})
    check = next(one for one in checks(report) if one["outcome"] == "stale gap")
    check["gap"] = {"reason": "", "expires": None, "days_left": None, "source": "pyproject.toml:5"}
    for base in (root, root / "tests"):
        assert place_of(check, root, base) == ("pyproject.toml", 5)
    check["gap"]["source"] = "elsewhere.toml:5"
    assert place_of(check, root, root) == ("", 0)


def test_code_quality_has_a_place_for_each_finding(root: Path) -> None:
    """GitLab wants a path: without a line it is the adapter, and without that the project's file."""
    (root / "adapter.py").touch()
    report = record(EVERY_OUTCOME, address="adapter.py:backend")
    issues = json.loads(code_quality(report, root))
    found = {one["check_name"]: (one["severity"], one["location"]) for one in issues}
    assert found == {
        "STATE-CRASH-01": ("major", {"path": "mystore.py", "lines": {"begin": 9}}),
        "STATE-LIST-01": ("major", {"path": "mystore.py", "lines": {"begin": 9}}),
        "STATE-CORR-01": ("major", {"path": "adapter.py", "lines": {"begin": 1}}),
        "STATE-ALIAS-02": ("minor", {"path": "adapter.py", "lines": {"begin": 1}}),
        "STATE-FAIL-02": ("info", {"path": "mystore.py", "lines": {"begin": 9}}),
    }
    assert len({one["fingerprint"] for one in issues}) == 5
    elsewhere = json.loads(code_quality(record(EVERY_OUTCOME, address="nobody:backend"), root))
    assert {one["location"]["path"] for one in elsewhere} == {"mystore.py", "pyproject.toml"}


def test_a_finding_keeps_its_fingerprint(root: Path) -> None:
    """It is the same finding when its line has moved, or when what the store raised has another text."""
    prints = []
    for frame, got in (("mystore.py:9 in f", "None"), ("mystore.py:12 in f", "0x7f")):
        example = replace(EXAMPLE, frame=frame, got=got)
        report = record({"STATE-LIST-01": "fail"}, examples={"STATE-LIST-01": example})
        prints += [one["fingerprint"] for one in json.loads(code_quality(report, root))]
    assert len(prints) == 2
    assert len(set(prints)) == 1


def test_a_verdict_that_no_check_tells_is_a_finding(root: Path) -> None:
    """An error without a line, and an issue at the adapter: a run that is red says so everywhere."""
    (root / "adapter.py").touch()
    report = record({"STATE-FAIL-02": "fail"}, address="adapter.py:backend", only=["STATE-FAIL-02"], interrupted=True)
    assert (report["verdict"], len(list(findings(report, root)))) == ("INCONCLUSIVE", 1)
    lines = list(workflow_commands(report, root))
    why = "the run was stopped after 1 of 209 checks"
    assert lines[0] == f"::error title=verdict INCONCLUSIVE::mystore: {why}"
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning"]
    issues = json.loads(code_quality(report, root))
    assert [(one["check_name"], one["severity"]) for one in issues] == [("STATE-FAIL-02", "info"), ("verdict", "major")]
    assert issues[1]["description"] == f"verdict INCONCLUSIVE: mystore: {why}"
    assert issues[1]["location"] == {"path": "adapter.py", "lines": {"begin": 1}}
    # The same finding in the next run, wherever that was stopped.
    report["backends"][0]["why"] = "the run was stopped after 2 of 209 checks"
    assert json.loads(code_quality(report, root))[1]["fingerprint"] == issues[1]["fingerprint"]


def test_a_verdict_that_a_check_tells_is_no_finding(root: Path) -> None:
    """The check is enough; neither is a verdict that is not red."""
    for outcome in ("fail", "stale gap", "inconclusive"):
        report = record({"STATE-LIST-01": outcome})  # type: ignore[dict-item]
        assert [one["check_name"] for one in json.loads(code_quality(report, root))] == ["STATE-LIST-01"]
        assert len(list(workflow_commands(report, root))) == 1
    assert json.loads(code_quality(record(only=["STATE-LIST-01"]), root)) == []
