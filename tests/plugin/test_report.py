"""`--conformance-report=DIR`: the folder with the page and the record of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.report.html import html_report
from conformance.running import reporting

BASIC = ("-k", "STATE-BASIC-01")
BROKEN = ("--backend=mystore:NoneStore", *BASIC)


def record_in(folder: Path) -> dict[str, Any]:
    """Return the record in a folder."""
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return found


def example_in(folder: Path) -> dict[str, Any]:
    """Return the only counterexample of the record in a folder."""
    suites = [s for b in record_in(folder)["backends"] for c in b["contracts"] for s in c["suites"]]
    (found,) = [check["counterexample"] for suite in suites for check in suite["checks"] if check["counterexample"]]
    return dict(found)


def test_the_folder_has_the_page_and_the_record(project: pytest.Pytester) -> None:
    """It is made, the summary ends with the name of the page, and the page is that of the record."""
    result = project.runpytest(*BROKEN, "--conformance-report=out/deep", "--conformance-json=same.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["  NOT CONFORMANT *", "  report out/deep/report.html"])
    folder = project.path / "out" / "deep"
    assert record_in(folder) == json.loads((project.path / "same.json").read_text(encoding="utf-8"))
    assert (folder / "report.html").read_text(encoding="utf-8") == html_report(record_in(folder))


def test_a_failure_in_the_record_can_be_met_again(project: pytest.Pytester) -> None:
    """By its command, and by its script, which needs no other file."""
    project.runpytest(*BROKEN, "--effort=quick", "--conformance-report=out")
    example = example_in(project.path / "out")
    assert example["rerun"] == "pytest --backend=mystore:NoneStore -k STATE-BASIC-01 --effort=quick"
    script = project.makepyfile(again=example["script"])
    done = subprocess.run([sys.executable, script], cwd=project.path, capture_output=True, text=True, check=True)
    assert "-> None" in done.stdout


def test_a_known_gap_can_be_met_again_too(project: pytest.Pytester) -> None:
    """It is no failure of the run, but it is a finding."""
    project.makepyprojecttoml('[[tool.conformance.known-gaps]]\ncheck = "STATE-BASIC-01"\nreason = "issue 12"\n')
    result = project.runpytest(*BROKEN, "--conformance-report=out")
    assert result.ret == pytest.ExitCode.OK
    assert example_in(project.path / "out")["script"]
    assert "issue 12" in (project.path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("origin", ["environment", "project"])
def test_where_the_folder_is_named(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """In the environment, or in the project file, whose directory it is relative to; the command line comes first."""
    if origin == "environment":
        monkeypatch.setenv("CONFORMANCE_REPORT", "named")
    else:
        project.makepyprojecttoml('[tool.conformance]\nreport = "named"\n')
    project.runpytest("--backend=mystore:Store", *BASIC)
    assert (project.path / "named" / "report.html").exists()
    project.runpytest("--backend=mystore:Store", *BASIC, "--conformance-report=typed")
    assert (project.path / "typed" / "report.html").exists()


def test_workers_write_nothing(project: pytest.Pytester) -> None:
    """With pytest-xdist the record of the whole run is written once, pictures and all."""
    pytest.importorskip("xdist")
    codes = "STATE-BASIC-01 or STATE-REOPEN-01"
    project.runpytest("--backend=mystore:NoneStore", "-k", codes, "-n2", "--conformance-report=out")
    record = record_in(project.path / "out")
    assert record["backends"][0]["selected"] == 2
    assert example_in(project.path / "out")["script"]
    assert "STATE-REOPEN-01" in (project.path / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_written_of_a_run_that_only_collects(project: pytest.Pytester) -> None:
    """The folder is made, to see that it can be, and stays empty."""
    project.runpytest("--backend=mystore:Store", "--collect-only", "-q", "--conformance-report=out")
    assert list((project.path / "out").iterdir()) == []


def test_the_option_alone_asks_for_a_backend(project: pytest.Pytester) -> None:
    """It wakes the plugin, as the others do."""
    result = project.runpytest("--conformance-report=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: no backend is named.*"])


@pytest.mark.parametrize("path", ["mystore.py", "mystore.py/out", "nul\0"])
def test_a_folder_that_can_not_be_is_refused(project: pytest.Pytester, path: str) -> None:
    """At once, and not after all checks: a file in its place, or below a file, or no name of a file at all."""
    project.makepyprojecttoml(f"[tool.conformance]\nreport = {json.dumps(path)}\n")
    result = project.runpytest("--backend=mystore:Store", *BASIC)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: conformance: report=* (pyproject.toml): no file can be written into it: *"])
    assert "Traceback" not in result.stderr.str()


def test_a_folder_is_a_text(project: pytest.Pytester) -> None:
    """A number in the project file is none."""
    project.makepyprojecttoml("[tool.conformance]\nreport = 7\n")
    result = project.runpytest("--backend=mystore:Store", *BASIC)
    result.stderr.fnmatch_lines(["ERROR: conformance: report=7 (pyproject.toml) is not the name of a directory."])


def test_without_jinja2_it_says_what_to_install(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is judged; a run without a report does not need it."""
    monkeypatch.setattr("conformance.options.can_be_made", lambda: False)
    result = project.runpytest_inprocess("--backend=mystore:Store", *BASIC, "--conformance-report=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*report='*out' (command line): *pip install 'pytest-backend-conformance[[]report]'*"])
    assert project.runpytest_inprocess("--backend=mystore:Store", *BASIC).ret == pytest.ExitCode.OK


def test_a_report_that_can_not_be_written_is_red(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is shown all the same, and what went wrong; the run has not done what it was asked for."""

    def fails(_folder: Path, _report: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "write_folder", fails)
    result = project.runpytest_inprocess("--backend=mystore:Store", *BASIC, "--conformance-report=out")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["  CONFORMANT in the 1 of *", "  the report could not be written: [[]Errno 28[]] No space left on device"]
    )


def test_a_record_that_can_not_be_written_is_red(project: pytest.Pytester) -> None:
    """The report is written all the same, and the verdict shown."""
    project.makeconftest(
        """
        from pathlib import Path

        def pytest_conformance_report(config, report):
            Path("same.json").mkdir()  # as by another process, while the run lasted
        """
    )
    args = ("--backend=mystore:Store", *BASIC, "--conformance-report=out", "--conformance-json=same.json")
    result = project.runpytest(*args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "  CONFORMANT in the 1 of *",
            "  the record could not be written: [[]Errno 21[]] Is a directory: '*same.json'",
            "  report out/report.html",
        ]
    )
    assert record_in(project.path / "out")["verdict"] == "CONFORMANT"


@pytest.mark.parametrize("before", [None, "what was there"])
def test_that_a_record_can_be_written_is_tried_without_a_trace(project: pytest.Pytester, before: str | None) -> None:
    """A run that writes no record leaves the file as it was, or none."""
    path = project.path / "same.json"
    if before is not None:
        path.write_text(before)
    project.runpytest("--backend=mystore:Store", "--collect-only", "-q", f"--conformance-json={path}")
    assert (path.read_text() if path.exists() else None) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_record_may_be_read_from_a_pipe(project: pytest.Pytester) -> None:
    """A pipe is not tried: whoever reads it would take the trial for the record."""
    pipe = project.path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        try:
            result = project.runpytest_subprocess(
                "--backend=mystore:Store", *BASIC, "--conformance-json=pipe", timeout=120
            )
            record = json.loads(reader.communicate(timeout=120)[0])
        finally:
            reader.kill()
    assert result.ret == pytest.ExitCode.OK
    assert record["verdict"] == "CONFORMANT"
