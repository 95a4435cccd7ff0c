"""What fails a run: known gaps and their last day, baselines, editions, promises that are required, strictness."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest

from conformance import editions
from conformance.check import catalogue

TODAY = datetime.date.today()
STORES = '''
from conformance import Backend
from mystore import Store

class Haunted(Store):
    """What was deleted once is gone for ever."""

    dead = ()

    def __delitem__(self, key):
        super().__delitem__(key)
        self.dead = (*self.dead, key)

    def __getitem__(self, key):
        if key in self.dead:
            raise KeyError(key)
        return super().__getitem__(key)

class Opinionated(Store):
    """Refuses what it can't keep with an error of its own."""

    def __setitem__(self, key, value):
        if type(value) is dict and "bad" in value:
            raise LookupError("unsupported")
        super().__setitem__(key, value)

def volatile(where):
    return Store(where.path / "store")

cache = Backend("cache", state=volatile, durability="volatile", lacks={"processes": "one process"})
'''
DELETE = ("-k", "STATE-DELETE-03 or STATE-BASIC-01")
FILE = "--conformance-baseline=base.json"
UPDATE = "--conformance-update-baseline"
JSON = "--conformance-json=out.json"


@pytest.fixture
def stores(project: pytest.Pytester) -> pytest.Pytester:
    """Return the project with a module of stores, each broken in one way."""
    project.makepyfile(stores=STORES)
    return project


def checks(pytester: pytest.Pytester) -> dict[str, dict[str, Any]]:
    """Return the checks of the record that the run wrote, by code."""
    report = json.loads(pytester.path.joinpath("out.json").read_text())
    suites = [s for backend in report["backends"] for contract in backend["contracts"] for s in contract["suites"]]
    return {check["code"]: check for suite in suites for check in suite["checks"]}


def record(pytester: pytest.Pytester) -> dict[str, Any]:
    """Return the record that the run wrote."""
    report: dict[str, Any] = json.loads(pytester.path.joinpath("out.json").read_text())
    return report


def write(pytester: pytest.Pytester, **entries: dict[str, Any]) -> None:
    """Write a baseline with entries of one backend each."""
    pytester.path.joinpath("base.json").write_text(json.dumps({"schema": 1, "backends": entries}))


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_baseline_switches_the_gate_on(stores: pytest.Pytester, workers: list[str]) -> None:
    """What fails today is written into a file, and is a known gap from then on; what is new still fails."""
    args = ["--backend=stores:Haunted", *DELETE, JSON, *workers]
    assert stores.runpytest(*args).ret == 1
    result = stores.runpytest(*args, FILE, UPDATE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "  baseline base.json (command line) is written",
            f"  known gap    STATE-DELETE-03    accepted on {TODAY} by baseline",
            "  CONFORMANT, 1 known gap in the 2 of *",
            "  baseline base.json: 1 added, 0 removed",
            "    added    stores:Haunted  STATE-DELETE-03",
        ]
    )
    added = [{"backend": "stores:Haunted", "check": "STATE-DELETE-03"}]
    assert record(stores)["baseline"] == {
        "source": "base.json",
        "updated": True,
        "added": added,
        "removed": [],
        "kept": [],
    }
    text = stores.path.joinpath("base.json").read_text()
    entries = {"STATE-DELETE-03": {"reason": f"accepted on {TODAY} by baseline"}}
    written = json.loads(text)
    assert written["backends"] == {"stores:Haunted": entries}
    assert (written["schema"], written["edition"]) == (1, editions.newest())
    result = stores.runpytest(*args, FILE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  baseline base.json (command line) accepts 1", "  CONFORMANT, 1 known gap in the 2 of *"]
    )
    found = checks(stores)["STATE-DELETE-03"]
    assert found["outcome"] == "known gap"
    assert found["gap"] == {
        "reason": f"accepted on {TODAY} by baseline",
        "expires": None,
        "days_left": None,
        "source": "base.json",
    }
    assert stores.path.joinpath("base.json").read_text() == text
    result = stores.runpytest("--backend=mystore:NoneStore", *DELETE, FILE, *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  NOT CONFORMANT   1 new failure"])


def test_an_entry_that_passes_is_stale(stores: pytest.Pytester) -> None:
    """It fails the run, which tells the command that deletes it; a part of the checks does not delete it."""
    write(stores, **{"mystore:Store": {"STATE-DELETE-03": {"reason": "accepted"}}})
    result = stores.runpytest("--backend=mystore:Store", *DELETE, FILE)
    assert result.ret == 1
    command = f"pytest --backend=mystore:Store {FILE} {UPDATE}"
    listed = "STATE-DELETE-03 is listed in base.json (accepted) but passes now: delete the entry"
    result.stdout.fnmatch_lines(
        [f"  stale gap: {listed}, or let this do it: {command}", "  NOT CONFORMANT   1 stale gap"]
    )
    before = stores.path.joinpath("base.json").read_text()
    result = stores.runpytest("--backend=mystore:Store", *DELETE, FILE, UPDATE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            f"  stale gap: {listed}, only part of the checks were carried out; that takes all: {command}",
            "  baseline base.json: 0 added, 0 removed",
            "    kept     mystore:Store  STATE-DELETE-03: it passed, but not all checks were carried out",
        ]
    )
    assert stores.path.joinpath("base.json").read_text() == before


def test_a_whole_run_deletes_what_passes(stores: pytest.Pytester) -> None:
    """Entries of checks that passed are gone; those of other suites and other backends stay, with what stood there."""
    kept = {"STATE-DELETE-03": {"reason": "issue 12", "expires": "2999-12-31"}}
    write(stores, memory={"LAYERS-REPLAY-03": {"reason": "accepted"}, **kept}, file=kept)
    args = ["--backend=memory", "--suite=replay", "--contract=layers", "--effort=quick", FILE]
    result = stores.runpytest(*args, UPDATE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  CONFORMANT in replay", "  baseline base.json: 0 added, 1 removed", "    removed  memory  LAYERS-REPLAY-03"]
    )
    assert json.loads(stores.path.joinpath("base.json").read_text())["backends"] == {"file": kept, "memory": kept}


def test_a_stopped_run_deletes_nothing(stores: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passed before a run was stopped keeps its entry, and the run says so."""
    write(stores, memory={"BACKEND-OPEN-01": {"reason": "accepted"}})
    before = stores.path.joinpath("base.json").read_text()
    monkeypatch.setenv("PYTHONPATH", str(stores.path))
    stores.makepyfile(
        stopping="""
        def pytest_runtest_logfinish(nodeid):
            raise KeyboardInterrupt
        """
    )
    args = ["--backend=memory", "--suite=replay", "--contract=layers", "--effort=quick", FILE, UPDATE]
    result = stores.runpytest_subprocess("-p", "stopping", *args)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["    kept     memory  BACKEND-OPEN-01: it passed, but not all *"])
    assert stores.path.joinpath("base.json").read_text() == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([FILE], "*base.json: STATE-DELETE-03 is accepted of an unknown backend 'memoy'. Did you mean 'memory'?*"),
        ([UPDATE], "*--conformance-update-baseline writes a baseline, and none is named*"),
        (["--require=power-los"], "*require='power-los' (command line) is neither*Did you mean 'power-loss'?*"),
    ],
)
def test_what_can_not_gate_is_a_usage_error(stores: pytest.Pytester, args: list[str], message: str) -> None:
    """What can't be used ends the run before anything is judged, with one line and no traceback."""
    write(stores, memoy={"STATE-DELETE-03": {"reason": "r"}})
    result = stores.runpytest("--backend=memory", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: conformance: {message}"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_gap_shows_its_last_day_and_is_of_one_backend(stores: pytest.Pytester) -> None:
    """The last day still counts, and the summary tells how many are left; other backends are not excused."""
    stores.makepyprojecttoml(
        f"""
        [[tool.conformance.known-gaps]]
        check = "STATE-DELETE-03"
        reason = "issue 12"
        backend = "first"
        expires = {TODAY}

        [tool.conformance.backends]
        first = "stores:Haunted"
        second = "stores:Haunted"
        """
    )
    result = stores.runpytest("--backend=first", "--backend=second", *DELETE, JSON)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            f"  known gap    STATE-DELETE-03    issue 12 (expires today, the last day is {TODAY})",
            "  CONFORMANT, 1 known gap in the 2 of *",
            "  NOT CONFORMANT   1 new failure",
        ]
    )
    gaps = [
        check["gap"]
        for backend in record(stores)["backends"]
        for contract in backend["contracts"]
        for suite in contract["suites"]
        for check in suite["checks"]
    ]
    assert [gap for gap in gaps if gap] == [
        {"reason": "issue 12", "expires": f"{TODAY}", "days_left": 0, "source": "pyproject.toml:1"}
    ]


def test_what_a_known_gap_blocks_does_not_close_the_gate(stores: pytest.Pytester) -> None:
    """An accepted failure covers the checks that it makes meaningless, unless nothing else passed."""
    write(stores, **{"mystore:NoneStore": {"STATE-BASIC-01": {"reason": "issue 12"}}})
    result = stores.runpytest("--backend=mystore:NoneStore", *DELETE, FILE, JSON)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "  blocked by STATE-BASIC-01 (not run): STATE-DELETE-03",
            "  INCONCLUSIVE   nothing passed: known gaps block 1 check",
        ]
    )
    assert checks(stores)["STATE-DELETE-03"]["gap"]["reason"] == "issue 12"


def later(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Make a check of the catalogue one of an edition that comes after those that there are."""
    check = catalogue()[code]
    newer = replace(check, since="2031.1")
    monkeypatch.setattr(editions, "EDITIONS", (*editions.EDITIONS, "2031.1"))
    monkeypatch.setitem(catalogue(), code, newer)
    monkeypatch.setattr(check.function, "conformance_check", newer)


def test_a_check_of_a_later_edition_gates_nothing(stores: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a pinned edition a newer check is carried out and shown; unpinned it gates."""
    later(monkeypatch, "STATE-DELETE-03")
    args = ["--backend=stores:Haunted", *DELETE, JSON]
    result = stores.runpytest(*args)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  edition 2031.1 (default)", "  NOT CONFORMANT   1 new failure"])
    assert record(stores)["edition"] == "2031.1"
    stores.makepyprojecttoml('[tool.conformance]\nedition = "2026.1"')
    result = stores.runpytest(*args, "-v")
    assert result.ret == 0
    sentence = catalogue()["STATE-DELETE-03"].sentence
    result.stdout.fnmatch_lines(
        [
            "  edition 2026.1 (pyproject.toml)",
            "*PROVISIONAL FAIL*",
            f"  provisional  STATE-DELETE-03    fail, and gates nothing yet: {sentence}",
            "  CONFORMANT in the 2 of * checks that were selected, edition 2026.1",
            "*1 provisional*",
        ]
    )
    assert (checks(stores)["STATE-DELETE-03"]["provisional"], checks(stores)["STATE-DELETE-03"]["gates"]) == (
        True,
        False,
    )
    assert record(stores)["edition"] == "2026.1"
    result = stores.runpytest("--backend=mystore:Store", *DELETE)
    result.stdout.fnmatch_lines(["  provisional  1 check newer than edition 2026.1 passed"])
    result = stores.runpytest("--backend=mystore:Store", "-k", "STATE-DELETE-03")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  INCONCLUSIVE   nothing was tested"])


def test_a_gap_of_a_later_edition_is_refused(stores: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry for a check that gates nothing would excuse nothing: it is a usage error."""
    later(monkeypatch, "STATE-DELETE-03")
    write(stores, memory={"STATE-DELETE-03": {"reason": "r"}})
    result = stores.runpytest("--backend=memory", FILE, "--conformance-edition=2026.1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*STATE-DELETE-03 is of edition 2031.1, and the run is pinned to 2026.1*"])


def test_what_is_required_must_be_observed(stores: pytest.Pytester) -> None:
    """A weaker claim fails the run, and so does what was not measured; each has a line of its own."""
    result = stores.runpytest("--backend=stores:cache", "--require=power-loss,log", "--require=json", *DELETE, JSON)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "  requires power-loss, log, json (command line)",
            "  required     power-loss         NOT MET: claimed volatile",
            "  required     log                NOT MET: the backend opens state",
            "  required     json               not measured",
            "  NOT CONFORMANT   requires power-loss, claimed volatile, requires log, the backend opens state",
        ]
    )
    assert record(stores)["backends"][0]["required"] == [
        {"name": "durability", "level": "power-loss", "met": False, "why": "claimed volatile"},
        {"name": "contract", "level": "log", "met": False, "why": "the backend opens state"},
        {"name": "values", "level": "json", "met": None, "why": "not measured"},
    ]
    stores.makepyprojecttoml('[tool.conformance]\nrequire = ["values:json"]')
    result = stores.runpytest("--backend=stores:cache", *DELETE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  INCONCLUSIVE   requires json, not measured"])


def test_what_is_required_and_observed_passes(stores: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that observed what is required is conformant, and says what it observed."""
    monkeypatch.setenv("CONFORMANCE_REQUIRE", "layers,json")
    result = stores.runpytest("--backend=memory", "--suite=round-trip", "--contract=layers", "--effort=quick")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "  requires layers, json (CONFORMANCE_REQUIRE)",
            "  required     layers             met: * must checks passed",
            "  required     json               met: observed json",
            "  CONFORMANT in round-trip",
        ]
    )


def test_a_broken_should_fails_a_strict_run(stores: pytest.Pytester) -> None:
    """It is a new failure then, with its text, and can be accepted as any other."""
    args = ["--backend=stores:Opinionated", "-k", "STATE-FAIL-02 or STATE-BASIC-01"]
    assert stores.runpytest(*args).ret == 0
    stores.makepyprojecttoml("[tool.conformance]\nstrict = true")
    result = stores.runpytest(*args)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "  a broken should fails the run (pyproject.toml)",
            "STATE-FAIL-02  *",
            "  new failure  STATE-FAIL-02*",
            "  NOT CONFORMANT   1 new failure",
        ]
    )
    assert stores.runpytest(*args, FILE, UPDATE).ret == 0
    assert stores.runpytest(*args, FILE).ret == 0
