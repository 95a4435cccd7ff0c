"""The command `conformance check-history`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.histories import command
from conformance.histories.formats import write_jsonl
from conformance.histories.operation import NEVER, Operation
from conformance.histories.verdict import Verdict

GOOD = (
    Operation(1, 2, 0, "put", "a", 1),
    Operation(3, 6, 0, "cas", "a", 2, 1, answer=True),
    Operation(4, 5, 1, "cas", "a", 1, 7, answer=False),
    Operation(7, NEVER, 1, "put", "b", 1, outcome="info"),
    Operation(8, 9, 2, "get", "b", answer=1),
)
BAD = (*GOOD, Operation(10, 11, 2, "get", "b"))
JEPSEN = """\
INFO  jepsen.util - 0\t:invoke\t:write\t3
INFO  jepsen.util - 0\t:info\t:write\t:timed-out
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:read\t3
"""
PORCUPINE = """\
{:process 0, :type :invoke, :f :append, :key "k", :value "x"}
{:process 0, :type :ok, :f :append, :key "k", :value "x"}
{:process 0, :type :invoke, :f :append, :key "k", :value "x"}
{:process 0, :type :ok, :f :append, :key "k", :value "x"}
{:process 1, :type :invoke, :f :get, :key "k", :value nil}
{:process 1, :type :ok, :f :get, :key "k", :value "xx"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a history may be written."""
    return tmp_path / "history"


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Return the exit code of the command, and its output; require that it says nothing on standard error."""
    code = main(["check-history", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out


def unusable(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run the command, require exit code 3, one line and no output, and return the line."""
    with pytest.raises(SystemExit) as stop:
        main(["check-history", *map(str, arguments)])
    assert stop.value.code == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("conformance check-history: ")
    return err


def test_a_linearizable_history(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Operations and keys are counted, and the exit code is 0."""
    file.write_text(write_jsonl(GOOD))
    code, out = said(capsys, file)
    assert code == 0
    assert out.startswith("linearizable: 5 operations, 2 keys (")
    file.write_text(write_jsonl(GOOD[:1]))
    assert said(capsys, file)[1].startswith("linearizable: 1 operation, 1 key (")


def test_a_history_that_is_not_linearizable(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key and the reason are told, then the operations that show it; the exit code is 1."""
    file.write_text(write_jsonl(BAD))
    code, out = said(capsys, file)
    assert code == 1
    first, *others = out.splitlines()
    assert first.startswith("not linearizable (key 'b'): ")
    assert "  worker 2, 10 to 11: get('b') -> missing" in others


def test_a_crashed_operation_among_the_witnesses(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no end, and nobody knows what came of it."""
    verdict = Verdict("not linearizable", "it can't be", (GOOD[3],), "b", "zones")
    monkeypatch.setattr(command, "judge", lambda history, model: verdict)
    file.write_text(write_jsonl(GOOD))
    lines = ["not linearizable (key 'b'): it can't be", "  worker 1, 7 to never: put('b', 1) ?"]
    assert said(capsys, file) == (1, "\n".join(lines) + "\n")


def test_a_history_that_was_not_decided(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended is told, and the exit code is 2: no pass."""
    monkeypatch.setattr(command, "judge", lambda history, model: Verdict("unknown", "the budget ended"))
    file.write_text(write_jsonl(GOOD))
    assert said(capsys, file) == (2, "unknown: the budget ended\n")


def test_jepsen_is_of_a_register(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log of Jepsen needs no model."""
    file.write_text(JEPSEN)
    assert said(capsys, file, "--format=jepsen")[0] == 0
    file.write_text(JEPSEN.replace(":ok\t:read\t3", ":ok\t:read\t4"))
    code, out = said(capsys, file, "--format=jepsen")
    assert (code, "get() -> 4" in out) == (1, True)


def test_porcupine_is_of_texts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log of Porcupine needs no model."""
    file.write_text(PORCUPINE)
    assert said(capsys, file, "--format=porcupine-kv")[0] == 0
    file.write_text(PORCUPINE.replace('"xx"', '"x"'))
    assert said(capsys, file, "--format=porcupine-kv")[0] == 1


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hyphen is standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(write_jsonl(GOOD)))
    assert said(capsys, "-")[0] == 0


def test_a_file_with_the_mark_of_an_editor(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A byte order mark is passed over."""
    file.write_text(write_jsonl(GOOD), encoding="utf-8-sig")
    assert said(capsys, file)[0] == 0


def test_the_model_may_be_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same history may be of another model."""
    file.write_text(write_jsonl([Operation(1, 2, 0, "put", "a", "x"), Operation(3, 4, 0, "append", "a", "y")]))
    assert said(capsys, file, "--model=kv")[0] == 0
    assert "the model register has no 'append'" in unusable(capsys, file)


def test_what_is_no_history(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, not text, not of the format or empty is told in a line, with exit code 3."""
    assert "No such file" in unusable(capsys, file)
    file.write_bytes(b"\xff\xfe\x00")
    assert "can't decode" in unusable(capsys, file)
    file.write_text(PORCUPINE)
    assert "line 1: an operation is a JSON object" in unusable(capsys, file)
    file.write_text(" \n")
    for form in ("jsonl", "jepsen", "porcupine-kv"):
        assert "it holds no operation" in unusable(capsys, file, f"--format={form}")


def test_an_unknown_format_is_a_usage_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The formats are told."""
    with pytest.raises(SystemExit) as stop:
        main(["check-history", str(file), "--format=yaml"])
    assert stop.value.code == 2
    assert "porcupine-kv" in capsys.readouterr().err
