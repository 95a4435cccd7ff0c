"""Rounds by name, the switches that matter, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.histories import replay
from conformance.histories.drivers.schedule import Switch
from conformance.histories.replay import Repeat, RepeatError, fewest, only_asked, repeat_of, switch_lines
from conformance.histories.rounds.round import Round
from conformance.histories.search import Order, search
from tests.mutants import concurrency_threads

SWITCHES = tuple(Switch(step, step % 2) for step in range(8))
BROKEN = Round([], switches=SWITCHES)
ORDER = Order("swaps", "scheduled", seed=5, workers=2, length=3, age=6, rounds=200, seconds=60.0)
BACKEND = next(one.backend for one in concurrency_threads.MUTANTS if one.name == "cas_check_then_set")


def test_a_name_is_read_as_it_is_written() -> None:
    """With any number of switches, none as well."""
    for switches in ((), (Switch(0, 1),), (Switch(3, 0), Switch(40, 11))):
        one = Repeat("STATE-CONC-01", 17, switches)
        assert repeat_of(str(one)) == one
    assert str(Repeat("A-1", 2, (Switch(0, 1), Switch(40, 0)))) == "A-1:scheduled:2:0w2,40w1"


@pytest.mark.parametrize(
    "text", ["", "A", "A:scheduled:1", ":scheduled:1:", "A:b:1:", "A:scheduled:1:2w0", "A:scheduled:-1:"]
)
def test_what_is_no_name_is_told(text: str) -> None:
    """With what to write."""
    with pytest.raises(RepeatError, match="Write CODE:scheduled:ROUND:SWITCHES"):
        repeat_of(text)


def test_the_fewest_switches_that_are_still_broken() -> None:
    """What is returned is the replay that needs them all."""
    needed = {SWITCHES[2], SWITCHES[5]}

    def again(some: Sequence[Switch]) -> Round | None:
        return replace(BROKEN, switches=tuple(some)) if needed <= set(some) else None

    assert set(fewest(BROKEN, again).switches) == needed


def test_a_round_that_can_not_be_replayed_stays_as_it_is() -> None:
    """The store did something else."""
    assert fewest(BROKEN, lambda _: None) is BROKEN


def test_replays_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been reached by then is returned."""
    monkeypatch.setattr(replay, "REPLAYS", 2)
    tried: list[int] = []

    def again(some: Sequence[Switch]) -> Round:
        tried.append(len(some))
        return replace(BROKEN, switches=tuple(some))

    assert len(fewest(BROKEN, again).switches) == tried[-1]
    assert len(tried) == 2


def test_only_what_was_asked_is_kept_of_a_replay() -> None:
    """With the places that it had there; a switch because somebody waits or ends is none that was asked for."""
    one = Round([], switches=(Switch(0, 0), Switch(4, 1, "store.py", 3), Switch(9, 0)))
    assert only_asked(one, [Switch(4, 1)]).switches == (Switch(4, 1, "store.py", 3),)


def test_lines_of_switches(tmp_path: Path) -> None:
    """A sentence, then who goes on where, with the code of the line."""
    file = tmp_path / "store.py"
    file.write_text("first = 1\n    second = 2\n")
    assert switch_lines([Switch(0, 1), Switch(7, 0, str(file), 2)]) == [
        "2 switches make it happen; the threads run as follows:",
        "⇢ w2 begins",
        f"⇢ w1 goes on, and the other stays at {file}:2   second = 2",
    ]
    assert switch_lines([]) == ["No turn is taken from a thread: it is enough that they run one after the other."]
    assert switch_lines([Switch(place + 1, 0) for place in range(14)])[-1] == "… and 2 more"


def test_a_finding_is_carried_out_again(tmp_path: Path) -> None:
    """Ten times of ten it is the same finding, with few switches, in one round."""
    found = search(BACKEND, "state", tmp_path / "first", ORDER).found
    assert found is not None
    assert 1 <= len(found.round.switches) <= 4
    only = repeat_of(str(Repeat("STATE-CONC-04", found.number, tuple(found.round.switches))))
    for number in range(10):
        again = search(BACKEND, "state", tmp_path / str(number), replace(ORDER, only=only))
        assert again.rounds == 1
        assert again.found == found


def test_when_the_switches_do_not_find_it_the_rounds_before_are_carried_out(tmp_path: Path) -> None:
    """What a process did before can make a difference."""
    found = search(BACKEND, "state", tmp_path / "first", ORDER).found
    assert found is not None
    only = replace(ORDER, only=Repeat("STATE-CONC-04", found.number, ()))
    for attempt in range(3):  # on a busy machine a round before may end in another way, and show the fault earlier
        again = search(BACKEND, "state", tmp_path / f"again-{attempt}", only)
        if again.found == found:
            break
    assert again.found == found
    assert again.rounds == found.number + 1
