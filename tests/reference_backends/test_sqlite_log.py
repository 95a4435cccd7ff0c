"""The log of the `sqlite` backend: positions, pages, compaction, damage."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import Where
from reference_backends.sqlite import ConflictError, CorruptRecord, Damage, Report, SqliteLog, log, open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the log is."""
    return tmp_path / "log.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteLog]:
    """Give an open log."""
    with closing(SqliteLog(path)) as opened:
        yield opened


def edit(path: Path, *statements: str) -> None:
    """Change a file behind the back of the log."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
            assert connection.execute("SELECT changes()").fetchone() != (0,)


def test_positions_are_consecutive_from_1(store: SqliteLog) -> None:
    """Single events and batches share one sequence."""
    assert (store.head, store.first, list(store.read())) == (0, 1, [])
    assert store.append("a") == 1
    assert store.append_batch(["b", "c"]) == [2, 3]
    assert store.append_batch([]) == []
    assert store.append("d", expected=3) == 4
    assert list(store.read()) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    store.flush()


def test_the_opener_uses_the_place(tmp_path: Path) -> None:
    """State and log do not share a file."""
    open_log(Where(tmp_path)).close()
    assert (tmp_path / "log.sqlite3").exists()


def test_a_refused_event_takes_no_position(store: SqliteLog) -> None:
    """One bad event refuses its batch; a wrong head refuses the append, and True is not 1."""
    store.append("a")
    with pytest.raises(TypeError):
        store.append(object())
    with pytest.raises(TypeError):
        store.append_batch(["b", object()])
    for wrong in (0, 2, True, "1"):
        with pytest.raises(ConflictError, match="The head is 1, not "):
            store.append("b", expected=wrong)  # type: ignore[arg-type]
    assert list(store.read()) == [(1, "a")]
    assert store.append("b") == 2


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(1, 3, [1, 2]), (3, None, [3, 4]), (2, 99, [2, 3, 4]), (3, 3, []), (4, 2, []), (9, None, []), (-5, 2, [1])],
)
def test_a_window_has_its_start_and_not_its_stop(
    store: SqliteLog, start: int, stop: int | None, expected: list[int]
) -> None:
    """Whatever is outside the log is simply not there."""
    store.append_batch([1, 2, 3, 4])
    assert list(store.read(start, stop)) == [(each, each) for each in expected]


def test_a_read_ends_at_the_head_of_its_call(store: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes page by page, keeps no transaction open in between, and does not run after new events."""
    monkeypatch.setattr(log, "PAGE_BYTES", 10)
    events = [f"event {number}" for number in range(10)]
    store.append_batch(events)
    reading = store.read()
    assert next(reading) == (1, "event 0")
    assert not store._database._reader.in_transaction
    store.append("late")
    assert [event for _, event in reading] == events[1:]


@pytest.mark.parametrize("position", [True, 1.0, "1", None])
def test_a_position_is_an_int(store: SqliteLog, position: Any) -> None:
    """What equals a position is stored as another type, and is refused."""
    store.append("a")
    verbs: tuple[Callable[[], Any], ...] = (
        lambda: store.read(position),
        lambda: store.read(1, "" if position is None else position),  # type: ignore[arg-type]
        lambda: store.checkpoint("s", position),
        lambda: store.compact(position),
    )
    for verb in verbs:
        with pytest.raises(TypeError, match="is not a position"):
            verb()
    assert store.verify() == Report(healthy=1, damaged=())


# compaction


def test_no_position_returns_after_everything_was_compacted(path: Path) -> None:
    """The log knows where it was, also when it is opened again without one event."""
    with closing(SqliteLog(path)) as store:
        store.append_batch(["a", "b", "c"])
        store.checkpoint({"sum": "abc"}, 3)
        store.compact(3)
    with closing(SqliteLog(path)) as store:
        assert (store.head, store.first, list(store.read())) == (3, 4, [])
        assert store.latest_checkpoint() == ({"sum": "abc"}, 3)
        assert store.append("d", expected=3) == 4
        assert list(store.read()) == [(4, "d")]
        assert store.verify() == Report(healthy=1, damaged=())


def test_compaction_drops_only_what_a_checkpoint_has(store: SqliteLog) -> None:
    """Refused: beyond the latest checkpoint, or without one. Repeated or earlier: nothing happens."""
    store.append_batch(["a", "b", "c", "d"])
    store.compact(0)
    with pytest.raises(ValueError, match="The latest checkpoint is at 0"):
        store.compact(1)
    store.checkpoint("ab", 2)
    with pytest.raises(ValueError, match="The latest checkpoint is at 2"):
        store.compact(3)
    for _ in range(2):
        store.compact(2)
    store.compact(1)
    assert (store.first, store.head, list(store.read())) == (3, 4, [(3, "c"), (4, "d")])


def test_a_checkpoint_lies_between_what_is_left_and_the_head(store: SqliteLog) -> None:
    """The newest one counts, also when it is at an earlier position."""
    assert store.latest_checkpoint() is None
    store.checkpoint("nothing", 0)
    store.append_batch(["a", "b", "c"])
    store.checkpoint("abc", 3)
    store.checkpoint("ab", 2)
    assert store.latest_checkpoint() == ("ab", 2)
    store.compact(2)
    store.checkpoint("ab again", 2)
    for wrong in (1, 4):
        with pytest.raises(ValueError, match="A checkpoint is possible from 2 to 3"):
            store.checkpoint("x", wrong)
    with pytest.raises(TypeError):
        store.checkpoint(object(), 3)
    assert store.latest_checkpoint() == ("ab again", 2)


def test_a_read_that_a_compaction_overtakes_is_told(store: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in the middle of a read would be a wrong fold."""
    monkeypatch.setattr(log, "PAGE_BYTES", 1)
    store.append_batch(["a", "b", "c"])
    reading = store.read()
    assert next(reading) == (1, "a")
    store.checkpoint("abc", 3)
    store.compact(3)
    with pytest.raises(LookupError, match="Event 2 was compacted away"):
        next(reading)


# sharing and closing


def test_two_processes_append_to_one_sequence(path: Path) -> None:
    """No position is given twice, none is skipped, and each process finds its own events in order."""
    script = """if True:
        import sys
        from pathlib import Path
        from reference_backends.sqlite import SqliteLog
        store = SqliteLog(Path(sys.argv[1]))
        for number in range(30):
            store.append([sys.argv[2], number])
        store.close()
    """
    processes = [subprocess.Popen([sys.executable, "-c", script, str(path), name], cwd=ROOT) for name in "ab"]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with closing(SqliteLog(path)) as store:
        events = list(store.read())
        assert [position for position, _ in events] == list(range(1, 61))
        for name in "ab":
            assert [number for _, (who, number) in events if who == name] == list(range(30))


def test_a_closed_log_refuses_everything(store: SqliteLog) -> None:
    """A read is refused when it is asked for, not when it is first used."""
    store.append("a")
    store.close()
    store.close()
    verbs: list[Callable[[], Any]] = [
        lambda: store.append("b"),
        lambda: store.read(),
        lambda: store.head,
        lambda: store.first,
        store.latest_checkpoint,
        store.verify,
        store.flush,
    ]
    for verb in verbs:
        with pytest.raises(ValueError, match="is closed"):
            verb()


# damage


@pytest.fixture
def filled(path: Path) -> Path:
    """Return the closed file of a log with the events 2 to 5, and a checkpoint at 1."""
    with closing(SqliteLog(path)) as store:
        store.append_batch([f"event {number}" for number in range(1, 6)])
        store.checkpoint("state", 1)
        store.compact(1)
    return path


@pytest.mark.parametrize(
    ("change", "damage"),
    [
        ("DELETE FROM events WHERE position = 4", Damage("events from 4 to 4", "are lost")),
        ("UPDATE events SET event = CAST('1' AS BLOB) WHERE position = 4", Damage("event 4", "has another digest")),
        ("UPDATE events SET event = '1' WHERE position = 4", Damage("event 4", "has another digest")),
    ],
)
def test_events_before_a_damaged_one_are_read(filled: Path, change: str, damage: Damage) -> None:
    """A read gives what is intact and raises at the damage; the events behind it can be asked for."""
    edit(filled, change)
    with closing(SqliteLog(filled)) as store:
        reading = store.read()
        assert [next(reading), next(reading)] == [(2, "event 2"), (3, "event 3")]
        with pytest.raises(CorruptRecord, match="event 4"):
            next(reading)
        assert list(store.read(5)) == [(5, "event 5")]
        assert store.verify() == Report(healthy=3, damaged=(damage,))


@pytest.mark.parametrize("lost", [2, 5])
def test_a_lost_first_or_last_event_is_noticed(filled: Path, lost: int) -> None:
    """The summary knows where the log begins and ends, so that nothing is appended behind a hole."""
    edit(filled, f"DELETE FROM events WHERE position = {lost}")
    with closing(SqliteLog(filled)) as store:
        verbs: tuple[Callable[[], Any], ...] = (
            lambda: store.head,
            lambda: store.first,
            lambda: store.append("new"),
            lambda: list(store.read()),
        )
        for verb in verbs:
            with pytest.raises(CorruptRecord):
                verb()
        assert store.verify().damaged


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM checkpoint",
        "UPDATE checkpoint SET upto = 3",
        "UPDATE checkpoint SET state = CAST('1' AS BLOB)",
        "UPDATE checkpoint SET state = '1'",
    ],
)
def test_a_damaged_checkpoint_is_noticed_and_covers_nothing(filled: Path, change: str) -> None:
    """Nothing is dropped for a checkpoint that cannot be read; the events stay readable."""
    edit(filled, change)
    with closing(SqliteLog(filled)) as store:
        for verb in (store.latest_checkpoint, lambda: store.compact(2)):
            with pytest.raises(CorruptRecord, match="checkpoint: is not the one that was written"):
                verb()
        assert len(list(store.read())) == 4
        assert store.verify() == Report(4, (Damage("checkpoint", "is not the one that was written"),))


@pytest.mark.parametrize(
    "change", ["DELETE FROM summary", "UPDATE summary SET head = 4", "UPDATE summary SET first = 1"]
)
def test_a_damaged_summary_is_noticed(filled: Path, change: str) -> None:
    """Without it nobody knows which events there must be."""
    edit(filled, change)
    with closing(SqliteLog(filled)) as store:
        with pytest.raises(CorruptRecord, match="summary"):
            store.read()
        assert store.verify().damaged
