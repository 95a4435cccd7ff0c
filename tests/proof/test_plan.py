"""What is to be measured, and what has to be measured anew."""

from __future__ import annotations

from pathlib import Path

from conformance.check import SUITES, catalogue
from tests.proof.kills import Kills, Row
from tests.proof.plan import FEW, MANY, Job, anew, companions, count, digest, draws, first, forget, more, others, wanted
from tests.proof.test_findings import CHECKS, mutant

KILLER = "STATE-KEY-01"


def test_each_killer_comes_first_then_the_other_checks_then_more_seeds() -> None:
    """The three phases ask for what is missing, each in its place."""
    one = mutant("m", KILLER)
    assert first(one, Row(""), CHECKS, Kills()) == [Job("m", KILLER, 0, long=True)]
    assert [job.code for job in others(one, Row(""), CHECKS, Kills())] == ["STATE-KEY-02", "STATE-LIST-01"]
    assert [job.seed for job in more(one, Row("", {KILLER: "K"}), CHECKS, Kills())] == list(range(1, FEW))
    drawing = Kills(drawing={KILLER})
    assert [job.seed for job in more(one, Row("", {KILLER: "K"}), CHECKS, drawing)] == list(range(1, MANY))


def test_nothing_is_measured_twice() -> None:
    """What has its results is not asked for again."""
    one = mutant("m", KILLER)
    done = Row("", {KILLER: "K" * FEW}, dict.fromkeys(companions(one, CHECKS), "."))
    kills = Kills(rows={"m": done})
    assert [list(wanted(phase, kills, [one], CHECKS)) for phase in (first, others, more)] == [[], [], []]


def test_suites_that_take_long_come_last() -> None:
    """A mutant of crashes is judged after one of round trips."""
    order = [mutant("slow", "STATE-CRASH-01"), mutant("quick", KILLER)]
    assert [batch[0].store for batch in wanted(first, Kills(), order, CHECKS)] == ["quick", "slow"]


def test_what_two_seeds_may_end_differently() -> None:
    """A check of the round trip draws when it tried random examples; one of crashes always does."""
    assert not draws(CHECKS[KILLER], {"comparisons"})
    assert draws(CHECKS[KILLER], {"comparisons", "examples"})
    assert draws(CHECKS["STATE-CRASH-01"], set())


def test_results_of_what_has_changed_are_dropped(tmp_path: Path) -> None:
    """Results of a mutant whose module is another now are dropped, and those of a check whose file is."""
    same, other = tmp_path / "same.py", tmp_path / "other.py"
    same.write_text("1")
    other.write_text("2")
    homes = {"same": same, "other": other}
    rows = {
        "same": Row(digest(same), {KILLER: "KK", "STATE-CRASH-01": "K"}, {"STATE-LIST-01": ".", "STATE-GONE-01": "."}),
        "other": Row("before", {KILLER: "K"}),
        "gone": Row("before", {KILLER: "K"}),
    }
    files = {one.file: digest(SUITES / one.file) for one in CHECKS.values()}
    kills = Kills({**files, CHECKS[KILLER].file: "before"}, {KILLER, "STATE-GONE-01"}, rows)
    mutants = [mutant("same", KILLER, "STATE-CRASH-01"), mutant("other", KILLER)]
    dropped = forget(kills, mutants, CHECKS, homes)
    assert kills.rows == {"same": Row(digest(same), {"STATE-CRASH-01": "K"}, {"STATE-LIST-01": "."})}
    assert dropped == 5
    assert kills.files == files
    assert kills.drawing == {KILLER}
    assert count(kills) == 2


def test_a_file_is_as_measured_when_all_its_checks_were() -> None:
    """The digest of a file is taken over when each of its checks is measured anew, and not before."""
    file = CHECKS[KILLER].file
    codes = [one.code for one in CHECKS.values() if one.file == file]
    assert anew(codes, CHECKS) == {file: digest(SUITES / file)}
    assert anew(codes[1:], CHECKS) == {}


def test_results_of_what_has_not_changed_stay() -> None:
    """Where all is as it was, nothing is dropped."""
    home = Path(__file__)
    kills = Kills(rows={"m": Row(digest(home), {KILLER: "K"}, {"STATE-LIST-01": "."})})
    assert forget(kills, [mutant("m", KILLER)], catalogue(), {"m": home}) == 0
    assert count(kills) == 2
