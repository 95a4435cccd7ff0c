"""The log of the `wal` backend: appends, syncs, windows, rotation, several handles."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import Where
from conformance.child import in_new_process
from reference_backends.wal import ConflictError, CorruptLog, Report, WalLog, log, open_log, segment
from reference_backends.wal.commits import Ticket
from reference_backends.wal.record import SINGLE, decode, find
from reference_backends.wal.segment import RESERVE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the log is."""
    return tmp_path / "log"


@pytest.fixture
def store(path: Path) -> Iterator[WalLog]:
    """Give an open log."""
    with closing(WalLog(path)) as opened:
        yield opened


def segments(path: Path) -> list[str]:
    """Return the names of the segments."""
    return sorted(one.name for one in path.glob("*.segment"))


def append_many(path: Path, count: int) -> list[int]:
    """Append in a process of its own."""
    with closing(WalLog(path, segment_bytes=1000)) as opened:
        return [opened.append(number) for number in range(count)]


def test_positions_are_consecutive_from_1(store: WalLog) -> None:
    """Single events and batches share one sequence."""
    assert (store.head, store.first, list(store.read())) == (0, 1, [])
    assert store.append("a") == 1
    assert store.append_batch(["b", "c"]) == [2, 3]
    assert store.append_batch([]) == []
    assert store.append("d", expected=3) == 4
    assert list(store.read()) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert list(store.read(3, 4)) == [(3, "c")]
    assert [list(store.read(3, 3)), list(store.read(9)), list(store.read(4, 2))] == [[], [], []]
    assert store.verify() == Report(4, ())


def test_the_opener_uses_the_place(tmp_path: Path) -> None:
    """State and log do not share a directory."""
    open_log(Where(tmp_path)).close()
    assert (tmp_path / "log" / "manifest").exists()


def test_a_refused_event_takes_no_position(store: WalLog) -> None:
    """One bad event refuses its batch; a wrong head refuses the append, and True is not 1."""
    store.append("a")
    with pytest.raises(TypeError):
        store.append_batch(["b", object()])
    for wrong in (0, 2, True):
        with pytest.raises(ConflictError, match="the head is 1, not "):
            store.append("b", expected=wrong)
    with pytest.raises(ConflictError):
        store.append_batch(["b", "c"], expected=0)
    assert store.append("b", expected=1) == 2


def test_bad_arguments_are_refused(path: Path) -> None:
    """A wrong option names what is known."""
    with pytest.raises(ValueError, match="Known: none, wal, full"):
        WalLog(path, durability="most")
    with pytest.raises(ValueError, match="not a positive number"):
        WalLog(path, segment_bytes=0)
    assert not path.exists()


def test_a_closed_log_is_closed(path: Path) -> None:
    """Every verb raises ValueError, a reader on its way too; closing twice is harmless."""
    store = WalLog(path)
    store.append_batch(["a", "b"])
    reader = store.read()
    store.close()
    store.close()
    for verb in (
        lambda: store.append(1),
        lambda: store.append_batch([1]),
        lambda: store.head,
        lambda: store.first,
        lambda: store.read(),
        lambda: next(reader),
        lambda: store.checkpoint(1, 1),
        store.latest_checkpoint,
        lambda: store.compact(1),
        store.flush,
        store.verify,
    ):
        with pytest.raises(ValueError, match="closed"):
            verb()


def test_only_the_owner_may_look(store: WalLog, path: Path) -> None:
    """Files have mode 0600 and the directory 0700; the lock is empty."""
    store.append("secret")
    store.checkpoint("secret", 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.iterdir() if one.name != "lock"}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}
    assert (path / "lock").stat().st_size == 0


@pytest.mark.parametrize("size", [1, 24, 25, 90, 300])
def test_rotation(path: Path, size: int) -> None:
    """Reading crosses segments, before and after reopening, however small they are."""
    with closing(WalLog(path, segment_bytes=size)) as store:
        for number in range(1, 21):
            assert store.append(number) == number
        assert store.append_batch(range(21, 31)) == list(range(21, 31))
        assert list(store.read()) == [(number, number) for number in range(1, 31)]
        assert list(store.read(19, 23)) == [(number, number) for number in range(19, 23)]
    assert len(segments(path)) > 2
    with closing(WalLog(path, segment_bytes=size)) as store:
        assert store.verify() == Report(30, ())
        assert store.append(31) == 31
        assert [event for _, event in store.read()] == list(range(1, 32))


def test_long_events_and_many_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has at least one record, whatever its length."""
    monkeypatch.setattr(log, "_PAGE_BYTES", 100)
    events: list[Any] = ["x" * 1000, "y", *range(50), "z" * 500]
    with closing(WalLog(path)) as store:
        for event in events:
            store.append(event)
        assert [event for _, event in store.read()] == events
        assert [event for _, event in store.read(10)] == events[9:]


def test_short_writes_are_continued(store: WalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system writes in pieces arrives as a whole."""
    real = os.pwrite
    monkeypatch.setattr(
        "reference_backends.wal.segment.os.pwrite", lambda file, data, offset: real(file, data[:1], offset)
    )
    assert store.append_batch(["long enough", "to be cut"]) == [1, 2]
    monkeypatch.undo()
    assert store.verify() == Report(2, ())


def test_short_reads_are_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system reads in pieces is not taken for a torn tail."""
    with closing(WalLog(path)) as store:
        store.append_batch(["long enough", "to be cut"])
    real = os.pread
    monkeypatch.setattr("reference_backends.wal.segment.os.pread", lambda file, size, at: real(file, min(size, 5), at))
    with closing(WalLog(path)) as store:
        assert list(store.read()) == [(1, "long enough"), (2, "to be cut")]
        assert store.verify() == Report(2, ())


def test_appends_share_a_sync(store: WalLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives while a sync is on its way is written and synced together, each at its own position."""
    first_is_syncing, go_on = threading.Event(), threading.Event()
    syncs: list[int] = []
    real = log._synced

    def gate(descriptor: int) -> None:
        syncs.append(descriptor)
        first_is_syncing.set()
        assert go_on.wait(10)
        real(descriptor)

    monkeypatch.setattr(log, "_synced", gate)
    queued = threading.Semaphore(0)
    wait = store._commits._wait

    def waiting(*arguments: Any) -> None:
        queued.release()
        wait(*arguments)

    monkeypatch.setattr(store._commits, "_wait", waiting)
    positions: list[int] = []
    threads = [threading.Thread(target=lambda: positions.append(store.append("x"))) for _ in range(6)]
    threads[0].start()
    assert first_is_syncing.wait(10)
    for thread in threads[1:]:
        thread.start()
    for _ in threads[1:]:
        assert queued.acquire(timeout=10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sorted(positions) == [1, 2, 3, 4, 5, 6]
    assert len(syncs) == 2
    assert store.verify() == Report(6, ())


def sinces(path: Path) -> list[int]:
    """Return of each record in the first segment up to where it says that all was durable when it was written."""
    data, at, found = (path / segments(path)[0]).read_bytes(), 0, []
    while (at := find(data, at, position=0)) >= 0:
        record = decode(data, at)
        assert record is not None
        found.append(record.since)
        at = record.end
    return found


def test_a_record_vouches_for_what_was_synced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for what an interrupted sync left, nor for what another handle wrote, before its own sync took it along."""

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with closing(WalLog(path)) as store:
        store.append("a")
        with monkeypatch.context() as patched:
            patched.setattr(log, "_synced", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.append("b")
        assert [store.append("c"), store.append("d")] == [3, 4]
        with closing(WalLog(path)) as other:
            assert [other.append("e"), other.append("f")] == [5, 6]
        assert [store.append("g"), store.append("h")] == [7, 8]
        assert [event for _, event in store.read()] == list("abcdefgh")
    assert sinces(path) == [1, 2, 2, 4, 5, 6, 5, 8]


def test_a_conflict_in_a_group_is_that_of_one(store: WalLog) -> None:
    """In one group, an append that expects another head is refused and the others are made."""
    tickets = [Ticket(b'"a"', 1, SINGLE, expected) for expected in (None, 0, 1)]
    store._write_group(tickets)
    assert [(ticket.position, type(ticket.error)) for ticket in tickets] == [
        (1, type(None)),
        (0, ConflictError),
        (2, type(None)),
    ]
    assert store.head == 2


@pytest.mark.parametrize("place", ["log._synced", "segment.os.pwrite", "chain.write_manifest"])
def test_a_failed_append_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """After a failed sync, write or rotation the handle writes no more, but reads; a new one goes on."""
    with closing(WalLog(path, segment_bytes=1 if "manifest" in place else 1000)) as store:
        store.append("a")

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("the disk says no")

        with monkeypatch.context() as patched:
            patched.setattr(f"reference_backends.wal.{place}", fail)
            with pytest.raises(OSError, match="the disk says no"):
                store.append("b")
        for verb in (lambda: store.append("c"), lambda: store.checkpoint(0, 0), store.flush):
            with pytest.raises(OSError, match=r"an earlier write failed .* open the log again"):
                verb()
        assert list(store.read()) == [(1, "a")]
        with closing(WalLog(path)) as other:
            assert other.append("d") == 2
        assert list(store.read()) == [(1, "a"), (2, "d")]
    with closing(WalLog(path)) as store:
        assert store.append("e") == 3
        assert store.verify() == Report(3, ())


def test_a_disk_without_room_to_spare_takes_the_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for later records is made only where there is some; what was written of it is cut off again."""
    real = os.pwrite

    def full(descriptor: int, data: Any, offset: int) -> int:
        if len(data) < RESERVE_BYTES // 2:
            return real(descriptor, data, offset)
        if len(data) < RESERVE_BYTES:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(descriptor, data[: RESERVE_BYTES // 4], offset)

    with closing(WalLog(path)) as store:
        monkeypatch.setattr("reference_backends.wal.segment.os.pwrite", full)
        assert [store.append("a"), store.append("b")] == [1, 2]
        assert (path / segments(path)[0]).stat().st_size == store._chain.segments[-1].end
        monkeypatch.undo()
        assert store.append("c") == 3
        assert store.verify() == Report(3, ())


@pytest.mark.parametrize(("durability", "syncs"), [("none", (0, 0)), ("wal", (0, 1)), ("full", (2, 0))])
def test_durability_levels(
    path: Path, monkeypatch: pytest.MonkeyPatch, durability: str, syncs: tuple[int, int]
) -> None:
    """An append syncs nothing, the file's data, or the file with its metadata and the directory."""
    with closing(WalLog(path, durability=durability)) as store:
        store.append("a")
        called: list[str] = []
        monkeypatch.setattr(os, "fsync", lambda file: called.append("fsync"))
        monkeypatch.setattr(os, "fdatasync", lambda file: called.append("fdatasync"))
        store.append("b")
        assert (called.count("fsync"), called.count("fdatasync")) == syncs
        called.clear()
        store.checkpoint("state", 2)
        assert ("fsync" in called) is (durability != "none")
        called.clear()
        store.flush()
        assert len(called) >= 4  # the segment, the manifest and its copy, the checkpoint, the directory


def test_two_processes_take_turns(path: Path) -> None:
    """Their positions are consecutive and belong to one of them each."""
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(in_new_process(append_many, path, 100))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found[0] + found[1]) == list(range(1, 201))
    with closing(WalLog(path)) as store:
        assert store.verify() == Report(200, ())


def test_an_exchanged_directory_is_noticed(path: Path, tmp_path: Path) -> None:
    """By the append that makes room; what was appended before is where the log is now."""
    with closing(WalLog(path)) as store:
        store.append("a")
        moved = path.rename(tmp_path / "moved")
        with closing(WalLog(path)) as other:
            other.append("x")
        count = 1
        with pytest.raises(CorruptLog):  # noqa: PT012 - it is not known which append it will be
            while count * 1000 <= RESERVE_BYTES + 1000:
                store.append("y" * 1000)
                count += 1
    with closing(WalLog(moved)) as store:
        assert store.head == count
    with closing(WalLog(path)) as store:
        assert list(store.read()) == [(1, "x")]


def test_what_is_known_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by who only reads nor by who writes; what another handle appended is."""
    with closing(WalLog(path)) as writer, closing(WalLog(path)) as reader:
        writer.append("a")
        assert (writer.head, reader.head) == (1, 1)
        caught_up: list[Path] = []
        real = segment.Segment.catch_up
        monkeypatch.setattr(segment.Segment, "catch_up", lambda one: (caught_up.append(one.path), real(one)))
        assert (reader.head, list(reader.read())) == (1, [(1, "a")])
        assert writer.append("b") == 2
        assert caught_up == []
        assert reader.head == 2
        assert len(caught_up) == 1
