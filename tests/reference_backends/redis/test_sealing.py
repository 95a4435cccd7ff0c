"""A server's append-only file is rewritten before anything is added to it: half a transaction would come back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from conformance import Where
from conformance.hosting import hosted
from conformance.place import ManualClock
from conformance.servers import Running, serve
from conformance.servers.redis import RedisServer
from reference_backends.redis import (
    NotSealedError,
    backend,
    declare,
    open_async_log,
    open_async_state,
    open_log,
    open_state,
    sealing,
)

SERVER = RedisServer(save="")
#: What the log of a server says of each rewrite.
BEGUN = "rewriting started"


@contextmanager
def served(data: Path) -> Iterator[tuple[Running, Any]]:
    """Give a server on some files, and a client of it."""
    with serve(SERVER, data) as running, closing(redis.Redis.from_url(running.url)) as client:
        yield running, client


def at(running: Running, *, user: str = "") -> Where:
    """Return a place on a server."""
    url = running.url + (f"&username={user}&password=word" if user else "")
    return Where(Path(), "here", ManualClock(), url)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder for the files of a server."""
    return tmp_path / "data"


@pytest.fixture
def torn(data: Path) -> Path:
    """Return the files of a server that was killed while it wrote a transaction."""
    with served(data) as (_, client):
        client.set("before", 1)
        with client.pipeline(transaction=True) as pipeline:
            pipeline.set("x", "whole")
            pipeline.set("y", "torn" * 20)
            pipeline.set("z", "not written")
            pipeline.execute()
    file = next(data.glob("appendonlydir/*.incr.aof"), data / "appendonly.aof")
    content = file.read_bytes()
    file.write_bytes(content[: content.index(b"torntorn") + 10])
    return data


def write_state(where: Where) -> None:
    """Write two keys, which is two transactions of the server."""
    with closing(open_state(where)) as store:
        store["a"] = 1
        store["b"] = 1


def write_log(where: Where) -> None:
    """Append an event."""
    with closing(open_log(where)) as log:
        log.append("a")


def write_state_async(where: Where) -> None:
    """Do the same in an event loop."""

    async def write() -> None:
        store = await open_async_state(where)
        await store.set("a", 1)
        await store.set("b", 1)
        await store.close()

    asyncio.run(write())


def write_log_async(where: Where) -> None:
    """Do the same in an event loop."""

    async def write() -> None:
        log = await open_async_log(where)
        await log.append("a")
        await log.close()

    asyncio.run(write())


WRITERS = (write_state, write_log, write_state_async, write_log_async)


@pytest.mark.parametrize("write", WRITERS)
def test_half_a_transaction_does_not_come_back(torn: Path, write: Callable[[Where], None]) -> None:
    """Nor does it take with it what was written since."""
    with served(torn) as (running, client):
        assert client.keys() == [b"before"]
        write(at(running))
        written = sorted(client.keys())
    assert len(written) > 2
    with served(torn) as (_, client):
        assert sorted(client.keys()) == written


def test_a_single_command_behind_half_a_transaction_is_kept(torn: Path) -> None:
    """Where no EXEC follows, the server would drop it."""
    with served(torn) as (running, client):
        open_state(at(running)).close()
        client.set("after", 1)
    with served(torn) as (_, client):
        assert sorted(client.keys()) == [b"after", b"before"]


def test_a_kill_of_the_rewrite_is_survived(torn: Path) -> None:
    """Redis 7 has begun another file by then, mends the torn one, and does not start: so it is started once more."""
    with served(torn) as (running, client):
        client.config_set("rdb-key-save-delay", 10_000_000)
        client.bgrewriteaof()
        running.kill()
    opener: Any = hosted(backend).state
    for turn in range(2):
        with opener(Where(torn, "here", ManualClock())) as store:
            store[f"after {turn}"] = turn
    with served(torn) as (running, client), closing(open_state(at(running))) as store:
        assert dict(store) == {"after 0": 0, "after 1": 1}
        assert client.get("before") == b"1"
        assert not client.exists("x", "y", "z")


def test_a_server_rewrites_once_in_its_life(data: Path) -> None:
    """However many stores are opened, at the same time as well; and once in the next life, for handles that go on."""
    with served(data) as (running, _), closing(open_log(at(running))) as log:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: write_state(at(running)), range(16)))
        for write in WRITERS:
            write(at(running))
        assert running.log.count(BEGUN) == 1
        running.kill()
        running.restart()
        log.append("b")
        log.append("c")
        assert running.log.count(BEGUN) == 2


def test_a_server_without_a_file_rewrites_nothing(server: Running, where: Where) -> None:
    """It would begin one."""
    write_state(where)
    assert declare(where)["durability"] == "volatile"
    assert BEGUN not in server.log


@pytest.mark.parametrize(
    ("denied", "reason"),
    [("bgrewriteaof", "does not rewrite its append-only file when it is told to"), ("info", "does not tell about its")],
)
def test_who_may_not_have_it_rewritten_promises_less(data: Path, denied: str, reason: str) -> None:
    """As on a hosted server. The stores work; the reason is what the server said, also when it was sealed before."""
    with served(data) as (running, client):
        client.execute_command("ACL", "SETUSER", "guest", "on", ">word", "~*", "+@all", f"-{denied}")
        for _ in range(2):
            for write in WRITERS:
                write(at(running, user="guest"))
            told = declare(at(running, user="guest"))
            assert told["durability"] == "clean-close"
            assert reason in told["lacks"]["process-crash"]
            assert "permission" in told["lacks"]["process-crash"]
            assert declare(at(running))["durability"] == "power-loss"


@pytest.mark.parametrize("opener", [open_state, open_log])
def test_a_rewrite_that_fails_is_told(data: Path, opener: Callable[[Where], Any]) -> None:
    """Nothing is written then."""
    with served(data) as (running, client):
        shutil.rmtree(data)  # the server is in it all the same, and can make no file there
        with pytest.raises(NotSealedError, match=r"could not rewrite its append-only file.*Nothing is written before"):
            opener(at(running))
        assert client.dbsize() == 0


def facts(**changed: str) -> bytes:
    """Return what a server tells that has rewritten nothing, with some of it changed."""
    told = {
        "aof_enabled": "1",
        "aof_rewrite_in_progress": "0",
        "aof_rewrite_scheduled": "0",
        "aof_last_rewrite_time_sec": "-1",
        "aof_last_bgrewrite_status": "ok",
    }
    return "".join(f"{name}:{value}\r\n" for name, value in (told | changed).items()).encode()


GOING_ON = facts(aof_rewrite_in_progress="1")
DONE = facts(aof_last_rewrite_time_sec="0")


def answered(*replies: Any) -> tuple[list[str], str]:
    """Return what is asked of a server that gives these replies, and what is said in the end."""
    steps, asked = sealing.seal(), []
    step = next(steps)
    for reply in replies:
        while isinstance(step, sealing.Pause):
            step = steps.send(None)
        asked.append(str(step.parts[0]))
        try:
            step = steps.send(reply)
        except StopIteration as end:
            return asked, end.value
    raise AssertionError(f"more is asked: {step}")


def test_a_rewrite_of_somebody_else_is_waited_for() -> None:
    """It began in the life of this server; one that waits for a snapshot to end, will begin."""
    refusal = redis.ResponseError("Background append only file rewriting already in progress")
    asked = ["INFO", "BGREWRITEAOF", "INFO", "INFO", "INFO"]
    waiting = facts(aof_rewrite_scheduled="1")
    assert answered(GOING_ON, refusal, GOING_ON, GOING_ON, DONE) == (asked, "")
    assert answered(waiting, b"scheduled", waiting, GOING_ON, DONE) == (asked, "")
    assert answered(DONE) == (["INFO"], "")


def test_a_rewrite_that_fails_is_tried_again() -> None:
    """Once, whatever an earlier one came to, and then it is an error."""
    failed = facts(aof_last_rewrite_time_sec="0", aof_last_bgrewrite_status="err")
    again = ["BGREWRITEAOF", "INFO"]
    assert answered(failed, b"started", failed, b"started", DONE) == (["INFO", *again, *again], "")
    with pytest.raises(NotSealedError, match="the rewrite failed, and the log"):
        answered(failed, b"started", failed, b"started", failed)
    with pytest.raises(NotSealedError, match=r"file: no fork\. Nothing"):
        answered(facts(), *[redis.ResponseError("no fork.")] * 2)


def test_a_server_without_the_command_is_told() -> None:
    """It may have been renamed."""
    unknown = redis.ResponseError("unknown command 'BGREWRITEAOF'")
    assert answered(facts(), unknown)[1].endswith("when it is told to (unknown command 'BGREWRITEAOF')")
    assert answered(b"# Persistence")[1] == "the server does not tell about its append-only file"


def test_the_end_is_not_waited_for_without_a_limit() -> None:
    """The pauses grow, up to a length at which nobody waits much too long."""
    pauses: list[float] = []

    def wait() -> None:
        steps = sealing.seal()
        step, replies = next(steps), iter([facts(), b"started"])
        while True:
            if isinstance(step, sealing.Pause):
                pauses.append(step.seconds)
                step = steps.send(None)
            else:
                step = steps.send(next(replies, GOING_ON))

    with pytest.raises(NotSealedError, match="has been rewriting its append-only file for 60 s"):
        wait()
    assert pauses[:3] == [0.001, 0.002, 0.004]
    assert max(pauses) == 0.02
    assert 60 <= sum(pauses) < 60.1
