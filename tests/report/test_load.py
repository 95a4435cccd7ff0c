"""A file that is no record ends in a sentence, and whatever passes for a record can be shown."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conformance.report.annotations import code_quality, workflow_commands
from conformance.report.badge import badge
from conformance.report.compare import compare
from conformance.report.html import can_be_made, html_report
from conformance.report.junit import junit
from conformance.report.load import LoadError, read_record, record_of
from conformance.report.markdown import markdown
from conformance.report.merge import MergeError, merged
from conformance.report.record import is_red
from conformance.report.terminal import summary_lines
from tests.report import agreement
from tests.report.findings import CRASH, DAMAGE, RACE
from tests.report.records import EVERY_OUTCOME, FIGURE, checks, every_outcome, record

SMALL = record(
    EVERY_OUTCOME,
    only=list(EVERY_OUTCOME),
    examples={"STATE-LIST-01": CRASH, "STATE-CRASH-01": DAMAGE, "STATE-VALUE-01": RACE},
) | {"benchmarks": [FIGURE, {"backend": "mystore", "contract": "state", "operation": "get", "error": "OSError"}]}
TEXT = json.dumps(SMALL)


def test_a_record_of_an_older_kit_of_the_same_schema_is_read() -> None:
    """What such a kit did not write is filled in as it was meant: a must gates, nothing is provisional."""
    old = json.loads(TEXT)
    for name in ("date", "edition", "require", "strict", "shard", "interrupted", "baseline", "benchmarks", "suites"):
        del old[name]
    for backend in old["backends"]:
        for name in ("edition", "required", "expected", "round"):
            del backend[name]
    for check in checks(old):
        for name in ("gap", "provisional", "gates"):
            del check[name]
    found = record_of(json.dumps(old), "r.json")
    assert agreement.in_record(found) == agreement.in_record(SMALL)
    assert agreement.in_markdown(markdown(found)) == agreement.in_record(SMALL)
    shown(found)


def refused(text: str) -> str:
    """Return what is said of a text that is no record."""
    with pytest.raises(LoadError) as error:
        record_of(text, "r.json")
    assert str(error.value).startswith("r.json ")
    return str(error.value).removeprefix("r.json ")


def test_what_a_run_wrote_is_read(tmp_path: Path) -> None:
    """A record comes back as it was written, with and without a byte order mark."""
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / "r.json").write_text(json.dumps(every_outcome()), encoding=encoding)
        assert read_record(str(tmp_path / "r.json")) == json.loads(json.dumps(every_outcome()))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    assert read_record("-")["verdict"] == SMALL["verdict"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: a run that was killed writes no record."),
        ("FAILED tests/test_a.py", "is not JSON (line 1: Expecting value)."),
        ("[1, 2]", "is JSON, but no record of the kit: it has no `schema` and `backends`."),
        ('{"results": {}}', "is JSON, but no record of the kit: it has no `schema` and `backends`."),
        (TEXT.replace('"schema": 1', '"schema": 2'), "has the schema 2; this version of the kit reads 1."),
        (TEXT[: len(TEXT) // 2], "ends in the midst of the record: it was cut off."),
        (TEXT[:-1], "ends in the midst of the record: it was cut off."),
        ("[" * 100_000, "is nested too deep to be a record."),
        (TEXT.replace('"seed": 0', f'"seed": {"9" * 5_000}'), "is no JSON that can be read ("),
        (TEXT.replace('"shard": ""', '"shard": "x"'), "shard is not empty, or parts such as 2/5."),
        (TEXT.replace('"shard": ""', '"shard": "1/99999999999"'), "shard is not empty, or parts such as 2/5."),
        (TEXT.replace('"baseline": null', '"baseline": []'), "baseline is not an object."),
        (TEXT.replace('"baseline": null', '"baseline": {"source": "b"}'), "baseline.updated is not there."),
        (TEXT.replace('"claimed": "', '"claimed": "un', 1), "promises[0].claimed is not one of power-loss, "),
        (TEXT.replace('"ratio_to_limit": 2.0', '"ratio_to_limit": -2'), "ratio_to_limit is not a number from 0 on."),
        (TEXT.replace('"median": 0.002', f'"median": 1{"0" * 400}'), "median is not a number below 1e+18."),
        (TEXT.replace('100, "conditions": {}', '100, "conditions": []'), "conditions is not an object."),
        (TEXT.replace('"contract": "state", "op', '"contract": "", "op', 1), "contract is not one of state, log, "),
        (TEXT.replace('"about"', '"out"', 1), "promises[0].about is not there."),
        (TEXT.replace('"codes": ["', '"codes": [1, "', 1), "promises[0].about[0].codes[0] is not a text."),
        (
            TEXT.replace(f'"verdict": "{SMALL["verdict"]}"', '"verdict": "Conformant-ish"'),
            "backends[0].verdict is not a verdict: CONFORMANT, perhaps with known gaps and a shard, NOT CONFORMANT, ",
        ),
        (TEXT.replace('"known gap"', '"great"', 1), "outcome is not one of pass, fail, "),
        (TEXT.replace('"level": "must"', '"level": null', 1), "level is not one of must, should."),
        (TEXT.replace('"name": "state"', '"name": "stat"', 1), "contracts[0].name is not one of backend, state, "),
    ],
)
def test_what_is_no_record_is_refused(text: str, said: str) -> None:
    """The sentence says what is wrong and what to give; a file that was cut off is told from one that never was one."""
    assert said in refused(text)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """No file, a directory, bytes that are no text, and a name that no file has."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", ".", "bytes", "a\0b"):
        with pytest.raises(LoadError) as error:
            read_record(str(tmp_path / name))
        assert str(error.value).startswith(str(tmp_path / name).split("\0")[0])


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in a piece of JSON, of long lists of the first items."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def shown(report: dict[str, Any]) -> None:
    """Make everything of a record that can be made of it."""
    for backend in report["backends"]:
        assert list(summary_lines(backend))
    for made in (markdown, badge, junit, *([html_report] if can_be_made() else [])):
        assert made(report).encode()
    list(workflow_commands(report, Path()))
    assert code_quality(report, Path())
    assert compare(report, SMALL)
    assert compare(SMALL, report)
    with suppress(MergeError):
        merged([report])


@pytest.mark.parametrize(
    "verdict",
    [
        "CONFORMANT",
        "CONFORMANT (shard 2/5)",
        "CONFORMANT, 1 known gap",
        "CONFORMANT, 12 known gaps (shard 10/12)",
        "NOT CONFORMANT",
        "INCONCLUSIVE",
        "NOT JUDGED",
    ],
)
def test_every_verdict_is_read(verdict: str) -> None:
    """And whether it is red; of what is none nothing is known, and that is red too."""
    whole = json.loads(TEXT)
    whole["verdict"] = whole["backends"][0]["verdict"] = verdict
    assert record_of(json.dumps(whole), "r.json")["verdict"] == verdict
    assert is_red(verdict) == (verdict in ("NOT CONFORMANT", "INCONCLUSIVE"))
    for other in (verdict.lower(), f"{verdict}-ish", f" {verdict}", ""):
        assert is_red(other)
        whole["verdict"] = other
        assert "verdict is not a verdict: " in refused(json.dumps(whole))


#: What a run makes of its baseline.
BASELINE = {
    "source": "base.json",
    "updated": True,
    "added": [{"backend": "mystore", "check": "STATE-LIST-01"}],
    "removed": [],
    "kept": [],
}
GONE = object()
OTHERS: tuple[Any, ...] = (GONE, None, 7, "text", [], {}, -1, 10**400, "\ud800", ["a"])


@pytest.mark.parametrize("turn", range(len(OTHERS)))
def test_a_damaged_record_is_refused_or_shown(turn: int) -> None:
    """Whatever is taken out of a record, or put in its place: nothing that is read ends in an error of ours."""
    refusals = 0
    whole = json.loads(TEXT) | {"shard": "1/2", "baseline": BASELINE}
    for number, path in enumerate(paths(whole)):
        other = OTHERS[(number + turn) % len(OTHERS)]
        damaged = copy.deepcopy(whole)
        place = damaged
        for key in path[:-1]:
            place = place[key]
        if other is GONE:
            del place[path[-1]]
        else:
            place[path[-1]] = other
        try:
            found = record_of(json.dumps(damaged), "r.json")
        except LoadError:
            refusals += 1
        else:
            shown(found)
    assert refusals > 50


def test_a_record_of_no_backend_is_refused() -> None:
    """Nothing was tested, whatever its verdict says."""
    empty = {**record(), "backends": [], "verdict": "CONFORMANT"}
    with pytest.raises(LoadError, match=r"r\.json is the record of no backend: nothing was tested"):
        record_of(json.dumps(empty), "r.json")
