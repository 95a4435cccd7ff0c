"""Settling what gates: what can't be used is refused, with the place, the value, and what to write."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.backend import CONTRACTS, PROMISES
from conformance.baseline import read_baseline, write_baseline
from conformance.check import catalogue
from conformance.gaps import Gap, Rules
from conformance.gate import REQUIRED
from conformance.options import OptionError, Options, settle

TODAY = datetime.date(2026, 11, 22)
ENTRY = '[[tool.conformance.known-gaps]]\ncheck = "STATE-DELETE-03"\nreason = "r"\n'


def settled(folder: Path, **given: Any) -> Options:
    """Return the options of a run in a folder."""
    return settle({"backend": ["memory"], **given}, {}, folder, TODAY)


def refusal(folder: Path, **given: Any) -> str:
    """Return what is said to a run whose options can't be used."""
    with pytest.raises(OptionError) as refused:
        settled(folder, **given)
    return str(refused.value)


def of_memory(**entries: Any) -> str:
    """Return a baseline with the entries of one backend, their codes spelled with underscores."""
    named = {code.replace("_", "-"): entry for code, entry in entries.items()}
    return json.dumps({"schema": 1, "kit": "9.1", "edition": "2031.1", "backends": {"memory": named}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "base.json is not JSON: "),
        ("[" * 100_000, "base.json is nested too deep to be a baseline."),
        ('{"schema": ' + "9" * 5_000, "base.json is not JSON: "),
        ("[]", 'base.json has no object "backends"'),
        ('{"schema": 2, "backends": {}}', "base.json: schema 2; this kit, "),
        ('{"schema": 1, "backend": 1, "backends": {}}', "base.json has no field 'backend'. Did you mean 'backends'?"),
        ('{"schema": 1, "backends": {"x": {"A": {}}, "x": {}}}', "'x' stands twice in one object"),
        ('{"schema": 1, "backends": {"memory": 1}}', "base.json: memory is 1, which is no object"),
        (of_memory(STATE_DELETE_3={"reason": "r"}), "unknown check 'STATE-DELETE-3'. Did you mean 'STATE-DELETE-03'?"),
        (of_memory(STATE_DELETE_3={"reason": "r"}), "The file was written by kit 9.1, edition 2031.1; this is "),
        (
            of_memory(STATE_DELETE_03={"reason": "r", "expires": "2026-11-21"}),
            "base.json: memory: STATE-DELETE-03 expired on 2026-11-21. Close the gap, or give it a new date",
        ),
        (
            of_memory(STATE_DELETE_03={"reason": "r", "expires": "soon"}),
            "STATE-DELETE-03: expires='soon' is not a date. Write \"2027-03-01\".",
        ),
        (of_memory(STATE_DELETE_03={}), "STATE-DELETE-03 has no reason"),
        (of_memory(STATE_DELETE_03={"reason": "r", "until": 1}), "has no field 'until'. Known: reason, expires."),
        (of_memory(STATE_DELETE_03=7), "STATE-DELETE-03 is 7, which is no object"),
        (None, "base.json. --conformance-update-baseline writes it, into a directory that exists."),
    ],
)
def test_baselines_that_can_not_be_used(tmp_path: Path, content: str | None, message: str) -> None:
    """A baseline is refused with the file, the entry, and the rule that it breaks."""
    if content is not None:
        (tmp_path / "base.json").write_text(content)
    assert message in refusal(tmp_path, baseline=str(tmp_path / "base.json"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"edition": "2026.9"},
            "unknown edition '2026.9' (command line). Did you mean '2026.1'? This kit knows: 2026.1.",
        ),
        ({"require": ["sharing:power-loss"]}, "require='sharing:power-loss' (command line) is no level of a promise."),
        ({"require": ["log,volatile"]}, "require='volatile' (command line) promises nothing"),
        ({"require": ["lgo"]}, "require='lgo' (command line) is neither a level of a promise nor a contract."),
        ({"update-baseline": True}, "none is named: give --conformance-baseline=FILE."),
    ],
)
def test_options_that_can_not_be_used(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    """Words that can't be used are answered with the nearest that can."""
    assert message in refusal(tmp_path, **given)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "[tool.conformance]\nedition = 2026.1",
            'edition=2026.1 (pyproject.toml) is not a text. Write edition = "2026',
        ),
        ("[tool.conformance]\nrequire = 7", 'require=7 (pyproject.toml) is no list of words. Write require = ["power'),
        ('[tool.conformance]\nstrict = "maybe"', "strict='maybe' (pyproject.toml) is neither true nor false"),
        ("[tool.conformance]\nbaseline = 7", "baseline=7 (pyproject.toml) is not the name of a file"),
        ("[tool.conformance]\nknown-gaps = 7", "known-gaps is no list"),
        (
            f"\n\n{ENTRY}expires = 2026-11-21",
            "pyproject.toml:3: [[tool.conformance.known-gaps]] number 1: STATE-DELETE-03 expired on 2026-11-21.",
        ),
        (f"{ENTRY}backend = 7", "backend=7 is not the name of a backend."),
        (f'{ENTRY}{ENTRY}backend = "memory"', "number 2: STATE-DELETE-03 of memory is listed twice: also in pypr"),
        (
            f"{ENTRY}{ENTRY}",
            "pyproject.toml:4: [[tool.conformance.known-gaps]] number 2: STATE-DELETE-03 is listed twice",
        ),
        (
            f'[tool.conformance]\nbaseline = "base.json"\n{ENTRY}',
            "base.json: memory: STATE-DELETE-03 of memory is listed twice: also in pyproject.toml:3.",
        ),
    ],
)
def test_gates_of_a_project_that_can_not_be_used(tmp_path: Path, table: str, message: str) -> None:
    """What can't be used in pyproject.toml is named with file, line and entry."""
    (tmp_path / "base.json").write_text(of_memory(STATE_DELETE_03={"reason": "r"}))
    (tmp_path / "pyproject.toml").write_text(table)
    assert message in refusal(tmp_path)


def test_values_of_the_gate_come_from_everywhere(tmp_path: Path) -> None:
    """Words may be joined by commas, qualified by their promise, or be a list; the first that speaks is believed."""
    table = '[tool.conformance]\nrequire = ["processes", "log"]\nstrict = true\nbaseline = "base.json"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    (tmp_path / "base.json").write_text(of_memory(STATE_DELETE_03={"reason": "r", "expires": "2026-11-22"}))
    gate = settled(tmp_path).gate
    assert (gate.require, gate.strict, gate.edition, gate.updates) == (("processes", "log"), True, "2026.1", False)
    gap = gate.gap("STATE-DELETE-03", "memory")
    assert gap == Gap("STATE-DELETE-03", "r", TODAY, "memory", "base.json")
    assert gate.gap("STATE-DELETE-03", "other") is None
    given = {"require": ["sharing:threads,json", "log"]}
    assert settled(tmp_path, **given).gate.require == ("threads", "json", "log")
    outside = {"CONFORMANCE_STRICT": "0", "CONFORMANCE_REQUIRE": "power-loss log"}
    gate = settle({"backend": ["memory"]}, outside, tmp_path, TODAY).gate
    assert (gate.strict, gate.require) == (False, ("power-loss", "log"))


def test_words_that_can_be_required_mean_one_thing() -> None:
    """No level has the name of another one, or of a contract, so that a word alone says what is required."""
    words = [level for levels in PROMISES.values() for level in levels] + list(CONTRACTS)
    assert len(set(words)) == len(words)
    assert set(REQUIRED) == set(words) - {"volatile", "single", "silent"}


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    """It is sorted, ends in a newline, and reads back as what was written; writing it again changes nothing."""
    path, rules = tmp_path / "base.json", Rules(TODAY, catalogue(), "2026.1")
    fresh = read_baseline(path, "base.json", rules, updates=True)
    assert (fresh.exists, fresh.gaps) == (False, ())
    gaps = (
        Gap("STATE-DELETE-03", "because", datetime.date(2027, 1, 1), "z", "base.json"),
        Gap("STATE-DELETE-01", "because", None, "z", "base.json"),
        Gap("LOG-BASIC-01", "na\u00efve", None, "a", "base.json"),
    )
    write_baseline(type(fresh)(path, "base.json", gaps), "2026.1")
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text.index("LOG-BASIC-01") < text.index("STATE-DELETE-01") < text.index("STATE-DELETE-03")
    again = read_baseline(path, "base.json", rules, updates=False)
    assert again.exists
    assert set(again.gaps) == set(gaps)
    write_baseline(again, "2026.1")
    assert path.read_text(encoding="utf-8") == text
    assert [one.name for one in tmp_path.iterdir()] == ["base.json"]
