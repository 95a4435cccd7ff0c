"""The state store of the `sqlite` backend: transactions, threads and processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reference_backends.sqlite import ConflictError, SqliteState
from tests.reference_backends.test_sqlite_state import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> HandClock:
    """Return a clock at 1000."""
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path, clock: HandClock) -> Iterator[SqliteState]:
    """Give an open store."""
    with closing(SqliteState(path, clock=clock)) as opened:
        yield opened


def test_a_transaction_is_all_or_nothing(store: SqliteState) -> None:
    """It shows its own writes, nobody else sees them before the end, and an exception undoes and passes."""
    store["a"] = 1

    def block() -> None:
        with store.transaction() as transaction:
            transaction["a"] = 2
            transaction["b"] = 3
            del transaction["b"]
            transaction["c"] = 4
            assert (dict(transaction), len(transaction), "b" in transaction) == ({"a": 2, "c": 4}, 2, False)
            assert dict(store) == {"a": 1}
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        block()
    assert (dict(store), store.versions("a")) == ({"a": 1}, [1])
    with store.transaction() as transaction:
        transaction.clear()
        transaction["d"] = 5
    assert dict(store) == {"d": 5}


def test_a_transaction_has_the_conditional_verbs_too(store: SqliteState, clock: HandClock) -> None:
    """A refusal inside leaves the transaction usable."""
    with store.transaction() as transaction:
        version = transaction.compare_and_set("a", 1, None)
        with pytest.raises(ConflictError):
            transaction.compare_and_set("a", 2, None)
        with pytest.raises(KeyError):
            del transaction["missing"]
        with pytest.raises(TypeError):
            transaction["bad"] = object()
        with pytest.raises(TypeError):
            del transaction[5]  # type: ignore[arg-type]
        transaction.set("b", 2, ttl=5)
        assert transaction.versions("a") == [version]
    clock.now = 1005.0
    assert dict(store) == {"a": 1}


def test_a_transaction_refuses_use_after_its_end(store: SqliteState) -> None:
    """Reading and writing, after success and after failure."""
    with store.transaction() as transaction:
        transaction["a"] = 1
    verbs: tuple[Callable[[], Any], ...] = (
        lambda: transaction["a"],
        lambda: transaction.set("a", 2),
        transaction.clear,
    )
    for use in verbs:
        with pytest.raises(ValueError, match="has ended"):
            use()
    assert store["a"] == 1


def test_writing_past_an_open_transaction_is_refused(store: SqliteState) -> None:
    """The same thread would wait for itself for ever; it is told so instead."""
    with store.transaction() as transaction:
        transaction["a"] = 1
        for write in (lambda: store.set("a", 2), store.compact, lambda: store.transaction().__enter__()):
            with pytest.raises(RuntimeError, match="has a transaction open"):
                write()
    assert dict(store) == {"a": 1}


def test_other_threads_read_at_once_and_write_afterwards(store: SqliteState) -> None:
    """Nothing that another thread does slips into a transaction, and it cannot use its mapping."""
    store["a"] = "old"
    seen: list[Any] = []

    def write() -> None:
        store["other"] = dict(store)

    with store.transaction() as transaction:
        transaction["a"] = "new"

        def read() -> None:
            seen.append(store["a"])
            try:
                seen.append(transaction["a"])
            except RuntimeError as error:
                seen.append(str(error))

        reader = threading.Thread(target=read)
        reader.start()
        reader.join()
        writer = threading.Thread(target=write)
        writer.start()
        assert dict(transaction) == {"a": "new"}
    writer.join()
    assert seen == ["old", "A transaction belongs to the thread that began it."]
    assert store["other"]["a"] in ("old", "new")


def test_threads_lose_no_update(store: SqliteState) -> None:
    """Read and write in one transaction is one step for all threads of a handle."""

    def add() -> None:
        for _ in range(20):
            with store.transaction() as transaction:
                transaction["n"] = transaction.get("n", 0) + 1

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store["n"] == 60


def test_two_processes_lose_no_update(path: Path) -> None:
    """Conditional writes of several processes add up exactly, and each sees the writes of the other at once."""
    script = """if True:
        import sys
        from pathlib import Path
        from reference_backends.sqlite import ConflictError, SqliteState
        store = SqliteState(Path(sys.argv[1]))
        for _ in range(30):
            while True:
                try:
                    version = store.version("n")
                    store.compare_and_set("n", 0 if version is None else store.get_version("n", version) + 1, version)
                    break
                except ConflictError:
                    pass
        store.close()
    """
    processes = [subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with closing(SqliteState(path)) as store:
        assert store["n"] == 59
        assert len(store.versions("n")) == 60
        assert store.verify().damaged == ()
