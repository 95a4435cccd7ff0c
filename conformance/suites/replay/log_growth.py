"""What a log takes up: it is bounded by the live data, with compaction, and nothing stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.replay.growing import (
    require_little_in_memory,
    require_little_on_disk,
    require_nothing_left_open,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-CHECKPOINT-01", "LOG-COMPACT-01")


@check(
    "LOG-REPLAY-51",
    sources="LOG-44; Kafka log cleaner; SQLite WAL growth (checkpoint starvation)",
    capability="compaction",
    promise="durability:clean-close",
    needs=_NEEDS,
)
def test_files_do_not_follow_the_operations(trial: Trial) -> None:
    """The files of a log that is compacted do not grow with the number of operations.

    Measured after each compaction: they take up at most 4 times the live data and 128 MiB more than after the first,
    and in the end no more than 4 times the live data and an eighth of what was written.

    A store that compacts in the background, as servers do, has five seconds without a write to end that.

    Why: an agent that runs for weeks fills the disk. A compaction that only hides events is noticed by nobody until
    then. The constant leaves room for a segment and a journal that are not full.

    Breaks it:

        def compact(self, upto):
            self._first = upto + 1            # and the events stay where they are
    """
    require_little_on_disk(trial)


@check(
    "LOG-REPLAY-52",
    sources="LOG-44; RocksDB max_open_files; etcd WAL file locks",
    capability="compaction",
    needs=_NEEDS,
)
def test_memory_and_open_files_do_not_follow_the_operations(trial: Trial) -> None:
    """The memory and the open files of a process whose log is compacted do not grow with the number of operations.

    Measured after each compaction: at most 4 times the live data and 128 MiB more than after the first, in the end no
    more than 4 times the live data and half of what was written; and at most 32 open files more.

    Why: an index of all positions, or a handle for each segment that ever was, is small in a test. A process that
    lives for weeks dies of it: out of memory, or of "too many open files" in the midst of an append.

    Breaks it:

        self._segments.append(open(path, "ab"))     # and compaction removes the file, not the handle
    """
    require_little_in_memory(trial)


@check("LOG-REPLAY-53", sources="MEM-22; CPython ResourceWarning", needs=("LOG-BASIC-01",))
def test_closing_leaves_nothing_open(trial: Trial) -> None:
    """Opening and closing a log leaves no descriptors and no threads behind.

    Measured in one process that does it up to 500 times: it has at most 32 more of either than after 10 times.

    Why: a service opens a log for each session. What each leaves behind adds up to the limit of the process, and then
    everything else in it fails too.

    Breaks it:

        def close(self):
            self._file.close()                # and the lock file stays open
    """
    require_nothing_left_open(trial)
