"""The summary shows what the record has: the evidence, and the conditions of the crash engine."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.matrix import Line
from conformance.report.terminal import summary_lines
from conformance.result import Result


def lines(*checks: dict[str, Any], **backend: Any) -> list[str]:
    """Return the lines of a backend with these checks of one suite."""
    return [text(line) for line in summary(*checks, **backend)]


def summary(*checks: dict[str, Any], width: int = 80, **backend: Any) -> list[Line]:
    """Return the summary of a backend with these checks of one suite."""
    suites = [{"name": "crash-recovery", "checks": list(checks)}]
    given = {
        "contracts": [{"name": "state", "suites": suites}],
        "lacks": {},
        "contradictions": [],
        "promises": [],
        "selected": 2,
        "of": 2,
        "case": "",
        "verdict": "CONFORMANT",
        "why": "",
    }
    return list(summary_lines({**given, **backend}, width))


def text(line: Line) -> str:
    """Return a line without its colours."""
    return "".join(part for part, _ in line)


def check(**fields: Any) -> dict[str, Any]:
    """Return the record of a check that passed."""
    return Result("b", "state", "crash-recovery", "STATE-X-01", "must", "A rule.", "pass", **fields).to_dict()


def test_a_row_shows_the_evidence_of_crashes() -> None:
    """Crash states, kills and errors stand beside comparisons; the other kinds stay in the record."""
    found = lines(
        check(evidence={"comparisons": 1200, "crash states": 1000, "first crashes": 3}),
        check(evidence={"comparisons": 5, "kills": 8, "errors": 2, "crash states": 1}),
    )
    assert found[1].endswith("   1,205 comparisons, 1,001 crash states, 8 kills, 2 errors")


def test_the_line_of_the_crash_engine_is_made_of_all_checks() -> None:
    """Recorders, disk models and what was not seen are named once; states that were left out are counted."""
    found = lines(
        check(conditions={"not seen": "io_uring, mmap", "recorder": "seccomp", "disk models": "kill ext4"}),
        check(
            conditions={"recorder": "seccomp", "disk models": "ext4 xfs", "not seen": "mmap"},
            evidence={"states left out": 12_000},
        ),
        check(evidence={"states left out": 345}),
    )
    assert found[2] == (
        "  crash engine recorder seccomp | disk models kill ext4 xfs | not seen: io_uring, mmap | "
        "at least 12,345 states left out (budget)"
    )


def test_without_conditions_there_is_no_such_line() -> None:
    """A run without crashes says nothing about them."""
    assert not [line for line in lines(check()) if "crash engine" in line]


def test_waits_for_the_network_have_a_line_of_their_own() -> None:
    """They are nothing of the crash engine, whose suite they are in."""
    found = lines(check(conditions={"longest wait": "5.0 s"}), check(conditions={"longest wait": "0.3 s"}))
    assert found[2] == "  network      longest wait for an answer that never came 5.0 s and 0.3 s"
    assert not [line for line in found if "crash engine" in line]


def test_a_case_claims_one_state() -> None:
    """The verdict line of a met case says that nothing else was tried."""
    last = lines(check(), case="STATE-X-01")[-1]
    assert last == "  CONFORMANT in the one saved state of STATE-X-01, and nothing else was tried"


def test_a_round_claims_one_round() -> None:
    """The verdict line of a round that was carried out again says so too."""
    last = lines(check(), case="STATE-X-01", round="STATE-X-01:scheduled:1:")[-1]
    assert last == "  CONFORMANT in the one round of STATE-X-01, and nothing else was tried"


def test_what_damage_does_is_told_for_each_contract() -> None:
    """With the kinds of damage that passed in silence; conditions of other suites are not those of the crash engine."""
    told = check(
        evidence={"damaged stores": 12, "detected": 9, "harmless": 1_000, "silent missing": 2},
        conditions={"bit flipped": "9 detected", "emptied": "1 silent missing", "file missing": "1 silent missing"},
    )
    found = lines(contracts=[{"name": "state", "suites": [{"name": "corruption", "checks": [check(), told]}]}])
    assert found[2] == "  damage       state: 1,000 harmless, 9 detected, 2 silent missing (emptied, file missing)"
    assert not [line for line in found if "crash engine" in line]


@pytest.mark.parametrize(
    ("suite", "conditions"),
    [("crash-recovery", {"bit flipped": "9 detected"}), ("corruption", {"recorder": "seccomp"}), ("corruption", {})],
)
def test_only_what_damage_does_is_told_as_such(suite: str, conditions: dict[str, str]) -> None:
    """Not the conditions of another suite, nor others of this one, whatever the code of the check is."""
    told = {**check(evidence={"detected": 9}, conditions=conditions), "code": "STATE-CORR-91"}
    found = lines(contracts=[{"name": "state", "suites": [{"name": suite, "checks": [told]}]}])
    assert not [line for line in found if line.startswith("  damage")]


def contract(name: str, **suites: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the record of a contract, its suites spelled with underscores."""
    return {"name": name, "suites": [{"name": n.replace("_", "-"), "checks": c} for n, c in suites.items()]}


def outcome(outcome: str, level: str = "must") -> dict[str, Any]:
    """Return the record of a check that came to something."""
    return {
        **check(evidence={"comparisons": 1}),
        "outcome": outcome,
        "level": level,
        "gates": level == "must",
        "reason": "told",
    }


PASS, FAIL, GAP, ABSENT = (outcome(word) for word in ("pass", "fail", "known gap", "not applicable"))


def test_three_contracts_have_a_matrix() -> None:
    """A row for each contract, a column for each suite, but for `open`; below it the evidence of each suite."""
    found = lines(
        contracts=[
            contract("jobs", replay=[PASS, PASS], round_trip=[PASS] * 12),
            contract("log", crash_recovery=[PASS, FAIL, ABSENT], round_trip=[ABSENT]),
            contract("runs", round_trip=[PASS, GAP]),
            contract("backend", open=[PASS]),
        ]
    )
    assert found[:11] == [
        "  must  crash-recovery  replay  round-trip",
        "  log            X 1/2       -         n/a",
        "  runs               -       -       ~ 1/2",
        "  jobs               -     2/2       12/12",
        "  X a rule is broken  ~ a known gap, or a broken should",
        "",
        "  suite             must  should  gaps  n/a   evidence",
        "  crash-recovery     1/2       -     -    1   3 comparisons",
        "  open               1/1       -     -    -   1 comparisons",
        "  replay             2/2       -     -    -   2 comparisons",
        "  round-trip       13/14       -     1    1   15 comparisons",
    ]


def test_two_contracts_have_rows() -> None:
    """So has what is left of more contracts when the checks of two were selected."""
    found = lines(
        contracts=[
            contract("jobs", round_trip=[PASS]),
            contract("log"),
            contract("runs", round_trip=[FAIL]),
            contract("backend", open=[PASS]),
        ]
    )
    assert [line.split()[0] for line in found[:3]] == ["contract/suite", "jobs/round-trip", "runs/round-trip"]
    assert found[3] == "  backend/open             1/1       -     -    -   1 comparisons"


@pytest.mark.parametrize(
    ("checks", "cell", "colour"),
    [
        ([PASS], "1/1", "green"),
        ([PASS, FAIL, GAP, outcome("blocked")], "X 1/4", "red"),
        ([PASS, outcome("stale gap")], "X 1/2", "red"),
        ([PASS, outcome("inconclusive")], "? 1/2", "red"),
        ([GAP, outcome("blocked")], "? 0/2", "red"),
        ([PASS, GAP], "~ 1/2", "yellow"),
        ([PASS, outcome("fail", "should")], "~ 1/1", "yellow"),
        ([outcome("pass", "should")], "(1/1)", "green"),
        ([outcome("fail", "should")], "~ (0/1)", "yellow"),
        ([ABSENT], "n/a", ""),
        ([], "-", ""),
    ],
)
def test_a_cell_shows_the_worst_of_its_checks(checks: list[dict[str, Any]], cell: str, colour: str) -> None:
    """In a mark, for those who see no colours, and in a colour of its own, whatever the rest of the row is."""
    found = summary(
        contracts=[
            contract("jobs", concurrency=[PASS], replay=checks),
            contract("log", concurrency=[PASS]),
            contract("runs", concurrency=[PASS]),
        ]
    )
    assert found[3] == (("  jobs", ""), ("          1/1", "green"), (f"{cell:>{max(8, len(cell) + 2)}}", colour))


def test_long_evidence_goes_on_below() -> None:
    """It is folded at the width of the terminal, and no number is parted from what it counts."""
    evidence = {"comparisons": 1867, "crash states": 1580, "kills": 13, "errors": 26}
    contracts = [contract(name, crash_recovery=[check(evidence=evidence)]) for name in ("log", "runs", "state")]
    assert [text(line) for line in summary(contracts=contracts)[5:8]] == [
        "  suite             must  should  gaps  n/a   evidence",
        "  crash-recovery     3/3       -     -    -   5,601 comparisons,",
        "                                              4,740 crash states, 39 kills,",
    ]
    assert text(summary(contracts=contracts, width=120)[6]).endswith("39 kills, 78 errors")


def test_names_of_suites_stand_in_two_lines_where_one_is_too_narrow() -> None:
    """Six suites and six contracts fit into 80 columns, with the marks of a bad day."""
    names = ("concurrency", "corruption", "crash_recovery", "differential", "replay", "round_trip")
    broken = dict.fromkeys(names, [FAIL] * 124)
    found = summary(contracts=[contract(name, **broken) for name in ("log", "layers", "vectors")])
    assert [text(line) for line in found[:3]] == [
        "                                      crash-                          round-",
        "  must     concurrency  corruption  recovery  differential   replay     trip",
        "  log          X 0/124     X 0/124   X 0/124       X 0/124  X 0/124  X 0/124",
    ]
    assert max(len(text(line)) for line in found[:3]) <= 80
    wide = summary(contracts=[contract(name, **broken) for name in ("log", "layers", "vectors")], width=100)
    assert text(wide[0]).split() == ["must", *(name.replace("_", "-") for name in names)]
