"""The file of the `sqlite` backend: pragmas, birth, schema, migration, locks, checkpoints, closing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reference_backends.sqlite import CorruptRecord, NewerSchemaError, Report, SqliteLog, SqliteState, database, session
from reference_backends.sqlite.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a store may be."""
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteState]:
    """Give an open store."""
    with closing(SqliteState(path)) as opened:
        yield opened


def edit(path: Path, *statements: str) -> None:
    """Change a closed file behind the back of the store."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def open_in_three_processes(path: Path) -> None:
    """Open a store in three processes at once, and write the number of the process in each."""
    script = """if True:
        import sys
        from pathlib import Path
        from reference_backends.sqlite import SqliteState
        store = SqliteState(Path(sys.argv[1]))
        store[sys.argv[2]] = 1
        store.close()
    """
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(number)], cwd=ROOT) for number in range(3)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]


# pragmas


def test_every_connection_has_every_pragma(store: SqliteState) -> None:
    """Both connections of a handle have what durability rests on."""
    for each in (store._database._writer, store._database._reader):
        assert each.rows("PRAGMA journal_mode") == [("wal",)]
        assert each.rows("PRAGMA synchronous") == [(2,)]
        assert each.rows("PRAGMA wal_autocheckpoint") == [(0,)]


def test_a_pragma_that_did_not_take_stops_the_opening(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite ignores what it does not know without an error; the store does not."""
    monkeypatch.setattr(session, "PRAGMAS", (*session.PRAGMAS, ("synchronus", "FULL", 2)))
    with pytest.raises(RuntimeError, match="PRAGMA synchronus = FULL"):
        SqliteState(path)
    assert not path.exists()


# birth


def test_a_store_is_born_under_its_own_name_only(path: Path, store: SqliteState) -> None:
    """Nothing is left of the other name that it was made under."""
    assert {each.name for each in path.parent.iterdir()} == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    store.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_name_is_on_the_disk_before_there_is_a_wal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is synced at each opening, when it has the file and no WAL yet."""
    seen = []
    monkeypatch.setattr(database, "sync_directory", lambda directory: seen.append(os.listdir(directory)))
    for _ in range(2):
        SqliteState(path).close()
    assert seen == [[path.name], [path.name]]


def test_losing_the_race_to_create_is_no_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the store of a faster process under the name uses that one."""
    link = os.link

    def link_second(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        with closing(SqliteState(path)) as faster:
            faster["who"] = "the faster one"
        link(source, target)

    monkeypatch.setattr(os, "link", link_second)
    with closing(SqliteState(path)) as store:
        assert store["who"] == "the faster one"


def test_three_processes_create_one_store(path: Path) -> None:
    """All of them get the same store, and nothing is lost."""
    open_in_three_processes(path)
    with closing(SqliteState(path)) as store:
        assert sorted(store) == ["0", "1", "2"]


def test_an_empty_file_is_damage_and_no_new_store(path: Path) -> None:
    """A store is never empty, so that a file cut to nothing is not taken for a new one."""
    path.touch()
    with pytest.raises(CorruptRecord, match="is empty"):
        SqliteState(path)


def test_what_is_no_database_is_refused_and_left(path: Path) -> None:
    """A file of something else is not touched."""
    path.write_bytes(b"my diary " * 1000)
    with pytest.raises(CorruptRecord, match="not a database"):
        SqliteState(path)
    assert path.read_bytes() == b"my diary " * 1000


def test_a_wal_without_its_database_is_refused(path: Path) -> None:
    """A new store beside an old WAL would get the old content."""
    path.with_name(f"{path.name}-wal").write_bytes(b"old")
    with pytest.raises(CorruptRecord, match="is missing, while"):
        SqliteState(path)


def test_a_path_with_special_characters_is_the_path(tmp_path: Path) -> None:
    """What means something in a URI is a plain character in a file name."""
    path = tmp_path / "a?mode=memory&b#c%20 d.sqlite3"
    SqliteState(path).close()
    assert path.exists()


# schema


def test_a_newer_schema_is_refused_before_any_change(path: Path) -> None:
    """The file of newer code is left byte for byte."""
    SqliteState(path).close()
    edit(path, "PRAGMA user_version = 3")
    before = path.read_bytes()
    with pytest.raises(NewerSchemaError, match="has schema 3, and this code knows schemas up to 2"):
        SqliteState(path)
    assert path.read_bytes() == before


def test_a_schema_that_was_never_written_is_damage(path: Path) -> None:
    """Version 0 is that of a database that no code of this store made."""
    SqliteState(path).close()
    edit(path, "PRAGMA user_version = 0")
    with pytest.raises(CorruptRecord, match="has schema 0"):
        SqliteState(path)


def test_the_tables_of_another_store_are_refused(path: Path) -> None:
    """A state store is no log, whatever its version says."""
    SqliteState(path).close()
    edit(path, "PRAGMA user_version = 1")
    with pytest.raises(CorruptRecord, match="has not got the tables of schema 1"):
        SqliteLog(path)


# migration

VALUES_1 = {"run-1": {"status": "done"}, "": None, "\x00": [1.5, "é"]}


def write_schema_1(path: Path, *more: tuple[bytes, bytes]) -> None:
    """Make a store as version 1 of the code did."""
    rows = [("run-1", '{"status": "done"}'), ("", "null"), ("\x00", '[1.5, "\\u00e9"]')]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE data (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.executemany("INSERT INTO data VALUES (CAST(? AS TEXT), CAST(? AS TEXT))", [*rows, *more])
        connection.execute("PRAGMA user_version = 1")


def test_schema_1_is_migrated_with_all_values(path: Path) -> None:
    """Every value is there afterwards, with a version and a digest, and the next opening migrates nothing."""
    write_schema_1(path)
    for _ in range(2):
        with closing(SqliteState(path)) as store:
            assert dict(store) == VALUES_1
            assert store.verify() == Report(healthy=3, damaged=())
            assert store.versions("run-1") == [1]
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, f"{path.name}.backup-v1"]


def test_a_migration_puts_the_old_file_aside(path: Path) -> None:
    """The backup is a whole schema 1, with what only the WAL had, and can be opened by old code and by new."""
    write_schema_1(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as old_code:
        old_code.execute("INSERT INTO data VALUES ('late', '1')")
        SqliteState(path).close()
    backup = path.with_name(f"{path.name}.backup-v1")
    with closing(sqlite3.connect(backup)) as old_code:
        assert old_code.execute("PRAGMA user_version").fetchone() == (1,)
        assert old_code.execute("SELECT count(*) FROM data").fetchone() == (4,)
    with closing(SqliteState(backup)) as store:
        assert dict(store) == {**VALUES_1, "late": 1}


@pytest.mark.parametrize("bad", [b"{", b"\xff"], ids=["no JSON", "no UTF-8"])
def test_a_migration_that_fails_changes_nothing(path: Path, bad: bytes) -> None:
    """What cannot be carried over stops the migration; the old code still finds everything, and a cure is possible."""
    write_schema_1(path, (b"bad", bad))
    for _ in range(2):
        with pytest.raises(ValueError):
            SqliteState(path)
        with closing(sqlite3.connect(path)) as old_code:
            assert old_code.execute("SELECT count(*) FROM data").fetchone() == (4,)
            assert old_code.execute("PRAGMA user_version").fetchone() == (1,)
    edit(path, "DELETE FROM data WHERE key = CAST('bad' AS TEXT)")
    with closing(SqliteState(path)) as store:
        assert dict(store) == VALUES_1


def test_tables_that_schema_1_never_had_stop_the_migration(path: Path) -> None:
    """A file that is refused afterwards is refused before, while the old code can still use it."""
    write_schema_1(path)
    edit(path, "CREATE TABLE mine (a)")
    with pytest.raises(CorruptRecord, match="has not got the tables of schema 2"):
        SqliteState(path)
    with closing(sqlite3.connect(path)) as old_code:
        assert old_code.execute("SELECT count(*) FROM data").fetchone() == (3,)


def test_three_processes_migrate_one_store(path: Path) -> None:
    """One of them does, the others wait for it, and nothing is lost."""
    write_schema_1(path)
    open_in_three_processes(path)
    with closing(SqliteState(path)) as store:
        assert dict(store) == {**VALUES_1, "0": 1, "1": 1, "2": 1}


def test_an_unfinished_backup_is_made_again(path: Path) -> None:
    """What a process left that died while it copied is no hindrance."""
    write_schema_1(path)
    unfinished = path.with_name(f"{path.name}.backup-v1.new")
    unfinished.write_bytes(b"half a copy")
    with closing(SqliteState(path)) as store:
        assert dict(store) == VALUES_1
    assert not unfinished.exists()


def test_who_waited_for_a_migration_does_not_repeat_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is read again under the lock: meanwhile another process may have migrated."""
    write_schema_1(path)
    migrate = database.Database._migrate

    def migrate_second(self: database.Database) -> None:
        monkeypatch.setattr(database.Database, "_migrate", migrate)
        answers = [database._version(self._writer)]
        SqliteState(path).close()
        version = database._version
        monkeypatch.setattr(database, "_version", lambda asked: answers.pop() if answers else version(asked))
        migrate(self)

    monkeypatch.setattr(database.Database, "_migrate", migrate_second)
    with closing(SqliteState(path)) as store:
        assert dict(store) == VALUES_1


# locks, checkpoints, failing disks


def test_a_lock_of_another_process_is_a_lock_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is busy for too long is not called damaged, and the write can be repeated."""
    monkeypatch.setattr(session, "BUSY_TIMEOUT_SECONDS", 0.0)
    with closing(SqliteState(path)) as store, closing(SqliteState(path)) as other:
        with other.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            store["a"] = 1
        store["a"] = 2
        assert other["a"] == 2


def test_a_full_disk_leaves_the_old_values(store: SqliteState) -> None:
    """A write that does not fit raises, changes nothing, and the store works on once there is space."""
    store["a"] = "old"
    writer = store._database._writer
    ((pages,),) = writer.rows("PRAGMA page_count")
    ((most,),) = writer.rows("PRAGMA max_page_count")
    writer.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store["a"] = "x" * 100_000
    assert dict(store) == {"a": "old"}
    assert store.verify().damaged == ()
    writer.rows(f"PRAGMA max_page_count = {most}")
    store["a"] = "x" * 100_000
    assert store.verify().damaged == ()


def test_a_transaction_with_a_failed_write_is_not_committed(store: SqliteState) -> None:
    """A block that goes on after a full disk must not commit the rest of itself."""
    writer = store._database._writer
    ((pages,),) = writer.rows("PRAGMA page_count")
    writer.rows(f"PRAGMA max_page_count = {pages}")

    def block() -> None:
        with store.transaction() as transaction:
            transaction["a"] = 1
            with pytest.raises(sqlite3.OperationalError, match="full"):
                transaction["b"] = "x" * 100_000
            with pytest.raises(RuntimeError, match="all of it was undone"):
                transaction["c"] = 3

    with pytest.raises(RuntimeError, match="all of it was undone"):
        block()
    assert dict(store) == {}


def test_a_large_wal_is_moved_into_the_file(path: Path, store: SqliteState, monkeypatch: pytest.MonkeyPatch) -> None:
    """The WAL starts again from its limit on, instead of growing with every write."""
    monkeypatch.setattr(database, "WAL_BYTES_MAX", 100_000)
    wal = path.with_name(f"{path.name}-wal")
    store["big"] = "x" * 100_000
    assert wal.stat().st_size > 100_000
    store["small"] = 1
    assert wal.stat().st_size < 50_000
    assert store["big"] == "x" * 100_000


def test_a_reader_does_not_hold_up_a_checkpoint_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads an old state, the WAL only grows; nothing fails, and it shrinks afterwards."""
    monkeypatch.setattr(database, "WAL_BYTES_MAX", 100_000)
    wal = path.with_name(f"{path.name}-wal")
    with closing(SqliteState(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        store["a"] = 0
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM entries").fetchall()
        for number in range(3):
            store["a"] = f"{number}" * 100_000
        assert wal.stat().st_size > 300_000
        reader.execute("ROLLBACK")
        store["b"] = 1
        assert wal.stat().st_size < 50_000


def test_compact_gives_space_back(path: Path) -> None:
    """What was dropped from the history is no longer in the file."""
    with closing(SqliteState(path, history_limit=1)) as store:
        store["a"] = "x" * 1_000_000
        store["a"] = 1
        store.compact()
        assert path.stat().st_size < 100_000
        assert dict(store) == {"a": 1}
        assert store.verify().damaged == ()


def test_an_opening_that_fails_leaves_nothing_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot be read while the records are checked is an error, and the file is closed again."""
    SqliteState(path).close()

    def fail(_: Records) -> str:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Records, "find_doubt", fail)
    with pytest.raises(sqlite3.OperationalError):
        SqliteState(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


# closing


def test_closing_twice_is_harmless_and_use_afterwards_is_refused(store: SqliteState) -> None:
    """Every verb of a closed store raises ValueError, as those of a closed file do."""
    store["a"] = 1
    store.close()
    store.close()
    verbs: list[Callable[[], Any]] = [
        lambda: store["a"],
        lambda: "a" in store,
        lambda: len(store),
        lambda: list(store),
        lambda: store.version("a"),
        lambda: store.versions("a"),
        lambda: store.set("a", 2),
        lambda: store.pop("a"),
        lambda: store.transaction().__enter__(),
        lambda: store.list_snapshots(),
        store.ping,
        store.stats,
        store.flush,
        store.compact,
        store.verify,
    ]
    for verb in verbs:
        with pytest.raises(ValueError, match="is closed"):
            verb()


def test_closing_inside_a_transaction_is_refused(store: SqliteState) -> None:
    """The transaction can still commit."""
    with store.transaction() as transaction:
        transaction["a"] = 1
        with pytest.raises(RuntimeError, match="has a transaction open"):
            store.close()
    assert store["a"] == 1


def test_closing_waits_for_the_transaction_of_another_thread(store: SqliteState) -> None:
    """What was written before the close is there after it."""
    with store.transaction() as transaction:
        closer = threading.Thread(target=store.close)
        closer.start()
        transaction["a"] = 1
    closer.join()
    with closing(SqliteState(store._database.path)) as reopened:
        assert reopened["a"] == 1
