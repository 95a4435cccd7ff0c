"""Stores are called as a program would call them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.benchmarks.acts import Act
from conformance.benchmarks.contracts import APPEND, CLAIM, GET, PUT, READ, SAVE_JOB, SCAN
from conformance.benchmarks.guest import Guest
from conformance.benchmarks.payload import Payload
from reference_backends import memory
from tests.benchmarks.stores import AsyncDict, Dict, Later, flushed, mine, open_log

PAYLOAD = Payload("json", 0, keys=3)


def batch(act: Act, count: int) -> list[tuple[Any, ...]]:
    """Return the arguments of some operations."""
    return [act.arguments(PAYLOAD, number) for number in range(count)]


def opened(backend: Backend, path: Path, contract: str = "state") -> Guest:
    """Return an open store."""
    return Guest(backend, contract, Where(path))


def test_a_batch_is_carried_out(tmp_path: Path) -> None:
    """Each operation is one call, in its order, and takes some time."""
    guest = opened(mine("m", state=lambda where: Dict()), tmp_path)
    assert guest.perform(PUT, batch(PUT, 5)) > 0
    assert guest.store.calls == ["put"] * 5
    assert dict(guest.store) == {
        PAYLOAD.key(n % 3): PAYLOAD.value(max(k for k in range(5) if k % 3 == n)) for n in range(3)
    }
    guest.close()


def test_writes_are_flushed_one_by_one(tmp_path: Path) -> None:
    """Where a flush acknowledges, each write ends with one, and no read does."""
    guest = opened(mine("m", state=lambda where: Dict(), flush=flushed), tmp_path)
    guest.perform(PUT, batch(PUT, 3))
    guest.perform(GET, batch(GET, 3))
    guest.perform_at_once(PUT, [batch(PUT, 1), batch(PUT, 1)])
    assert guest.store.calls[:9] == ["put", "flush"] * 3 + ["get"] * 3
    assert sorted(guest.store.calls[9:]) == ["flush", "flush", "put", "put"]
    guest.close()


def test_threads_share_the_handle(tmp_path: Path) -> None:
    """Batches at once are carried out each in a thread of its own; what one raises is raised."""
    who: set[int] = set()

    class Noting(Dict):
        def __setitem__(self, key: str, value: Any) -> None:
            who.add(threading.get_ident())
            super().__setitem__(key, value)

    guest = opened(mine("m", state=lambda where: Noting()), tmp_path)
    guest.perform(PUT, batch(PUT, 1))
    assert guest.perform_at_once(PUT, [batch(PUT, 4) for _ in range(8)]) > 0
    assert len(who) == 9
    assert guest.store.calls == ["put"] * 33
    with pytest.raises(KeyError):
        guest.perform_at_once(GET, [[("nobody",)], [("nobody",)]])
    guest.close()


def test_an_async_store_is_called_in_its_loop(tmp_path: Path) -> None:
    """A batch is one task, and batches at once are tasks of one loop."""
    guest = opened(mine("m", state=lambda where: AsyncDict()), tmp_path)
    guest.perform(PUT, batch(PUT, 3))
    assert guest.store.most == 1
    guest.perform_at_once(PUT, [batch(PUT, 2) for _ in range(4)])
    assert guest.store.most == 4
    guest.perform(GET, batch(GET, 3))
    guest.perform(SCAN, batch(SCAN, 1))
    assert len(guest.store.entries) == 3
    assert guest.store.listed == 1
    guest.store.items = None
    guest.perform(SCAN, batch(SCAN, 1))
    guest.close()


def test_what_has_to_be_awaited_is(tmp_path: Path) -> None:
    """A store that does not look async but gives awaitables is measured by what it does when they are awaited."""
    guest = opened(mine("m", state=lambda where: Later()), tmp_path)
    guest.perform(PUT, batch(PUT, 4))
    assert guest.store.calls == ["put"] * 4
    guest.close()


def test_what_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    """A window of a log is consumed, not only asked for."""
    guest = opened(mine("m", log=open_log), tmp_path, "log")
    guest.perform(APPEND, batch(APPEND, 3))
    seen: list[int] = []
    read = guest.store.read
    guest.store.read = lambda *window: (seen.append(position) or (position, event) for position, event in read(*window))
    guest.perform(READ, batch(READ, 2))
    assert seen == [1, 2, 3] * 2
    guest.close()


def test_a_job_is_claimed_and_completed(tmp_path: Path) -> None:
    """Each operation claims one due job and completes it; it is due again at the next."""
    guest = opened(memory.backend, tmp_path, "jobs")
    guest.perform(SAVE_JOB, batch(SAVE_JOB, 3))
    guest.perform(CLAIM, batch(CLAIM, 7))
    assert sum(job["runCount"] for job in guest.items("list_jobs")) == 7
    guest.close()


def test_a_store_that_does_not_open_is_left(tmp_path: Path) -> None:
    """What opening raises is raised."""

    def broken(where: Where) -> Dict:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        opened(mine("m", state=broken), tmp_path)
