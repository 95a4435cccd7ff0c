"""Tasks of one event loop that share an open async state store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.among_tasks import CANCELLED, TASKS, require_of_tasks

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01",)
_ONE_ORDER = "sharing:threads consistency:linearizable"


@check(
    "STATE-CONC-21",
    sources="KV-36; Herlihy & Wing, TOPLAS 1990; mutants put_without_lock_in_tasks, put_that_seldom_waits",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_tasks_see_one_order_of_puts_gets_and_deletes(trial: Trial) -> None:
    """Tasks that share an async store see its puts, gets and deletes in one order, each between call and return.

    Why: an agent gathers its tool calls in one event loop. Wherever a store awaits, another task may come in; a put
    that loads, awaits and saves takes the other one's put away.

    Breaks it:

        async def __setitem__(self, key, value):
            data = await self._load()                  # another task loads the same
            data[key] = value
            await self._save(data)                     # and one of the two puts is gone
    """
    require_of_tasks(trial, "registers", TASKS)


@check(
    "STATE-CONC-22",
    sources="protean PR#1264; mutant cas_without_lock_in_tasks",
    capability="cas",
    promise=_ONE_ORDER,
    needs=("STATE-CAS-01",),
)
def test_one_of_two_tasks_swaps(trial: Trial) -> None:
    """Of tasks that compare-and-set one version, one succeeds; no update is lost.

    Why: a lease that two tasks hold guards nothing, also when both are in one process.

    Breaks it:

        async def compare_and_set(self, key, value, expected):
            if await self.version(key) != expected:    # two tasks pass here
                raise ConflictError(key)
            return await self._put(key, value)
    """
    require_of_tasks(trial, "swaps", TASKS)


@check(
    "STATE-CONC-23",
    sources="TX-17; Adya 1999, lost update; mutant transaction_without_lock_in_tasks",
    capability="transactions",
    promise=f"{_ONE_ORDER} isolation:snapshot-isolation",
    needs=("STATE-TXN-01",),
)
def test_no_update_of_a_transaction_is_lost_between_tasks(trial: Trial) -> None:
    """Of two tasks whose transactions read a value and write another in its place, the second sees the first's.

    Why: "read the balance, write the new one" in a transaction is the promise that nobody comes in between.

    Breaks it:

        @asynccontextmanager
        async def transaction(self):
            copy = await self._load()                  # two tasks copy the same
            yield copy
            await self._save(copy)                     # and the later one takes the other's write away
    """
    require_of_tasks(trial, "updates", TASKS)


@check(
    "STATE-CONC-24",
    sources="redis-py#2624, redis-py#2665; mutants cancel_leaks_response, handle_never_returned, handle_returned_dirty",
    promise=_ONE_ORDER,
    needs=("STATE-CONC-21",),
)
def test_a_cancelled_call_harms_no_other(trial: Trial) -> None:
    """After a call was cancelled its key has the old or the new value, others get their own answers, all goes on.

    Why: a timeout cancels a call in the middle. A connection that goes back to the pool with an answer on its way gives
    it to whoever asks next: one user sees the data of another.

    Breaks it:

        async def __getitem__(self, key):
            connection = await self._pool.get()
            try:
                await connection.send(key)
                return await connection.receive()      # cancelled here
            finally:
                self._pool.put_nowait(connection)      # the next one receives this answer
    """
    require_of_tasks(trial, "registers", CANCELLED)


@check(
    "STATE-CONC-25",
    sources="openai-agents#4202; mutants cancel_commits_half, rollback_overlaps_commit",
    capability="transactions",
    promise=f"{_ONE_ORDER} isolation:snapshot-isolation",
    needs=("STATE-CONC-23",),
)
def test_a_cancelled_transaction_is_done_whole_or_not_at_all(trial: Trial) -> None:
    """A transaction whose task is cancelled, also while it commits, has made all of its changes or none.

    Why: a transfer that was cancelled between two accounts has taken the money from one, and the other never gets it.

    Breaks it:

        async def _commit(self, changes):
            for key, value in changes.items():
                await self._write(key, value)          # cancelled after the first
    """
    require_of_tasks(trial, "cancelled transfers", CANCELLED)
