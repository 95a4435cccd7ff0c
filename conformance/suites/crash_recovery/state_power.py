"""Power loss and the `state` contract: only what was synced is sure; the rest is there, or not, or in parts.

Two rules for each workload. An *earlier state*, whole: the newest writes may be gone, but the store opens, holds no
mixture and nothing torn, and works. And *nothing acknowledged is lost*: the newest write is there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import keeps_an_earlier_state, keeps_what_was_acknowledged

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01")
_PREFIX = "durability:prefix"
_DURABLE = "durability:power-loss"


@check(
    "STATE-CRASH-11",
    sources="KV-42; ALICE, OSDI 2014; mutant no_fsync_before_rename",
    promise=_PREFIX,
    needs=_NEEDS,
)
def test_power_loss_leaves_an_earlier_state_of_puts_and_deletes(trial: Trial) -> None:
    """Power loss leaves puts and deletes in a state that was: it opens, has no hole and nothing torn, and works.

    Why: a disk keeps what was synced. The rest it writes when it likes: the name of a file before its content, the
    second write before the first.

    Breaks it:

        with open(temporary, "w") as file:
            json.dump(value, file)                     # not synced
        os.replace(temporary, path)                    # the name may reach the disk before the content
    """
    keeps_an_earlier_state(trial, "puts and deletes")


@check("STATE-CRASH-12", sources="KV-42; mutant torn_page_accepted", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_leaves_an_old_or_new_value(trial: Trial) -> None:
    """Power loss during an overwrite leaves the old value or the new one, whole, whether the value grows or shrinks.

    Why: sectors are written one by one. A record that is overwritten in place may end as half of each.

    Breaks it:

        os.pwrite(self._file, record, self._offset[key])   # in place, without a checksum or a second copy
    """
    keeps_an_earlier_state(trial, "overwrites growing and shrinking")


@check("STATE-CRASH-13", sources="KV-42; mutant torn_page_accepted", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_leaves_large_values_whole(trial: Trial) -> None:
    """After power loss no value larger than a page is there in parts.

    Why: the larger the value, the more of it may be missing: with its length right, and zeros at its end.

    Breaks it:

        self._index[key] = (offset, len(data))         # the index reaches the disk, the end of the data does not
    """
    keeps_an_earlier_state(trial, "values above a page")


@check(
    "STATE-CRASH-14",
    sources="TX-22, TX-23; mutants partial_txn_applied, two_file_nonatomic",
    promise=_PREFIX,
    capability="transactions",
    needs=(*_NEEDS, "STATE-TXN-01"),
)
def test_power_loss_leaves_transactions_whole(trial: Trial) -> None:
    """Power loss leaves all of a transaction or nothing of it.

    Why: what the transaction wrote reaches the disk in parts and in any order; only a commit record that is synced
    after all of it, or a checksum over all of it, makes it one.

    Breaks it:

        for key, value in pending.items():
            self._append(key, value)
        os.fsync(self._file)                           # one sync, but no record that tells where it began
    """
    keeps_an_earlier_state(trial, "transactions")


@check("STATE-CRASH-15", sources="KV-43, KV-44", promise=_PREFIX, capability="maintenance", needs=_NEEDS)
def test_power_loss_in_maintenance_leaves_an_earlier_state(trial: Trial) -> None:
    """Power loss during `flush()` or `compact()`, or after it, leaves a state that was; no deleted key comes back.

    Why: a compaction is a rewrite of everything. The old file is removed for good; was the new one synced?

    Breaks it:

        os.replace(compacted, self._path)              # the new file was never synced, the old one is gone
    """
    keeps_an_earlier_state(trial, "maintenance")


@check("STATE-CRASH-16", sources="KV-42, KV-45; LOG-37", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_around_reopening_leaves_an_earlier_state(trial: Trial) -> None:
    """Power loss while the store is closed or opened again leaves a state that was.

    Why: recovery and the tidying up of `close` move data from one file to another. When the source goes before the
    target is synced, power loss takes both.

    Breaks it:

        self._apply(log)
        self._log_path.unlink()                        # what was applied is not synced yet
    """
    keeps_an_earlier_state(trial, "closing and reopening")


@check(
    "STATE-CRASH-21",
    sources="KV-40; ALICE, OSDI 2014; mutants no_dir_fsync, no_fsync_at_all",
    promise=_DURABLE,
    needs=(*_NEEDS, "STATE-CRASH-11"),
)
def test_acknowledged_puts_and_deletes_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged put and delete is there after power loss.

    Why: the caller was told that it is safe, and has thrown away its own copy. A file that was renamed into place is
    found again only when its directory was synced too.

    Breaks it:

        os.fsync(file.fileno())
        os.replace(temporary, path)                    # no sync of the directory: the old name may come back
    """
    keeps_what_was_acknowledged(trial, "puts and deletes")


@check("STATE-CRASH-22", sources="KV-40; mutant no_dir_fsync", promise=_DURABLE, needs=(*_NEEDS, "STATE-CRASH-12"))
def test_acknowledged_overwrites_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged overwrite is there after power loss: the old value does not come back.

    Why: an old balance is worse than none. It looks right.

    Breaks it:

        connection.execute("PRAGMA synchronous = NORMAL")  # with a WAL: commits are not synced
    """
    keeps_what_was_acknowledged(trial, "overwrites growing and shrinking")


@check("STATE-CRASH-23", sources="KV-40", promise=_DURABLE, needs=(*_NEEDS, "STATE-CRASH-13"))
def test_acknowledged_large_values_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged value larger than a page is there after power loss.

    Why: large values often take another way: a file of their own, an overflow page, a buffer that is written later.

    Breaks it:

        if len(data) > 65536:
            path.write_bytes(data)                     # small values are synced, large ones are not
    """
    keeps_what_was_acknowledged(trial, "values above a page")


@check(
    "STATE-CRASH-24",
    sources="TX-22",
    promise=_DURABLE,
    capability="transactions",
    needs=(*_NEEDS, "STATE-CRASH-14"),
)
def test_acknowledged_transactions_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged transaction is there after power loss.

    Why: the `with` block ended, so the caller went on and told others.

    Breaks it:

        self._log.write(commit_record)
        self._log.flush()                              # into the cache of the system, not onto the disk
    """
    keeps_what_was_acknowledged(trial, "transactions")


@check(
    "STATE-CRASH-25",
    sources="KV-43, KV-44",
    promise=_DURABLE,
    capability="maintenance",
    needs=(*_NEEDS, "STATE-CRASH-15"),
)
def test_maintenance_loses_nothing_to_power_loss(trial: Trial) -> None:
    """After `flush()` or `compact()` every acknowledged write is there after power loss, as it was before.

    Why: data that was safe must not become unsafe because it was moved.

    Breaks it:

        os.replace(compacted, self._path)              # no sync of the directory: later writes go to a lost file
    """
    keeps_what_was_acknowledged(trial, "maintenance")


@check(
    "STATE-CRASH-26",
    sources="KV-40, KV-45",
    promise=_DURABLE,
    needs=(*_NEEDS, "STATE-CRASH-16"),
)
def test_reopening_loses_nothing_to_power_loss(trial: Trial) -> None:
    """Closing the store and opening it again makes no acknowledged write unsafe.

    Why: a store that begins a new file at each start must sync the directory that the file is in, each time.

    Breaks it:

        self._log = open(folder / f"{number}.log", "ab")   # a new name, never synced, that all writes go to
    """
    keeps_what_was_acknowledged(trial, "closing and reopening")
