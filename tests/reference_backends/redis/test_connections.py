"""What the stores of the `redis` backend do when the server or the network does not answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import redis
from redis.connection import AbstractConnection

from conformance import Where
from conformance.servers import Running
from reference_backends.redis import (
    NotAnsweredError,
    NotReachedError,
    RedisLog,
    RedisState,
    connections,
    open_log,
    open_state,
)
from reference_backends.redis.command import ATTEMPTS_MAX, plain


@contextmanager
def cut(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> Iterator[list[bool]]:
    """Lose the next replies: the server has done what it was asked, and nobody hears of it. Gives how many were."""
    lost: list[bool] = []
    ask = connections._ask

    def asked(*args: Any) -> Any:
        reply = ask(*args)
        if len(lost) < times:
            lost.append(True)
            raise error
        return reply

    with monkeypatch.context() as patched:
        patched.setattr(connections, "_ask", asked)
        yield lost


def idle(store: Any) -> list[Any]:
    """Return the connections that a store would hand to its next call."""
    found: list[Any] = store._connections._idle
    return found


def test_an_append_whose_answer_was_lost_is_not_sent_again(log: RedisLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there once, and the message says that nobody knows."""
    log.append("a")
    error = redis.ConnectionError("Broken.")
    with cut(monkeypatch, error, 1), pytest.raises(NotAnsweredError, match=r"append: Broken\. .* done or not"):
        log.append("b")
    assert list(log.read()) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    "write",
    [
        lambda store, log: store.set("a", 2),
        lambda store, log: store.compare_and_set("a", 2, 1),
        lambda store, log: store.pop("a"),
        lambda store, log: store.clear(),
        lambda store, log: store.update(a=2),
        lambda store, log: store.save_snapshot("s"),
        lambda store, log: log.append_batch(["a", "b"]),
        lambda store, log: log.checkpoint("", upto=0),
    ],
    ids=["put", "cas", "pop", "clear", "update", "snapshot", "append", "checkpoint"],
)
def test_no_write_is_sent_again(
    store: RedisState, log: RedisLog, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Any]
) -> None:
    """A plain put neither: somebody may have put and read another value in between."""
    store["a"] = 1
    with cut(monkeypatch, redis.TimeoutError("late"), 99) as lost:
        with pytest.raises(NotAnsweredError):
            write(store, log)
        assert len(lost) == 1
    assert idle(store) == [] or idle(log) == []


def test_a_commit_is_not_sent_again(store: RedisState, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it validated the first time would be a conflict of its own making."""
    store["a"] = 1
    manager = store.transaction()
    manager.__enter__()["a"] += 1
    with cut(monkeypatch, redis.ConnectionError("cut"), 99) as found, pytest.raises(NotAnsweredError):
        manager.__exit__(None, None, None)
    assert (len(found), store["a"], store.versions("a")) == (1, 2, [2, 1])


def test_a_read_is_tried_again_a_few_times(store: RedisState, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a new connection each time; then it raises, and says that nothing was changed."""
    store["a"] = 1
    assert store["a"] == 1
    with cut(monkeypatch, redis.ConnectionError("cut"), ATTEMPTS_MAX - 1):
        assert store["a"] == 1
    with cut(monkeypatch, redis.ConnectionError("cut"), 99) as lost:
        with pytest.raises(NotReachedError, match=r"read: cut\. Tried 3 times; nothing was changed"):
            store["a"]
        assert len(lost) == ATTEMPTS_MAX
    assert idle(store) == []


def test_an_interrupt_before_the_answer_drops_the_connection(
    store: RedisState, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the sending and the reading redis-py would put it back, with the answer to come."""
    store.update(a=1, b=2)
    assert len(idle(store)) == 1

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(AbstractConnection, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store["a"]
    assert idle(store) == []
    assert store["b"] == 2


def test_an_interrupt_in_the_handshake_drops_the_connection(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a handshake is none: the database would not be the one that the URL names."""
    at = "&" if "?" in where.url else "?"
    url = where.url.replace("db=0", "db=3") if "db=0" in where.url else f"{where.url.removesuffix('/0')}{at}db=3"
    with closing(open_state(replace(where, url=url))) as store, closing(open_state(where)) as other:
        store["a"] = 1
        original = AbstractConnection.send_command

        def send_command(self: Any, *args: Any, **kwargs: Any) -> None:
            if args[0] == "SELECT":
                raise KeyboardInterrupt
            original(self, *args, **kwargs)

        idle(store).pop().disconnect()
        with monkeypatch.context() as patched:
            patched.setattr(AbstractConnection, "send_command", send_command)
            with pytest.raises(KeyboardInterrupt):
                store["b"] = 1
        assert idle(store) == []
        store["c"] = 1
        assert (list(store), list(other)) == (["a", "c"], [])


def test_a_late_answer_finds_nobody(serve: Callable[..., Running], where: Where) -> None:
    """A server that stands still for longer than the time-out: what it answers then is for no other call."""
    running = serve()
    at = "&" if "?" in running.url else "?"
    there = replace(where, url=f"{running.url}{at}socket_timeout=0.2")
    with closing(open_state(there)) as store, closing(open_log(there)) as log:
        store.update({f"key{number}": number for number in range(20)})
        log.append("first")
        running.pause()
        try:
            with pytest.raises(NotReachedError, match="Tried once"):
                store["key0"]
            with pytest.raises(NotAnsweredError):
                log.append("second")
        finally:
            running.resume()
        for number in range(20):
            assert store[f"key{number}"] == number
        assert log.append("third") in (2, 3)
        events = [event for _, event in log.read()]
        assert events in (["first", "third"], ["first", "second", "third"])


def test_a_server_that_was_restarted_is_found_again(serve: Callable[..., Running], where: Where) -> None:
    """The old connections are noticed before anything is sent, so that a write is not ambiguous."""
    running = serve(appendonly="yes", appendfsync="always")
    with closing(open_state(replace(where, url=running.url))) as store:
        store["a"] = 1
        running.kill()
        with pytest.raises(NotReachedError, match="Is the server up"):
            store["a"] = 2
        running.restart()
        store["b"] = 2  # the script is unknown there
        assert dict(store) == {"a": 1, "b": 2}


def test_nobody_there_is_told_at_the_opening(where: Where) -> None:
    """Not at the first call that matters."""
    for opener in (open_state, open_log):
        with pytest.raises(NotReachedError, match="is the URL the right one"):
            opener(replace(where, url="unix:///nowhere/redis.sock"))


def test_a_refusal_of_the_server_keeps_the_connection(store: RedisState, where: Where, raw: Any) -> None:
    """It is a whole answer."""
    raw.set(f"{{{where.namespace}}}:state:entries", "not a hash")
    before = idle(store).copy()
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store["a"]
    assert idle(store) == before


def test_threads_share_a_store(store: RedisState) -> None:
    """Each call has a connection of its own; afterwards there are no more than there were threads."""
    wrong: list[Any] = []

    def work(name: str) -> None:
        for number in range(50):
            store[name] = number
            found = store[name]
            if found != number:
                wrong.append((name, found, number))

    threads = [threading.Thread(target=work, args=(f"thread{each}",)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(store)) == ([], 4)
    assert 1 <= len(idle(store)) <= 4


def test_closing_closes_every_connection(where: Where, raw: Any) -> None:
    """Those too that were used by others."""

    def clients() -> int:
        return len(raw.client_list())

    before = clients()
    store = open_state(where)
    threads = [threading.Thread(target=store.get, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clients() > before
    store.close()
    while clients() > before:  # the server notices in its own time
        raw.wait(1, 5)
    assert idle(store) == []


def test_a_call_that_ends_after_the_closing_leaves_no_connection(store: RedisState) -> None:
    """The connection was not idle while all others were closed."""
    connection, _ = store._connections._take()
    connection.connect()
    store.close()
    store._connections._give_back(connection)
    assert (idle(store), connection.is_connected if hasattr(connection, "is_connected") else False) == ([], False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_connections_of_its_own(store: RedisState) -> None:
    """Two processes on one socket would read each other's answers."""
    asked = plain("CLIENT", "ID", looks=True)
    mine = store._connections.call(asked)
    child = os.fork()
    if child == 0:
        try:
            store["child"] = store._connections.call(asked)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert store._connections.call(asked) == mine
    assert store["child"] > mine
