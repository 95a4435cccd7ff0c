"""Power loss and the `log` contract: only what was synced is sure; the rest is there, or not, or in parts.

Two rules for each workload, as for `state`: an earlier log, whole; and no acknowledged event is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import keeps_an_earlier_state, keeps_what_was_acknowledged

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")
_PREFIX = "durability:prefix"
_DURABLE = "durability:power-loss"


@check("LOG-CRASH-11", sources="LOG-37, LOG-39; ALICE, OSDI 2014", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_leaves_an_earlier_log(trial: Trial) -> None:
    """Power loss leaves a log that was: the first events, without a hole, none torn, and appending goes on behind them.

    Why: a torn record at the end is normal after power loss. It must be cut off before the next append, or everything
    after it is unreadable for ever.

    Breaks it:

        self._file = open(path, "ab")                  # appends behind the torn tail that reading stops at
    """
    keeps_an_earlier_state(trial, "appends")


@check(
    "LOG-CRASH-12",
    sources="LOG-40, LOG-41; valkey #4342",
    promise=_PREFIX,
    capability="batch",
    needs=(*_NEEDS, "LOG-BATCH-01"),
)
def test_power_loss_leaves_batches_whole(trial: Trial) -> None:
    """Power loss leaves all events of a batch or none of them.

    Why: one sync after the batch is not enough: power loss before it leaves any part of the batch.

    Breaks it:

        for event in events:
            self._file.write(record(event))            # a checksum for each event, none for the batch
        os.fsync(self._file.fileno())
    """
    keeps_an_earlier_state(trial, "batches")


@check("LOG-CRASH-13", sources="LOG-25, LOG-39", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_leaves_large_events_whole(trial: Trial) -> None:
    """After power loss no event larger than a page is there in parts, and a new segment is there or is made again.

    Why: the larger the event, the more of it may be missing: with its length right, and zeros at its end.

    Breaks it:

        length = int.from_bytes(self._file.read(8), "big")
        yield self._file.read(length)                  # without a checksum
    """
    keeps_an_earlier_state(trial, "events above a page")


@check(
    "LOG-CRASH-14",
    sources="LOG-45, LOG-48, VS-17, VS-19",
    promise=_PREFIX,
    capability="compaction",
    needs=(*_NEEDS, "LOG-COMPACT-01"),
)
def test_power_loss_in_compaction_leaves_an_earlier_log(trial: Trial) -> None:
    """Power loss during or after a checkpoint or a compaction leaves a checkpoint and every event behind it.

    Why: the events are removed for good. Was the checkpoint that stands for them synced?

    Breaks it:

        os.replace(temporary, self._checkpoint)        # not synced
        self._old_segment.unlink()                     # power loss keeps this, and not the checkpoint
    """
    keeps_an_earlier_state(trial, "checkpoints and compaction")


@check("LOG-CRASH-15", sources="LOG-15, LOG-37", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_around_reopening_leaves_an_earlier_log(trial: Trial) -> None:
    """Power loss while the log is closed or opened again leaves a log that was.

    Why: opening cuts the torn tail. If the cut and the next append reach the disk in another order, the tail is back.

    Breaks it:

        self._file.truncate(end)
        self._write_header(count=0)                    # "clean shutdown", before the events are synced
    """
    keeps_an_earlier_state(trial, "closing and reopening")


@check(
    "LOG-CRASH-21",
    sources="LOG-39, LOG-40; NATS JetStream 2.12.1, Jepsen 2025; mutant no_fsync_at_all",
    promise=_DURABLE,
    needs=(*_NEEDS, "LOG-CRASH-11"),
)
def test_acknowledged_appends_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged append is there after power loss, at its position.

    Why: others have acted on the position. After power loss it names another event.

    Breaks it:

        os.write(self._file, record)
        return position                                # synced every two minutes
    """
    keeps_what_was_acknowledged(trial, "appends")


@check(
    "LOG-CRASH-22",
    sources="LOG-39, LOG-40",
    promise=_DURABLE,
    capability="batch",
    needs=(*_NEEDS, "LOG-CRASH-12"),
)
def test_acknowledged_batches_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged batch is there after power loss.

    Why: batches are often written by a way of their own, and that way forgets the sync.

    Breaks it:

        def append_batch(self, events):
            self._file.writelines(map(record, events))
            self._file.flush()                         # append() syncs, this does not
    """
    keeps_what_was_acknowledged(trial, "batches")


@check("LOG-CRASH-23", sources="LOG-25, LOG-39", promise=_DURABLE, needs=(*_NEEDS, "LOG-CRASH-13"))
def test_acknowledged_large_events_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged event larger than a page is there after power loss, in a new segment too.

    Why: a segment is a new file. Its content is synced; its name is not, unless the directory is.

    Breaks it:

        os.fsync(self._segment.fileno())               # the first record of a new segment; the directory is not synced
    """
    keeps_what_was_acknowledged(trial, "events above a page")


@check(
    "LOG-CRASH-24",
    sources="LOG-48, VS-19",
    promise=_DURABLE,
    capability="compaction",
    needs=(*_NEEDS, "LOG-CRASH-14"),
)
def test_acknowledged_checkpoints_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged checkpoint, and every event behind it, is there after power loss.

    Why: whoever made the checkpoint has thrown away what it was made of.

    Breaks it:

        os.replace(temporary, self._checkpoint)        # the directory is not synced: the old checkpoint comes back
    """
    keeps_what_was_acknowledged(trial, "checkpoints and compaction")


@check("LOG-CRASH-25", sources="LOG-15, LOG-39", promise=_DURABLE, needs=(*_NEEDS, "LOG-CRASH-15"))
def test_reopening_a_log_loses_nothing_to_power_loss(trial: Trial) -> None:
    """Closing the log and opening it again makes no acknowledged event unsafe.

    Why: a log that begins a new segment at each start must sync the directory each time.

    Breaks it:

        self._file = open(folder / f"{first}.segment", "xb")   # a new name, never synced
    """
    keeps_what_was_acknowledged(trial, "closing and reopening")
