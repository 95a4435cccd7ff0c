"""Damaged files and the `vectors` contract: the truth, or an error; nothing else.

A record is its metadata and its vector, within the precision of 32 bits. What searches give counts like what is got:
each record must be found by its own vector, no id that can't be got, and each score must be that of the vectors.
"""

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

_NEEDS = ("VECTORS-BASIC-01", "VECTORS-REOPEN-01")


@check(
    "VECTORS-CORR-01",
    sources="VEC-25, KV-46; Bairavasundaram et al., FAST 2008; mutant vectors_without_checksum",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_flipped_bit_is_served(trial: Trial) -> None:
    """No flipped bit in any file of a closed store gives a vector or metadata that were not added, nor a wrong score.

    Why: nobody sees that a vector is another one: it is a row of numbers. It is found for the wrong questions, and no
    more for the right ones.

    Breaks it:

        self._rows = numpy.fromfile(path, dtype="float32")    # whatever has the right length is a vector
    """
    serves_no_damage(trial, FLIPS)


@check(
    "VECTORS-CORR-02",
    sources="VEC-26, KV-48; mutants vectors_index_without_checksum, vectors_stop_at_first_bad",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_smaller_store(trial: Trial) -> None:
    """No file that was cut short or emptied makes fewer records, fewer of them found, or a new store, without an error.

    Why: a search always finds something. That the best answer is not in the index any more is not to be seen in the
    others.

    Breaks it:

        try:
            self._index = faiss.read_index(path)
        except RuntimeError:
            self._index = faiss.IndexFlatL2(dimension)     # and what was in it?
    """
    serves_no_damage(trial, CUTS)


@check(
    "VECTORS-CORR-03",
    sources="KV-48; Ganesan et al., FAST 2017; mutant vectors_checksum_of_the_id",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_lost_or_misplaced_block_is_served(trial: Trial) -> None:
    """No block that reads as zeros, and none that was written to another place, is served as part of a record.

    Why: a row of zeros is a vector as good as any, and the row of another record is that of another text.

    Breaks it:

        if crc32(id.encode()) == stored_checksum:      # of the id, not of the vector
            return vector
    """
    serves_no_damage(trial, BLOCKS)


@check(
    "VECTORS-CORR-04",
    sources="KV-48, LOG-32; mutant vectors_junk_is_a_record",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_junk_behind_a_file_is_served(trial: Trial) -> None:
    """Junk or zeros behind the end of a file are no vector and no metadata: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        count = path.stat().st_size // (4 * dimension)     # as many vectors as the file is long
    """
    serves_no_damage(trial, TAILS)


@check(
    "VECTORS-CORR-05",
    sources="VEC-25, KV-46; mutant vectors_without_checksum",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_damage_to_a_recovered_store_is_served(trial: Trial) -> None:
    """No flipped bit and no cut in a store of vectors that was killed, opened again and closed is served as truth.

    Why: after a kill the index is made anew, or what was missing is added to it. Is what it is made of checked then?

    Breaks it:

        if index.is_older_than(records):
            index = build(records)                         # of whatever the records are now
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check(
    "VECTORS-CORR-06",
    sources="LOG-34; mutant vectors_foreign_file_removed",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_a_foreign_file_does_no_harm(trial: Trial) -> None:
    """A foreign file among those of a store of vectors is no record and does no harm, and is left as it is.

    Why: people copy, sync and back up: a copy of a segment is no segment, and finds everything twice.

    Breaks it:

        for path in folder.iterdir():
            if path.name not in self._known:
                path.unlink()                              # "left over"
    """
    leaves_strangers_alone(trial)


@check(
    "VECTORS-CORR-11",
    sources="KV-47; LevelDB UnrelatedKeys; mutant vectors_in_one_document",
    promise="corruption:isolates",
    needs=(*_NEEDS, "VECTORS-CORR-01"),
)
def test_damage_to_one_costs_no_other(trial: Trial) -> None:
    """Damage to one record costs no other, also after one more addition and reopening: each can be got.

    Why: embedding a million texts again for the sake of one of them takes days.

    Breaks it:

        records = json.loads(self._path.read_text())    # one byte, and no record can be got
    """
    keeps_the_undamaged(trial)


@check(
    "VECTORS-CORR-12",
    sources="KV-47; Alagappan et al., FAST 2018; mutant vectors_recovery_truncates",
    promise="corruption:isolates",
    needs=(*_NEEDS, "VECTORS-CORR-11"),
)
def test_recovery_drops_nothing_whole(trial: Trial) -> None:
    """The recovery of a killed store drops no whole record for the sake of one that is damaged.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)                # and all that was embedded later is gone
                break
    """
    recovery_keeps_the_undamaged(trial)


@check(
    "VECTORS-CORR-21",
    sources="VEC-26, LOG-33, VS-18; mutant vectors_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "VECTORS-CORR-01"),
)
def test_no_missing_or_old_file_is_unnoticed(trial: Trial) -> None:
    """A file that is missing, doubled, exchanged for another, or old is noticed in a store of vectors, or harmless.

    Why: the index of yesterday beside the records of today is sound, and finds what was deleted.

    Breaks it:

        if not index_path.exists():
            index = faiss.IndexFlatL2(dimension)           # a new store, it seems
    """
    serves_no_damage(trial, FILES)


@check(
    "VECTORS-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes; mutant vectors_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "VECTORS-CORR-01"),
)
def test_no_old_block_is_served(trial: Trial) -> None:
    """A block of a record as it once was is noticed, or does no harm.

    Why: a disk says that it has written, and has not: the vector is that of the text before it was changed.

    Breaks it:

        if digest(page) == page.digest:                # of the old page, too
            return page
    """
    serves_no_damage(trial, OLD)


@check("VECTORS-CORR-31", sources="LOG-30; persist-queue #142; mutant vectors_dies_of_a_length", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs(trial: Trial) -> None:
    """Whatever is damaged, a store of vectors answers: the process does not die of it, and no call waits for ever.

    Why: indexes are libraries in C++ that read a file as it is. A wrong number of a neighbour, and the process is gone.

    Breaks it:

        index = hnswlib.Index(space, dimension)
        index.load_index(path)                         # links are followed wherever they lead
    """
    neither_dies_nor_hangs(trial)


@check(
    "VECTORS-CORR-91",
    sources="Prabhakaran et al., IRON File Systems, SOSP 2005; mutant vectors_dies_of_a_length",
    level="should",
    needs=_NEEDS,
)
def test_what_damage_does(trial: Trial) -> None:
    """What each kind of damage does to a store of vectors is counted and told, whatever is promised; it is no failure.

    Why: who must choose a store wants to know what it does not promise, too.

    Breaks it:

        def get(self, ids):
            os.abort()                                 # nothing can be told of a store that ends the process
    """
    tells_what_damage_does(trial)
