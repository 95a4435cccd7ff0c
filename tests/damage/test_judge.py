"""Judging: which class a store's answers are of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.damage.ask import Seen
from conformance.damage.judge import Judged, Truth, about, judge, lost, unnamed
from conformance.damage.records import Answer, Name


def state(**entries: Any) -> dict[str, Any]:
    """Return the content of a state store."""
    return {"entries": [[key, value] for key, value in sorted(entries.items())], "length": len(entries)}


def log(*events: Any) -> dict[str, Any]:
    """Return the content of a log."""
    return {"events": [[number, event] for number, event in enumerate(events, 1)], "head": len(events)}


TRUTH = Truth("state", state(a=1, b=2), (state(a=0, b=2), state(a=0, gone=9)))
LOG = Truth("log", {**log("x", "y", "z"), "checkpoint": None}, ({**log("x", "y"), "checkpoint": None},))


def value(one: Any) -> Answer:
    """Return the answer that gives a value."""
    return Answer("value", one)


MISSING, RAISED = Answer("missing"), Answer("raised", "Corrupt: no")
RIGHT: dict[Name, Answer] = {"a": value(1), "b": value(2)}
SOUND = Seen(whole=state(a=1, b=2), answers=RIGHT)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (SOUND, "harmless"),
        (replace(SOUND, report=()), "harmless"),
        (Seen(refused="Corrupt: no"), "detected"),
        (replace(SOUND, whole=None, unreadable="Corrupt: no"), "detected"),
        (replace(SOUND, answers={**RIGHT, "a": RAISED}), "detected"),
        (replace(SOUND, answers={**RIGHT, "a": value(7)}), "silent wrong"),
        (replace(SOUND, answers={**RIGHT, "a": value(1.0)}), "silent wrong"),
        (replace(SOUND, answers={**RIGHT, "a": value(0)}), "silent stale"),
        (replace(SOUND, answers={**RIGHT, "a": MISSING}), "silent missing"),
        (replace(SOUND, whole=None, unreadable="Corrupt: no", answers={**RIGHT, "a": MISSING}), "silent missing"),
        (replace(SOUND, whole=None, unreadable="Corrupt: no", answers={"a": RAISED, "b": value(7)}), "silent wrong"),
        (replace(SOUND, answers={"a": value(7), "b": value(7)}, report=("a is damaged",)), "detected"),
        (replace(SOUND, whole=state(a=1)), "silent missing"),
        (replace(SOUND, whole=state(a=1, b=2, c=3)), "silent wrong"),
        (replace(SOUND, whole=state(a=1, b=2, gone=9)), "silent stale"),
        (replace(SOUND, whole={**state(a=1, b=2), "length": 3}), "silent wrong"),
        (replace(SOUND, whole={**state(a=1, b=2), "entries": [["a", 1], ["a", 1], ["b", 2]]}), "silent wrong"),
        (replace(SOUND, whole={**state(a=1, b=2), "entries": [["a", 1], ["b", 2], [["?"], 2]]}), "silent wrong"),
    ],
)
def test_a_state_is_of_a_class(seen: Seen, kind: str) -> None:
    """A report excuses what is read; an error of one way of reading excuses nothing that another way gives."""
    assert judge(TRUTH, seen).kind == kind


@pytest.mark.parametrize(
    ("whole", "kind"),
    [
        (log("x", "y", "z"), "harmless"),
        (log("x", "y"), "silent missing"),
        (log("x", "?", "z"), "silent wrong"),
        ({**log("x", "y", "z"), "head": 4}, "silent wrong"),
        ({"events": [[1, "x"], [3, "z"]], "head": 3}, "silent missing"),
        ({"events": [[1, "x"], [2, "y"], [3, "z"], [3, "z"]], "head": 3}, "silent wrong"),
    ],
)
def test_a_log_is_of_a_class(whole: dict[str, Any], kind: str) -> None:
    """Each event has its position, once."""
    assert judge(LOG, Seen(whole={**whole, "checkpoint": None})).kind == kind


K0, K1 = {"id": "k0", "status": "failed"}, {"id": "k1", "status": "completed"}
RUNS = Truth("runs", {"records": [["k0", K0], ["k1", K1]], "otherwise": []})
GOT: dict[Name, Answer] = {"k0": RAISED, "k1": value(K1)}
UNREADABLE = Seen(unreadable="Corrupt: no", answers=GOT)


@pytest.mark.parametrize(
    ("listed", "judged"),
    [
        (None, Judged("detected", got="reading raised Corrupt: no")),
        ([K0, K1], Judged("detected", got="reading raised Corrupt: no")),
        ([{"id": "k0"}, {"id": "k1", "length": 2}], Judged("detected", got="reading raised Corrupt: no")),
        ([{"id": "k0"}], Judged("silent missing", "k1", "{'id': 'k1', 'status': 'completed'}", "nothing, listed")),
        ([K0, K1, {"id": "k7"}], Judged("silent wrong", "k7", "no such run", "{'id': 'k7'}, listed")),
        ([K0, K1, "{"], Judged("silent wrong", None, "runs with their ids", "'{', listed")),
    ],
)
def test_what_is_listed_counts_where_a_record_can_not_be_got(listed: list[Any] | None, judged: Judged) -> None:
    """The error of getting a record excuses no listing of runs that nobody saved, and none that leaves some out."""
    assert judge(RUNS, replace(UNREADABLE, listed=listed)) == judged


def test_what_is_listed_and_is_no_record_is_served() -> None:
    """Whoever lists is given it, and no error: this is no way to tell of damage."""
    content = {**RUNS.content, "otherwise": [["listed, and no run", "{"]]}
    found = judge(RUNS, Seen(whole=content, answers={"k0": value(K0), "k1": value(K1)}))
    assert found.kind == "silent wrong"
    assert found.expected == "a listing of what is got, and of nothing else"
    assert found.got == "'listed, and no run': '{'"


def test_what_differs_is_shown_where_it_does() -> None:
    """The beginning of a long value says nothing of its end."""
    long = "".join(f"{number:04}" for number in range(1_250))
    found = judge(Truth("state", state(a=long)), Seen(answers={"a": value(long[:4_000] + "!" + long[4_001:])}))
    assert found == Judged(
        "silent wrong",
        "a",
        "'099709980999100010011002' from 3,988 on (5,000 long)",
        "'099709980999!00010011002' from 3,988 on (5,000 long)",
    )


def test_an_undamaged_record_must_be_there() -> None:
    """Raised, missing or another value: each is lost; the damaged one may be."""
    for answer in (RAISED, MISSING, value(7), value(0)):
        found = lost(TRUTH, replace(SOUND, answers={"a": value(1), "b": answer}), ["a", "b"])
        assert found is not None
        assert found.record == "b"
    assert lost(TRUTH, replace(SOUND, answers={"a": value(1), "b": value(7)}), ["a"]) is None
    refused = lost(TRUTH, Seen(refused="Corrupt: no"), ["a"])
    assert refused is not None
    assert refused.got == "opening raised Corrupt: no"


def test_a_report_names_what_reading_notices() -> None:
    """An empty one is wrong where reading raises; where there is none, nothing can be asked of it."""
    broken = replace(SOUND, whole=None, unreadable="Corrupt: no")
    assert unnamed(TRUTH, broken) is None
    assert unnamed(TRUTH, replace(broken, report=("a",))) is None
    assert unnamed(TRUTH, replace(SOUND, report=())) is None
    found = unnamed(TRUTH, replace(broken, report=()))
    assert found is not None
    assert (found.expected, found.got) == ("`verify()` names the damage", "no damage, but reading raised Corrupt: no")


def test_who_asked_for_what_is_told() -> None:
    """By key or position, if it was one."""
    assert about(Judged("silent missing", "k", "1", "nothing, and no error")) == "'k': nothing, and no error"
    assert about(Judged("silent wrong", 3, "'a'", "'b'")) == "3: 'b'"
    assert about(Judged("detected", got="opening raised E")) == "opening raised E"
