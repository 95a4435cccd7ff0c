"""What the log of the `wal` backend says of files that are not as it left them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reference_backends.wal import CorruptLog, Report, WalLog
from reference_backends.wal.record import SINGLE, encode
from reference_backends.wal.segment import HEADER_BYTES, RESERVE_BYTES, name_of

EVENTS = ["first", "second", {"number": 3}, "fourth", [5], "sixth", "seventh", "eighth"]
SEGMENT_BYTES = 140  # three events each


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the log is."""
    return tmp_path / "log"


def opened(path: Path, segment_bytes: int = 2**20) -> WalLog:
    """Return an open log."""
    return WalLog(path, durability="none", segment_bytes=segment_bytes)


def make(path: Path, count: int = 8, segment_bytes: int = 2**20) -> None:
    """Make a closed log of some events."""
    with closing(opened(path, segment_bytes)) as store:
        for event in EVENTS[:count]:
            store.append(event)


def make_chained(path: Path) -> list[Path]:
    """Make a closed log of three segments, and return their files."""
    make(path, segment_bytes=SEGMENT_BYTES)
    found = sorted(path.glob("*.segment"))
    assert len(found) == 3
    return found


def readable(store: WalLog) -> dict[int, object]:
    """Return the events that can be read one by one; whatever is read must be what was written."""
    found: dict[int, object] = {}
    refused: list[tuple[int, int]] = []
    for position in range(store.first, store.head + 1):
        try:
            found.update(store.read(position, position + 1))
        except CorruptLog as error:
            refused.append((error.damage.position, position))
    assert all(0 < named <= position for named, position in refused)
    assert {*found, *(position for _, position in refused)} == {*range(store.first, store.head + 1)}
    assert all(EVENTS[position - 1] == event for position, event in found.items())
    return found


def noticed(path: Path, *, lost: int | None = None) -> None:
    """Tell that opening works, what is read is true, appends are refused, verify() names it, and nothing is changed."""
    before = {one.name: one.read_bytes() for one in path.iterdir()}
    with closing(opened(path)) as store:
        found = readable(store)
        if lost is not None:
            assert len(found) == len(EVENTS) - lost
        report = store.verify()
        assert report.damaged
        assert report.healthy == len(found)
        with pytest.raises(CorruptLog):
            store.append("more")
        with pytest.raises(CorruptLog):
            store.checkpoint("more", store.head)
    assert {one.name: one.read_bytes() for one in path.iterdir()} == before


def crashed(path: Path) -> WalLog:
    """Return an open log whose manifest knows only of the first three events, as after a crash."""
    make(path, 3)
    store = opened(path)
    for event in EVENTS[3:7]:
        store.append(event)
    return store


def test_a_torn_record_is_cut_off_wherever_it_is_torn(path: Path, tmp_path: Path) -> None:
    """The records before it survive, and the next append takes its position."""
    with closing(crashed(path)) as store:
        begin = store._chain.segments[-1].end
        store.append("eighth")
        end = store._chain.segments[-1].end
        for cut in range(begin, end):
            copy = tmp_path / str(cut)
            shutil.copytree(path, copy)
            os.truncate(copy / name_of(1), cut)
            with closing(opened(copy)) as again:
                assert (again.head, again.verify()) == (7, Report(7, ()))
                assert again.append("eighth") == 8
                assert len(readable(again)) == 8


@pytest.mark.parametrize(
    "tail",
    [b"garbage", b"\xf1REC" * 20, os.urandom(100), b"\0" * 500 + b"g", b"\0" * RESERVE_BYTES + b"\0"],
    ids=["garbage", "magic", "random", "behind zeros", "more zeros than are reserved"],
)
def test_a_tail_without_a_record_is_cut_off(path: Path, tail: bytes) -> None:
    """Garbage behind the last record is what an unfinished write leaves."""
    with closing(crashed(path)) as store:
        file = path / name_of(1)
        whole = file.read_bytes()[: store._chain.segments[-1].end]
        for _ in range(2):
            file.write_bytes(whole + tail)
            assert store.verify() == Report(7, ())  # a tail is no damage, also before it is cut off
            with closing(opened(path)) as again:
                assert file.read_bytes() == whole
                assert again.head == 7
        file.write_bytes(whole + tail)
        assert store.append("eighth") == 8
        assert len(readable(store)) == 8


@pytest.mark.parametrize("length", [0, 1, 500, RESERVE_BYTES])
def test_zeros_behind_the_last_record_are_room(path: Path, length: int) -> None:
    """Opening leaves them, an append overwrites them, and closing cuts them off."""
    with closing(crashed(path)) as store:
        file, end = path / name_of(1), store._chain.segments[-1].end
        os.truncate(file, end)
        os.truncate(file, end + length)
        with closing(WalLog(path)) as again:
            assert file.stat().st_size == end + length
            assert again.append(EVENTS[7]) == 8
            assert file.stat().st_size > again._chain.segments[-1].end
            assert store.append("in the room that the other handle made") == 9
        assert file.stat().st_size == store._chain.segments[-1].end
        assert store.append("where there is no room any more") == 10
        assert [position for position, _ in store.read()] == list(range(1, 11))
        assert store.verify() == Report(10, ())


def test_a_batch_is_there_as_a_whole_or_not(path: Path) -> None:
    """Where a batch is torn, none of its events is left."""
    with closing(crashed(path)) as store:
        end = store._chain.segments[-1].end
        store.append_batch(["eighth"] * 3)
        file = path / name_of(1)
        data = file.read_bytes()[: store._chain.segments[-1].end]
        for cut in (end + 1, end + 40, len(data) - 1):
            file.write_bytes(data[:cut])
            with closing(opened(path)) as again:
                assert again.verify() == Report(7, ())
        file.write_bytes(data)
        assert store.verify().healthy == 10


def test_a_group_that_a_power_loss_tore_is_cut_off(path: Path) -> None:
    """Blocks reach the disk in any order: the second record of a group may be there without the first."""
    with closing(crashed(path)) as store:
        end = store._chain.segments[-1].end
    file = path / name_of(1)
    group = [encode(8, 8, 1, SINGLE, b'"eighth"'), encode(9, 8, 1, SINGLE, b'"ninth"')]
    with file.open("ab") as tail:
        tail.write(b"\0" * len(group[0]) + group[1])
    with closing(opened(path)) as store:
        assert store.verify() == Report(7, ())
    assert file.stat().st_size == end
    # With a record behind it that was written later, the first had been synced.
    with file.open("ab") as tail:
        tail.write(b"\0" * len(group[0]) + group[1] + encode(10, 10, 1, SINGLE, b'"tenth"'))
    with closing(opened(path)) as store:
        assert list(store.read(9)) == [(9, "ninth"), (10, "tenth")]
        assert [(one.offset, one.position) for one in store.verify().damaged] == [(end, 8)]


def test_the_last_group_of_a_closed_log_is_no_torn_one(path: Path) -> None:
    """What the manifest knows to be acknowledged is damage when it can't be read, and the rest of the group is read."""
    make(path, 7)
    with (path / name_of(1)).open("ab") as tail:
        first = tail.tell()
        tail.write(encode(8, 8, 1, SINGLE, b'"eighth"') + encode(9, 8, 1, SINGLE, b'"ninth"'))
    opened(path).close()
    with (path / name_of(1)).open("rb+") as file:
        file.seek(first + 10)
        file.write(b"\0\0")
    with closing(opened(path)) as store:
        assert list(store.read(9)) == [(9, "ninth")]
        assert [(one.offset, one.position) for one in store.verify().damaged] == [(first, 8)]


def spoil(path: Path, text: bytes) -> tuple[str, int]:
    """Change a letter of a text in a segment, and return the file's name and where the record begins."""
    (file,) = [one for one in path.glob("*.segment") if text in one.read_bytes()]
    data = file.read_bytes()
    at = data.index(text)
    file.write_bytes(data[:at] + b"#" + data[at + 1 :])
    return file.name, data.rindex(b"\xf1REC", 0, at)


@pytest.mark.parametrize("segment_bytes", [2**20, SEGMENT_BYTES])
@pytest.mark.parametrize("already_open", [False, True])
def test_a_damaged_record_hides_no_other(path: Path, *, segment_bytes: int, already_open: bool) -> None:
    """Reads before and after it work, the position itself raises with its place, and appends are refused."""
    make(path, segment_bytes=segment_bytes)
    store = opened(path)
    if not already_open:
        store.close()
    place = spoil(path, b"sixth")
    if not already_open:
        store = opened(path)
    with closing(store):
        reader = store.read()
        assert [next(reader) for _ in range(5)] == list(enumerate(EVENTS[:5], 1))
        with pytest.raises(CorruptLog, match="position 6: ") as caught:
            next(reader)
        assert (caught.value.damage.file, caught.value.damage.offset, caught.value.damage.position) == (*place, 6)
        assert list(store.read(7)) == [(7, "seventh"), (8, "eighth")]
        report = store.verify()
        assert report.healthy == 7
        assert report.damaged[0].position == 6
        if not already_open:
            with pytest.raises(CorruptLog, match="position 6: "):
                store.append("more")
    noticed(path, lost=1)


def test_no_flipped_byte_is_served_as_truth(path: Path) -> None:
    """Whatever byte of whatever file changes, all that is read is true, and verify() names it."""
    with closing(opened(path, SEGMENT_BYTES)) as store:
        for event in EVENTS:
            store.append(event)
        store.checkpoint({"state": 1}, 1)
    files = [one for one in path.iterdir() if one.name != "lock"]
    assert len(files) == 6
    for file in files:
        data = file.read_bytes()
        for at in range(len(data)):
            file.write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :])
            with closing(opened(path)) as store:
                readable(store)
                assert store.verify().damaged, (file.name, at)
        file.write_bytes(data)
    with closing(opened(path)) as store:
        assert store.verify() == Report(8, ())


#: What is done to the segments of a closed log, and how many events are lost by it.
CASES: dict[str, tuple[Callable[[list[Path]], object], int]] = {
    "oldest missing": (lambda files: files[0].unlink(), 3),
    "one missing": (lambda files: files[1].unlink(), 3),
    "newest missing": (lambda files: files[2].unlink(), 2),
    "all missing": (lambda files: list(map(Path.unlink, files)), 8),
    "oldest empty": (lambda files: os.truncate(files[0], 0), 3),
    "newest empty": (lambda files: os.truncate(files[2], 0), 2),
    "newest only its header": (lambda files: os.truncate(files[2], HEADER_BYTES), 2),
    "newest shorter": (lambda files: os.truncate(files[2], files[2].stat().st_size - 1), 1),
    "one shorter": (lambda files: os.truncate(files[1], files[1].stat().st_size - 1), 1),
    "one longer": (lambda files: files[1].write_bytes(files[1].read_bytes() + b"more"), 0),
    "two swapped": (lambda files: swap(files[0], files[1]), 6),
    "one in place of another": (lambda files: shutil.copy(files[0], files[1]), 3),
    "one twice": (lambda files: shutil.copy(files[1], files[1].with_name(name_of(99))), 0),
    "one under another name": (lambda files: files[1].rename(files[1].with_name(name_of(5))), 1),
}


def swap(one: Path, other: Path) -> None:
    """Exchange the content of two files."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("case", CASES)
def test_segments_that_are_not_as_they_were(path: Path, case: str) -> None:
    """A missing, swapped, duplicated, shortened or empty segment is noticed, and costs its own events at most."""
    change, lost = CASES[case]
    change(make_chained(path))
    noticed(path, lost=lost)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_segment_of_another_log_does_not_fit(path: Path, tmp_path: Path, number: int) -> None:
    """A whole, sound segment with the same positions and other events is noticed by its chain."""
    files = make_chained(path)
    with closing(opened(tmp_path / "other", SEGMENT_BYTES)) as store:
        for event in EVENTS:
            store.append(event[::-1] if isinstance(event, str) else event)
    shutil.copy(tmp_path / "other" / files[number].name, files[number])
    with closing(opened(path)) as store:
        report = store.verify()
        assert [one.file for one in report.damaged] == [files[number].name]
        assert report.healthy == len(readable(store)) == 8 - (3, 3, 2)[number]
        with pytest.raises(CorruptLog):
            store.append("more")


@pytest.mark.parametrize("events", [0, 1, 5, 7])
def test_an_old_version_of_the_newest_segment_is_noticed(path: Path, events: int) -> None:
    """The manifest knows what was in the file when the log was closed."""
    make(path, events)
    old = (path / name_of(1)).read_bytes()
    with closing(opened(path)) as store:
        for event in EVENTS[events:]:
            store.append(event)
    (path / name_of(1)).write_bytes(old)
    noticed(path, lost=8 - events)


def test_an_old_block_of_a_segment_is_noticed(path: Path) -> None:
    """A record that was cut off after a crash, and whose place another took, is not served when it returns."""
    make(path, 7)
    file = path / name_of(1)
    with file.open("ab") as tail:
        at = tail.tell()
        old = encode(8, 8, 1, SINGLE, b'"EIGHTH"')
        tail.write(old)
    os.truncate(file, at)
    opened(path).close()
    with closing(opened(path)) as store:
        store.append("eighth")
    with file.open("rb+") as again:
        again.seek(at)
        again.write(old)
    with closing(opened(path)) as store:
        assert "not the file that was here" in store.verify().damaged[0].reason
        assert readable(store) == {}


@pytest.mark.parametrize("name", ["manifest", "manifest-copy"])
@pytest.mark.parametrize("change", ["missing", "empty", "garbage", "old"])
def test_each_manifest_watches_the_other(path: Path, name: str, change: str) -> None:
    """Where one of the two is lost, damaged or an old version, all is read, and appends are refused."""
    make(path, 3)
    old = (path / name).read_bytes()
    for number in range(3, 8):
        with closing(opened(path)) as store:
            store.append(EVENTS[number])
    if change == "missing":
        (path / name).unlink()
    else:
        (path / name).write_bytes({"empty": b"", "garbage": b"garbage", "old": old}[change])
    noticed(path, lost=0)


def test_without_any_manifest(path: Path) -> None:
    """All that the segments have is read."""
    make_chained(path)
    for name in ("manifest", "manifest-copy"):
        (path / name).unlink()
    noticed(path, lost=0)
    for file in path.glob("*.segment"):
        file.unlink()
    (path / "manifest").write_bytes(b"")
    with closing(opened(path)) as store:
        assert (store.head, list(store.read())) == (0, [])
        assert store.verify().damaged
        with pytest.raises(CorruptLog):
            store.append("more")


def test_a_manifest_of_another_kind_is_damage(path: Path) -> None:
    """A sound file with fields that are not those of a manifest is not taken for one."""
    make(path)
    with closing(opened(path)) as store:
        store.checkpoint("state", 8)
    shutil.copy(path / "checkpoint", path / "manifest")
    noticed(path, lost=0)


def test_a_crash_between_the_two_manifests(path: Path) -> None:
    """The copy may be one update behind, and is written again with the next update."""
    make(path, 7)
    copy = (path / "manifest-copy").read_bytes()
    with closing(opened(path)) as store:
        store.append("eighth")
    (path / "manifest-copy").write_bytes(copy)
    with closing(opened(path)) as store:
        assert store.verify() == Report(8, ())
        store.append("ninth")
    assert (path / "manifest").read_bytes() == (path / "manifest-copy").read_bytes()


@pytest.mark.parametrize("change", ["missing", "old", "garbage"])
def test_a_checkpoint_that_is_not_the_newest(path: Path, change: str) -> None:
    """A lost, old or damaged checkpoint is not taken for the newest one; the events are read."""
    make(path)
    with closing(opened(path)) as store:
        store.checkpoint("old", 2)
        data = {"old": (path / "checkpoint").read_bytes(), "garbage": b"garbage"}
        store.checkpoint("new", 4)
        store.compact(3)
    if change == "missing":
        (path / "checkpoint").unlink()
    else:
        (path / "checkpoint").write_bytes(data[change])
    with closing(opened(path)) as store:
        assert store.verify().damaged[0].file == "checkpoint"
        assert len(readable(store)) == 5
        for verb in (store.latest_checkpoint, lambda: store.compact(4), lambda: store.checkpoint("newer", 8)):
            with pytest.raises(CorruptLog, match="checkpoint"):
                verb()


def test_numbers_of_checkpoints_are_used_once(path: Path) -> None:
    """After a crash between a checkpoint and its manifest, the next one gets a number of its own."""
    make(path)
    manifests = {name: (path / name).read_bytes() for name in ("manifest", "manifest-copy")}
    with closing(opened(path)) as store:
        store.checkpoint("lost", 2)
        lost = (path / "checkpoint").read_bytes()
    for name, data in manifests.items():
        (path / name).write_bytes(data)
    with closing(opened(path)) as store:
        assert store.latest_checkpoint() == ("lost", 2)
        store.checkpoint("new", 4)
    (path / "checkpoint").write_bytes(lost)
    with closing(opened(path)) as store, pytest.raises(CorruptLog, match="older or missing"):
        store.latest_checkpoint()


@pytest.mark.parametrize("change", ["record", "cut", "manifest", "no manifest"])
def test_damage_that_comes_while_the_log_is_open(path: Path, change: str) -> None:
    """What a handle meets while it follows others is refused as what it finds on opening."""
    make(path, 3)
    with closing(opened(path)) as store, closing(opened(path)) as other:
        for event in EVENTS[3:]:
            other.append(event)
        if change == "record":
            spoil(path, b"sixth")
        elif change == "cut":
            assert store.head == 8
            os.truncate(path / name_of(1), HEADER_BYTES + 50)
        elif change == "manifest":
            (path / "manifest").write_bytes(b"garbage")
        else:
            (path / "manifest").unlink()
        readable(store)
        for _ in range(2):
            with pytest.raises(CorruptLog):
                store.append("more")
        if change != "cut":  # after which the tail is as that of a crash
            assert store.verify().damaged
