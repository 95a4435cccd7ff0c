"""The state store of the `sqlite` backend: what it says of a file that is not as it left it."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reference_backends.sqlite import CorruptRecord, SqliteState
from tests.reference_backends.test_sqlite_state import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 1000."""
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state.sqlite3"


def edit(path: Path, *statements: str) -> None:
    """Change a closed file behind the back of the store."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
            assert connection.execute("SELECT changes()").fetchone() != (0,)


@pytest.fixture
def filled(path: Path) -> Path:
    """Return the closed file of a store with a, b and c, a history of b, and a snapshot."""
    with closing(SqliteState(path)) as store:
        store["a"] = "first"
        store["b"] = "old"
        store["b"] = "second"
        store["c"] = "third"
        store.save_snapshot("s")
    return path


def test_a_changed_value_is_noticed_and_the_others_stay_readable(filled: Path) -> None:
    """SQLite finds nothing wrong with it; the digest does."""
    edit(filled, """UPDATE entries SET value = CAST('"fourth"' AS BLOB) WHERE key = CAST('b' AS BLOB)""")
    with closing(SqliteState(filled)) as store:
        with pytest.raises(CorruptRecord, match="entries b'b' version 3: has a value with another digest") as caught:
            store["b"]
        assert pickle.loads(pickle.dumps(caught.value)).where == caught.value.where
        assert (store["a"], store["c"]) == ("first", "third")
        report = store.verify()
        assert (report.healthy, [each.where for each in report.damaged]) == (2, ["entries b'b' version 3"])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET version = 9 WHERE key = CAST('b' AS BLOB)",
        "UPDATE entries SET expires_at = 1.5 WHERE key = CAST('b' AS BLOB)",
        "UPDATE entries SET key = CAST('d' AS BLOB) WHERE key = CAST('b' AS BLOB)",
        "UPDATE entries SET key = CAST(x'ff' AS TEXT) WHERE key = CAST('b' AS BLOB)",
        "UPDATE entries SET digest = zeroblob(16) WHERE key = CAST('b' AS BLOB)",
        "DELETE FROM entries WHERE key = CAST('b' AS BLOB)",
        "UPDATE summary SET last_version = 2",
        "UPDATE summary SET sums = CAST(sums AS TEXT)",
        "DELETE FROM summary",
    ],
)
def test_a_changed_set_of_records_is_noticed(filled: Path, change: str) -> None:
    """Whatever is changed or lost: what is intact can be read, and nothing else is said or written."""
    edit(filled, change)
    with closing(SqliteState(filled)) as store:
        assert (store["a"], store["c"]) == ("first", "third")
        verbs: list[Callable[[], Any]] = [
            lambda: list(store),
            lambda: len(store),
            lambda: "missing" in store,
            lambda: store.set("new", 1),
            lambda: store.set("a", 1),
            lambda: store.pop("a"),
            lambda: store.versions("a"),
        ]
        for verb in verbs:
            with pytest.raises(CorruptRecord):
                verb()
        assert store.verify().damaged


def test_a_lost_version_and_a_lost_snapshot_are_noticed(filled: Path) -> None:
    """The history and the snapshots have sums of their own."""
    edit(filled, "DELETE FROM history", "DELETE FROM snapshots")
    with closing(SqliteState(filled)) as store:
        for verb in (lambda: store.versions("b"), store.list_snapshots, lambda: store.load_snapshot("s")):
            with pytest.raises(CorruptRecord):
                verb()
        assert [each.where for each in store.verify().damaged] == ["history", "snapshots"]


def test_damage_under_an_open_handle_is_found_by_listing_and_verify(filled: Path) -> None:
    """Absence was proved at the opening; a list is proved each time."""
    with closing(SqliteState(filled)) as store:
        edit(filled, "DELETE FROM entries WHERE key = CAST('b' AS BLOB)")
        with pytest.raises(CorruptRecord, match="entries: has other records than were written"):
            list(store)
        assert [each.where for each in store.verify().damaged] == ["entries"]


def test_a_damaged_page_is_named(filled: Path) -> None:
    """What SQLite says about the file comes as damage, not as an error of its own."""
    size = filled.stat().st_size
    with filled.open("rb+") as file:
        file.seek(4096)
        file.write(b"\xee" * (size - 2 * 4096))  # every table but the last, and not the page that lists them
    with closing(SqliteState(filled)) as store:
        for verb in (lambda: store["a"], lambda: len(store), lambda: store.set("a", 1)):
            with pytest.raises(CorruptRecord):
                verb()
        report = store.verify()
        assert report.healthy == 0
        assert len(report.damaged) > 1


def test_records_out_of_order_are_noticed(path: Path) -> None:
    """Two pages that changed places keep every record and every sum, but a search misses what is there."""
    with closing(SqliteState(path)) as store:
        for number in range(40):
            store[f"key{number:02d}"] = "x" * 500
    pages = [path.read_bytes()[at : at + 4096] for at in range(0, path.stat().st_size, 4096)]
    leaves = [at for at, page in enumerate(pages) if page[:1] == b"\x0a" and page.count(b"key") > 2]
    one, other = leaves[0], leaves[1]
    pages[one], pages[other] = pages[other], pages[one]
    path.write_bytes(b"".join(pages))
    with closing(SqliteState(path)) as store:
        with pytest.raises(CorruptRecord, match="comes after"):
            len(store)
        missed = [number for number in range(40) if not _is_found(store, f"key{number:02d}")]
        assert missed
        assert any("comes after" in each.what or "order" in each.what for each in store.verify().damaged)


def _is_found(store: SqliteState, key: str) -> bool:
    try:
        return bool(store[key])
    except CorruptRecord:
        return False


def test_expiry_on_a_damaged_store_writes_nothing(path: Path, clock: HandClock) -> None:
    """An expired record is still known to be missing, although it cannot be moved any more."""
    with closing(SqliteState(path, clock=clock)) as store:
        store.set("a", 1, ttl=5)
        store["b"] = 2
    edit(path, "DELETE FROM entries WHERE key = CAST('b' AS BLOB)")
    clock.now = 1005.0
    with closing(SqliteState(path, clock=clock)) as store:
        assert "a" not in store
        with pytest.raises(CorruptRecord):
            assert "b" not in store


def test_a_flipped_byte_is_never_a_wrong_answer(path: Path, tmp_path: Path) -> None:
    """Every hundredth byte of the file, one at a time: the right answer, or CorruptRecord, or a refusal to open."""
    expected = {f"key{number}": ["x" * number] for number in range(30)}
    with closing(SqliteState(path)) as store:
        store.update(expected)
        store["key3"] = expected["key3"]
    sound = path.read_bytes()
    damaged = tmp_path / "damaged.sqlite3"
    outcomes = {"right": 0, "noticed": 0}
    for at in range(7, len(sound), 100):
        damaged.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        try:
            with closing(SqliteState(damaged)) as store:
                assert dict(store) == expected
                assert "missing" not in store
            outcomes["right"] += 1
        except (CorruptRecord, sqlite3.OperationalError):
            outcomes["noticed"] += 1
    assert min(outcomes.values()) > 10
