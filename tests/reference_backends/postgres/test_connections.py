"""The connections of the `postgres` backend: settings, time limits, what breaks, and what is done about it."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.waiting import Ready, Wait

from conformance.servers import Running
from reference_backends.postgres import AmbiguousCommitError, PostgresState, RolledBackError
from reference_backends.postgres import session as session_module
from reference_backends.postgres.database import IDLE_MAX
from reference_backends.postgres.session import Access, Session
from tests.reference_backends.postgres.conftest import Place, await_that
from tests.reference_backends.postgres.test_transactions import await_a_wait


def backend_of(store: PostgresState) -> int:
    """Return the process of the server that answers to a store."""
    ((pid,),) = store._database.read("SELECT pg_backend_pid()")
    return int(pid)


def end_backend_of(store: PostgresState, place: Place) -> None:
    """Have the server end the connection of a store; it is gone when this returns."""
    assert place.ask(f"SELECT pg_terminate_backend({backend_of(store)}, 60000)") == [(True,)]


@pytest.fixture
def pausing(own: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return a place on a server that may be made to stand still; who asks it waits but shortly."""
    monkeypatch.setattr(session_module, "_GRACE_SECONDS", 0.1)
    yield Place(own.url)
    own.resume()


# settings


def test_every_connection_has_its_settings(url: str) -> None:
    """What isolation and time limits rest on is asked for; what an address says besides stays."""
    address = make_conninfo(url, options="-c work_mem=1234kB", application_name="mine")
    access = Access(address, 'a"b \\c', "serializable", 1.5)
    wanted = {
        "search_path": '"a""b \\c"',
        "default_transaction_isolation": "serializable",
        "statement_timeout": "1500ms",
        "lock_timeout": "1350ms",
        "enable_seqscan": "off",
        "jit": "off",
        "work_mem": "1234kB",
        "application_name": "mine",
    }
    session = Session(access)
    try:
        assert {name: session.rows(f"SHOW {name}")[0][0] for name in wanted} == wanted
    finally:
        session.close()
    given = access.parameters()
    assert (given["connect_timeout"], given["tcp_user_timeout"]) == (2, 1500)


def test_an_address_may_have_time_limits_of_its_own() -> None:
    """They are those of its network."""
    given = Access("host=a connect_timeout=7 tcp_user_timeout=9", "a", "serializable", None).parameters()
    assert (given["connect_timeout"], given["tcp_user_timeout"]) == ("7", "9")


@pytest.mark.parametrize("timeout", [0, -1.0])
def test_no_time_at_all_is_refused(place: Place, timeout: float) -> None:
    """PostgreSQL would take 0 for any time."""
    with pytest.raises(ValueError, match=r"leaves no time to answer\. Give seconds"):
        place.state(timeout=timeout)


def test_a_store_without_a_time_limit_works(place: Place) -> None:
    """None is any time."""
    with place.state(timeout=None) as store:
        store["a"] = 1
        assert store._database.read("SHOW statement_timeout") == [("0",)]


def test_connections_are_kept_but_not_many(url: str) -> None:
    """As many as are in use at once are made; a few stay; none is left when the store is closed."""
    name = f"test-{os.urandom(8).hex()}"
    place = Place(make_conninfo(url, application_name=name))
    mine = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{name}' AND pid <> pg_backend_pid()"
    with place.state() as store:
        with ExitStack() as used:
            pids = {used.enter_context(store._database._session()).rows("SELECT pg_backend_pid()")[0] for _ in range(5)}
            assert len(pids) == 5
        for _ in range(3):
            store["a"] = 1
            assert (backend_of(store),) in pids
        assert len(store._database._idle) == IDLE_MAX
    await_that(lambda: not place.ask(mine), "the end of all connections")


def test_no_connection_is_left_of_a_store_that_did_not_open(place: Place) -> None:
    """What was opened on the way is closed; a warning would be an error here."""
    with place.state():
        place.edit("UPDATE stores SET version = 99")
        with pytest.raises(Exception, match="version 99"):
            place.state()


# what breaks


def test_a_broken_connection_is_replaced(place: Place) -> None:
    """That the server closed it meanwhile is seen before anything is sent: nothing is in doubt."""
    with place.state() as store:
        verbs: tuple[Callable[[], Any], ...] = (
            lambda: store.set("a", 1),
            lambda: store["a"],
            lambda: store.pop("a"),
            lambda: store.verify(),
        )
        for verb in verbs:
            end_backend_of(store, place)
            verb()
        assert dict(store) == {}
        assert len(store.versions("a")) == 1


def test_a_call_whose_connection_breaks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read is done again. A write is not: it may have been made."""
    monkeypatch.setattr(Session, "is_alive", lambda _: True)  # it breaks just afterwards
    with place.state() as store:
        store["a"] = 1
        end_backend_of(store, place)
        assert store["a"] == 1
        end_backend_of(store, place)
        with pytest.raises(AmbiguousCommitError, match=r"was made, or it was not\. Read what is there"):
            store["a"] = 2
        assert store["a"] == 1
    with place.log() as log:
        log.append("a")
        ((pid,),) = log._database.read("SELECT pg_backend_pid()")
        place.ask(f"SELECT pg_terminate_backend({pid}, 60000)")
        with pytest.raises(AmbiguousCommitError):
            log.append("b")
        assert list(log.read()) == [(1, "a")]


def test_a_transaction_whose_connection_breaks(place: Place) -> None:
    """Before its end nothing was made, for certain; at its end nobody knows."""
    with place.state() as store:

        def block(*, go_on: bool) -> None:
            with store.transaction() as transaction:
                transaction["a"] = 1
                ((pid,),) = transaction._session.rows("SELECT pg_backend_pid()")
                place.ask(f"SELECT pg_terminate_backend({pid}, 60000)")
                if go_on:
                    transaction["b"] = 1

        with pytest.raises(ConnectionError, match="The connection to PostgreSQL broke"):
            block(go_on=True)
        with pytest.raises(AmbiguousCommitError):
            block(go_on=False)
        assert dict(store) == {}


def test_no_server_is_a_connection_error(place: Place) -> None:
    """The text has the words of libpq, and nothing was changed."""
    with pytest.raises(ConnectionError, match=r"No connection to PostgreSQL: .*Nothing was asked of it yet"):
        Place("postgresql://nobody@/nothing?host=/nonexistent").state()


def test_a_server_that_was_killed_and_started_again(own: Running) -> None:
    """While it is away calls say so; afterwards the same handle works, and has what was acknowledged."""
    with Place(own.url).state() as store, Place(own.url).log() as log:
        store["a"] = 1
        log.append("a")
        own.kill()
        for verb in (lambda: store["a"], lambda: store.set("a", 2), lambda: log.append("b")):
            with pytest.raises(ConnectionError):
                verb()
        own.restart()
        assert (store["a"], log.head) == (1, 1)
        store["a"] = 2
        assert log.append("b") == 2


# what takes too long


def test_a_wait_for_a_lock_has_an_end(place: Place) -> None:
    """The server ends it, so that nothing was changed."""
    with place.state(timeout=0.2) as store, place.connection() as other:
        store["a"] = 1
        with other.transaction():
            other.execute("SELECT * FROM entries FOR UPDATE")
            with pytest.raises(TimeoutError, match=r"after 0\.2 seconds: .*lock timeout\. Nothing was changed"):
                store["a"] = 2
            assert store["a"] == 1


def test_compaction_has_any_time_and_nothing_else_has(place: Place) -> None:
    """The limits are off for one statement; where that fails, the connection is not used again."""
    with place.state(timeout=1.5) as store, store._database._session() as session:
        with session.unlimited():
            assert session.rows("SHOW statement_timeout") == [("0",)]
            assert session.connection.limit_seconds is None
        assert session.rows("SHOW statement_timeout") == [("1500ms",)]
        assert session.connection.limit_seconds is not None
        with pytest.raises(ZeroDivisionError), session.unlimited():
            raise ZeroDivisionError
        assert session.connection.closed


def test_a_server_that_stands_still_is_waited_for_but_shortly(pausing: Place, own: Running) -> None:
    """A read has no answer, of a write nobody knows; and no late answer is taken for that of another call."""
    with pausing.state(timeout=0.5) as store:
        store.update({"a": 1, "b": 2})
        own.pause()
        with pytest.raises(TimeoutError, match="gave no answer for"):
            store["a"]
        with pytest.raises(TimeoutError, match="No connection to PostgreSQL: connection timeout expired"):
            store["a"] = 3  # not even a connection was had, so that nothing was sent
        own.resume()
        assert (store["b"], store["a"]) == (2, 1)
        own.pause()
        with pytest.raises(AmbiguousCommitError, match="gave no answer for"):
            store["a"] = 3
        own.resume()
        assert store["b"] == 2
        assert store["a"] in (1, 3)


def test_who_was_stopped_for_long_finds_an_answer_that_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is for the server: the time that this process does not run is not the server's."""
    now = iter([0.0, 100.0])
    monkeypatch.setattr(session_module.time, "monotonic", lambda: next(now))

    def waits() -> PQGen[str]:
        assert (yield Wait.R) == Ready.R
        return "the answer"

    limited = session_module._limited(waits(), 1.0)
    assert next(limited) == Wait.R
    with pytest.raises(StopIteration, match="the answer"):
        limited.send(Ready.R)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have Ctrl-C raise, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_call_leaves_no_connection(place: Place) -> None:
    """What the server sends on it now would be taken for the answer to the next call."""
    with place.state() as store, place.connection() as other:
        store["a"] = 1
        before = backend_of(store)
        with other.transaction():
            other.execute("SELECT * FROM entries FOR UPDATE")

            def interrupt() -> None:
                await_a_wait(place)
                _thread.interrupt_main()

            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                store["a"] = 2
            thread.join()
        assert store["a"] == 1
        assert backend_of(store) != before


def test_an_interrupted_transaction_is_undone(place: Place) -> None:
    """Its connection is closed, although it could be used again."""
    with place.state() as store:
        before = backend_of(store)

        def block() -> None:
            with store.transaction() as transaction:
                transaction["a"] = 1
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            block()
        assert dict(store) == {}
        assert backend_of(store) != before


# processes and retries


def test_a_connection_belongs_to_its_process(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked child refuses, and leaves the connections to its parent."""
    with place.state() as store:
        store["a"] = 1
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            with pytest.raises(RuntimeError, match="open it again in this process"):
                store["a"]
            with pytest.raises(RuntimeError, match="open it again in this process"):
                store["a"] = 2
            store.close()
        assert store["a"] == 1


def test_what_the_server_rolled_back_is_tried_again(place: Place) -> None:
    """It says that nothing was changed, so that it is safe."""
    with place.state() as store:
        answers: list[Any] = [RolledBackError("first"), RolledBackError("second"), "done"]

        def attempt() -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        assert store._database._tried(attempt) == "done"
