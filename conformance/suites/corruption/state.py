"""Damaged files and the `state` contract: the truth, or an error; nothing else."""

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

_NEEDS = ("STATE-BASIC-01", "STATE-REOPEN-01")


@check(
    "STATE-CORR-01",
    sources="KV-46; Bairavasundaram et al., FAST 2008; mutants checksum_not_verified, checksum_header_only",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_flipped_bit_is_served(trial: Trial) -> None:
    """No flipped bit in any file of a closed store is served as truth: each value is right, or it is an error.

    Why: disks, memory and controllers flip bits, and nobody is told. A flipped digit in an amount is an amount.

    Breaks it:

        def __getitem__(self, key):
            checksum, payload = self._read(key)
            return json.loads(payload)                 # the checksum is stored, and never compared
    """
    serves_no_damage(trial, FLIPS)


@check(
    "STATE-CORR-02",
    sources="KV-48; mutants empty_file_is_new, parse_error_is_empty",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_smaller_store(trial: Trial) -> None:
    """No file that was cut short or emptied makes a smaller store, or a new one, without an error.

    Why: a full disk, a copy that was broken off, or a repair of the file system leaves short files. An empty store
    looks fine, and is overwritten by the next write.

    Breaks it:

        try:
            self._data = json.loads(path.read_text())
        except ValueError:
            self._data = {}                            # and the next write makes it so
    """
    serves_no_damage(trial, CUTS)


@check(
    "STATE-CORR-03",
    sources="KV-48; Ganesan et al., FAST 2017; mutant torn_page_accepted",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_lost_or_misplaced_block_is_served(trial: Trial) -> None:
    """No block that reads as zeros, and none that was written to another place, is served as data.

    Why: a sector that can't be read is often given as zeros, and firmware writes a block to the wrong address once
    in a while. Each is a sound block; only its place is wrong.

    Breaks it:

        checksum, payload = page[:4], page[4:]         # it does not cover the number of the page
    """
    serves_no_damage(trial, BLOCKS)


@check("STATE-CORR-04", sources="KV-48, LOG-32", promise="corruption:detects", needs=_NEEDS)
def test_no_junk_behind_a_file_is_served(trial: Trial) -> None:
    r"""Junk or zeros behind the end of a file are no data: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        *whole, last = data.split(b"\n")              # the junk is the newest entry
    """
    serves_no_damage(trial, TAILS)


@check("STATE-CORR-05", sources="KV-46, KV-48", promise="corruption:detects", needs=_NEEDS)
def test_no_damage_to_a_recovered_store_is_served(trial: Trial) -> None:
    """No flipped bit and no cut in the files of a store that was killed, opened again and closed is served as truth.

    Why: recovery writes files of its own: copies, checkpoints, files that were rewritten. Are they checked, too?

    Breaks it:

        if self._wal.exists():
            self._data = replay(self._wal)             # checked
        else:
            self._data = load(self._snapshot)          # not checked
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check("STATE-CORR-06", sources="LOG-34; RWAL TestListEdgeCases", promise="corruption:detects", needs=_NEEDS)
def test_a_foreign_file_does_no_harm(trial: Trial) -> None:
    """A foreign file among those of the store is no data and does no harm, and is left as it is.

    To refuse to open is right as well.

    Why: people copy, sync and back up. What a store does not know it must neither read nor delete.

    Breaks it:

        for path in folder.iterdir():
            if not self._is_mine(path):
                path.unlink()                          # "left over"
    """
    leaves_strangers_alone(trial)


@check(
    "STATE-CORR-11",
    sources="KV-47, KV-49; LevelDB UnrelatedKeys; mutants bad_record_blocks, recovery_deletes_db",
    promise="corruption:isolates",
    needs=(*_NEEDS, "STATE-CORR-01"),
)
def test_damage_to_one_value_costs_no_other(trial: Trial) -> None:
    """Damage to the value of one key costs no other key, also after one more write and reopening.

    Why: one bad sector must not take the whole store, and opening it must not drop what is still good.

    Breaks it:

        self._data = pickle.load(file)                 # one byte, and nothing can be read
    """
    keeps_the_undamaged(trial)


@check(
    "STATE-CORR-12",
    sources="LOG-26, LOG-27; Alagappan et al., FAST 2018; badger #434; mutant truncate_good_data",
    promise="corruption:isolates",
    needs=(*_NEEDS, "STATE-CORR-11"),
)
def test_recovery_drops_no_whole_value(trial: Trial) -> None:
    """The recovery of a killed store drops nothing that is whole for the sake of one key that is damaged.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same, and all that was
    acknowledged behind it is cut off with it.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)            # a torn end, or bit rot in the middle?
                break
    """
    recovery_keeps_the_undamaged(trial)


@check("STATE-CORR-21", sources="LOG-33, VS-18", promise="corruption:complete", needs=(*_NEEDS, "STATE-CORR-01"))
def test_no_missing_or_old_file_is_unnoticed(trial: Trial) -> None:
    """A file that is missing, doubled, exchanged for another, or an old version of itself is noticed, or does no harm.

    Why: a restore that was not finished, a copy of yesterday, a file that fsck put away: each file is sound, and
    their sum is not what was acknowledged. No checksum of its own shows that.

    Breaks it:

        return {key: self._load(key) for key in names(folder)}   # the files that are there are the store
    """
    serves_no_damage(trial, FILES)


@check(
    "STATE-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes",
    promise="corruption:complete",
    needs=(*_NEEDS, "STATE-CORR-01"),
)
def test_no_old_block_is_served(trial: Trial) -> None:
    """A block as it once was, in the place of the one that was acknowledged, is noticed, or does no harm.

    Why: a disk says that it has written, and has not. What is there is sound, checksum and all: it is only old.

    Breaks it:

        if digest(page) == page.digest:                # of the old page, too
            return page
    """
    serves_no_damage(trial, OLD)


@check("STATE-CORR-31", sources="LOG-30; persist-queue #142", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs(trial: Trial) -> None:
    """Whatever is damaged, the store answers: the process does not die of it, and no call waits for ever.

    Why: who gets an exception can go on without the store. A process that dies by a signal, or spins, takes all
    else with it.

    Breaks it:

        while length > len(data):                      # a length that damage made large
            data += file.read()                        # gives nothing at the end of the file
    """
    neither_dies_nor_hangs(trial)


@check(
    "STATE-CORR-32",
    sources="LOG-29; etcd wal.Verify; PostgreSQL pg_amcheck",
    promise="corruption:detects",
    methods=("verify",),
    needs=(*_NEEDS, "STATE-MAINT-06"),
)
def test_verify_names_what_is_damaged(trial: Trial) -> None:
    """What reading shows to be damaged, `verify()` names: it never calls such a store sound.

    Why: `verify()` is asked before a backup, a migration, an upgrade. What it calls sound is copied over what was.

    Breaks it:

        def verify(self):
            return {"healthy": len(self._index), "damaged": []}   # the index is sound; who has read the values?
    """
    verify_names_damage(trial)


@check(
    "STATE-CORR-41",
    sources="KV-49; RocksDB repair_test; prometheus TestReadIntactRecords",
    promise="corruption:detects",
    methods=("repair",),
    needs=(*_NEEDS, "STATE-CORR-01"),
)
def test_a_repair_keeps_all_that_is_whole(trial: Trial) -> None:
    """`repair()` of a store with one damaged record keeps every other, and reports what it dropped.

    Why: a repair is run by people in a hurry, on the only copy there is.

    Breaks it:

        def repair(self):
            self._file.truncate(self._first_damaged.offset)   # and all that stood behind it is gone, too
    """
    repair_keeps_the_undamaged(trial)


@check("STATE-CORR-91", sources="Prabhakaran et al., IRON File Systems, SOSP 2005", level="should", needs=_NEEDS)
def test_what_damage_does_to_a_store(trial: Trial) -> None:
    """What each kind of damage does is counted and told, whatever is promised; it is no failure of itself.

    The classes are harmless, detected, silent wrong, silent stale and silent missing. What the promised level does
    not answer for is found here, and only here.

    Why: who must choose a store wants to know what it does not promise, too.

    Breaks it:

        def __getitem__(self, key):
            os.abort()                                 # nothing can be told of a store that ends the process
    """
    tells_what_damage_does(trial)
