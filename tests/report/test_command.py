"""`conformance report`: the forms of a record from its file, and the exit code of its verdict."""

from __future__ import annotations

import importlib.util
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.report.command import KINDS
from conformance.report.markdown import markdown
from conformance.report.terminal import summary_lines
from tests.report.records import every_outcome, record, together

MADE = [name for name in KINDS if name != "html" or importlib.util.find_spec("jinja2")]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def result(report: dict[str, Any], name: str = "r.json") -> str:
    """Write a record, and return the name of its file."""
    Path(name).write_text(json.dumps(report))
    return name


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Return the exit code of the command and its output; require that it says nothing on standard error."""
    code = main(["report", *words])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command, require exit code 2 and no output, and return what it said."""
    with pytest.raises(SystemExit) as stop:
        main(["report", *words])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (record(), 0),
        (record({"STATE-VALUE-01": "known gap"}), 0),
        (every_outcome(), 1),
        (record(error="no server"), 1),
        (together(record(), record(error="no server", name="other")), 1),
    ],
)
def test_the_exit_code_follows_the_verdict(
    report: dict[str, Any], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is made of the record."""
    for words in ([], ["--md"], ["--badge", "-"]):
        assert said(capsys, result(report), *words)[0] == code


def test_without_a_form_the_summary_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The same lines as those of the run, for each backend; without colours, as nobody looks."""
    report = together(every_outcome(), record(name="other"))
    out = said(capsys, result(report))[1]
    for backend in report["backends"]:
        lines = ["".join(text for text, _ in line) for line in summary_lines(backend, 100)]
        assert "\n".join(lines) in out
        assert f" conformance: {backend['name']} " in out
    assert "\x1b" not in out


def test_what_a_store_raised_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters of a record are shown by their escapes."""
    report = record({"STATE-CORR-01": "inconclusive"}, reasons={"STATE-CORR-01": "\x1b[2J\ud800gone"})
    assert "\\x1b[2J\\ud800gone" in said(capsys, result(report))[1]


def test_files_go_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    """Under their usual names; several forms at once; the output names what was written."""
    Path("out").mkdir()
    out = said(capsys, result(every_outcome(), "out/r.json"), *(f"--{name}" for name in MADE))[1]
    assert out.splitlines() == [f"wrote {Path('out', KINDS[name].file)}" for name in MADE]
    assert Path("out/summary.md").read_text() == markdown(every_outcome())
    assert ET.parse("out/junit.xml").getroot().tag == "testsuites"
    assert ET.parse("out/badge.svg").getroot().tag.endswith("svg")
    assert len(json.loads(Path("out/gl-code-quality-report.json").read_text())) == 5


def test_a_file_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """For each form one of its own."""
    said(capsys, result(record()), "--badge=b.svg", "--md", "m.md")
    assert Path("b.svg").exists()
    assert Path("m.md").read_text() == markdown(record())


def test_a_form_can_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Alone there: what was written into files is not told then."""
    out = said(capsys, result(record()), "--md", "-", "--badge")[1]
    assert out == markdown(record())
    assert Path("badge.svg").exists()
    assert "two forms can't go to standard output" in refused(capsys, "r.json", "--md", "-", "--junit", "-")


def test_standard_input_is_a_result(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads it, and files go to the working directory."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(record())))
    assert said(capsys, "-", "--badge") == (0, "wrote badge.svg\n")


def test_shards_are_put_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Several results are those of the shards of one run; what is missing is said, and is no pass."""
    codes = record()["backends"][0]["expected"]
    for number in (1, 2):
        part = {**record(only=codes[number - 1 :: 2]), "shard": f"{number}/2"}
        result(part, f"{number}.json")
    code, out = said(capsys, "1.json", "2.json", "--md", "-")
    assert (code, out) == (0, markdown(record()))
    other = result({**record(only=codes[1::2]), "shard": "2/2", "seed": 7}, "3.json")
    assert "1.json and 3.json are not of one run: seed is 0 in the first and 7 in the second." in refused(
        capsys, "1.json", other
    )


def test_a_result_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    """A form that was given before a result would take its name for the file to write: that is refused."""
    result(record(), "a.json")
    before = Path(result(every_outcome(), "b.json")).read_text()
    for words in (["a.json", "--md", "b.json"], ["a.json", "--codequality=a.json"]):
        assert "would write over a result. Name the results first" in refused(capsys, *words)
    assert Path("b.json").read_text() == before


def test_what_cannot_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that is not there."""
    assert "none/b.svg can't be written: No such file or directory." in refused(
        capsys, result(record()), "--badge=none/b.svg"
    )


@pytest.mark.parametrize("text", ["", "{", "no JSON", "[]", '{"schema": 9, "backends": []}'])
def test_what_is_no_record_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2 and a sentence, and nothing is written."""
    Path("r.json").write_text(text)
    assert refused(capsys, "r.json", "--badge").startswith("conformance report: r.json ")
    assert not Path("badge.svg").exists()


def test_the_html_needs_jinja2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it the command says what to install."""
    monkeypatch.setattr("conformance.report.html.find_spec", lambda name: None)
    assert "pip install 'pytest-backend-conformance[report]'" in refused(capsys, result(record()), "--html")


def test_a_shard_alone_is_no_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A gate that finds one result of several is red, and is told which are missing."""
    codes = record()["backends"][0]["expected"]
    code, out = said(capsys, result({**record(only=codes[::2]), "shard": "1/2"}))
    assert code == 1
    assert "INCONCLUSIVE" in out
    assert "2/2" in out
