"""Looking after a store: what a log gives while it is compacted, and what is planned around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.drive import Driver
from conformance.histories.plans.upkeep import log_upkeep, upkeep, writes
from conformance.histories.upkeep import compact_log, restored
from conformance.histories.values import value_of
from tests.mutants.concurrency_upkeep import ListLog


def filled(domain: str = "json", log: ListLog | None = None) -> ListLog:
    """Return a log of five events."""
    log = log or ListLog()
    for number in range(1, 6):
        log.append(value_of(number, domain))
    return log


@pytest.mark.parametrize("domain", ["json", "bytes"])
def test_all_that_ever_was_is_restored(domain: str) -> None:
    """Before a compaction, after one, and after another; one event is always left."""
    log = filled(domain)
    for _ in range(3):
        assert restored(Driver(), log) == (*range(1, log.head + 1),)
        compact_log(Driver(), log, domain)
        assert (log.dropped, len(log.events)) == (log.head - 1, 1)
        log.append(value_of(log.head + 1, domain))


def test_an_empty_log_has_nothing_to_compact() -> None:
    """Nor has one of one event."""
    log = ListLog()
    compact_log(Driver(), log, "json")
    assert restored(Driver(), log) == ()
    log.append(value_of(1, "json"))
    compact_log(Driver(), log, "json")
    assert log.kept is None


class Overtaken(ListLog):
    """Is compacted just before it is read, a few times."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.times = 0
        self.then = then

    def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Give the entries of a window, as far as they are left."""
        if self.times:
            self.times -= 1
            compact_log(Driver(), self, "json")
            self.append(value_of(self.head + 1, "json"))
            self.then()
        return super().read(start, stop)


def too_late() -> None:
    """Refuse."""
    raise LookupError("compacted away")


@pytest.mark.parametrize("then", [lambda: None, too_late], ids=["gives what is left", "raises"])
def test_a_reader_that_is_overtaken_finds_the_later_checkpoint(then: Callable[[], None]) -> None:
    """What is before the events that are left is in there."""
    log = filled(log=Overtaken(then))
    log.times = 1
    found = restored(Driver(), log)
    assert found == (*range(1, log.head + 1),)
    assert log.head == 6


def test_what_raises_without_a_reason_is_raised() -> None:
    """No compaction overtook the reader."""

    class Torn(ListLog):
        def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
            raise ValueError("half a line")

    with pytest.raises(ValueError, match="half a line"):
        restored(Driver(), Torn())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda log: log.events.pop(), "positions [] from 5 on, behind a checkpoint of 4 events"),
        (lambda log: setattr(log, "dropped", 6), "positions [7] from 5 on, behind a checkpoint of 4 events"),
        (lambda log: setattr(log, "kept", ("x", 4)), "'x' for the state up to 4"),
    ],
    ids=["nothing left", "a gap", "another state"],
)
def test_what_is_missing_is_told(spoil: Callable[[ListLog], None], told: str) -> None:
    """By a text, which no append wrote."""
    log = filled()
    compact_log(Driver(), log, "json")
    spoil(log)
    assert restored(Driver(), log)[0] == told


@pytest.mark.parametrize("plan", [writes, upkeep, log_upkeep])
def test_plans_write_every_number_once(plan: Callable[..., Any]) -> None:
    """The same seed gives the same plan; the last worker looks after the store, where anybody does."""
    one = plan(1, 3, 10, 20)
    assert one == plan(1, 3, 10, 20) != plan(2, 3, 10, 20)
    asks = [ask for part in (one.before, *one.workers) for ask in part if ask.verb in ("put", "append")]
    assert len({ask.number for ask in asks}) == len(asks)
    compacting = [any(ask.verb == "compact" for ask in part) for part in one.workers]
    assert compacting == [False, False, plan is not writes]


def test_a_reader_whose_whole_window_is_dropped_begins_again() -> None:
    """The log knew where the window ends, and by the time it looked for the events they were gone."""

    class Late(Overtaken):
        def read(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
            stop = self.head + 1 if stop is None else stop
            if self.times:
                self.append(value_of(self.head + 1, "json"))
            return super().read(start, stop)

    log = filled(log=Late(lambda: None))
    log.times = 1
    assert restored(Driver(), log) == (*range(1, log.head + 1),)
