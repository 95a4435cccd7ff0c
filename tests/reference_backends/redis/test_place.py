"""Where the stores of the `redis` backend are on the server, a cluster included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from conformance import Where
from conformance.servers import Running
from reference_backends.redis import RedisLog, RedisState, open_async_log, open_async_state, open_log, open_state


def use(store: RedisState, log: RedisLog) -> None:
    """Call every verb that makes a key on the server."""
    store.set("a", 1, ttl=5)
    store["}{b"] = 2
    store.save_snapshot("}{s")
    with store.transaction() as transaction:
        transaction["c"] = transaction.pop("a")
        assert len(transaction) == 2
    assert store.load_snapshot("}{s") == {"a": 1, "}{b": 2}
    assert dict(store) == {"}{b": 2, "c": 1}
    assert store.verify().damaged == ()
    log.append_batch(["a", "b"])
    log.checkpoint("a", upto=1)
    log.compact(1)
    assert list(log.read()) == [(2, "b")]


def test_all_keys_of_a_store_are_in_one_slot(where: Where, server: Running) -> None:
    """Whatever is in the keys that the user gave."""
    with closing(open_state(where)) as store, closing(open_log(where)) as log:
        use(store, log)
    with closing(redis.Redis.from_url(server.url)) as client:
        names = [name for name in client.scan_iter(count=1000) if where.namespace.encode() in name]
    assert len(names) >= 10
    assert {key_slot(name) for name in names} == {key_slot(where.namespace.encode())}
    assert all(name.startswith(b"{%s}:" % where.namespace.encode()) for name in names)


def test_a_cluster_takes_it(serve: Callable[..., Running], where: Where) -> None:
    """A server in cluster mode refuses a script that touches another slot, or names too few keys."""
    running = serve(cluster_enabled="yes")
    with closing(redis.Redis.from_url(running.url)) as client:
        client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        while "cluster_state:ok" not in str(client.execute_command("CLUSTER", "INFO")):
            client.execute_command("WAIT", 1, 20)  # for a replica that never comes: the server waits, and goes on
    there = replace(where, url=running.url)
    with closing(open_state(there)) as store, closing(open_log(there)) as log:
        use(store, log)


@pytest.mark.parametrize("namespace", ["", "a}", "{a"])
def test_a_namespace_that_is_no_hash_tag_is_refused(where: Where, namespace: str) -> None:
    """Its keys would be all over the cluster."""
    for opener in (open_state, open_log):
        with pytest.raises(ValueError, match=r"where\.namespace='.*' can't be a hash tag"):
            opener(replace(where, namespace=namespace))


def test_a_place_without_a_server_is_refused(tmp_path: Path) -> None:
    """The message says what to write; a scheme that redis-py does not know is its to refuse."""
    for opener in (open_state, open_log):
        with pytest.raises(ValueError, match=r"where\.url is empty.*redis://"):
            opener(Where(tmp_path))
        with pytest.raises(ValueError, match="redis://"):
            opener(Where(tmp_path, url="http://127.0.0.1/"))
    for async_opener in (open_async_state, open_async_log):
        with pytest.raises(ValueError, match=r"where\.url is empty"):
            asyncio.run(async_opener(Where(tmp_path)))
