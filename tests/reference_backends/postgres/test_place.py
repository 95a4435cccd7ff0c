"""The schema of a place: its name, its birth, its versions, migration."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reference_backends._json import dumps
from reference_backends.postgres import CorruptRecord, NewerSchemaError, Report
from reference_backends.postgres.place import schema_name
from tests.reference_backends.postgres.conftest import ROOT, Place


def open_in_three_processes(place: Place) -> None:
    """Open a store in three processes at once, and write the number of the process in each."""
    script = """if True:
        import sys
        from reference_backends.postgres import PostgresState
        store = PostgresState(sys.argv[1], sys.argv[2])
        store[sys.argv[3]] = 1
        store.close()
    """
    arguments = [sys.executable, "-c", script, place.url, place.namespace]
    processes = [subprocess.Popen([*arguments, str(number)], cwd=ROOT) for number in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]


# name


def test_long_names_stay_different() -> None:
    """PostgreSQL would cut them off at 63 bytes, and make one place of two; the begin is kept for people."""
    assert schema_name("a" * 63) == "a" * 63
    names = {schema_name("a" * 64), schema_name("a" * 65), schema_name("é" * 40), schema_name("é" * 41)}
    assert len(names) == 4
    assert all(len(name.encode()) <= 63 and name[:20] in ("a" * 20, "é" * 20) for name in names)


@pytest.mark.parametrize("namespace", ["", "a\x00b", "\ud800"])
def test_what_can_not_be_the_name_of_a_schema_is_refused(namespace: str) -> None:
    """Before anything is asked of a server."""
    with pytest.raises(ValueError, match="can't be the name of a schema"):
        schema_name(namespace)


@pytest.mark.parametrize("namespace", ['a"b', "A b\\c", "a'b;$$%s", "n" * 200, "é,public"])
def test_any_other_name_is_a_place(url: str, namespace: str) -> None:
    """Quotes, spaces and backslashes mean nothing in it."""
    place = Place(url, namespace)
    with place.state() as store, place.log() as log:
        store.clear()
        store["a"] = 1
        assert dict(store) == {"a": 1}
        assert log.verify().damaged == ()
    assert (schema_name(namespace),) in place.ask("SELECT nspname FROM pg_namespace")


def test_places_do_not_see_each_other(url: str) -> None:
    """Each has tables of its own."""
    with Place(url).state() as one, Place(url).state() as other:
        one["a"] = 1
        assert dict(other) == {}


# birth


def test_three_processes_create_one_store(place: Place) -> None:
    """All of them get the same store, and nothing is lost."""
    open_in_three_processes(place)
    with place.state() as store:
        assert sorted(store) == ["0", "1", "2"]


def test_opening_again_changes_nothing(place: Place) -> None:
    """Neither the tables nor what is in them are touched."""
    made = f"SELECT xmin FROM pg_class WHERE relnamespace = '\"{place.namespace}\"'::regnamespace ORDER BY oid"
    with place.state() as store:
        store["a"] = 1
    before = place.ask(made)
    with place.state() as store:
        assert dict(store) == {"a": 1}
    assert place.ask(made) == before


# versions


def test_a_newer_schema_is_refused(place: Place) -> None:
    """The place of newer code is left as it is."""
    with place.state():
        pass
    place.edit("UPDATE stores SET version = 3")
    with pytest.raises(NewerSchemaError, match=r"has version 3 of the tables of the state.*versions up to 2"):
        place.state()
    assert place.ask("SELECT version FROM stores") == [(3,)]


def test_a_schema_that_was_never_written_is_damage(place: Place) -> None:
    """No code of this store made version 0."""
    with place.state():
        pass
    place.edit("UPDATE stores SET version = 0")
    with pytest.raises(CorruptRecord, match="has version 0, which was never written"):
        place.state()


def test_a_missing_table_is_damage(place: Place) -> None:
    """It is not taken for a store in which nothing is."""
    with place.state() as store:
        place.edit("DROP TABLE entries")
        with pytest.raises(CorruptRecord, match='the schema of the store: relation "entries" does not exist'):
            len(store)
        assert store.verify().damaged


# migration

VALUES_1 = {"run-1": {"status": "done"}, "": None, "\x00": [1.5, "é"]}


def write_schema_1(place: Place, *more: tuple[bytes, bytes]) -> None:
    """Make a store as version 1 of the code did."""
    rows = [(key.encode(), dumps(value).encode()) for key, value in VALUES_1.items()]
    with place.connection() as connection:
        connection.execute(f'CREATE SCHEMA "{place.namespace}"'.encode())
        connection.execute("CREATE TABLE stores (store name PRIMARY KEY, version integer NOT NULL)")
        connection.execute("INSERT INTO stores VALUES ('state', 1)")
        connection.execute("CREATE TABLE data (key bytea PRIMARY KEY, value bytea NOT NULL)")
        connection.cursor().executemany("INSERT INTO data VALUES (%s, %s)", [*rows, *more])


def test_schema_1_is_migrated_with_all_values(place: Place) -> None:
    """Every value is there afterwards, with a version and a digest, and the next opening migrates nothing."""
    write_schema_1(place)
    for _ in range(2):
        with place.state() as store:
            assert dict(store) == VALUES_1
            assert store.verify() == Report(healthy=3, damaged=())
            assert len({*(store.version(key) for key in VALUES_1)}) == 3
    assert place.ask("SELECT to_regclass('data'), (SELECT version FROM stores)") == [(None, 2)]


@pytest.mark.parametrize("bad", [b"{", b"\xff"], ids=["no JSON", "no UTF-8"])
def test_a_migration_that_fails_changes_nothing(place: Place, bad: bytes) -> None:
    """What cannot be carried over stops the migration; the old code still finds everything, and a cure is possible."""
    write_schema_1(place, (b"bad", bad))
    for _ in range(2):
        with pytest.raises(ValueError):
            place.state()
        assert place.ask("SELECT count(*), (SELECT version FROM stores), to_regclass('entries') FROM data") == [
            (4, 1, None)
        ]
    place.edit("DELETE FROM data WHERE key = 'bad'")
    with place.state() as store:
        assert dict(store) == VALUES_1


def test_three_processes_migrate_one_store(place: Place) -> None:
    """One of them does, the others wait for it, and nothing is lost."""
    write_schema_1(place)
    open_in_three_processes(place)
    with place.state() as store:
        assert dict(store) == {**VALUES_1, "0": 1, "1": 1, "2": 1}
