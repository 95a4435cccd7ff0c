"""Damage under the `postgres` backend: what reading and `verify` notice of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.servers import Running, start
from conformance.servers.postgres import PostgresServer
from reference_backends.postgres import CorruptRecord, Damage, PostgresLog, PostgresState, Report
from tests.reference_backends.postgres.conftest import HandClock, Place

# the state


@pytest.fixture
def filled(store: PostgresState) -> PostgresState:
    """Return a store with a, b and c, a history of b, and a snapshot."""
    store["a"] = "first"
    store["b"] = "old"
    store["b"] = "second"
    store["c"] = "third"
    store.save_snapshot("s")
    return store


@pytest.mark.parametrize(
    "change", ["value = '\"fourth\"'", "version = 9", "expires_at = 1e9", "digest = sha256('')", "digest = ''"]
)
def test_a_changed_record_is_noticed_and_the_others_stay_readable(
    filled: PostgresState, place: Place, change: str
) -> None:
    """Whatever of it was changed, the digest tells; the snapshot that was made before has a record of its own."""
    place.edit(f"UPDATE entries SET {change} WHERE key = 'b'")
    with pytest.raises(CorruptRecord, match=r"entries b'b' version \d: has another digest") as caught:
        filled["b"]
    assert pickle.loads(pickle.dumps(caught.value)).where == caught.value.where
    assert (filled["a"], filled["c"], filled.load_snapshot("s")["b"]) == ("first", "third", "second")
    report = filled.verify()
    assert (report.healthy, [each.where for each in report.damaged]) == (2, [caught.value.where])


def test_a_damaged_record_is_not_removed_by_reading_it(filled: PostgresState, place: Place) -> None:
    """`pop` reads before it removes, in one transaction."""
    place.edit("UPDATE entries SET value = '1' WHERE key = 'b'")
    with pytest.raises(CorruptRecord):
        filled.pop("b")
    assert sorted(filled) == ["a", "b", "c"]


def test_damage_does_not_become_true_by_moving(filled: PostgresState, place: Place) -> None:
    """A damaged record that is overwritten, or kept in a snapshot, takes its old digest along."""
    place.edit("UPDATE entries SET value = '1' WHERE key = 'b'")
    damaged = filled.versions("b")[0]
    filled.save_snapshot("t")
    filled["b"] = "new"
    for verb in (lambda: filled.get_version("b", damaged), lambda: filled.load_snapshot("t")):
        with pytest.raises(CorruptRecord, match="has another digest"):
            verb()
    assert filled["b"] == "new"
    assert [each.where for each in filled.verify().damaged] == [
        f"history b'b' version {damaged}",
        "snapshot b't'",
    ]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE history SET value = '1'", "history b'b' version 2"),
        ("UPDATE snapshot_entries SET value = '1' WHERE key = 'a'", "snapshot b's'"),
        ("DELETE FROM snapshot_entries WHERE key = 'a'", "snapshot b's'"),
        ("UPDATE snapshots SET keys = 9", "snapshot b's'"),
    ],
)
def test_damage_to_what_is_kept_is_noticed(filled: PostgresState, place: Place, change: str, where: str) -> None:
    """An old version is checked when it is read, a snapshot when it is loaded, and what is present is not touched."""
    place.edit(change)
    verb: Callable[[], Any] = lambda: filled.load_snapshot("s")  # noqa: E731
    if where.startswith("history"):
        verb = lambda: filled.get_version("b", filled.versions("b")[1])  # noqa: E731
    with pytest.raises(CorruptRecord):
        verb()
    report = filled.verify()
    assert (report.healthy, [each.where for each in report.damaged]) == (3, [where])


def test_verify_counts_what_is_there(store: PostgresState, clock: HandClock) -> None:
    """What has expired is not, whether it was seen before or not."""
    store.set("a", 1, ttl=5)
    store["b"] = 1
    assert store.verify().healthy == 2
    clock.now = 1005.0
    assert store.verify().healthy == 1


# the log


@pytest.fixture
def events(log: PostgresLog) -> PostgresLog:
    """Return a log with the events 2 to 5, and a checkpoint at 1."""
    log.append_batch([f"event {number}" for number in range(1, 6)])
    log.checkpoint("state", 1)
    log.compact(1)
    return log


@pytest.mark.parametrize(
    ("change", "damage"),
    [
        ("DELETE FROM events WHERE position = 4", Damage("events from 4 to 4", "are lost")),
        ("UPDATE events SET event = '1' WHERE position = 4", Damage("event 4", "has another digest")),
        ("UPDATE events SET digest = '' WHERE position = 4", Damage("event 4", "has another digest")),
    ],
)
def test_events_before_a_damaged_one_are_read(events: PostgresLog, place: Place, change: str, damage: Damage) -> None:
    """A read gives what is intact and raises at the damage; the events behind it can be asked for."""
    place.edit(change)
    reading = events.read()
    assert [next(reading), next(reading)] == [(2, "event 2"), (3, "event 3")]
    with pytest.raises(CorruptRecord, match="event 4"):
        next(reading)
    assert list(events.read(5)) == [(5, "event 5")]
    report = events.verify()
    assert (report.healthy, report.damaged) == (3, (damage,))


@pytest.mark.parametrize("lost", [2, 5])
def test_a_lost_first_or_last_event_is_noticed(events: PostgresLog, place: Place, lost: int) -> None:
    """It is known where the log begins and ends."""
    place.edit(f"DELETE FROM events WHERE position = {lost}")
    with pytest.raises(CorruptRecord, match=f"event {lost}"):
        list(events.read())
    assert events.verify().damaged == (Damage(f"events from {lost} to {lost}", "are lost"),)


def test_no_event_is_written_over_another(events: PostgresLog, place: Place) -> None:
    """A head that has gone back is noticed by the next append."""
    place.edit("UPDATE heads SET head = 4")
    with pytest.raises(CorruptRecord, match="heads: has not got the last position"):
        events.append("over")
    assert events.verify().damaged == (Damage("event 5", "is behind the head, which is 4"),)


@pytest.mark.parametrize("change", ["DELETE FROM heads", "INSERT INTO heads VALUES (1, 1)"])
def test_a_damaged_head_is_noticed(events: PostgresLog, place: Place, change: str) -> None:
    """Without it nobody knows which events there must be."""
    place.edit(change)
    verbs: tuple[Callable[[], Any], ...] = (
        events.read,
        lambda: events.head,
        lambda: events.append("new"),
        lambda: events.append("new", expected=5),
        lambda: events.compact(1),
    )
    for verb in verbs:
        with pytest.raises(CorruptRecord, match=r"heads: has \d rows instead of one"):
            verb()
    assert events.verify().damaged


@pytest.mark.parametrize("change", ["upto = 3", "state = '1'", "digest = ''"])
def test_a_damaged_checkpoint_is_noticed_and_covers_nothing(events: PostgresLog, place: Place, change: str) -> None:
    """Nothing is dropped for a checkpoint that cannot be read; the events stay readable."""
    place.edit(f"UPDATE checkpoint SET {change}")
    for verb in (events.latest_checkpoint, lambda: events.compact(2)):
        with pytest.raises(CorruptRecord, match="checkpoint: is not the one that was written"):
            verb()
    assert len(list(events.read())) == 4
    assert events.verify().damaged == (Damage("checkpoint", "is not the one that was written"),)


def test_an_event_before_the_first_is_no_event(events: PostgresLog, place: Place) -> None:
    """One that comes back from before a compaction is not read, and is named."""
    place.edit("INSERT INTO events VALUES (1, '', '')")
    assert [position for position, _ in events.read()] == [2, 3, 4, 5]
    assert Damage("event 1", "is before 2, where the log begins") in events.verify().damaged


# the files of the server


@pytest.fixture
def killable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Return a server whose data are in the folder `data` of this test, and may be damaged."""
    server = PostgresServer(fsync="off")
    monkeypatch.delenv(server.variable, raising=False)
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary,wheel")  # the files of a container are out of reach
    with start(server, tmp_path) as running:
        yield running


def test_a_damaged_page_is_named(killable: Running, tmp_path: Path) -> None:
    """What PostgreSQL says about a file comes as damage, not as an error of its own; other tables stay readable."""
    place = Place(killable.url)
    with place.state() as store:
        store["a"] = 1
        store.save_snapshot("s")
        ((name,),) = place.ask("SELECT pg_relation_filepath('entries')")
        with place.connection() as connection:
            connection.execute("CHECKPOINT")
        killable.kill()
        with (tmp_path / "data" / name).open("rb+") as file:
            file.write(b"\xff" * 24)
        killable.restart()
        for verb in (lambda: store["a"], lambda: len(store), lambda: store.set("a", 2)):
            with pytest.raises(CorruptRecord, match="the files of the server: invalid page in block 0"):
                verb()
        assert store.load_snapshot("s") == {"a": 1}
        report = store.verify()
        assert (report.healthy, [each.where for each in report.damaged]) == (0, ["the files of the server"])


def test_a_flipped_bit_of_the_commit_log_is_noticed_by_nobody(killable: Running, tmp_path: Path) -> None:
    """An acknowledged write is gone, and all is sound: that is why no detection is promised, whatever has a digest."""
    place = Place(killable.url)
    with place.state() as store, place.connection() as connection:
        store["a"] = "old"
        ((before,),) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchall()
        store["a"] = "new"  # has the next number
        connection.execute("CHECKPOINT")
        killable.kill()
        with (tmp_path / "data" / "pg_xact" / "0000").open("rb+") as file:
            place_of_four, which = divmod(before + 1, 4)
            file.seek(place_of_four)
            (statuses,) = file.read(1)
            assert statuses >> 2 * which & 0b11 == 0b01  # committed
            file.seek(place_of_four)
            file.write(bytes([statuses ^ 0b01 << 2 * which]))
        killable.restart()
        assert store["a"] == "old"
        assert store.versions("a") == [1]
        assert store.verify() == Report(healthy=1, damaged=())
