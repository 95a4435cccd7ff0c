"""Histories of a state store: what was read once is read for ever, by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.replay.seen import (
    judge_entries,
    judge_snapshots,
    judge_tokens,
    judge_versions,
    require_each,
    require_no_token_twice,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("STATE-BASIC-01",)


@check(
    "STATE-REPLAY-01",
    sources="KV-40; TLOmodel PR 419 (iteration of sets); PEP 456",
    promise="durability:clean-close",
    needs=_NEEDS,
)
def test_everybody_reads_the_same(trial: Trial) -> None:
    """A process with another hash seed, zone, language, clock and directory reads the same keys, values and length.

    Why: the process that writes and the one that reads it next week are started by other people on other machines. A
    store that depends on where it runs works in every test that runs in one place.

    Breaks it:

        path = directory / f"{hash(key):x}"   # another one in each process
    """
    require_each(trial, judge_entries)


@check("STATE-REPLAY-02", sources="VS-10, VS-11, VS-22", capability="history", needs=(*_NEEDS, "STATE-HIST-01"))
def test_versions_are_the_same_for_ever(trial: Trial) -> None:
    """A version keeps its place and its value for ever, compaction, reopening and processes elsewhere included.

    Why: a run is explained by the versions that it read. What compaction merges, or the next process lists in another
    order, is a history that did not happen.

    Breaks it:

        return list({row.version for row in rows})     # in this process the right order, by chance
    """
    require_each(trial, judge_versions)


@check("STATE-REPLAY-03", sources="VS-10, VS-17, VS-22", capability="snapshots", needs=(*_NEEDS, "STATE-SNAP-01"))
def test_snapshots_are_the_same_for_ever(trial: Trial) -> None:
    """A snapshot stays the state of its time for ever, compaction, reopening and processes elsewhere included.

    Why: a snapshot that holds references to what lives on is right until that is overwritten, or compacted away.

    Breaks it:

        self._snapshots[name] = list(self._data)       # the keys; the values are looked up when it is loaded
    """
    require_each(trial, judge_snapshots)


@check(
    "STATE-REPLAY-04",
    sources="KV-28, KV-33; SQLite rowid without AUTOINCREMENT",
    capability="cas",
    needs=(*_NEEDS, "STATE-CAS-01"),
)
def test_no_version_token_is_given_twice(trial: Trial) -> None:
    """No two writes of a key get one version token, deletes and compaction between them; everybody reads the same.

    Why: who holds an old token and meets it again overwrites what somebody else has written since, and is told that
    all is well.

    Breaks it:

        self._next = max(self._versions.values(), default=0) + 1     # when the newest one was deleted, it comes again
    """
    require_no_token_twice(trial)
    require_each(trial, judge_tokens)
