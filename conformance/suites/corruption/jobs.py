"""Damaged files and the `jobs` contract: the truth, or an error; nothing else."""

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

_NEEDS = ("JOBS-BASIC-01", "JOBS-REOPEN-01")


@check(
    "JOBS-CORR-01",
    sources="RUN-32, KV-46; Bairavasundaram et al., FAST 2008",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_flipped_bit_is_served(trial: Trial) -> None:
    """No flipped bit in any file of a closed store gives a job that was not saved: each is right, or it is an error.

    Why: a flipped bit in `runAt` runs a job a hundred years later, or at once.

    Breaks it:

        def get_job(self, job_id):
            return json.loads(self._file(job_id).read_text())    # whatever is JSON is a job
    """
    serves_no_damage(trial, FLIPS)


@check(
    "JOBS-CORR-02",
    sources="KV-48; mutants jobs_parse_error_is_empty, jobs_stop_at_first_bad",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_cut_file_is_a_smaller_store(trial: Trial) -> None:
    """No file that was cut short or emptied makes fewer jobs, a shorter history, or a new store, without an error.

    Why: a job that is no longer listed is never run, and nobody misses it.

    Breaks it:

        try:
            self._jobs = json.loads(path.read_text())
        except ValueError:
            self._jobs = {}                                # and the next save makes it so
    """
    serves_no_damage(trial, CUTS)


@check(
    "JOBS-CORR-03",
    sources="KV-48; Ganesan et al., FAST 2017; mutant jobs_checksum_of_the_id",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_lost_or_misplaced_block_is_served(trial: Trial) -> None:
    """No block that reads as zeros, and none that was written to another place, is served as part of a job.

    Why: the payload of another job is sound in itself, and is sent to whom it was not meant for.

    Breaks it:

        if crc32(job["id"].encode()) == stored_checksum:    # of the id, not of the job
            return job
    """
    serves_no_damage(trial, BLOCKS)


@check(
    "JOBS-CORR-04",
    sources="KV-48, LOG-32; mutant jobs_junk_is_a_record",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_junk_behind_a_file_is_served(trial: Trial) -> None:
    """Junk or zeros behind the end of a file are no part of a job: they are passed over, or are an error.

    Why: file systems leave blocks of zeros, or of other files, behind what was written before a crash.

    Breaks it:

        text = path.read_text(errors="ignore")
        job, end = json.JSONDecoder().raw_decode(text)
        job["history"] += text[end:].splitlines()      # "one line for each run"
    """
    serves_no_damage(trial, TAILS)


@check(
    "JOBS-CORR-05",
    sources="KV-46, KV-48; mutant jobs_without_checksum",
    promise="corruption:detects",
    needs=_NEEDS,
)
def test_no_damage_to_a_recovered_store_is_served(trial: Trial) -> None:
    """No flipped bit and no cut in a store of jobs that was killed, opened again and closed is served as truth.

    Why: recovery writes files of its own: copies, checkpoints, files that were rewritten. Are they checked, too?

    Breaks it:

        if journal.exists():
            jobs = replay(journal)                         # checked
        else:
            jobs = json.loads(snapshot.read_text())        # not checked
    """
    serves_no_damage(trial, (*FLIPS, *CUTS), "recovered")


@check("JOBS-CORR-06", sources="LOG-34; mutant jobs_foreign_file_removed", promise="corruption:detects", needs=_NEEDS)
def test_a_foreign_file_does_no_harm(trial: Trial) -> None:
    """A foreign file among those of a store of jobs is no job and does no harm, and is left as it is.

    Why: people copy, sync and back up: `job (1).json` must not be run as well.

    Breaks it:

        for path in folder.iterdir():
            if path.name not in self._known:
                path.unlink()                              # "left over"
    """
    leaves_strangers_alone(trial)


@check(
    "JOBS-CORR-11",
    sources="RUN-32, KV-47; LevelDB UnrelatedKeys; mutant jobs_in_one_document",
    promise="corruption:isolates",
    needs=(*_NEEDS, "JOBS-CORR-01"),
)
def test_damage_to_one_costs_no_other(trial: Trial) -> None:
    """Damage to one job costs no other, also after one more save and reopening.

    Why: a schedule that does not open any more for the sake of one payload runs nothing at all.

    Breaks it:

        jobs = json.loads(self._path.read_text())    # one byte, and no job is due
    """
    keeps_the_undamaged(trial)


@check(
    "JOBS-CORR-12",
    sources="KV-47; Alagappan et al., FAST 2018; mutant jobs_recovery_truncates",
    promise="corruption:isolates",
    needs=(*_NEEDS, "JOBS-CORR-11"),
)
def test_recovery_drops_nothing_whole(trial: Trial) -> None:
    """The recovery of a killed store drops no whole job for the sake of one that is damaged.

    Why: a torn end is what a crash leaves, and is cut off. A bad sector in the middle looks the same.

    Breaks it:

        for record in records(file):
            if not record.sound:
                file.truncate(record.start)                # and all jobs that were saved later are gone
                break
    """
    recovery_keeps_the_undamaged(trial)


@check(
    "JOBS-CORR-21",
    sources="LOG-33, VS-18; mutant jobs_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "JOBS-CORR-01"),
)
def test_no_missing_or_old_file_is_unnoticed(trial: Trial) -> None:
    """A file that is missing, doubled, exchanged for another, or old is noticed in a store of jobs, or does no harm.

    Why: yesterday's file of a job has yesterday's `runCount`: what was done is done again.

    Breaks it:

        def list_jobs(self):
            return [self._load(path) for path in self._folder.glob("*.json")]    # those that are there are all
    """
    serves_no_damage(trial, FILES)


@check(
    "JOBS-CORR-22",
    sources="LOG-36; Bairavasundaram et al., FAST 2008, lost writes; mutant jobs_nobody_counts",
    promise="corruption:complete",
    needs=(*_NEEDS, "JOBS-CORR-01"),
)
def test_no_old_block_is_served(trial: Trial) -> None:
    """A block of a job as it once was is noticed, or does no harm.

    Why: a disk says that it has written, and has not: the job that was completed is ready again.

    Breaks it:

        if digest(page) == page.digest:                # of the old page, too
            return page
    """
    serves_no_damage(trial, OLD)


@check("JOBS-CORR-31", sources="LOG-30; persist-queue #142; mutant jobs_dies_of_a_length", needs=_NEEDS)
def test_damage_neither_kills_nor_hangs(trial: Trial) -> None:
    """Whatever is damaged, a store of jobs answers: the process does not die of it, and no call waits for ever.

    Why: a scheduler that hangs on one bad file misses every other job, and its watchdog starts it into the same
    file.

    Breaks it:

        while length > len(data):                      # a length that damage made large
            data += file.read()                        # gives nothing at the end of the file
    """
    neither_dies_nor_hangs(trial)


@check(
    "JOBS-CORR-91",
    sources="Prabhakaran et al., IRON File Systems, SOSP 2005; mutant jobs_dies_of_a_length",
    level="should",
    needs=_NEEDS,
)
def test_what_damage_does(trial: Trial) -> None:
    """What each kind of damage does to a store of jobs is counted and told, whatever is promised; it is no failure.

    Why: who must choose a store wants to know what it does not promise, too.

    Breaks it:

        def get_job(self, job_id):
            os.abort()                                 # nothing can be told of a store that ends the process
    """
    tells_what_damage_does(trial)
