"""A team of processes: all are asked at once, and one that dies or hangs is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.histories.drivers.processes import (
    MemberError,
    Team,
    calls_in,
    kill_at_call,
    ranked,
)
from conformance.histories.operation import NEVER, Operation

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


@pytest.fixture
def team() -> Iterator[Team]:
    """Two members that know a word."""
    with closing(Team(2, {"word": "hello"})) as found:
        yield found


def say(state: dict[str, Any], name: str) -> tuple[str, int]:
    """Return a greeting, and who says it."""
    return f"{state['word']} {name}", os.getpid()


def learn(state: dict[str, Any], word: str) -> None:
    """Know another word from now on."""
    state["word"] = word


def fail(_state: dict[str, Any]) -> None:
    """Raise."""
    raise ValueError("no")


def die(_state: dict[str, Any]) -> None:
    """End the process."""
    os._exit(3)


def wait_for_ever(_state: dict[str, Any]) -> None:
    """Never come back."""
    reader, _ = os.pipe()
    os.read(reader, 1)


def test_all_are_asked_at_once(team: Team) -> None:
    """Each in a process of its own, with what it had from the start; the answers are in order."""
    answers = team.ask_all(say, [("one",), ("two",)], 10)
    assert [text for text, _ in answers] == ["hello one", "hello two"]
    assert len({os.getpid(), *(pid for _, pid in answers)}) == 3


def test_what_one_keeps_is_its_own(team: Team) -> None:
    """A member's state lasts, and is no other's."""
    team.members[0].tell(learn, "bye")
    team.members[0].answer(10)
    assert [text for text, _ in team.ask_all(say, [("a",), ("b",)], 10)] == ["bye a", "hello b"]


def test_what_raises_is_told(team: Team) -> None:
    """And the member goes on."""
    team.members[0].tell(fail)
    with pytest.raises(MemberError, match="ValueError: no"):
        team.members[0].answer(10)
    team.members[0].tell(say, "again")
    assert team.members[0].answer(10)[0] == "hello again"


def test_a_dead_one_is_told(team: Team) -> None:
    """Not waited for."""
    team.members[0].tell(die)
    with pytest.raises(MemberError, match="died"):
        team.members[0].answer(10)


def test_one_that_hangs_is_told() -> None:
    """After the limit; and it is gone when the team is."""
    team = Team(1, {})
    team.members[0].tell(wait_for_ever)
    with pytest.raises(MemberError, match="no answer within 0 s"):
        team.members[0].answer(0)
    team.close()


def write_until_killed(_state: dict[str, Any], path: str, call: int, others: list[int]) -> None:
    """Write ten letters one by one, and be killed with others before a call; what computes is not counted."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    kill_at_call(call, [*others, os.getpid()], lambda name: name == __file__)
    for letter in "abcdefghij":
        os.write(file, letter.upper().encode())


def test_a_member_is_killed_before_a_call(team: Team, tmp_path: Path) -> None:
    """What it did before is done; another member takes its place, with the state from the start."""
    one, other = team.members
    one.tell(write_until_killed, str(tmp_path / "file"), 4, [])
    one.wait_dead(10)
    assert (tmp_path / "file").read_text() == "ABC"
    assert team.replace(0).pid != one.pid
    assert [text for text, _ in team.ask_all(say, [("a",), ("b",)], 10)] == ["hello a", "hello b"]
    assert team.members[1] is other


def test_a_member_takes_others_along(team: Team, tmp_path: Path) -> None:
    """Also one that has answered before."""
    one, other = team.members
    other.tell(say, "last words")
    one.tell(write_until_killed, str(tmp_path / "file"), 1, [other.pid])
    for member in (one, other):
        member.wait_dead(10)


def test_one_that_lives_on_is_told(team: Team) -> None:
    """Instead of being waited for."""
    with pytest.raises(MemberError, match="a process that should be dead lives on after 0 s"):
        team.members[0].wait_dead(0)


def test_calls_that_leave_something_are_counted(tmp_path: Path) -> None:
    """Writing is, whoever asks for it; reading, locking and computing are not."""
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        assert calls_in(lambda: os.write(file, b"a"), lambda _: False) == 1
        assert calls_in(lambda: (os.read(file, 1), len("abc"), "abc".upper()), lambda _: True) == 0
    finally:
        os.close(file)


def test_ranks_keep_the_order_of_the_clock() -> None:
    """What the clock says of two calls is kept; where it says the same, they overlap; what never ended never does."""
    history = [
        Operation(100, 200, 0, "put", "a", 1),
        Operation(200, 300, 1, "get", "a", answer=1),
        Operation(150, NEVER, 2, "put", "a", 2, outcome="info"),
    ]
    assert [(one.worker, one.call, one.end) for one in ranked(history)] == [(0, 0, 3), (2, 1, NEVER), (1, 2, 4)]
