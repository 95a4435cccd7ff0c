"""The smallest broken history: removals never break a good one, and little is left of a broken one."""

from __future__ import annotations

import random
from collections.abc import Sequence

from conformance.histories.checkers.counter import check_counter
from conformance.histories.checkers.log import check_log
from conformance.histories.operation import NEVER, History, Operation, Verb
from conformance.histories.smallest import reads, registers, smallest, stops_at, until
from tests.histories import oracle
from tests.histories.random_histories import small


def broken_register(history: History) -> bool:
    """Return whether some key's history is not linearizable, by trying every order."""
    keys = {one.key for one in history}
    return not all(oracle.linearizable([one for one in history if one.key == key]) for key in keys)


def good_histories(count: int) -> list[Sequence[Operation]]:
    """Return random linearizable histories of registers, with deletes, swaps and crashes."""
    draw = random.Random(9)
    verbs: list[list[Verb]] = [["get", "put"], ["get", "put", "delete"], ["get", "put", "cas"]]
    verbs.append(["get", "put", "delete", "cas"])
    found: list[Sequence[Operation]] = []
    while len(found) < count:
        history = small(draw, draw.choice(verbs), unique=draw.random() < 0.7)
        if oracle.linearizable(history):
            found.append(history)
    return found


def test_removing_units_keeps_linearizable_histories_linearizable() -> None:
    """Each unit by itself, and all of some; failed swaps are among them."""
    draw = random.Random(10)
    removals = 0
    for history in good_histories(1000):
        units = registers(history)
        some = [unit for unit in units if draw.random() < 0.5]
        for removed in [[unit] for unit in units] + [some]:
            gone = {id(one) for unit in removed for one in unit}
            assert oracle.linearizable([one for one in history if id(one) not in gone]), (history, removed)
            removals += 1
    assert removals > 3000


def test_a_prefix_of_a_linearizable_history_is_linearizable() -> None:
    """What had not returned by then may have taken effect, or never."""
    for history in good_histories(500):
        for one in history:
            assert oracle.linearizable(until(history, one.end)), (history, one.end)


def test_what_is_open_at_a_moment_is_of_unknown_outcome() -> None:
    """Open reads are left out; what is called later is not known."""
    write = Operation(0, 5, 0, "put", "a", 1)
    assert until([write, Operation(1, 6, 1, "get", "a"), Operation(4, 5, 2, "put", "a", 2)], 3) == [
        write._replace(end=NEVER, outcome="info")
    ]
    steps = (("append", "x", 1),)
    open_ = until([Operation(0, 5, 0, "transaction", None, None, None, steps)], 3)[0]
    assert (open_.value, open_.answer, open_.outcome) == (steps, None, "info")


def test_a_stale_read_among_much_is_found() -> None:
    """Two puts and a get are left of two keys and many operations."""
    history = [Operation(4 * n, 4 * n + 2, n % 3, "put", "b", n) for n in range(5)]
    history += [Operation(4 * n + 1, 4 * n + 3, 3 + n % 3, "put", "a", n) for n in range(5)]
    history += [Operation(30, 31, 8, "get", "a", None, None, 4), Operation(32, 33, 8, "get", "a", None, None, 2)]
    history += [Operation(34, 35, 8, "get", "a", None, None, 4)]
    left = smallest(history, broken_register)
    assert broken_register(left)
    assert len(left) == 3
    assert {one.key for one in left} == {"a"}


def test_nothing_smaller_can_be_made_by_one_more_removal() -> None:
    """What is left is broken, and no unit of it can be spared."""
    draw = random.Random(11)
    tried = 0
    while tried < 100:
        history = small(draw, ["get", "put", "delete", "cas"])
        if not broken_register(history):
            continue
        tried += 1
        left = smallest(history, broken_register)
        assert broken_register(left)
        for unit in registers(left):
            gone = {id(one) for one in unit}
            assert not broken_register([one for one in left if id(one) not in gone])


def test_logs_and_counters_lose_reads_and_what_came_later() -> None:
    """Appends and increments before the mistake stay: they are what the answers count."""
    log = [Operation(2 * n, 2 * n + 1, 0, "append", None, n, None, n + 1) for n in range(5)]
    log.insert(1, Operation(1, 1, 1, "read", None, None, None, (0,)))
    log.append(Operation(10, 11, 1, "append", None, "x", None, 3))
    log.append(Operation(12, 13, 1, "append", None, "y", None, 7))
    left = smallest(log, lambda one: check_log(one).broken)
    assert [one.value for one in left] == [0, 1, 2, 3, 4, "x"]
    count = [Operation(n, n, 0, "increment", "a", None, None, n + 1) for n in range(3)]
    count += [Operation(5, 5, 0, "get", "a", None, None, 3), Operation(6, 6, 0, "get", "a", None, None, 2)]
    assert len(smallest(count, lambda one: check_counter(one).broken)) == 4
    steps = (("read", "x", ()),)
    only_reads = Operation(0, 1, 0, "transaction", None, steps, None, steps)
    assert reads([only_reads, log[0]]) == [[only_reads]]


def test_the_moment_at_which_a_history_is_broken() -> None:
    """It is the first return with which no order explains the calls; a good history has none."""
    write, read = Operation(0, 1, 0, "put", "a", 1), Operation(2, 3, 1, "get", "a", answer=None)
    later = Operation(4, 5, 0, "put", "a", 2)
    assert stops_at([write, read, later], broken_register) == read
    assert stops_at([write, later], broken_register) is None
    for history in good_histories(200):
        assert stops_at(history, broken_register) is None
