"""Stores without a bug, at many seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.proof.plan import Job
from tests.proof.sound import (
    SEEDS,
    Honest,
    Judged,
    Sound,
    accused,
    begin,
    from_text,
    learn,
    learned,
    read,
    sound_block,
    to_text,
    wanted,
)
from tests.proof.test_findings import CHECKS


def one(name: str, *, served: bool = False) -> Honest:
    """Return a store that is judged by round trips."""
    return Honest(name, f"odd/{name}", ("state",), ("round-trip",), Path(__file__), served)


def digest(path: Path) -> str:
    """Return what a module is known by: its name will do."""
    return path.name


def answer(outcome: str, *, draws: bool = False) -> dict[str, object]:
    """Return an answer as a process gives it."""
    return {"outcome": outcome, "draws": draws}


def test_what_was_measured_is_read_back(tmp_path: Path) -> None:
    """The text of the file has all that was measured; without a file there is nothing."""
    some = Sound(
        {"b": Judged("0", ["open"], 2, 7, ["STATE-KEY-04"], 1, {"fail": {"STATE-KEY-04": [1]}}), "a": Judged("1")}
    )
    assert from_text(to_text(some)) == some
    assert read(tmp_path / "none.json") == Sound()
    with pytest.raises(ValueError, match="what stores came to is None, and should be 1"):
        from_text("{}")


def begun(*stores: Honest, **rows: Judged) -> Sound:
    """Return the results of a run that has just begun."""
    sound = Sound(dict(rows))
    begin(sound, stores, digest)
    return sound


def test_first_seed_asks_all_and_the_others_what_draws() -> None:
    """At seed 0 a store meets all checks of its contracts and suites; at the others those that may end otherwise."""
    sound = begun(one("a"))
    assert list(wanted(sound, [one("a")], CHECKS, first=True)) == [
        [Job("odd/a", code, 0, long=False) for code in ("STATE-KEY-01", "STATE-KEY-02", "STATE-LIST-01")]
    ]
    assert list(wanted(sound, [one("a")], CHECKS, first=False)) == []
    learn(sound.rows["a"], 0, [("STATE-KEY-01", answer("pass")), ("STATE-KEY-02", answer("pass", draws=True))])
    assert list(wanted(sound, [one("a")], CHECKS, first=True)) == []
    assert list(wanted(sound, [one("a")], CHECKS, first=False)) == [
        [Job("odd/a", "STATE-KEY-02", seed, long=False)] for seed in range(1, SEEDS)
    ]


def test_seeds_that_come_in_another_order_are_learned_in_theirs() -> None:
    """Processes share the seeds of a store: what a later one came to waits for those before it."""
    sound = begun(one("a"))
    codes = ("STATE-KEY-01", "STATE-KEY-02")
    jobs = [[Job("odd/a", code, seed, long=False) for code in codes] for seed in range(3)]
    come = [*jobs[1], jobs[0][0], *jobs[2], jobs[0][1]]
    answers = [(job, answer("fail" if job.seed == 1 else "pass", draws=True)) for job in come]
    seeds = [seed for _, seed, _ in learned(sound, {"odd/a": "a"}, jobs, answers[:-1])]
    assert (seeds, sound.rows["a"].seeds) == ([], 0)
    told = list(learned(begun(one("a"), a=sound.rows["a"]), {"odd/a": "a"}, jobs, answers))
    assert [(name, seed, [code for code, _ in found]) for name, seed, found in told] == [
        ("a", seed, list(codes)) for seed in range(3)
    ]
    assert (sound.rows["a"].seeds, sound.rows["a"].alarms) == (3, {"fail": {code: [1] for code in codes}})


def test_a_store_without_a_drawing_check_is_done_at_each_seed() -> None:
    """Where nothing draws, all seeds are one: the store counts as judged at each."""
    sound = begun(one("a"))
    learn(sound.rows["a"], 0, [("STATE-KEY-01", answer("pass"))])
    assert sound.rows["a"].seeds == SEEDS
    assert list(wanted(sound, [one("a")], CHECKS, first=False)) == []


def test_a_store_that_has_changed_is_judged_anew() -> None:
    """A store of another module than before, or in other suites, starts again; one that is gone is dropped."""
    same = Judged(digest(Path(__file__)), ["round-trip"], 5)
    assert begun(one("a"), a=same).rows == {"a": same}
    for row in (Judged("before", ["round-trip"], 5), Judged(digest(Path(__file__)), ["open"], 5)):
        assert begun(one("a"), a=row, gone=row).rows == {"a": Judged(digest(Path(__file__)), ["round-trip"])}


def test_stores_that_are_judged_soon_come_first() -> None:
    """What needs a server is judged after the others, and what meets many checks after what meets few."""
    long = replace(one("long"), suites=("round-trip", "crash-recovery"))
    stores = [one("served", served=True), long, one("short")]
    found = [batch[0].store for batch in wanted(begun(*stores), stores, CHECKS, first=True)]
    assert found == ["odd/short", "odd/long", "odd/served"]


def test_whatever_is_no_pass_is_an_alarm() -> None:
    """Failures, what is undecided, blocked or late are told with their seeds; what does not apply is counted once."""
    row = Judged("0")
    for seed, outcome in enumerate(("pass", "fail", "inconclusive", "late", "blocked", "fail")):
        learn(row, seed, [("STATE-KEY-04", answer(outcome, draws=True)), ("STATE-TTL-01", answer("not applicable"))])
    assert row.alarms == {
        "fail": {"STATE-KEY-04": [1, 5]},
        "inconclusive": {"STATE-KEY-04": [2]},
        "late": {"STATE-KEY-04": [3]},
        "blocked": {"STATE-KEY-04": [4]},
    }
    assert (row.seeds, row.trials, row.foreign) == (6, 6, 1)


def test_page_tells_who_was_accused_and_who_was_not_measured() -> None:
    """A store that was accused, one that was not judged at all seeds, and one that was never judged are told."""
    sound = Sound(
        {
            "good": Judged("0", ["open"], SEEDS, 40),
            "bad": Judged("0", ["open"], 3, 2, alarms={"fail": {"STATE-KEY-04": [1, 2]}}),
        }
    )
    told = sound_block(sound, ["good", "bad", "new"])
    assert "3 stores, 1 of them at all 20 seeds, 42 trials. Accused: 1." in told
    assert "Not measured: `new`." in told
    assert (
        "<td>bad</td><td>open</td><td>3 of 20</td><td>2</td><td>0</td><td>STATE-KEY-04 fail at seed 1, 2</td>" in told
    )
    assert "None was accused." in sound_block(Sound({"good": Judged("0", seeds=1)}), ["good"])


def test_advice_that_is_not_followed_is_told_and_no_accusation() -> None:
    """A store without a bug need not do what is only advised; another failure beside it accuses it."""
    row = Judged("0", ["open"], SEEDS, 40, alarms={"fail": {"STATE-CRASH-31": [0]}})
    told = sound_block(Sound({"one": row}), ["one"], ["STATE-CRASH-31"])
    assert "None was accused. Below what is advised (`should`): `one`." in told
    assert "STATE-CRASH-31 fail at seed 0" in told
    row.alarms["fail"]["STATE-KEY-01"] = [3]
    assert accused(Sound({"one": row}), ["STATE-CRASH-31"]) == ["one"]


def test_a_trial_without_a_verdict_is_no_accusation() -> None:
    """What is inconclusive, or took too long, is counted by itself, and told with its seed."""
    row = Judged("0", ["open"], SEEDS, 40, alarms={"inconclusive": {"STATE-CRASH-42": [0, 3]}})
    told = sound_block(Sound({"one": row}), ["one"])
    assert "None was accused. Trials that came to no verdict: 2." in told
    assert "STATE-CRASH-42 inconclusive at seed 0, 3" in told
