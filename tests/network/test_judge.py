"""Judging and showing what came of a scenario."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.crash.subjects import SUBJECTS, Step
from conformance.network.calls import Call, source, steps_of
from conformance.network.fault import Fault
from conformance.network.judge import MEANING, judge
from conformance.network.scenario import Look, Played, Plot, Scenario
from conformance.network.show import story

STEPS = (Step("append", ("a",)), Step("append", ("b",)), Step("append_batch", (("c", "d"),)))


def content(*events: Any) -> Any:
    """Return the content of a log."""
    found = SUBJECTS["log"].empty
    for event in events:
        found = SUBJECTS["log"].apply(found, Step("append", (event,)))
    return found


def played(*events: Any, plot: Plot = "fault", found: Any = None, times: int = 0, **more: Any) -> Played:
    """Return what came of a scenario with the steps above."""
    scenario = Scenario(plot, STEPS, 60.0, Fault("cut before the reply", 2), times=times)
    return Played(scenario, events, found=found, fired=1, **more)


TWO = (Call(0, answer=1), Call(1, answer=2))


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (played(*TWO, found=Look(content("a", "b"))), []),
        (played(*TWO, found=Look(content("a"))), ["lost"]),
        (played(*TWO, found=Look(content("a", "b", "b"))), ["twice"]),
        (played(*TWO, found=Look(content("b", "a"))), ["another order"]),
        (played(*TWO, found=Look(content("a", "x"))), ["torn"]),
        (played(*TWO, found=Look(unread="ValueError: no")), ["cannot read"]),
        (played(Call(0, answer=2), found=Look(content("a"))), ["wrong answer"]),
        (played(Call(2, raised="no"), Look(content("c")), found=Look(content("c"))), ["half done"]),
        (played(Call(2, raised="no"), Look(content()), found=Look(content())), []),
        (played(Call(0, answer=1, cut_off=True), found=Look(content("a"))), ["acknowledged in vain"]),
        (played(Call(0, hung=True), ended="hung", detail="a call has not ended"), ["hung"]),
        (played(ended="died", detail="the process was killed"), ["died"]),
        (played(Call(0, raised="no"), ended="gave up", detail="again and again", found=Look(content())), ["gave up"]),
        (played(Call(0, raised="no"), plot="slow", found=Look(content())), ["raised"]),
        (played(Call(0, raised="no"), found=Look(content())), []),
        (played(*TWO, found=Look(content("a", "b")), plot="leaks", times=12, held=(1, 8, 0)), ["leaked"]),
        (played(*TWO, found=Look(content("a", "b")), plot="leaks", times=12, held=(1, 7, 0)), []),
        (played(*TWO, found=Look(content("a", "b")), held=(1, 2, 1)), ["left open"]),
        (played(ended="left out"), []),
    ],
)
def test_each_wrong_has_its_name(one: Played, wrong: list[str]) -> None:
    """What is found is what there is, and nothing that follows from it."""
    judged = judge("log", one)
    assert [finding.wrong for finding in judged.findings] == wrong
    assert all(finding.expected and finding.got for finding in judged.findings)
    assert set(wrong) <= MEANING.keys()


def test_a_write_behind_is_allowed_where_no_durability_is_promised() -> None:
    """What is acknowledged while the server can't be reached may be in memory then."""
    one = played(Call(0, answer=1, cut_off=True), found=Look(content("a")))
    assert judge("log", one, durable=False).findings == ()


def test_late_effects_are_allowed_for_a_server_that_stood_still() -> None:
    """And in no other scenario."""
    calls = (Call(0, raised="no"), Call(1, answer=1))
    late = Look(content("b", "a"))
    assert judge("log", played(*calls, plot="stopped", found=late)).findings == ()
    assert [one.wrong for one in judge("log", played(*calls, found=late)).findings] == ["twice"]


def test_a_story_has_the_calls_and_the_faults() -> None:
    """In their order, with what was found in the end."""
    one = played(
        TWO[0],
        "the reply of the next call is lost",
        Call(2, raised="ConnectionError: no", seconds=0.5),
        Look(content("a", "c")),
        Call(1, hung=True),
        found=Look(content("a", "c")),
    )
    assert story("log", one) == (
        "-- store.append('a')  -> 1",
        "********* the reply of the next call is lost",
        "-- store.append_batch(['c', 'd'])  raised ConnectionError: no after 0.50 s",
        "          found then by a fresh handle, without the proxy: 2 entries: 'a', 'c'",
        "-- store.append('b')  DOES NOT END",
        "found in the end by a fresh handle, without the proxy: 2 entries: 'a', 'c'",
    )


def test_a_long_story_is_cut() -> None:
    """Its end is what tells."""
    lines = story("log", played(*[f"fault {number}" for number in range(100)]))
    assert lines[0] == "   … 60 earlier lines …"
    assert lines[-1] == "********* fault 99"


@pytest.mark.parametrize("contract", ["state", "log"])
@pytest.mark.parametrize("verbs", [frozenset(), frozenset({"transaction", "append_batch"})])
def test_workloads(contract: str, verbs: frozenset[str]) -> None:
    """They use what the store has, can be told as source, and differ by seed in their sizes alone."""
    steps, other = (steps_of(contract, domain="json", seed=seed, verbs=verbs) for seed in (1, 2))
    assert {step.verb for step in steps} & {"transaction", "append_batch"} == (
        verbs & {"transaction" if contract == "state" else "append_batch"}
    )
    assert all(source(contract, step) for step in steps)
    assert [step.verb for step in steps] == [step.verb for step in other]
    assert steps != other
    assert steps == steps_of(contract, domain="json", seed=1, verbs=verbs)
