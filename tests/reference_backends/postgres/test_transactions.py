"""Transactions of the `postgres` backend: all or nothing, isolated from each other, and what is done again by whom."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reference_backends.postgres import ConflictError, PostgresState, RolledBackError
from reference_backends.postgres import database as database_module
from tests.reference_backends.postgres.conftest import ROOT, HandClock, Place, await_that


def await_a_wait(place: Place) -> None:
    """Return when a statement in this place waits for a lock."""
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation WHERE relnamespace = "
    waiting += f"'\"{place.namespace}\"'::regnamespace AND relname = 'entries' AND pid IN "
    waiting += "(SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock')"
    with place.connection() as connection:
        await_that(lambda: connection.execute(waiting.encode()).fetchall() != [(0,)], "a wait for a lock")


def test_a_transaction_is_all_or_nothing(store: PostgresState) -> None:
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


def test_a_transaction_has_the_conditional_verbs_too(store: PostgresState, clock: HandClock) -> None:
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


def test_a_transaction_refuses_use_after_its_end(store: PostgresState) -> None:
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


def test_writing_past_an_open_transaction_is_refused(store: PostgresState) -> None:
    """The same thread would wait for itself for ever; it is told so instead."""
    with store.transaction() as transaction:
        transaction["a"] = 1
        verbs: tuple[Callable[[], Any], ...] = (
            lambda: store.set("a", 2),
            lambda: store.pop("a"),
            lambda: store.transaction().__enter__(),
            store.compact,
            store.close,
        )
        for verb in verbs:
            with pytest.raises(RuntimeError, match="has a transaction open"):
                verb()
    assert dict(store) == {"a": 1}


def test_other_threads_read_at_once_and_write_afterwards(store: PostgresState) -> None:
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


def test_threads_lose_no_update(store: PostgresState) -> None:
    """Read and write in one transaction is one step for all threads of a handle, and none is rolled back."""

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


# others


def test_two_transactions_that_fit_in_no_order_are_not_both_made(place: Place) -> None:
    """Each reads what the other one writes: one of them is rolled back, is told so, and can be done again."""
    with place.state() as one, place.state() as two:
        one.update({"alice": "on call", "bob": "on call"})

        def block() -> None:
            with two.transaction() as second:
                assert second["alice"] == "on call"
                with one.transaction() as first:
                    assert first["bob"] == "on call"
                    first["alice"] = "off"
                second["bob"] = "off"

        with pytest.raises(RolledBackError, match=r"Another transaction got in between.*Nothing was changed; do it"):
            block()
        assert dict(one) == {"alice": "off", "bob": "on call"}
        with two.transaction() as again:
            assert again["alice"] == "off"
            again["carol"] = "on call"
        assert one["carol"] == "on call"


def test_a_transaction_that_was_rolled_back_can_not_go_on(place: Place) -> None:
    """Who passes over the error gets it again, with the next verb and at the end of the block."""
    with place.state() as one, place.state() as two:
        one["a"] = 1
        transactions = two.transaction()
        transaction = transactions.__enter__()
        assert transaction["a"] == 1
        one["a"] = 2
        verbs: tuple[Callable[[], Any], ...] = (
            lambda: transaction.set("a", 3),
            lambda: transaction["a"],
            lambda: transactions.__exit__(None, None, None),
        )
        for verb in verbs:
            with pytest.raises(RolledBackError):
                verb()
        assert (one["a"], two["a"]) == (2, 2)


def test_a_single_verb_waits_and_is_done_again(place: Place) -> None:
    """A write that a transaction of another process stood in the way of is made when that has ended."""
    with place.state() as one, place.state() as two:
        one["a"] = 1
        writer = threading.Thread(target=lambda: two.set("a", 3))
        with one.transaction() as transaction:
            transaction["a"] = 2
            writer.start()
            await_a_wait(place)
        writer.join()
        assert [one.get_version("a", version) for version in one.versions("a")] == [3, 2, 1]


def test_several_verbs_in_one_are_done_again_together(place: Place) -> None:
    """What `pop` reads is what it removes, however often it is tried."""
    with place.state() as one, place.state() as two:
        one["a"] = 1
        popped: list[Any] = []
        popper = threading.Thread(target=lambda: popped.append(two.pop("a")))
        with one.transaction() as transaction:
            transaction["a"] = 2
            popper.start()
            await_a_wait(place)
        popper.join()
        assert (popped, len(one)) == ([2], 0)


def test_what_is_always_rolled_back_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb does not try for ever."""
    monkeypatch.setattr(database_module, "TRIES", 3)
    monkeypatch.setattr(database_module, "PAUSE_SECONDS_MAX", 0.0)
    with place.state() as store:
        tried: list[int] = []

        def fail() -> None:
            tried.append(1)
            raise RolledBackError("again")

        with pytest.raises(RolledBackError, match="again"):
            store._database._tried(fail)
        assert len(tried) == 3


def test_a_statement_that_failed_undoes_its_block(place: Place) -> None:
    """PostgreSQL answers a COMMIT with a ROLLBACK then, and calls it a success; this backend does not."""
    with place.state(timeout=0.2) as store, place.connection() as other:
        store["a"] = 1

        def block() -> None:
            with other.transaction(), store.transaction() as transaction:
                transaction["b"] = 1
                other.execute("SELECT * FROM entries FOR UPDATE")
                with pytest.raises(TimeoutError, match="Nothing was changed"):
                    transaction["a"] = 2

        with pytest.raises(RuntimeError, match="all of it was undone"):
            block()
        assert dict(store) == {"a": 1}


def test_two_processes_lose_no_update(place: Place) -> None:
    """Conditional writes of several processes add up exactly, and each sees the writes of the other at once."""
    script = """if True:
        import sys
        from reference_backends.postgres import ConflictError, PostgresState
        store = PostgresState(sys.argv[1], sys.argv[2])
        for _ in range(30):
            while True:
                try:
                    version = store.version("n")
                    store.compare_and_set("n", 0 if version is None else store.get_version("n", version) + 1, version)
                    break
                except ConflictError:
                    pass
            while True:
                try:
                    with store.transaction() as transaction:
                        transaction["m"] = transaction.get("m", 0) + 1
                    break
                except ConflictError:
                    pass
        store.close()
    """
    arguments = [sys.executable, "-c", script, place.url, place.namespace]
    processes = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with place.state() as store:
        assert dict(store) == {"m": 60, "n": 59}
        assert len(store.versions("n")) == 60
        assert store.verify().damaged == ()
