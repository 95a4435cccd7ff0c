"""The async twins of the `redis` backend."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from conformance import Where
from conformance.servers import Running
from reference_backends.redis import (
    AsyncRedisLog,
    AsyncRedisState,
    ConflictError,
    NotAnsweredError,
    NotReachedError,
    RedisLog,
    RedisState,
    async_connections,
    open_async_log,
    open_async_state,
    open_log,
    open_state,
)
from reference_backends.redis.async_state import AsyncRedisTransaction

Use = Callable[[AsyncRedisState, AsyncRedisLog], Awaitable[None]]


def run(where: Where, use: Use) -> None:
    """Use a state and a log in an event loop."""

    async def used() -> None:
        store, log = await open_async_state(where), await open_async_log(where)
        try:
            await use(store, log)
        finally:
            await store.close()
            await log.close()

    asyncio.run(used())


def idle(store: Any) -> list[Any]:
    """Return the connections that a store would hand to its next call."""
    found: list[Any] = store._connections._idle
    return found


async def until_idle(store: Any) -> None:
    """Let all others go on until the store has no connection left: a call has taken it, and waits for the answer."""
    while idle(store):
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("sync", "twin"), [(RedisState, AsyncRedisState), (RedisLog, AsyncRedisLog)])
def test_the_twins_have_the_same_verbs(sync: type, twin: type) -> None:
    """Under the same names, with the same parameters."""
    for name in vars(sync):
        if name.startswith("_") or name in ("head", "first"):  # properties there, methods here
            continue
        here, there = inspect.signature(getattr(twin, name)), inspect.signature(getattr(sync, name))
        assert list(here.parameters.values()) == list(there.parameters.values()), name
    assert {"head", "first"} <= vars(twin).keys() or sync is RedisState


def test_what_one_writes_the_other_reads(where: Where) -> None:
    """The keys and the records are the same."""

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await store.set("a", [1], ttl=5)
        await store.update(b=2, c=3)
        assert await store.pop("c") == 3
        assert await store.pop("c", None) is None
        assert await store.get("c", "none") == "none"
        with pytest.raises(KeyError):
            await store.pop("c")
        assert await store.setdefault("d", 4) == 4
        assert sorted([await store.popitem()]) == [("d", 4)]
        await store.delete("b")
        await store.save_snapshot("s")
        assert await store.list_snapshots() == ["s"]
        assert [key async for key in store] == ["a"]
        assert (await store.stats(), await store.ping()) == ({"keys": 1, "versions": 4, "snapshots": 1}, True)
        assert await log.append_batch(["x", "y"]) == [1, 2]
        await log.checkpoint("x", upto=1)
        await log.compact(1)
        assert (await log.head(), await log.first()) == (2, 2)
        assert [entry async for entry in log.read()] == [(2, "y")]
        await store.flush()
        await log.flush()
        assert (await store.verify()).damaged == (await log.verify()).damaged == ()

    run(where, use)
    store, log = open_state(where), open_log(where)
    try:
        assert (dict(store), store.expires_at("a"), store.load_snapshot("s")) == ({"a": [1]}, 1005.0, {"a": [1]})
        assert (list(log.read()), log.latest_checkpoint()) == ([(2, "y")], ("x", 1))
    finally:
        store.close()
        log.close()


def test_transactions_of_tasks(where: Where) -> None:
    """Of two that read one value and write another, one is done again."""

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await store.set("n", 0)

        async def increment() -> None:
            while True:
                try:
                    async with store.transaction() as transaction:
                        await transaction.set("n", await transaction.get("n") + 1)
                        assert "n" in [key async for key in transaction]
                except ConflictError:
                    continue
                return

        await asyncio.gather(*(increment() for _ in range(5)))
        assert await store["n"] == 5

        async def undo() -> None:
            async with store.transaction() as transaction:
                ended.append(transaction)
                await transaction.delete("n")
                assert await transaction.get("n", "none") == "none"
                raise ZeroDivisionError

        ended: list[AsyncRedisTransaction] = []
        with pytest.raises(ZeroDivisionError):
            await undo()
        assert await store["n"] == 5
        with pytest.raises(ValueError, match="ended"):
            await ended[0]["n"]

    run(where, use)


def test_a_cancelled_call_drops_its_connection(serve: Callable[..., Running], where: Where) -> None:
    """The answer comes after all: it is not the answer to the next call."""
    running = serve()

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await store.update(a=1, b=2)
        running.pause()
        call = asyncio.ensure_future(store["a"])
        await until_idle(store)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert idle(store) == []
        following = asyncio.ensure_future(store["b"])
        await asyncio.sleep(0)
        running.resume()
        assert await following == 2
        assert (await store["a"], await store["b"]) == (1, 2)

    run(replace(where, url=running.url), use)


def test_an_append_that_was_cancelled_is_there_once_or_not_at_all(serve: Callable[..., Running], where: Where) -> None:
    """And the positions go on without a gap."""
    running = serve()

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await log.append("first")
        running.pause()
        call = asyncio.ensure_future(log.append("second"))
        await until_idle(log)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        running.resume()
        await log.append("third")
        events = [event async for _, event in log.read()]
        assert events in (["first", "second", "third"], ["first", "third"])

    run(replace(where, url=running.url), use)


def test_a_server_that_was_restarted_is_found_again(serve: Callable[..., Running], where: Where) -> None:
    """The old connections are noticed before anything is sent, so that a write is not ambiguous."""
    running = serve(appendonly="yes", appendfsync="always")

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await store.set("a", 1)
        running.kill()
        with pytest.raises(NotReachedError, match="Is the server up"):
            await store.set("a", 2)
        running.restart()
        await store.set("b", 2)
        assert [key async for key in store] == ["a", "b"]

    run(replace(where, url=running.url), use)


@pytest.mark.parametrize(("call", "error", "replies"), [("append", NotAnsweredError, 1), ("head", NotReachedError, 3)])
def test_only_what_looks_is_sent_again(
    where: Where, monkeypatch: pytest.MonkeyPatch, call: str, error: type[Exception], replies: int
) -> None:
    """The rule is that of the sync twin."""
    lost: list[bool] = []

    async def ask(*args: Any) -> Any:
        lost.append(True)
        raise redis.ConnectionError("cut")

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await log.append("a")
        with monkeypatch.context() as patched:
            patched.setattr(async_connections, "_ask", ask)
            with pytest.raises(error):
                await (log.append("b") if call == "append" else log.head())
        assert len(lost) == replies
        assert idle(log) == []

    run(where, use)


def test_a_closed_store_refuses(where: Where) -> None:
    """Closing again is harmless."""

    async def use(store: AsyncRedisState, log: AsyncRedisLog) -> None:
        await store.close()
        await log.close()
        for verb in (store.ping, store.flush, log.head, log.flush):
            with pytest.raises(ValueError, match="closed"):
                await verb()
        with pytest.raises(ValueError, match="closed"):
            async with store.transaction():
                pass

    run(where, use)
