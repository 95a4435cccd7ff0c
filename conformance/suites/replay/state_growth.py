"""What a state store takes up: it is bounded by the live data, with compaction, and nothing stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.replay.growing import (
    require_little_in_memory,
    require_little_on_disk,
    require_no_history,
    require_nothing_left_open,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01",)


@check(
    "STATE-REPLAY-51",
    sources="LOG-44; ZODB pack; python dbm.dumb, which never frees space; SQLite VACUUM",
    capability="maintenance",
    methods=("compact",),
    promise="durability:clean-close",
    needs=_NEEDS,
)
def test_files_do_not_follow_the_operations(trial: Trial) -> None:
    """The files of a store that is overwritten and compacted do not grow with the number of operations.

    Measured after each compaction: they take up at most 4 times the live data and 128 MiB more than after the first,
    and in the end no more than 4 times the live data and an eighth of what was written.

    A store that compacts in the background, as servers do, has five seconds without a write to end that.

    Why: the state of an agent is small and is written all day. A store that keeps every old value fills the disk with
    what nobody can read any more.

    Breaks it:

        def compact(self):
            self._rewrite_index()             # and the old values stay in the data file
    """
    require_no_history(trial)
    require_little_on_disk(trial)


@check(
    "STATE-REPLAY-52",
    sources="LOG-44; RocksDB max_open_files",
    capability="maintenance",
    methods=("compact",),
    needs=_NEEDS,
)
def test_memory_and_open_files_do_not_follow_the_operations(trial: Trial) -> None:
    """The memory and the open files of a process that overwrites and compacts do not grow with the operations.

    Measured after each compaction: at most 4 times the live data and 128 MiB more than after the first, in the end no
    more than 4 times the live data and half of what was written; and at most 32 open files more.

    Why: a cache without an end, or a handle for each file that ever was, is small in a test. A process that lives for
    weeks dies of it.

    Breaks it:

        self._cache[key, version] = value     # nobody removes the old versions
    """
    require_no_history(trial)
    require_little_in_memory(trial)


@check("STATE-REPLAY-53", sources="MEM-22; CPython ResourceWarning", needs=_NEEDS)
def test_closing_leaves_nothing_open(trial: Trial) -> None:
    """Opening and closing a store leaves no descriptors and no threads behind.

    Measured in one process that does it up to 500 times: it has at most 32 more of either than after 10 times.

    Why: a service opens a store for each session. What each leaves behind adds up to the limit of the process, and
    then everything else in it fails too.

    Breaks it:

        def close(self):
            self._stopping = True             # the thread that syncs waits for a condition that nobody notifies
    """
    require_nothing_left_open(trial)
