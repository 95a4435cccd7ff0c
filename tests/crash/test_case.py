"""A case has all that is needed to meet a crash state again; a file that is none is told apart from one that is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.crash.case import SCHEMA, Case, CaseError, meet, packed, read_case, unpacked
from conformance.crash.explore import Budget
from conformance.crash.history import Moment
from conformance.crash.perform import Attempt
from conformance.crash.subjects import Step
from tests.crash import stores as s
from tests.crash.conftest import CrewOf, ExplorerOf

CASE = Case(
    code="STATE-CRASH-01",
    contract="state",
    model="kill",
    verdict="lost",
    steps=(
        Step("set", ("a", {"n": [1, 1.5, True, None, "\ud800"]})),
        Step("transaction", (Step("set", ("b", b"\x00\xff")), Step("delete", ("a",)))),
        Step("reopen"),
    ),
    attempts=(Attempt(0, "OSError: no", "{}"), Attempt(0), Attempt(1)),
    moment=Moment(2, 1, running=True),
    files={"store": bytes(range(256)) * 20, "empty": b"", "folder/": None},
    story=("one", "two"),
)


def written(record: Any, folder: Path) -> Path:
    """Write a record as JSON."""
    path = folder / "case.json"
    path.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    return path


def test_a_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Bytes, batches, transactions and nested values come back, through JSON."""
    assert read_case(written(CASE.to_dict(), tmp_path)) == CASE
    log = replace(CASE, contract="log", steps=(Step("append_batch", (["x", b"y"],)), Step("checkpoint", ({"n": 1}, 2))))
    assert read_case(written(log.to_dict(), tmp_path)) == log


def test_files_are_short() -> None:
    """What repeats is packed."""
    data = bytes(100_000)
    assert len(packed(data)) < 500
    assert unpacked(packed(data)) == data
    assert unpacked(packed(b"")) == b""


def without(field: str) -> dict[str, Any]:
    """Return the record of a case without a field."""
    return {name: value for name, value in CASE.to_dict().items() if name != field}


BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", r"is no case file \(JSONDecodeError: .*\)\. Give a file that a failed check wrote\."),
    "a list": ([], r"is no case file \(TypeError: "),
    "nested too deep": ("[" * 100_000, r"is no case file \(RecursionError: "),
    "a step nested too deep": ({**CASE.to_dict(), "steps": ["(" * 5_000]}, r"is no case file \([A-Z]\w+Error[:)]"),
    "signs too deep": ({**CASE.to_dict(), "steps": ["-" * 100_000 + "1"]}, r"is no case file \([A-Z]\w+Error[:)]"),
    "a text": ('"case"', r"is no case file \(TypeError: "),
    "another schema": (
        {**CASE.to_dict(), "schema": 99},
        rf": the case has schema 99; this version .* reads {SCHEMA}\.",
    ),
    "no schema": (without("schema"), r"is no case file \(KeyError: 'schema'\)"),
    **{
        f"no {field}": (without(field), rf"is no case file \(KeyError: '{field}'\)")
        for field in ("code", "contract", "model", "verdict", "steps", "attempts", "moment", "files", "story")
    },
    "a step that is no source": ({**CASE.to_dict(), "steps": ["set("]}, r"is no case file \(SyntaxError: "),
    "a step that is a call": ({**CASE.to_dict(), "steps": ["print(1)"]}, r"is no case file \(ValueError: "),
    "a step without arguments": ({**CASE.to_dict(), "steps": ["('set',)"]}, r"is no case file \(ValueError: "),
    "steps that are a number": ({**CASE.to_dict(), "steps": 1}, r"is no case file \(TypeError: "),
    "an attempt of another kind": ({**CASE.to_dict(), "attempts": [{"x": 1}]}, r"is no case file \(TypeError: "),
    "files that are a list": ({**CASE.to_dict(), "files": []}, r"is no case file \(AttributeError: "),
    "a file that is not packed": ({**CASE.to_dict(), "files": {"f": "é"}}, r"is no case file \(ValueError: "),
    "a file that is damaged": ({**CASE.to_dict(), "files": {"f": "abc"}}, r"is no case file \(error: Error -3"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_no_case(what: str, tmp_path: Path) -> None:
    """It is said what is wrong with it, and what to give instead."""
    record, reason = BAD[what]
    path = written(record, tmp_path)
    with pytest.raises(CaseError, match=reason) as error:
        read_case(path)
    assert str(error.value).startswith(str(path))
    assert str(error.value).endswith(".")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The system's own words are used."""
    with pytest.raises(CaseError, match=r"none.json: No such file or directory\. Give a case file"):
        read_case(tmp_path / "none.json")
    with pytest.raises(CaseError, match="Is a directory"):
        read_case(tmp_path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Not every file is UTF-8."""
    (tmp_path / "case.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CaseError, match="UnicodeDecodeError"):
        read_case(tmp_path / "case.json")


def test_a_case_is_met_again(explorer_of: ExplorerOf, tmp_path: Path) -> None:
    """The store shows again what it showed, and an honest one that reads the same files shows nothing wrong."""
    explorer = explorer_of(s.mutant("no_fsync_at_all"))
    finding = explorer.explore("ext4", Budget(states=1_000, seconds=60.0), 0).findings[0]
    one = explorer.recorded
    case = replace(
        CASE,
        model="ext4",
        verdict=finding.verdict,
        steps=tuple(one.steps),
        attempts=tuple(one.history.attempts),
        moment=finding.moment,
        files=explorer.disk("ext4").tree(finding.state.kept),
    )
    again = read_case(written(case.to_dict(), tmp_path))
    assert meet(explorer.crew, again) == (finding.verdict, finding.observation)


def test_a_case_of_a_repaired_store(crew_of: CrewOf) -> None:
    """Where nothing is wrong any more the verdict is `fine`."""
    crew = crew_of(s.TRAPPED.address)
    sound = replace(CASE, steps=(Step("set", ("a", 1)),), attempts=(Attempt(0),), files=s.document(a=1))
    at_the_end = replace(sound, moment=Moment(1, 1, running=False))
    assert meet(crew, at_the_end)[0] == "fine"
    assert meet(crew, replace(at_the_end, files={}))[0] == "lost"
    assert meet(crew, replace(at_the_end, files=s.document("open", a=1)))[0] == "cannot open"
