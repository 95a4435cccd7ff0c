"""The pages of the kill matrix tell what was measured, and all of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.proof.__main__ import honest_stores, main, proof
from tests.proof.findings import strangers, unmeasured
from tests.proof.kills import Kills, Row
from tests.proof.pages import Proof, pages
from tests.proof.sound import Sound
from tests.proof.test_findings import CHECKS, full, mutant

HELP = "run `python -m tests.proof kills --only NAME`, then `python -m tests.proof pages`, and commit what they write"


def small(rows: dict[str, Row]) -> Proof:
    """Return a proof of two mutants and four checks."""
    mutants = [mutant("one", "STATE-KEY-01"), mutant("two", "STATE-LIST-01")]
    return Proof(Kills(rows=rows), Sound(), mutants, CHECKS, ["memory"])


ROWS = {"one": full({"STATE-KEY-01": "KKK"}), "two": full({"STATE-LIST-01": "K.K"}, KEY_02="K")}


def test_every_check_and_mutant_was_measured() -> None:
    """Each mutant has met each check that must kill it, and nothing is told of what does not exist."""
    now = proof()
    assert unmeasured(now.kills, now.mutants) == [], HELP
    assert strangers(now.kills, now.mutants, now.checks) == [], "run `python -m tests.proof kills`: it drops them"
    assert {code for row in now.kills.rows.values() for code in row.trials} == now.checks.keys(), HELP


def test_pages_are_as_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """The pages in the repository are those that the results give."""
    assert main(["pages", "--check"]) == 0, capsys.readouterr().out


def test_page_of_a_contract_has_a_row_for_each_check_and_each_mutant() -> None:
    """A check is told with the mutants it kills alone and with others, and each mutant with all that kill it."""
    page = pages(small(ROWS))["kill-matrix/state.md"]
    assert "| [STATE-KEY-01](../checks/STATE-KEY-01.md) | alone: `one` 3/3 |" in page
    assert "| [STATE-LIST-01](../checks/STATE-LIST-01.md) | with others: `two` 2/3 |" in page
    assert "<code>two</code>: It has a bug. Killed by <b>STATE-LIST-01</b> 2/3; also by STATE-KEY-02.</li>" in page


def test_matrix_has_a_sign_for_each_mutant_and_check() -> None:
    """The matrix has a line for each mutant and a column for each check; what was not measured is empty."""
    rows = {"one": ROWS["one"], "two": Row("", {"STATE-LIST-01": "KKK"}, {"STATE-KEY-02": "n"})}
    page = pages(small(rows))["kill-matrix/state.md"]
    lines = page[page.index("<pre>") : page.index("</pre>")].splitlines()
    assert lines[1:] == ["    KEY LIST", "one K.  .", "two  n  K"]


def test_summary_tells_a_check_without_a_mutant_of_its_own() -> None:
    """A check whose mutants others kill too is told, with the mutant that the fewest others kill."""
    page = pages(small(ROWS))["kill-matrix.md"]
    assert "3 of 4 checks" in page
    assert "| [STATE-LIST-01](checks/STATE-LIST-01.md) | 1 | `two` | STATE-KEY-02 |" in page
    assert "| [STATE-CRASH-01](checks/STATE-CRASH-01.md) | 0 | none |  |" in page


def test_summary_tells_of_a_trial_that_a_mutant_survived() -> None:
    """A check that must kill a mutant and did so twice of three times is told."""
    page = pages(small(ROWS))["kill-matrix.md"]
    assert "| `two` | [STATE-LIST-01](checks/STATE-LIST-01.md) | 2 of 3 | 1 not killed |" in page
    assert "killed it in every trial" in pages(small({"one": ROWS["one"]}))["kill-matrix.md"]


def test_summary_tells_what_was_not_measured() -> None:
    """A mutant without results, a trial that took too long, and a store that was not judged are told."""
    rows = {"one": Row("", {"STATE-KEY-01": "K"}, {"STATE-KEY-02": "t"})}
    page = pages(small(rows))["kill-matrix.md"]
    assert "must kill the mutant: 1. `two` by [STATE-LIST-01]" in page
    assert "took too long: 1. `one` by [STATE-KEY-02]" in page
    assert "Not measured: `memory`." in page


def test_summary_counts_by_contract_and_suite() -> None:
    """The row of a suite counts its checks, its mutants, and the trials of those that must kill."""
    page = pages(small(ROWS))["kill-matrix.md"]
    row = "| [state](kill-matrix/state.md#round-trip) | round-trip | 3 | 1 | 1 | 0 | 2 | 1 | 5 of 6 | 6 of 6 |"
    assert row in page
    assert "4 checks, 2 mutants." in page


def test_a_page_depends_on_nothing_but_the_results() -> None:
    """The same results give the same text, in whatever order they came."""
    turned = small(dict(reversed(ROWS.items())))
    assert pages(turned) == pages(small(ROWS))
    assert pages(replace(turned, mutants=turned.mutants[:1])) != pages(small(ROWS))


def test_pages_of_all_contracts_are_in_the_summary() -> None:
    """Each page of a contract is reached from the summary, and has each of its mutants once in each of its suites."""
    now = proof()
    written = pages(now)
    linked = set(re.findall(r"\((kill-matrix/[a-z]+\.md)#", written["kill-matrix.md"]))
    assert linked == written.keys() - {"kill-matrix.md"}
    for one in now.mutants:
        places = {(now.checks[code].contract, now.checks[code].suite) for code in one.killed_by}
        told = sum(text.count(f"<li><code>{one.name}</code>:") for text in written.values())
        assert told == len(places), one.name


def test_no_two_stores_without_a_bug_share_a_name() -> None:
    """Results are kept by name."""
    names = [one.name for one in honest_stores()]
    assert len(names) == len(set(names))


def test_unknown_names_are_told() -> None:
    """A name after --only that is neither check, mutant nor store ends with code 2, and nothing is measured."""
    assert main(["kills", "--only", "STATE-NONE-99"]) == 2
    assert main(["sound", "--only", "nobody"]) == 2
