"""Process kills and the `state` contract: the disk keeps what was written, the process loses what it had in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import survives_a_kill

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01")
_PROMISE = "durability:process-crash"


@check(
    "STATE-CRASH-01",
    sources="KV-40, KV-41, KV-43; mutants truncate_in_place, ack_before_threshold, orphan_tmp_listed",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_puts_and_deletes_survive_a_kill(trial: Trial) -> None:
    """Every acknowledged put and delete survives a kill of the process at any system call, and the store goes on.

    Why: processes are killed every day: by a deployment, by the out-of-memory killer, by Ctrl-C. What was acknowledged
    must be there, the write in flight whole or not at all, and the next write must not break what was recovered.

    Breaks it:

        def _save(self):
            with open(self._path, "w") as file:        # killed here, the file is empty
                json.dump(self._data, file)
    """
    survives_a_kill(trial, "puts and deletes")


@check("STATE-CRASH-02", sources="KV-41; mutant delete_then_write", promise=_PROMISE, needs=_NEEDS)
def test_overwrites_survive_a_kill(trial: Trial) -> None:
    """A kill during an overwrite leaves the old value or the new one, whole, whether the value grows or shrinks.

    Why: an overwrite in place has no old value to go back to; one that removes the old value first has none for a
    while.

    Breaks it:

        def __setitem__(self, key, value):
            self._path(key).unlink(missing_ok=True)    # killed here, the key is gone
            self._path(key).write_text(json.dumps(value))
    """
    survives_a_kill(trial, "overwrites growing and shrinking")


@check("STATE-CRASH-03", sources="KV-41; SQLite test6.c, large records", promise=_PROMISE, needs=_NEEDS)
def test_large_values_survive_a_kill(trial: Trial) -> None:
    """Values larger than a page, a buffer or a segment are written whole or not at all when the process is killed.

    Why: a value that fits into one write call is whole by luck. Agents store whole conversations.

    Breaks it:

        for start in range(0, len(data), 65536):
            file.write(data[start : start + 65536])    # killed between two chunks; nothing tells the end
    """
    survives_a_kill(trial, "values above a page")


@check(
    "STATE-CRASH-04",
    sources="TX-21, TX-22, TX-23; mutants partial_txn_applied, two_file_nonatomic",
    promise=_PROMISE,
    capability="transactions",
    needs=(*_NEEDS, "STATE-TXN-01"),
)
def test_transactions_survive_a_kill(trial: Trial) -> None:
    """A kill leaves all of a transaction or nothing of it, and all of every transaction that was acknowledged.

    Why: a transfer that took from one account and gave to none is the reason why transactions exist.

    Breaks it:

        for key, value in pending.items():
            self._append(key, value)                   # killed in the middle: half of it is replayed
    """
    survives_a_kill(trial, "transactions")


@check("STATE-CRASH-05", sources="KV-44; LevelDB #184", promise=_PROMISE, capability="maintenance", needs=_NEEDS)
def test_maintenance_survives_a_kill(trial: Trial) -> None:
    """A kill during `flush()` or `compact()`, or right after it, loses nothing and brings nothing back.

    Why: compaction is the one moment at which a store throws its old files away on purpose.

    Breaks it:

        def compact(self):
            self._path.unlink()
            self._write_all(self._path, self._data)    # killed between the two, everything is gone
    """
    survives_a_kill(trial, "maintenance")


@check("STATE-CRASH-06", sources="KV-40, KV-45; LOG-37", promise=_PROMISE, needs=_NEEDS)
def test_closing_and_opening_survive_a_kill(trial: Trial) -> None:
    """A kill while the store is closed or opened again loses nothing.

    Why: stores tidy up when they close and when they open: they merge, checkpoint and cut tails. A process that is
    told to stop is often killed a moment later.

    Breaks it:

        def close(self):
            self._log.truncate(0)
            self._write_snapshot()                     # killed between the two, the log and the snapshot are empty
    """
    survives_a_kill(trial, "closing and reopening")
