"""The files beside a crash that broke a rule: the case, and the script that opens the store on it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import catalogue
from conformance.crash.case import Case, read_case
from conformance.crash.history import Moment
from conformance.crash.perform import Attempt
from conformance.crash.subjects import Step
from conformance.recording import Call
from conformance.report.case import write_case
from conformance.report.case_script import LINES_MOST, case_script_text, write_case_script
from conformance.report.failure import failure_text, shown_path
from conformance.report.script import standalone
from conformance.result import Counterexample, Result

STORES = '''
from conformance import Backend

class Named(dict):
    """A store that names its file after the namespace, and reads it when it is opened."""
    def __init__(self, where):
        self.path = where.path / "inner" / f"{where.namespace}.txt"
        super().__init__(eval(self.path.read_text()))
        print("also there:", sorted(str(path.relative_to(where.path)) for path in where.path.rglob("*")))
    def close(self):
        self.path.write_text("{}")

class Log:
    def __init__(self, where):
        self.events = eval((where.path / "log").read_text())
    def append(self, event, *, expected=None):
        raise AssertionError
    def read(self, start=0, stop=None):
        return iter(list(enumerate(self.events, 1)))
    @property
    def head(self):
        return len(self.events)
    def checkpoint(self, state, upto):
        raise AssertionError
    def latest_checkpoint(self):
        return None

named = Backend("my store", state=Named)
log = Backend("log", log=Log)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a module of stores, from which it can be imported."""
    tmp_path.joinpath("crashed_stores.py").write_text(STORES)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def failure(files: dict[str, bytes | None], **fields: Any) -> Result:
    """Return a failure with a case."""
    given: dict[str, Any] = {
        "code": "STATE-CRASH-21",
        "contract": "state",
        "model": "ext4",
        "verdict": "lost",
        "steps": (Step("set", ("a", 1)),),
        "attempts": (Attempt(0),),
        "moment": Moment(1, 1, running=False),
        "files": files,
    }
    case = Case(**{**given, **fields})
    example = Counterexample("after a crash", '["a", """1"""]', "C:\\new\nline", case=case.to_dict())
    sentence = "Every acknowledged put is there."
    return Result(
        "my store", case.contract, "crash-recovery", case.code, "must", sentence, "fail", counterexample=example
    )


def printed(script: Path | None, folder: Path) -> str:
    """Run a script with plain Python, where the stores lie, and return what it prints."""
    assert script is not None
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("size", [10, 5_000])
def test_the_script_opens_the_store_on_what_the_crash_left(folder: Path, size: int) -> None:
    """Small files stand in the script, large ones in the case beside it; it shows what the store holds."""
    noise = random.Random(1).randbytes(size)
    result = failure({"inner/": None, "inner/crash.txt": b"{'b': 2}", "noise": noise, "empty/": None})
    backend: Backend = load("crashed_stores:named")
    case, script = write_case(folder, result), write_case_script(folder, result, backend)
    assert case == folder / "my-store" / "STATE-CRASH-21.case.json"
    assert read_case(case).files["noise"] == noise
    assert script == folder / "my-store" / "STATE-CRASH-21.py"
    text = script.read_text()
    assert len(text.splitlines()) <= LINES_MOST
    assert ("b85decode(text)" in text, ".case.json" in text) == (True, size > 10)
    assert max(map(len, text.splitlines()[6:])) <= 100
    out = printed(script, folder)
    assert "also there: ['empty', 'inner', 'inner/crash.txt', 'noise']\n" in out
    assert 'expected  ["a", """1"""]\n' in out
    assert "it holds  {'b': 2}\n" in out


def test_the_script_of_a_log_shows_its_events(folder: Path) -> None:
    """Of a log, the events, the head, and where checkpoints were made the newest."""
    steps = (Step("append", ("e",)), Step("checkpoint", ("s", 1)))
    result = failure({"log": b"['e', 'f']"}, contract="log", code="LOG-CRASH-21", steps=steps)
    out = printed(write_case_script(folder, result, load("crashed_stores:log")), folder)
    assert "it holds  [(1, 'e'), (2, 'f')] head 2\ncheckpoint None\n" in out


def test_a_store_that_breaks_later_is_written_once_more(folder: Path) -> None:
    """Where the failure shows only after one more write, the script makes it, and opens the store again."""
    result = failure({"inner/crash.txt": b"{'b': 2}"}, verdict="breaks after one more write")
    out = printed(write_case_script(folder, result, load("crashed_stores:named")), folder)
    assert [line for line in out.splitlines() if "holds" in line] == ["it holds  {'b': 2}", "it holds  {}"]


def test_what_can_not_be_written_is_not_there(folder: Path) -> None:
    """Without a case, an address or a place there is no file, and no exception; nothing half-written stays."""
    result = failure({})
    backend: Backend = load("crashed_stores:named")
    (folder / "file").touch()
    assert write_case(folder / "file", result) is None
    assert write_case_script(folder / "file", result, backend) is None
    assert write_case_script(folder, result, Backend("x", state=dict)) is None
    (folder / "my-store" / "STATE-CRASH-21.case.json").mkdir(parents=True)
    assert write_case(folder, result) is None
    assert os.listdir(folder / "my-store") == ["STATE-CRASH-21.case.json"]
    calls = Counterexample("x", "1", "2", (Call(1, "store"),))
    assert write_case(folder, Result("b", "s", "r", "C", "must", "A rule.", "fail", counterexample=calls)) is None


def test_docstrings_survive_any_text() -> None:
    """What stands in the docstring of a script can't end it, or be an escape."""
    text = case_script_text(failure({}), Backend("x", state=dict))
    compile(text, "script.py", "exec")
    assert "got      C:\\\\new line" in text


def test_a_story_is_shown_as_it_is(folder: Path) -> None:
    """The lines of the story are indented and not wrapped, after the note; the case has its command."""
    long = "durable   write    " + "x" * 200
    example = Counterexample("after a crash", "1", "2", note="A note.", story=("first", long))
    result = Result("b", "state", "s", "STATE-CRASH-21", "must", "A rule.", "fail", counterexample=example)
    check = catalogue()["STATE-CRASH-21"]
    text = failure_text(result, check, rerun="pytest", script=None, base=folder, case="pytest --conformance-case=x")
    assert f"    got       2\n\n  A note.\n\n  what happened:\n    first\n    {long}\n" in text
    assert "\n  case        pytest --conformance-case=x\n  rerun       pytest\n" in text
    without = failure_text(result, check, rerun="pytest", script=None, base=folder)
    assert "  case  " not in without


def test_paths_are_shown_as_they_are_typed(tmp_path: Path) -> None:
    """Relative to where the command was typed, where the file lies below; quoted where a shell asks for it."""
    assert shown_path(tmp_path / "a" / "b.py", tmp_path) == "a/b.py"
    assert shown_path(tmp_path / "b.py", tmp_path / "a") == str(tmp_path / "b.py")
    assert shown_path(tmp_path / "a b.py", tmp_path) == "'a b.py'"


def test_the_case_is_json(folder: Path) -> None:
    """The case is plain JSON, with all that `to_dict` gave."""
    result = failure({"a": b"\0\xff"})
    path = write_case(folder, result)
    assert path is not None
    assert result.counterexample is not None
    assert json.loads(path.read_text()) == result.counterexample.case


@pytest.mark.parametrize(("size", "kept"), [(10, True), (5_000, True), (60_000, False)])
def test_a_script_in_the_record_needs_no_other_file(folder: Path, size: int, *, kept: bool) -> None:
    """It has all files in it, as far as it stays of bearable length; else it is not there."""
    noise = random.Random(1).randbytes(size)
    result = failure({"inner/": None, "inner/crash.txt": b"{'b': 2}", "noise": noise})
    text = standalone(result, load("crashed_stores:named"))
    assert bool(text) == kept
    if kept:
        script = folder / "alone.py"
        script.write_text(text)
        assert "it holds  {'b': 2}\n" in printed(script, folder)
