"""docs/stores.md: made of the catalogue, the notes and the results, and all of it is there."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.address import load
from conformance.check import catalogue
from tests.stores.catalogue import STORES, Store
from tests.stores.notes import NOTES, Note, codes_of
from tests.stores.page import anchor, page
from tests.stores.results import TEXT, summary

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
RESULTS: dict[str, Any] = json.loads((DOCS / "stores.json").read_text(encoding="utf-8"))
#: As many public stores are asked for.
AT_LEAST = 20


def command() -> ModuleType:
    """Return benchmarks/stores.py as a module."""
    spec = importlib.util.spec_from_file_location("stores_command", ROOT / "benchmarks" / "stores.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_that_of_the_results() -> None:
    """docs/stores.md is what comes of docs/stores.json, the catalogue and the notes; else it has to be written anew."""
    assert (DOCS / "stores.md").read_text(encoding="utf-8") == page(RESULTS)


def test_every_store_has_a_result() -> None:
    """Each store in the catalogue has a result, and at least twenty distributions of the index were measured."""
    assert list(RESULTS["stores"]) == [store.name for store in STORES]
    measured = {
        store.requires[0].partition("==")[0]
        for store in STORES
        if store.requires and "verdict" in RESULTS["stores"][store.name]
    }
    assert len(measured) >= AT_LEAST


def test_results_are_of_the_versions_on_the_page() -> None:
    """What the catalogue pins is what was installed."""
    there = {name.lower().replace("_", "-"): version for name, version in RESULTS["environment"].items()}
    pins = {pin for store in STORES for pin in store.requires}
    assert {f"{name}=={there.get(name.lower())}" for name in (pin.partition("==")[0] for pin in pins)} == pins


def test_every_finding_was_looked_at() -> None:
    """Each finding has a note of what was seen by hand, each note a finding; the pages of the checks exist."""
    measured = {name: result for name, result in RESULTS["stores"].items() if "verdict" in result}
    found = {(name, one["code"]) for name, result in measured.items() for one in result["findings"]}
    noted = [(name, code) for name in measured for note in NOTES.get(name, ()) for code in codes_of(note)]
    assert len(noted) == len(set(noted))
    assert found == set(noted)
    assert [code for _, code in found if not (DOCS / "checks" / f"{code}.md").exists()] == []


def test_notes_say_something_and_lead_somewhere() -> None:
    """A note is a sentence or more, and where it names an issue it does so by an address."""
    for notes in NOTES.values():
        for note in notes:
            assert re.fullmatch(r"\S.{10,}[.)`]", note.text, re.DOTALL), note
            assert note.upstream == "" or note.upstream.startswith("https://"), note


def test_links_within_the_page_lead_to_a_heading() -> None:
    """Each store of the matrix leads to its section."""
    text = page(RESULTS)
    headings = {anchor(heading) for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
    assert len(re.findall(r"\]\(#", text)) >= len(STORES)


def test_codes_of_a_note_are_written_out() -> None:
    """`-02` is the check of that number in the area named before."""
    assert codes_of(Note("STATE-CRASH-01 -03 RUNS-KEY-02", "")) == ["STATE-CRASH-01", "STATE-CRASH-03", "RUNS-KEY-02"]


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_adapter_is_there(store: Store) -> None:
    """Each adapter is a file with a record in it, which opens what the results are about, where its store is here."""
    file, _, name = store.adapter.partition(":")
    if not file.endswith(".py"):
        pytest.importorskip(file)
        return
    path = ROOT / "tests" / "stores" / file
    assert re.search(rf"^{name} = Backend\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    try:
        backend = load(str(path) + f":{name}")
    except Exception as error:  # noqa: BLE001 - whatever comes of a package that is not installed
        pytest.skip(f"not installed: {error}")
    found = RESULTS["stores"][store.name]
    assert "verdict" not in found or set(backend.contracts) == {suite["contract"] for suite in found["suites"]}


def record(*checks: dict[str, Any]) -> dict[str, Any]:
    """Return a result record of one backend with some checks."""
    plain = {"level": "must", "sentence": "It holds.", "reason": "", "counterexample": None}
    return {
        "kit": {"version": "1.0"},
        "effort": "quick",
        "seed": 0,
        "machine": {"python": "3.11.7", "system": "Linux"},
        "backends": [
            {
                "server": "",
                "verdict": "NOT CONFORMANT",
                "lacks": {},
                "contracts": [
                    {"name": "state", "suites": [{"name": "round-trip", "checks": [{**plain, **c} for c in checks]}]}
                ],
            }
        ],
    }


def test_summary_counts_what_applies() -> None:
    """A rule that is broken, blocked or not decided counts as one that applies and doesn't hold."""
    kept = summary(
        record(
            {"code": "A-01", "outcome": "pass"},
            {"code": "A-02", "outcome": "fail", "counterexample": {"what": "w", "expected": "e", "got": "g"}},
            {"code": "A-03", "outcome": "blocked", "reason": "blocked by A-02"},
            {"code": "A-04", "outcome": "inconclusive", "reason": "it compared nothing"},
            {"code": "A-05", "outcome": "not applicable", "reason": "it has no such verb"},
            {"code": "A-06", "outcome": "pass", "level": "should"},
        )
    )
    assert kept["suites"] == [
        {
            "contract": "state",
            "suite": "round-trip",
            "must": 4,
            "must_passed": 1,
            "should": 1,
            "should_passed": 1,
            "not_applicable": 1,
        }
    ]
    assert [one["code"] for one in kept["findings"]] == ["A-02"]
    assert (kept["blocked"], kept["inconclusive"]) == ({"A-02": 1}, {"A-04": "it compared nothing"})


def test_summary_keeps_what_says_something() -> None:
    """Places and addresses in memory are left out, long texts are cut, of many calls the middle is."""
    calls = [{"source": f"store.put({n})", "outcome": "-> None", "depth": n == 0} for n in range(20)]
    example = {
        "what": "reading /places/x/STATE-1/store/a",
        "expected": "<generator at 0x7fc16>",
        "got": "x" * 5000,
        "calls": calls,
        "story": ["a line   ", *map(str, range(50)), "the end"],
        "note": "",
    }
    (one,) = summary(record({"code": "A-01", "outcome": "fail", "counterexample": example}), "/places/x")["findings"]
    assert one["what"] == "reading …/STATE-1/store/a"
    assert one["expected"] == "<generator>"
    assert len(one["got"]) == TEXT + 1
    assert one["calls"][0] == "    store.put(0) -> None"
    assert one["calls"][3] == "... 11 more calls"
    assert (one["story"][0], one["story"][4], one["story"][-1]) == ("a line", "... 28 more lines", "the end")
    assert "note" not in one


def test_page_says_what_was_not_measured() -> None:
    """A store whose run came to no end is named, with why; one that was never run, too."""
    first, second, *_ = (store.name for store in STORES)
    ended = {"date": "2026-01-01", "not_measured": "took over 5,000 s"}
    stores = {name: result for name, result in RESULTS["stores"].items() if name != second}
    sections = page({**RESULTS, "stores": {**stores, first: ended}}).split("\n## ")
    assert "| not measured: took over 5,000 s |" in sections[0]
    assert "Not measured: took over 5,000 s." in next(text for text in sections if text.startswith(f"{first}\n"))
    assert "Not measured: not run." in next(text for text in sections if text.startswith(f"{second}\n"))


def test_page_tells_what_nobody_looked_at() -> None:
    """A finding without a note is shown with its case, and said to be not looked at."""
    name = STORES[0].name
    finding = {"code": "STATE-KEY-01", "level": "should", "sentence": "s", "what": "it", "expected": "1", "got": "2"}
    one = {**RESULTS["stores"][name], "findings": [finding]}
    text = page({**RESULTS, "stores": {**RESULTS["stores"], name: one}})
    assert "[STATE-KEY-01](checks/STATE-KEY-01.md) (should): not looked at yet, nor searched for upstream." in text
    assert "    STATE-KEY-01, it:\n        expected 1\n        got      2\n" in text


def test_command_finds_a_stale_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` exits with 1 and says what to do when the page is another one, and with 0 when it is not."""
    module = command()
    assert module.main(["--check"]) == 0
    stale = tmp_path / "stores.md"
    stale.write_text("old", encoding="utf-8")
    monkeypatch.setattr(module, "PAGE", stale)
    assert module.main(["--check"]) == 1
    assert "python benchmarks/stores.py --page" in capsys.readouterr().out
    assert module.main(["--page"]) == 0
    assert module.main(["--check"]) == 0


def test_command_ends_a_run_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes too long is not measured, and it is said after how many seconds."""
    module = command()
    monkeypatch.setattr(module, "TOO_LONG", 0.1)
    waiting = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    assert module.run(waiting, str(tmp_path), {}, subprocess.DEVNULL) == "took over 0.1 s"


def test_command_knows_the_stores(capsys: pytest.CaptureFixture[str]) -> None:
    """`--only` with another name is refused, with those that there are."""
    with pytest.raises(SystemExit):
        command().main(["--only", "no such store"])
    said = capsys.readouterr().err
    assert "invalid choice: 'no such store'" in said
    assert "LMDB" in said


def test_checks_of_the_findings_are_in_the_catalogue() -> None:
    """No finding is of a check that the kit has not got."""
    codes = {one["code"] for result in RESULTS["stores"].values() for one in result.get("findings", ())}
    assert codes <= catalogue().keys()
