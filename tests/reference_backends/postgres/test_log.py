"""The log of the `postgres` backend: positions, pages, compaction, sharing."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from reference_backends.postgres import ConflictError, PostgresLog, Report, open_log
from reference_backends.postgres import log as log_module
from reference_backends.postgres.database import Database
from tests.reference_backends.postgres.conftest import ROOT, Place


def test_positions_are_consecutive_from_1(log: PostgresLog) -> None:
    """Single events and batches share one sequence."""
    assert (log.head, log.first, list(log.read())) == (0, 1, [])
    assert log.append("a") == 1
    assert log.append_batch(["b", "c"]) == [2, 3]
    assert log.append_batch([]) == []
    assert log.append("d", expected=3) == 4
    assert list(log.read()) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    log.flush()


def test_the_opener_uses_the_place(place: Place) -> None:
    """State and log are in one schema, and do not get in each other's way."""
    with closing(open_log(Where(Path(), place.namespace, url=place.url))) as log, place.state() as store:
        log.append("a")
        store["a"] = 1
    assert place.ask("SELECT store, version FROM stores ORDER BY store") == [("log", 1), ("state", 2)]


def test_a_refused_event_takes_no_position(log: PostgresLog) -> None:
    """One bad event refuses its batch; a wrong head refuses the append, and True is not 1."""
    log.append("a")
    with pytest.raises(TypeError):
        log.append(object())
    with pytest.raises(TypeError):
        log.append_batch(["b", object()])
    for wrong in (0, 2, -1, 2**70, True, "1"):
        with pytest.raises(ConflictError, match="The head is 1, not "):
            log.append("b", expected=wrong)  # type: ignore[arg-type]
    assert list(log.read()) == [(1, "a")]
    assert log.append("b") == 2


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(1, 3, [1, 2]), (3, None, [3, 4]), (2, 2**70, [2, 3, 4]), (3, 3, []), (4, 2, []), (2**70, None, []), (-5, 2, [1])],
)
def test_a_window_has_its_start_and_not_its_stop(
    log: PostgresLog, start: int, stop: int | None, expected: list[int]
) -> None:
    """Whatever is outside the log is simply not there."""
    log.append_batch([1, 2, 3, 4])
    assert list(log.read(start, stop)) == [(each, each) for each in expected]


@pytest.mark.parametrize(("events", "size"), [(3, 10_000), (10_000, 10)])
def test_a_read_ends_at_the_head_of_its_call(
    log: PostgresLog, monkeypatch: pytest.MonkeyPatch, events: int, size: int
) -> None:
    """It goes page by page, and does not run after new events."""
    monkeypatch.setattr(log_module, "PAGE_EVENTS", events)
    monkeypatch.setattr(log_module, "PAGE_BYTES", size)
    written = [f"event {number}" for number in range(10)]
    log.append_batch(written)
    reading = log.read()
    assert next(reading) == (1, "event 0")
    log.append("late")
    assert [event for _, event in reading] == written[1:]


def test_a_page_has_an_end(log: PostgresLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much for it is not fetched, and an event that alone is too much is a page."""
    monkeypatch.setattr(log_module, "PAGE_BYTES", 20)
    log.append_batch(["x" * 100, "y", "z" * 30, "end"])
    assert [len(log._page(position, 5)) for position in (1, 2, 3, 4)] == [1, 2, 1, 1]


@pytest.mark.parametrize("position", [True, 1.0, "1", None])
def test_a_position_is_an_int(log: PostgresLog, position: Any) -> None:
    """What equals a position is none."""
    log.append("a")
    verbs: tuple[Callable[[], Any], ...] = (
        lambda: log.read(position),
        lambda: log.read(1, "" if position is None else position),  # type: ignore[arg-type]
        lambda: log.checkpoint("s", position),
        lambda: log.compact(position),
    )
    for verb in verbs:
        with pytest.raises(TypeError, match="is not a position"):
            verb()
    assert log.verify() == Report(healthy=1, damaged=())


# compaction


def test_no_position_returns_after_everything_was_compacted(place: Place) -> None:
    """The log knows where it was, also when it is opened again without one event."""
    with place.log() as log:
        log.append_batch(["a", "b", "c"])
        log.checkpoint({"sum": "abc"}, 3)
        log.compact(3)
    with place.log() as log:
        assert (log.head, log.first, list(log.read())) == (3, 4, [])
        assert log.latest_checkpoint() == ({"sum": "abc"}, 3)
        assert log.append("d", expected=3) == 4
        assert list(log.read()) == [(4, "d")]
        assert log.verify() == Report(healthy=1, damaged=())


def test_compaction_drops_only_what_a_checkpoint_has(log: PostgresLog) -> None:
    """Refused: beyond the latest checkpoint, or without one. Repeated or earlier: nothing happens."""
    log.append_batch(["a", "b", "c", "d"])
    log.compact(0)
    with pytest.raises(ValueError, match="The latest checkpoint is at 0"):
        log.compact(1)
    log.checkpoint("ab", 2)
    with pytest.raises(ValueError, match="The latest checkpoint is at 2"):
        log.compact(3)
    for _ in range(2):
        log.compact(2)
    log.compact(1)
    assert (log.first, log.head, list(log.read())) == (3, 4, [(3, "c"), (4, "d")])


def test_a_checkpoint_lies_between_what_is_left_and_the_head(log: PostgresLog) -> None:
    """The newest one counts, also when it is at an earlier position."""
    assert log.latest_checkpoint() is None
    log.checkpoint("nothing", 0)
    log.append_batch(["a", "b", "c"])
    log.checkpoint("abc", 3)
    log.checkpoint("ab", 2)
    assert log.latest_checkpoint() == ("ab", 2)
    log.compact(2)
    log.checkpoint("ab again", 2)
    for wrong in (1, 4, 2**70):
        with pytest.raises(ValueError, match="A checkpoint is possible from 2 to 3"):
            log.checkpoint("x", wrong)
    with pytest.raises(TypeError):
        log.checkpoint(object(), 3)
    assert log.latest_checkpoint() == ("ab again", 2)


def test_a_read_that_a_compaction_overtakes_is_told(log: PostgresLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in the middle of a read would be a wrong fold."""
    monkeypatch.setattr(log_module, "PAGE_BYTES", 1)
    log.append_batch(["a", "b", "c"])
    reading = log.read()
    assert next(reading) == (1, "a")
    log.checkpoint("abc", 3)
    log.compact(3)
    with pytest.raises(LookupError, match="Event 2 was compacted away"):
        next(reading)


def test_the_space_of_what_was_compacted_is_used_again(log: PostgresLog, place: Place) -> None:
    """The table is as large after ten compactions as after the first."""
    sizes = []
    for _ in range(10):
        log.append_batch([random.randbytes(500).hex() for _ in range(100)])
        log.checkpoint("all", log.head)
        log.compact(log.head - 1)
        sizes += place.ask("SELECT pg_total_relation_size('events')")[0]
    assert sizes[-1] <= 2 * sizes[0]


def test_a_compaction_is_done_whatever_becomes_of_the_space(log: PostgresLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events are gone when the server can't be reached for the rest."""

    def fail(_database: Database, _tables: str) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(Database, "vacuum", fail)
    log.append_batch(["a", "b"])
    log.checkpoint("ab", 2)
    log.compact(2)
    assert log.first == 3


# sharing and closing


def test_two_processes_append_to_one_sequence(place: Place) -> None:
    """No position is given twice, none is skipped, and each process finds its own events in order."""
    script = """if True:
        import sys
        from reference_backends.postgres import PostgresLog
        log = PostgresLog(sys.argv[1], sys.argv[2])
        for number in range(30):
            log.append([sys.argv[3], number])
        log.close()
    """
    arguments = [sys.executable, "-c", script, place.url, place.namespace]
    processes = [subprocess.Popen([*arguments, name], cwd=ROOT) for name in "ab"]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with place.log() as log:
        events = list(log.read())
        assert [position for position, _ in events] == list(range(1, 61))
        for name in "ab":
            assert [number for _, (who, number) in events if who == name] == list(range(30))


def test_a_position_is_taken_by_its_commit(place: Place) -> None:
    """An append that is not committed takes none: who comes later waits, or has it where that one is undone."""
    with place.log(timeout=0.2) as log, place.connection() as other:
        log.append("a")
        with other.transaction(force_rollback=True):
            other.execute("UPDATE heads SET head = head + 1")
            with pytest.raises(TimeoutError, match=r"gave up after 0\.2 seconds.*Nothing was changed"):
                log.append("b")
            assert (log.head, list(log.read())) == (1, [(1, "a")])
        assert log.append("b") == 2


def test_a_closed_log_refuses_everything(log: PostgresLog) -> None:
    """A read is refused when it is asked for, not when it is first used."""
    log.append("a")
    log.close()
    log.close()
    verbs: list[Callable[[], Any]] = [
        lambda: log.append("b"),
        lambda: log.read(),
        lambda: log.head,
        lambda: log.first,
        lambda: log.checkpoint("a", 1),
        lambda: log.compact(1),
        log.latest_checkpoint,
        log.verify,
        log.flush,
    ]
    for verb in verbs:
        with pytest.raises(ValueError, match="is closed"):
            verb()
