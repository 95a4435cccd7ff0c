"""Damaged files and the `runs` contract: the truth, or an error; nothing else."""

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

_NEEDS = ("RUNS-BASIC-01", "RUNS-REOPEN-01")


@check(
    "RUNS-CORR-01",
    sources="RUN-32, KV-46; Bairavasundaram et al., FAST 2008",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_flipped_bit_is_served(trial: Trial) -> None:
    """No flipped bit in any file of a closed store gives a run that was not saved: each is right, or it is an error.

    Why: a run is what an agent goes on from. One digit of a tool's arguments, and it books another flight.

    Breaks it:

        def get_run(self, run_id):
            return json.loads(self._file(run_id).read_text())    # whatever is JSON is a run
    """
    serves_no_damage(trial, FLIPS)


@check(
    "RUNS-CORR-02",
    sources="KV-48; mutants runs_parse_error_is_empty, runs_stop_at_first_bad",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_smaller_store(trial: Trial) -> None:
    """No file that was cut short or emptied makes fewer runs, a shorter run, or a new store, without an error.

    Why: a run that is no longer listed is never resumed, and nobody is told that it was there.

    Breaks it:

        def list_runs(self):
            for path in self._folder.glob("*.json"):
                try:
                    yield json.loads(path.read_text())
                except ValueError:
                    continue                               # "a file that is just being written"
    """
    serves_no_damage(trial, CUTS)


@check(
    "RUNS-CORR-03",
    sources="KV-48; Ganesan et al., FAST 2017; mutant runs_checksum_of_the_id",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_lost_or_misplaced_block_is_served(trial: Trial) -> None:
    """No block that reads as zeros, and none that was written to another place, is served as part of a run.

    Why: the block of another run is sound in itself: its messages then stand in this one.

    Breaks it:

        if crc32(run["id"].encode()) == stored_checksum:    # of the id, not of the run
            return run
    """
    serves_no_damage(trial, BLOCKS)


@check(
    "RUNS-CORR-04",
    sources="KV-48, LOG-32; mutant runs_junk_is_a_record",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_junk_behind_a_file_is_served(trial: Trial) -> None:
    """Junk or zeros behind the end of a file are no part of a run: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        run, _ = json.JSONDecoder().raw_decode(text)
        rest = text[_:].strip()
        return {**run, "tail": rest} if rest else run
    """
    serves_no_damage(trial, TAILS)


@check(
    "RUNS-CORR-05",
    sources="KV-46, KV-48; mutant runs_without_checksum",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_damage_to_a_recovered_store_is_served(trial: Trial) -> None:
    """No flipped bit and no cut in a store of runs that was killed, opened again and closed is served as truth.

    Why: recovery writes files of its own: copies, checkpoints, files that were rewritten. Are they checked, too?

    Breaks it:

        if journal.exists():
            runs = replay(journal)                         # checked
        else:
            runs = json.loads(snapshot.read_text())        # not checked
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check("RUNS-CORR-06", sources="LOG-34; mutant runs_foreign_file_removed", promise="corruption:detects", needs=_NEEDS)
def test_a_foreign_file_does_no_harm(trial: Trial) -> None:
    """A foreign file among those of a store of runs is no run and does no harm, and is left as it is.

    Why: people copy, sync and back up: `run (1).json` is no run that anybody saved.

    Breaks it:

        for path in folder.iterdir():
            if path.name not in self._known:
                path.unlink()                              # "left over"
    """
    leaves_strangers_alone(trial)


@check(
    "RUNS-CORR-11",
    sources="RUN-32, KV-47; LevelDB UnrelatedKeys; mutant runs_in_one_document",
    promise="corruption:isolates",
    needs=(*_NEEDS, "RUNS-CORR-01"),
)
def test_damage_to_one_costs_no_other(trial: Trial) -> None:
    """Damage to one run costs no other, also after one more save and reopening.

    Why: a hundred runs must not be lost for the sake of one message in one of them.

    Breaks it:

        runs = json.loads(self._path.read_text())    # one byte, and no run can be read
    """
    keeps_the_undamaged(trial)


@check(
    "RUNS-CORR-12",
    sources="KV-47; Alagappan et al., FAST 2018; mutant runs_recovery_truncates",
    promise="corruption:isolates",
    needs=(*_NEEDS, "RUNS-CORR-11"),
)
def test_recovery_drops_nothing_whole(trial: Trial) -> None:
    """The recovery of a killed store drops no whole run for the sake of one that is damaged.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)                # and all runs that were saved later are gone
                break
    """
    recovery_keeps_the_undamaged(trial)


@check(
    "RUNS-CORR-21",
    sources="LOG-33, VS-18; mutant runs_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "RUNS-CORR-01"),
)
def test_no_missing_or_old_file_is_unnoticed(trial: Trial) -> None:
    """A file that is missing, doubled, exchanged for another, or old is noticed in a store of runs, or does no harm.

    Why: a restore that was not finished leaves half of the runs, each of them sound. No checksum of a run shows
    that.

    Breaks it:

        def list_runs(self):
            return [self._load(path) for path in self._folder.glob("*.json")]    # those that are there are all
    """
    serves_no_damage(trial, FILES)


@check(
    "RUNS-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes; mutant runs_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "RUNS-CORR-01"),
)
def test_no_old_block_is_served(trial: Trial) -> None:
    """A block of a run as it once was is noticed, or does no harm.

    Why: a disk says that it has written, and has not: a run goes on from the checkpoint before the last, twice.

    Breaks it:

        if digest(page) == page.digest:                # of the old page, too
            return page
    """
    serves_no_damage(trial, OLD)


@check("RUNS-CORR-31", sources="LOG-30; persist-queue #142; mutant runs_dies_of_a_length", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs(trial: Trial) -> None:
    """Whatever is damaged, a store of runs answers: the process does not die of it, and no call waits for ever.

    Why: who gets an exception can go on with the other runs. A process that spins takes all of them with it.

    Breaks it:

        while length > len(data):                      # a length that damage made large
            data += file.read()                        # gives nothing at the end of the file
    """
    neither_dies_nor_hangs(trial)


@check(
    "RUNS-CORR-91",
    sources="Prabhakaran et al., IRON File Systems, SOSP 2005; mutant runs_dies_of_a_length",
    level="should",
    needs=_NEEDS,
)
def test_what_damage_does(trial: Trial) -> None:
    """What each kind of damage does to a store of runs is counted and told, whatever is promised; it is no failure.

    Why: who must choose a store wants to know what it does not promise, too.

    Breaks it:

        def get_run(self, run_id):
            os.abort()                                 # nothing can be told of a store that ends the process
    """
    tells_what_damage_does(trial)
