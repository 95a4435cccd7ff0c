"""Public stores of runs, jobs and memories, judged as they are: each fails exactly what it is known to fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.check import catalogue
from conformance.result import Result
from tests.test_stores import PAGE, bench, installed

#: Checks that draw random examples, and so find a defect or not, which a table of cases knows for sure.
RANDOM = ("LAYERS-MODEL-01", "RUNS-FIELD-06")


@dataclass(frozen=True)
class Store:
    """A public store, and what it comes to.

    Args:
        name: As on the page.
        contract: By which it is judged.
        address: As after `--backend=`.
        module: The module that must be installed.
        table: The outcome of each check of the round-trip suite that does not pass, or does not apply; docs/stores.md
            has the minimal cases.
    """

    name: str
    contract: str
    address: str
    module: str
    table: dict[str, str]


STORES = (
    Store(
        "LangGraph SqliteSaver",
        "runs",
        "tests.stores.langgraph_saver_store:backend",
        "langgraph.checkpoint.sqlite",
        {
            "RUNS-FIELD-03": "fail",
            "RUNS-FIELD-04": "fail",
            "RUNS-FIELD-06": "fail",
            "RUNS-REFUSE-01": "fail",
            "RUNS-REFUSE-03": "blocked",
        },
    ),
    Store(
        "OpenAI Agents SDK",
        "runs",
        "tests.stores.agents_session_store:runs",
        "agents",
        {"RUNS-FIELD-04": "fail", "RUNS-REFUSE-01": "fail", "RUNS-REFUSE-03": "blocked"},
    ),
    Store(
        "OpenAI Agents SDK, as a log",
        "log",
        "tests.stores.agents_session_store:log",
        "agents",
        {"LOG-EVENT-02": "fail"},
    ),
    Store(
        "LangGraph SqliteStore",
        "layers",
        "tests.stores.langgraph_memory_store:backend",
        "langgraph.store.sqlite",
        {"LAYERS-REOPEN-03": "blocked", "LAYERS-VALUE-01": "fail", "LAYERS-VALUE-02": "fail"},
    ),
    Store(
        "APScheduler",
        "jobs",
        "tests.stores.apscheduler_store:backend",
        "apscheduler.jobstores.sqlalchemy",
        dict.fromkeys(("JOBS-CLOSE-01", "JOBS-CLOSE-02", "JOBS-CLOSE-03", "JOBS-COUNT-01", "JOBS-REFUSE-01"), "fail"),
    ),
    Store(
        "persist-queue",
        "jobs",
        "tests.stores.persistqueue_store:backend",
        "persistqueue",
        {"JOBS-COUNT-01": "fail"},
    ),
)
BY_NAME = {store.name: store for store in STORES}


def judged(store: Store, root: Path, code: str) -> Result:
    """Carry out one check on a store."""
    installed(store.module)
    return bench(store.address, root).judge(catalogue()[code])


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_store_fails_exactly_what_it_is_known_to_fail(store: Store, tmp_path: Path) -> None:
    """Every outcome of the round-trip suite is that in the table: nothing fails by mistake, and nothing is missed."""
    installed(store.module)
    one = bench(store.address, tmp_path)
    checks = [c for c in catalogue().values() if (c.contract, c.suite) == (store.contract, "round-trip")]
    outcomes = {check.code: one.judge(check).outcome for check in checks}
    found = {code: outcome for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")}
    certain = {code: outcome for code, outcome in store.table.items() if code not in RANDOM}
    assert {code: outcome for code, outcome in found.items() if code not in RANDOM} == certain
    assert found.items() <= store.table.items()


@pytest.mark.parametrize(
    ("name", "code", "expected", "got"),
    [
        ("LangGraph SqliteSaver", "RUNS-FIELD-03", "no exception", "TypeError: Integer exceeds 64-bit range"),
        ("LangGraph SqliteSaver", "RUNS-FIELD-04", r"'a\ud800b'", "'a?b'"),
        ("LangGraph SqliteStore", "LAYERS-VALUE-02", "float('nan')", "None"),
        ("OpenAI Agents SDK", "RUNS-FIELD-04", r"'\ud83d\ude00'", "'\U0001f600'"),
        ("APScheduler", "JOBS-CLOSE-01", "no exception", "SchedulerNotRunningError: Scheduler is not running"),
    ],
)
def test_known_truth_is_shown(name: str, code: str, expected: str, got: str, tmp_path: Path) -> None:
    """What a store is known to change or to refuse is shown as what was expected and what came."""
    example = judged(BY_NAME[name], tmp_path, code).counterexample
    assert example is not None
    assert (example.expected, example.got) == (expected, got)


#: Store, check of another suite, and what is found there; an empty text for a store that passes.
ELSEWHERE = [
    ("LangGraph SqliteSaver", "RUNS-CRASH-01", ""),
    ("LangGraph SqliteSaver", "RUNS-CRASH-21", ""),
    ("LangGraph SqliteSaver", "RUNS-CRASH-51", "an acknowledged write is lost"),
    ("LangGraph SqliteSaver", "RUNS-CORR-02", "silent missing"),
    ("LangGraph SqliteSaver", "RUNS-CORR-31", ""),
    ("OpenAI Agents SDK", "RUNS-CRASH-21", ""),
    ("OpenAI Agents SDK", "RUNS-CORR-03", "silent missing"),
    ("LangGraph SqliteStore", "LAYERS-CRASH-01", ""),
    ("LangGraph SqliteStore", "LAYERS-CRASH-21", "an acknowledged write is lost"),
    ("APScheduler", "JOBS-CRASH-21", "an acknowledged write is lost"),
    ("APScheduler", "JOBS-CORR-03", "silent wrong"),
    ("persist-queue", "JOBS-CRASH-21", ""),
    ("persist-queue", "JOBS-CORR-03", "silent wrong"),
]


@pytest.mark.parametrize(("name", "code", "found"), ELSEWHERE)
def test_store_after_crashes_and_damage(name: str, code: str, found: str, tmp_path: Path) -> None:
    """A store survives or loses what it is known to, when it crashes and when its files are damaged."""
    result = judged(BY_NAME[name], tmp_path, code)
    assert result.outcome == ("fail" if found else "pass"), result
    if found:
        assert result.counterexample is not None
        assert result.counterexample.what.endswith(found)


def test_page_has_every_failure() -> None:
    """docs/stores.md has a row for each failure of these stores, and for no other."""
    rows = re.findall(r"^\| (.+?) \| (.*?checks/.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {
        (name, code)
        for names, codes in rows
        for name in names.split(" / ")
        for code in re.findall(r"checks/((?:RUNS|JOBS|LAYERS|LOG)-[A-Z]+-\d+)\.md", codes)
    }
    failures = {(s.name, code) for s in STORES for code, outcome in s.table.items() if outcome == "fail"}
    failures |= {(name, code) for name, code, found in ELSEWHERE if found}
    assert shown == {(name, code) for name, code in failures if code not in RANDOM}
