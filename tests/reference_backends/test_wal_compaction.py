"""The log of the `wal` backend: checkpoints, compaction, and what a crash leaves of segments and the manifest."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from reference_backends.wal import Report, WalLog, segment
from reference_backends.wal.manifest import Manifest, read_manifest, write_manifest, write_sealed
from tests.reference_backends.test_wal_log import segments


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the log is."""
    return tmp_path / "log"


def test_a_checkpoint_and_what_it_allows(path: Path) -> None:
    """A checkpoint must lie between the first event and the head, and compaction not beyond it."""
    with closing(WalLog(path, segment_bytes=80)) as store:
        for number in range(1, 11):
            store.append(number)
        assert store.latest_checkpoint() is None
        with pytest.raises(ValueError, match="covers 0"):
            store.compact(1)
        with pytest.raises(ValueError, match="upto=11"):
            store.checkpoint("late", 11)
        store.checkpoint({"sum": 21}, 6)
        with pytest.raises(ValueError, match="covers 6"):
            store.compact(7)
        store.compact(6)
        store.compact(3)
        assert (store.first, store.head) == (7, 10)
        assert list(store.read()) == [(number, number) for number in range(7, 11)]
        with pytest.raises(ValueError, match="upto=5"):
            store.checkpoint("early", 5)
    assert segments(path)[0] >= segment.name_of(6)
    with closing(WalLog(path)) as store:
        assert store.latest_checkpoint() == ({"sum": 21}, 6)
        assert store.verify() == Report(4, ())


def test_positions_are_not_used_again(path: Path) -> None:
    """After everything was compacted and the log opened again, the head is what it was."""
    for head in (2, 4):
        with closing(WalLog(path)) as store:
            store.append_batch(["a", "b"])
            store.checkpoint("state", head)
            store.compact(head)
            store.compact(head)
        with closing(WalLog(path)) as store:
            assert (store.head, store.first, list(store.read())) == (head, head + 1, [])
            assert store.verify() == Report(0, ())
    assert segments(path) == [segment.name_of(5)]


def test_a_crash_between_segment_and_manifest(path: Path) -> None:
    """A new segment that the manifest never heard of is removed, whole or torn, and made again."""
    with closing(WalLog(path)) as store:
        store.append("a")
        chain = store._chain.segments[-1].chain
    for size in (0, 10, 24):
        segment.Segment.create(path, 2, chain).close()
        os.truncate(path / segment.name_of(2), size)
        with closing(WalLog(path)) as store:
            assert store.verify() == Report(1, ())
        assert segments(path) == [segment.name_of(1)]


def test_an_open_handle_goes_on_after_a_rotation_was_cut_short(path: Path) -> None:
    """A handle that was open when another died in a rotation writes to the old segment, then rotates itself."""
    with closing(WalLog(path, segment_bytes=100)) as store:
        store.append("a")
        segment.Segment.create(path, 2, 0).close()
        for _ in range(10):
            store.append("b")
        assert store.verify() == Report(11, ())
        assert segment.name_of(2) not in segments(path)
    with closing(WalLog(path)) as store:
        assert store.verify() == Report(11, ())


def test_a_crash_while_the_log_is_made(path: Path) -> None:
    """What is left of it is taken for nothing."""
    for size in (0, 24):
        WalLog(path).close()
        (path / "manifest").unlink()
        (path / "manifest-copy").unlink()
        os.truncate(path / segment.name_of(1), size)
        with closing(WalLog(path)) as store:
            assert store.verify() == Report(0, ())
    (path / "manifest-copy").unlink()
    (path / "manifest").unlink()
    with closing(WalLog(path)) as store:
        (path / "manifest-copy").unlink()
        assert store.verify() == Report(0, ())


def test_an_interrupted_compaction_is_finished(path: Path) -> None:
    """Segments that the manifest says are dropped are removed on opening, and do not disturb verify()."""
    with closing(WalLog(path, segment_bytes=60)) as store:
        for number in range(1, 9):
            store.append(number)
        old = {name: (path / name).read_bytes() for name in segments(path)[:2]}
        store.checkpoint("state", 8)
        store.compact(7)
        for name, data in old.items():
            (path / name).write_bytes(data)
        assert store.verify() == Report(1, ())
    with closing(WalLog(path)) as store:
        assert list(store.read()) == [(8, 8)]
        assert not set(old) & set(segments(path))


def test_another_handle_rotates_and_compacts(path: Path) -> None:
    """A handle follows all that another one does, with the segment that it knew gone too."""
    with closing(WalLog(path)) as one, closing(WalLog(path, segment_bytes=60)) as other:
        one.append("a")
        reader = one.read()
        for number in range(2, 12):
            other.append(number)
        other.checkpoint("state", 11)
        other.compact(11)
        assert (one.head, one.first, list(one.read())) == (11, 12, [])
        assert one.append("b") == 12
        assert list(other.read()) == [(12, "b")]
        with pytest.raises(LookupError, match="compacted away"):
            next(reader)
        assert one.latest_checkpoint() == ("state", 11)
        assert one.verify() == other.verify() == Report(1, ())


def test_manifest_copy_is_never_two_updates_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update that failed between the two files, a crash in the next one leaves a pair that is sound.

    Found by LOG-CRASH-51: a sync of the directory failed, the retry was acknowledged, and power went in the next one.
    """
    write_manifest(tmp_path, Manifest(update=1), synced=False)
    write_sealed(tmp_path / "manifest", asdict(Manifest(update=2)), synced=False)  # and the copy was never reached
    wrong: list[list[str]] = []

    def watched(path: Path, content: Any, *, synced: bool) -> None:
        write_sealed(path, content, synced=synced)
        wrong.append(read_manifest(tmp_path)[1])

    monkeypatch.setattr("reference_backends.wal.manifest.write_sealed", watched)
    write_manifest(tmp_path, Manifest(update=3), synced=False)
    assert wrong == [[], [], []]
    assert read_manifest(tmp_path)[0] == Manifest(update=3)
