"""Transactions: each anomaly, levels that a store of that level keeps, and agreement with trying every order."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Any

import pytest

from conformance.histories.checkers.transactions import ANOMALIES, LEVELS, anomalies, check_transactions, isolation
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.brute import FUZZ, crashed, in_order, interval, linearizable
from tests.histories.checkers.brute_isolation import Commits, from_commits, from_snapshot, keeps

Step = tuple[str, Any, Any]


def a(key: str, value: int) -> Step:
    """Return an append."""
    return ("append", key, value)


def r(key: str, *values: int) -> Step:
    """Return a read."""
    return ("read", key, values)


def t(*steps: Step, at: tuple[int, int] = (0, 99), outcome: str = "ok") -> Operation:
    """Return a transaction; unless told otherwise all run at the same time."""
    answer = steps if outcome == "ok" else None
    return Operation(*at, 0, "transaction", None, steps, None, answer, outcome)  # type: ignore[arg-type]


CASES: list[tuple[str, list[Operation]]] = [
    ("garbage read", [t(r("x", 1))]),
    ("duplicate", [t(a("x", 1)), t(r("x", 1, 1))]),
    ("G0", [t(a("x", 1), a("y", 1)), t(a("x", 2), a("y", 2)), t(r("x", 1, 2)), t(r("y", 2, 1))]),
    ("incompatible order", [t(a("x", 1)), t(a("x", 2)), t(r("x", 1)), t(r("x", 2, 1))]),
    ("incompatible order", [t(a("x", 1), a("x", 2)), t(r("x", 2, 1))]),
    ("G1a", [t(a("x", 1), outcome="fail"), t(r("x", 1))]),
    ("G1b", [t(a("x", 1), a("x", 2)), t(r("x", 1)), t(r("x", 1, 2))]),
    ("G1c", [t(a("x", 1), r("y", 1)), t(a("y", 1), r("x", 1))]),
    ("internal", [t(a("x", 1), r("x"))]),
    ("internal", [t(a("x", 1)), t(r("x"), r("x", 1))]),
    ("lost update", [t(r("x"), a("x", 1)), t(r("x"), a("x", 2)), t(r("x", 1, 2))]),
    ("lost update", [t(r("x"), a("x", 1)), t(r("x"), a("x", 2)), t(r("x"))]),
    ("G-single", [t(a("x", 1), a("y", 1)), t(r("x", 1), r("y"))]),
    ("G-nonadjacent", [t(a("x", 1)), t(a("y", 1)), t(r("x", 1), r("y")), t(r("x"), r("y", 1))]),
    ("G2", [t(r("x"), a("y", 1)), t(r("y"), a("x", 1)), t(r("x", 1), r("y", 1))]),
    ("real-time", [t(a("x", 1), at=(0, 1)), t(r("x"), at=(2, 3))]),
]


@pytest.mark.parametrize(("anomaly", "history"), CASES)
def test_each_anomaly_is_named(anomaly: str, history: list[Operation]) -> None:
    """It is found, and breaks just the levels that forbid it."""
    found = anomalies(history)
    assert next(iter(found)) == anomaly
    assert set(found[anomaly]) <= set(history)
    level = LEVELS.index(ANOMALIES[anomaly][0])
    assert isolation(history) == (LEVELS[level - 1] if level else "none")
    for number, name in enumerate(LEVELS):
        verdict = check_transactions(history, name)
        assert verdict.broken == (number >= level)
        if verdict.broken:
            assert verdict.why == f"{ANOMALIES[anomaly][1]}: not {name}"
            assert verdict.witness == found[anomaly]


def test_every_anomaly_has_its_case() -> None:
    """None is forgotten here."""
    assert {anomaly for anomaly, _ in CASES} == set(ANOMALIES)


def test_what_crashed_counts_if_it_was_read() -> None:
    """All of a crashed transaction took effect, or nothing of it."""
    torn = t(a("x", 1), a("y", 1), outcome="info")
    assert isolation([torn, t(r("x"), r("y"))]) == "strict serializable"
    assert isolation([torn, t(r("x", 1), r("y", 1))]) == "strict serializable"
    assert list(anomalies([torn, t(r("x", 1), r("y"))])) == ["G-single"]


def test_an_acknowledged_append_follows_what_was_read_without_it() -> None:
    """It is lost if it was acknowledged before the read began."""
    lost = [t(a("x", 1), at=(0, 1)), t(a("x", 2), at=(2, 3)), t(r("x", 1), at=(4, 5))]
    assert list(anomalies(lost)) == ["real-time"]
    assert isolation([*lost[:2], t(r("x", 1), at=(1, 5))]) == "strict serializable"


def test_a_value_that_is_appended_twice_is_not_judged() -> None:
    """The order of equal values can't be told."""
    twice = [t(a("x", 1)), t(a("x", 1))]
    assert check_transactions(twice).answer == "unknown"
    assert check_transactions([t(a("x", 1), a("x", 1))]).answer == "unknown"
    assert check_transactions([Operation(0, 1, 0, "put", "x", 1)]).answer == "unknown"
    with pytest.raises(ValueError, match="twice"):
        anomalies(twice)


def test_a_store_that_loses_everything_is_judged() -> None:
    """One great component does not make the search long."""
    history = [t(r("x"), a("x", number), at=(10 * number, 10 * number + 5)) for number in range(3000)]
    assert isolation(history) == "read committed"
    assert "lost update" in anomalies(history)


def planned(draw: random.Random, numbers: dict[str, int]) -> list[tuple[str, str, int]]:
    """Return what a transaction will do."""
    steps: list[tuple[str, str, int]] = []
    for _ in range(draw.randint(1, 4)):
        key = draw.choice("xyz"[: draw.choice([1, 2, 3])])
        numbers[key] = numbers.get(key, 0) + 1
        steps.append((draw.choice(["append", "read"]), key, numbers[key]))
    return steps


def serial(draw: random.Random, size: int, mistakes: int) -> list[Operation]:
    """Return what a serial store answers; mistakes are other answers, or other times."""
    numbers: dict[str, int] = {}
    lists: dict[str, tuple[int, ...]] = {}
    width = draw.choice([1, 2, 5])
    made: list[Operation] = []
    for place in range(size):
        steps: list[Step] = []
        after = dict(lists)
        for verb, key, value in planned(draw, numbers):
            if verb == "append":
                after[key] = (*after.get(key, ()), value)
            steps.append((verb, key, value if verb == "append" else after.get(key, ())))
        one = t(*steps, at=interval(draw, 2 * place, width))
        happens = True
        if draw.random() < 0.2:
            happens = draw.random() < 0.5
            one = crashed(draw, one) if happens or draw.random() < 0.5 else t(*steps, at=one[:2], outcome="fail")
        if happens:
            lists = after
        made.append(one)
    for _ in range(mistakes):
        place = draw.randrange(size)
        one = made[place]
        steps = list(one.answer or ())
        reads = [number for number, step in enumerate(steps) if step[0] == "read"]
        if reads and draw.random() < 0.6:
            number = draw.choice(reads)
            _, key, values = steps[number]
            others = [values[:-1], lists.get(key, ()), lists.get(key, ())[: len(values) + 1], values[::-1]]
            steps[number] = ("read", key, draw.choice(others))
            made[place] = one._replace(answer=tuple(steps))
        else:
            shift = draw.randint(-6, 6)
            made[place] = one._replace(call=one.call + shift, end=min(NEVER, one.end + shift))
    return in_order(made)


def apply(state: Any, operation: Operation) -> Hashable:
    """Append and read."""
    lists: dict[str, tuple[int, ...]] = dict(state)
    for verb, key, value in operation.answer if operation.outcome == "ok" else operation.value:
        if verb == "append":
            lists[key] = (*lists.get(key, ()), value)
        elif operation.outcome == "ok" and lists.get(key, ()) != value:
            return None
    return tuple(sorted(lists.items()))


def test_the_two_strongest_levels_agree_with_trying_every_order() -> None:
    """The verdict is exact for both: in any order, and in one that agrees with real time."""
    draw = random.Random(5)
    kinds: dict[tuple[bool, bool], int] = {}
    for _ in range(FUZZ):
        history = serial(draw, draw.randint(1, 6), draw.choice([0, 1, 2]))
        strict = check_transactions(history, "strict serializable").holds
        loose = check_transactions(history).holds
        assert strict == linearizable(history, apply, ()), history
        assert loose == linearizable([one._replace(call=0, end=9) for one in history], apply, ()), history
        kinds[strict, loose] = kinds.get((strict, loose), 0) + 1
    assert all(kinds[kind] > FUZZ / 20 for kind in ((True, True), (False, True), (False, False)))


def interleaved(draw: random.Random, *, snapshot: bool, size: int = 8) -> list[Operation]:
    """Return what a store answers whose transactions run step by step at the same time and write when they commit.

    With snapshots one reads what was there when it began, and commits if nobody else has written the same keys since;
    otherwise it reads what is there now, and always commits.
    """
    numbers: dict[str, int] = {}
    past: list[dict[str, tuple[int, ...]]] = [{}]
    written: dict[str, int] = {}
    history: list[Operation] = []
    waiting = [planned(draw, numbers) for _ in range(size)]
    running: list[tuple[int, int, list[tuple[str, str, int]], list[Step]]] = []
    moment = 0
    while waiting or running:
        moment += 1
        if waiting and len(running) < 3:
            running.append((moment, len(past) - 1, waiting.pop(), []))
        call, seen, plan, steps = one = draw.choice(running)
        own = {key: tuple(v for verb, k, v in steps if verb == "append" and k == key) for key in "xyz"}
        if plan:
            verb, key, value = plan.pop(0)
            base = past[seen if snapshot else -1].get(key, ())
            steps.append((verb, key, value if verb == "append" else base + own[key]))
            continue
        running.remove(one)
        done = not snapshot or all(written.get(key, 0) <= seen for key in own if own[key])
        history.append(t(*steps, at=(call, moment), outcome="ok" if done else "fail"))
        if done:
            past.append({key: past[-1].get(key, ()) + own[key] for key in "xyz"})
            written.update((key, len(past) - 1) for key in own if own[key])
    history.append(t(*(r(key, *past[-1].get(key, ())) for key in "xyz"), at=(moment + 1, moment + 2)))
    return in_order(history)


def test_snapshot_isolation_is_never_denied_to_a_store_that_has_it() -> None:
    """What is left is write skew, and it is found now and then."""
    draw = random.Random(6)
    levels = [isolation(interleaved(draw, snapshot=True)) for _ in range(FUZZ // 3)]
    assert set(levels) <= {"snapshot isolation", "serializable", "strict serializable"}
    assert "snapshot isolation" in levels


def test_read_committed_is_never_denied_to_a_store_that_has_it() -> None:
    """Each step reads what is committed, and all writes are done at the commit."""
    draw = random.Random(7)
    levels = [isolation(interleaved(draw, snapshot=False)) for _ in range(FUZZ // 3)]
    assert levels.count("read committed") > len(levels) / 4
    assert not {"none", "read uncommitted"} & set(levels)


@pytest.mark.parametrize(
    ("level", "commits"), [("snapshot isolation", from_snapshot), ("read committed", from_commits)], ids=["SI", "RC"]
)
def test_the_weaker_levels_agree_with_trying_every_order(level: str, commits: Commits) -> None:
    """In any order of commits, with any moments to read from: never denied, and exact where all is read at the end."""
    draw = random.Random(8)
    kinds = {True: 0, False: 0}
    for number in range(FUZZ // 2):
        if number % 2:
            history = serial(draw, draw.randint(1, 4), draw.choice([0, 1, 2]))
        else:
            history = interleaved(draw, snapshot=draw.random() < 0.5, size=draw.randint(2, 4))
        if draw.random() < 0.4:  # what was seen of it is seen of what was given up
            place = draw.randrange(len(history) - 1 + number % 2)  # but not the last read of all
            history[place] = history[place]._replace(outcome="fail", answer=None)
        if level == "read committed" and "internal" in anomalies(history):
            continue  # what contradicts itself is no anomaly at this level, and no read of anything
        holds = keeps(history, commits)
        found = check_transactions(history, level).holds
        assert found == holds or (found and number % 2), history
        kinds[holds] += 1
    assert min(kinds.values()) > FUZZ / 50
