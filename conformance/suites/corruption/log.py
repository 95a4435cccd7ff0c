"""Damaged files and the `log` contract: the truth, or an error; nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.corruption.rules import (
    BLOCKS,
    CUTS,
    FILES,
    FLIPS,
    OLD,
    TAILS,
    keeps_the_undamaged,
    leaves_strangers_alone,
    neither_dies_nor_hangs,
    recovery_keeps_the_undamaged,
    repair_keeps_the_undamaged,
    serves_no_damage,
    tells_what_damage_does,
    verify_names_damage,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")


@check("LOG-CORR-01", sources="LOG-29, LOG-30; NATS 2.12.1, Jepsen 2025", promise="corruption:detects", needs=_NEEDS)
def test_no_flipped_bit_is_read(trial: Trial) -> None:
    """No flipped bit in any file of a closed log is read as truth, or makes events vanish without an error.

    Why: a log is the truth that all else is made of again. What it says wrong, everything says wrong.

    Breaks it:

        def read(self):
            for line in self._file:
                yield json.loads(line)                 # whatever is JSON is an event
    """
    serves_no_damage(trial, FLIPS)


@check(
    "LOG-CORR-02",
    sources="LOG-26, LOG-32; mutants stop_at_first_bad, truncate_good_data",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_shorter_log(trial: Trial) -> None:
    """No file of a closed log that was cut short or emptied makes a shorter log, or a new one, without an error.

    Why: a torn record at the end is what a crash leaves, and is cut off. But this log was closed: what is missing
    was acknowledged.

    Breaks it:

        while len(header := file.read(8)) == 8:        # the end of the file is the end of the log
            yield self._record(header)
    """
    serves_no_damage(trial, CUTS)


@check("LOG-CORR-03", sources="LOG-29, LOG-31; Ganesan et al., FAST 2017", promise="corruption:detects", needs=_NEEDS)
def test_no_lost_or_misplaced_block_is_read(trial: Trial) -> None:
    """No block of a log that reads as zeros, or came to another place, is read as events, or hides any.

    Why: a length of zero is the end in many a format. In the middle of a file it hides all that follows.

    Breaks it:

        if length == 0:
            return                                     # the end of the log
    """
    serves_no_damage(trial, BLOCKS)


@check("LOG-CORR-04", sources="LOG-31, LOG-32", promise="corruption:detects", needs=_NEEDS)
def test_no_junk_behind_a_log_is_an_event(trial: Trial) -> None:
    r"""Junk or zeros behind the end of a file of a log are no events: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        yield from map(decode, data.split(b"\0"))      # zeros are empty events
    """
    serves_no_damage(trial, TAILS)


@check(
    "LOG-CORR-05",
    sources="LOG-29, LOG-64; Alagappan et al., FAST 2018; mutant high_watermark_truncation",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_damage_to_a_recovered_log_is_read(trial: Trial) -> None:
    """No flipped bit and no cut in the files of a log that was recovered is read as truth, or hides any event.

    The log was killed, opened again, and closed.

    Why: a log that takes damage in the middle for the torn tail of a crash cuts off all that follows, and was told
    that it had been acknowledged.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)            # bit rot, or a torn tail? Both are cut
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check(
    "LOG-CORR-06",
    sources="LOG-34; RWAL TestListEdgeCases; TWAL load-with-junk-files",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_a_foreign_file_is_no_part_of_a_log(trial: Trial) -> None:
    """A foreign file among those of the log is no part of it and does no harm, and is left as it is.

    To refuse to open is right as well.

    Why: people copy, sync and back up. What a log does not know it must neither read nor delete.

    Breaks it:

        segments = sorted(folder.iterdir())            # all of them, whatever they are
    """
    leaves_strangers_alone(trial)


@check(
    "LOG-CORR-11",
    sources="LOG-27, KV-47; prometheus #13152; mutants stop_at_first_bad, truncate_good_data",
    promise="corruption:isolates",
    needs=(*_NEEDS, "LOG-CORR-01"),
)
def test_damage_to_one_event_costs_no_other(trial: Trial) -> None:
    """Damage to one event costs no other: each can be read at its position, also after one more append and reopening.

    Why: what follows a bad record is not bad. A log that ends there has lost what it had acknowledged.

    Breaks it:

        if crc32(payload) != checksum:
            raise CorruptLog(offset)                   # and nothing behind it can be reached
    """
    keeps_the_undamaged(trial)


@check(
    "LOG-CORR-12",
    sources="LOG-26, LOG-27; Alagappan et al., FAST 2018; badger #434; mutant truncate_good_data",
    promise="corruption:isolates",
    needs=(*_NEEDS, "LOG-CORR-11"),
)
def test_recovery_drops_no_whole_event(trial: Trial) -> None:
    """The recovery of a killed store drops nothing that is whole for the sake of one event that is damaged.

    The newest event is left as it is: its end may rightly be taken for an unfinished append.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same, and all that was
    acknowledged behind it is cut off with it.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)            # a torn end, or bit rot in the middle?
                break
    """
    recovery_keeps_the_undamaged(trial)


@check(
    "LOG-CORR-21",
    sources="LOG-33, LOG-35; RocksDB track_and_verify_wals",
    promise="corruption:complete",
    needs=(*_NEEDS, "LOG-CORR-01"),
)
def test_no_missing_or_old_segment_is_unnoticed(trial: Trial) -> None:
    """A file of a log that is missing, doubled, exchanged, or an old version is noticed, or does no harm.

    Why: a segment in the middle is gone, and the log goes on behind it; or the newest is that of yesterday's
    backup.

    Breaks it:

        for path in sorted(folder.glob("*.segment")):  # nobody says which there must be
    """
    serves_no_damage(trial, FILES)


@check(
    "LOG-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes",
    promise="corruption:complete",
    needs=(*_NEEDS, "LOG-CORR-01"),
)
def test_no_old_block_is_read(trial: Trial) -> None:
    """A block of a log as it once was, in the place of the one that was acknowledged, is noticed, or does no harm.

    Why: a disk says that it has written, and has not. The log ends where it ended before.

    Breaks it:

        if crc32(record) == checksum:                  # of the old record, too
            yield record
    """
    serves_no_damage(trial, OLD)


@check("LOG-CORR-31", sources="LOG-30; etcd LastRecordLengthExceedFileEnd; persist-queue #142", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs_a_log(trial: Trial) -> None:
    """Whatever is damaged, the log answers: the process does not die of it, and no call waits for ever.

    Why: a length that points beyond the end of the file must not be believed.

    Breaks it:

        data = bytearray(length)                       # four bytes of damage, four gigabytes of memory
    """
    neither_dies_nor_hangs(trial)


@check(
    "LOG-CORR-32",
    sources="LOG-29; etcd wal.Verify; PostgreSQL pg_amcheck",
    promise="corruption:detects",
    capability="verify",
    needs=(*_NEEDS, "LOG-VERIFY-01"),
)
def test_verify_names_damaged_events(trial: Trial) -> None:
    """What reading shows to be damaged, `verify()` names: it never calls such a store sound.

    Why: `verify()` is asked before a backup, a migration, an upgrade. What it calls sound is copied over what was.

    Breaks it:

        def verify(self):
            return {"healthy": len(self._index), "damaged": []}   # the index is sound; who has read the events?
    """
    verify_names_damage(trial)


@check(
    "LOG-CORR-41",
    sources="KV-49; RocksDB repair_test; prometheus TestReadIntactRecords",
    promise="corruption:detects",
    methods=("repair",),
    needs=(*_NEEDS, "LOG-CORR-01"),
)
def test_a_repair_keeps_every_whole_event(trial: Trial) -> None:
    """`repair()` of a store with one damaged record keeps every other, and reports what it dropped.

    Why: a repair is run by people in a hurry, on the only copy there is.

    Breaks it:

        def repair(self):
            self._file.truncate(self._first_damaged.offset)   # and all that stood behind it is gone, too
    """
    repair_keeps_the_undamaged(trial)


@check("LOG-CORR-91", sources="Prabhakaran et al., IRON File Systems, SOSP 2005", level="should", needs=_NEEDS)
def test_what_damage_does_to_a_log(trial: Trial) -> None:
    """What each kind of damage does is counted and told, whatever is promised; it is no failure of itself.

    The classes are harmless, detected, silent wrong, silent stale and silent missing. What the promised level does
    not answer for is found here, and only here.

    Why: who must choose a log wants to know what it does not promise, too.

    Breaks it:

        def read(self):
            os.abort()                                 # nothing can be told of a log that ends the process
    """
    tells_what_damage_does(trial)
