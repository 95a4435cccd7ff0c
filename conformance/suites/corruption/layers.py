"""Damaged files and the `layers` contract: the truth, or an error; nothing else."""

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
    serves_no_damage,
    tells_what_damage_does,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LAYERS-BASIC-01", "LAYERS-REOPEN-01")


@check(
    "LAYERS-CORR-01",
    sources="RUN-32, KV-46; Bairavasundaram et al., FAST 2008",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_flipped_bit_is_served(trial: Trial) -> None:
    """No flipped bit in any file of a closed store is served as truth: each entry is right, or it is an error.

    Why: what an agent remembers of a user decides what it says. A flipped bit in a policy is another policy.

    Breaks it:

        def get(self, key):
            return json.loads(self._file(key).read_text())    # whatever is JSON was remembered
    """
    serves_no_damage(trial, FLIPS)


@check(
    "LAYERS-CORR-02",
    sources="KV-48; mutants layers_parse_error_is_empty, layers_stop_at_first_bad",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_smaller_store(trial: Trial) -> None:
    """No file that was cut short or emptied makes a smaller memory, or a new one, without an error.

    Why: an agent that has forgotten its policy does not know that there was one.

    Breaks it:

        try:
            self._memory = json.loads(path.read_text())
        except ValueError:
            self._memory = {}                              # and the next `set` makes it so
    """
    serves_no_damage(trial, CUTS)


@check(
    "LAYERS-CORR-03",
    sources="KV-48; Ganesan et al., FAST 2017; mutant layers_checksum_of_the_id",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_lost_or_misplaced_block_is_served(trial: Trial) -> None:
    """No block that reads as zeros, and none that was written to another place, is served as an entry.

    Why: the block of another entry is sound in itself; it may be that of another user.

    Breaks it:

        if crc32(key.encode()) == stored_checksum:     # of the key, not of the value
            return value
    """
    serves_no_damage(trial, BLOCKS)


@check(
    "LAYERS-CORR-04",
    sources="KV-48, LOG-32; mutant layers_junk_is_a_record",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_junk_behind_a_file_is_served(trial: Trial) -> None:
    r"""Junk or zeros behind the end of a file are no entry: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        *whole, last = text.split("\n")               # the junk is the newest entry
    """
    serves_no_damage(trial, TAILS)


@check(
    "LAYERS-CORR-05",
    sources="KV-46, KV-48; mutant layers_without_checksum",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_damage_to_a_recovered_store_is_served(trial: Trial) -> None:
    """No flipped bit and no cut in a layered store that was killed, opened again and closed is served as truth.

    Why: recovery writes files of its own: copies, checkpoints, files that were rewritten. Are they checked, too?

    Breaks it:

        if journal.exists():
            memory = replay(journal)                       # checked
        else:
            memory = json.loads(snapshot.read_text())      # not checked
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check(
    "LAYERS-CORR-06",
    sources="LOG-34; mutant layers_foreign_file_removed",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_a_foreign_file_does_no_harm(trial: Trial) -> None:
    """A foreign file among those of a layered store is no entry and does no harm, and is left as it is.

    Why: people copy, sync and back up: a copy of the working memory is no memory of anybody.

    Breaks it:

        for path in folder.iterdir():
            if path.name not in self._known:
                path.unlink()                              # "left over"
    """
    leaves_strangers_alone(trial)


@check(
    "LAYERS-CORR-11",
    sources="RUN-32, KV-47; LevelDB UnrelatedKeys; mutant layers_in_one_document",
    promise="corruption:isolates",
    needs=(*_NEEDS, "LAYERS-CORR-01"),
)
def test_damage_to_one_costs_no_other(trial: Trial) -> None:
    """Damage to one entry costs no other, also after one more write and reopening.

    Why: one bad sector must not make an agent forget everything.

    Breaks it:

        memory = json.loads(self._path.read_text())    # one byte, and nothing is remembered
    """
    keeps_the_undamaged(trial)


@check(
    "LAYERS-CORR-12",
    sources="KV-47; Alagappan et al., FAST 2018; mutant layers_recovery_truncates",
    promise="corruption:isolates",
    needs=(*_NEEDS, "LAYERS-CORR-11"),
)
def test_recovery_drops_nothing_whole(trial: Trial) -> None:
    """The recovery of a killed store drops no whole entry for the sake of one that is damaged.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)                # and all that was set later is forgotten
                break
    """
    recovery_keeps_the_undamaged(trial)


@check(
    "LAYERS-CORR-21",
    sources="LOG-33, VS-18; mutant layers_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "LAYERS-CORR-01"),
)
def test_no_missing_or_old_file_is_unnoticed(trial: Trial) -> None:
    """A file that is missing, doubled, exchanged for another, or old is noticed in a layered store, or does no harm.

    Why: yesterday's memory is sound, and what the user took back today is in it.

    Breaks it:

        def entries(self):
            return [self._load(path) for path in self._folder.glob("*.json")]    # those that are there are all
    """
    serves_no_damage(trial, FILES)


@check(
    "LAYERS-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes; mutant layers_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "LAYERS-CORR-01"),
)
def test_no_old_block_is_served(trial: Trial) -> None:
    """A block of an entry as it once was is noticed, or does no harm.

    Why: a disk says that it has written, and has not: the old policy holds, checksum and all.

    Breaks it:

        if digest(page) == page.digest:                # of the old page, too
            return page
    """
    serves_no_damage(trial, OLD)


@check("LAYERS-CORR-31", sources="LOG-30; persist-queue #142; mutant layers_dies_of_a_length", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs(trial: Trial) -> None:
    """Whatever is damaged, a layered store answers: the process does not die of it, and no call waits for ever.

    Why: an agent can say that it does not remember. One that hangs says nothing.

    Breaks it:

        while length > len(data):                      # a length that damage made large
            data += file.read()                        # gives nothing at the end of the file
    """
    neither_dies_nor_hangs(trial)


@check(
    "LAYERS-CORR-91",
    sources="Prabhakaran et al., IRON File Systems, SOSP 2005; mutant layers_dies_of_a_length",
    level="should",
    needs=_NEEDS,
)
def test_what_damage_does(trial: Trial) -> None:
    """What each kind of damage does to a layered store is counted and told, whatever is promised; it is no failure.

    Why: who must choose a store wants to know what it does not promise, too.

    Breaks it:

        def get(self, key):
            os.abort()                                 # nothing can be told of a store that ends the process
    """
    tells_what_damage_does(trial)
