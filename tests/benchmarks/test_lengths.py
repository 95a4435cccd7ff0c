"""Stores that are written once, and opened again and again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.benchmarks.lengths import LostError, bare_reading, copy_files, filled, forget, opening
from conformance.benchmarks.openings import Openings
from conformance.benchmarks.payload import Payload
from conformance.benchmarks.plan import ONCE, Plan
from tests.benchmarks.stores import mine, open_forgetful, open_log

PLAN = Plan(rounds=2, round_ns=1, keys=5, longest=50, shortest=25, fill_s=0.0, openings=3)


def test_a_store_is_kept_at_each_length(tmp_path: Path) -> None:
    """The files at each length are those of an open store that had so many records; the closed ones have all."""
    store = filled(mine("m", log=open_log), "log", tmp_path, Payload("json", 0, 20), 20)
    lines = {length: len((folder / "log").read_text().splitlines()) for length, folder in store.killed.items()}
    assert lines == {4: 4, 8: 8, 12: 12, 16: 16, 20: 20}
    assert store.closed is not None
    assert store.bytes_on_disk >= (store.closed / "log").stat().st_size
    assert store.bytes_empty == 0
    assert opening(store, killed=12)(1) > 0
    assert opening(store, cold=True)(1) > 0
    assert bare_reading(store.closed, cold=True)(1) > 0


@pytest.mark.parametrize("killed", [0, 20])
def test_a_store_that_lost_its_records_is_not_quick(killed: int, tmp_path: Path) -> None:
    """A store that opens without its last record is an error: how fast it opens is of no interest."""
    store = filled(mine("m", log=open_forgetful), "log", tmp_path, Payload("json", 0, 20), 20)
    with pytest.raises(LostError, match="does not hold record 20"):
        opening(store, killed=killed)(1)


def test_another_record_is_an_error(tmp_path: Path) -> None:
    """A store that gives another value than was written is an error too."""
    store = filled(mine("m", log=open_log), "log", tmp_path, Payload("json", 0, 5), 5)
    assert store.closed is not None
    text = (store.closed / "log").read_text().splitlines()
    (store.closed / "log").write_text("\n".join([*text[:-1], text[0]]) + "\n")
    with pytest.raises(LostError, match="is another than was written"):
        opening(store)(1)


def test_holes_stay_holes(tmp_path: Path) -> None:
    """A file with a hole is copied byte for byte, and takes no more space; folders and links are copied as well."""
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    with (source / "inner" / "sparse").open("wb") as file:
        file.write(b"begin")
        file.seek(8 << 20)
        file.write(b"end")
        file.truncate(16 << 20)
    (source / "link").symlink_to("inner")
    os.mkfifo(source / "pipe")
    copy_files(source, tmp_path / "target")
    one, other = (folder / "inner" / "sparse" for folder in (source, tmp_path / "target"))
    assert one.read_bytes() == other.read_bytes()
    assert other.stat().st_blocks <= one.stat().st_blocks
    assert (tmp_path / "target" / "link").is_symlink()
    assert not (tmp_path / "target" / "pipe").exists()


@pytest.mark.parametrize("count", [1, 25])
def test_what_is_forgotten_is_still_there(count: int, tmp_path: Path) -> None:
    """The advice drops what is in memory, and nothing else, of few files and of many."""
    for number in range(count):
        (tmp_path / str(number)).write_bytes(b"x" * 5_000)
    forget(tmp_path)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"x" * 5_000] * count


def test_openings_are_measured(tmp_path: Path) -> None:
    """Opening, recovery at five lengths and space of each that promises it; the others are said to be left out."""
    backends = [
        mine("first", log=open_log),
        mine("second", log=open_log),
        mine("cache", log=open_log, durability="volatile"),
        mine("tidy", log=open_log, durability="clean-close"),
        mine("forgetful", log=open_forgetful),
    ]
    openings = Openings(tmp_path, PLAN, 0)
    opened, recovered, space = (one("log", backends) for one in (openings.opened, openings.recovered, openings.space))
    told = {name: str(found) for name, found in recovered.items() if isinstance(found, Exception)}
    assert told["cache"] == "it promises the durability 'volatile', not 'process-crash'"
    assert told["tidy"] == "it promises the durability 'clean-close', not 'process-crash'"
    assert told["forgetful"].startswith("the store was opened and does not hold record")
    record = recovered["second"].record()  # type: ignore[union-attr]
    assert record["reference"] == "first"
    assert record["growth"]["lengths"] == [5, 10, 15, 20, 25]
    assert record["limits"][0]["name"] == "pread of all its bytes, in memory"
    assert {name for name, found in opened.items() if not isinstance(found, Exception)} == {"first", "second", "tidy"}
    taken = space["first"]
    assert isinstance(taken, dict)
    assert taken["unit"] == "bytes"
    assert 0 < taken["median"] < 4096 / 25 + 30  # a block that is not full, and JSON with blanks


def test_all_have_the_same_length(tmp_path: Path) -> None:
    """How many records are written follows the slowest, within the bounds of the plan, in whole parts."""
    openings = Openings(tmp_path, Plan(1, 1, 1, longest=1_000, shortest=10, fill_s=1.0, openings=1), 0)
    assert [openings._length(seconds) for seconds in (0.0, 1e-6, 0.013, 10.0)] == [1_000, 1_000, 75, 10]
    assert Openings(tmp_path, ONCE, 0)._length(1.0) == 5
