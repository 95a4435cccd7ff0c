"""Logs whose checkpoints and compaction lose, forget or renumber."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.log_base import PlainLog, log_mutant


class OldestCheckpoint(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        if self.latest_checkpoint() is None:
            super().checkpoint(state, upto)


class CheckpointAtTheHead(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        super().checkpoint(state, upto)
        self.note("upto", self.head)


class FirstOfAPosition(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        if upto != self.fact("upto", 0):
            super().checkpoint(state, upto)


class CheckpointAhead(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        with self.writing():
            if upto < self.first - 1:
                raise ValueError(upto)
            self.note("state", self.encode(state))
            self.note("upto", upto)


class CheckpointSavedThenRefused(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        self.note("state", self.encode(state))
        self.note("upto", upto)
        super().checkpoint(state, upto)


class CheckpointBehind(PlainLog):
    def checkpoint(self, state: Any, upto: int) -> None:
        with self.writing():
            if upto > self.head:
                raise ValueError(upto)
            self.note("state", self.encode(state))
            self.note("upto", upto)


class EmptyStateIsNone(PlainLog):
    def latest_checkpoint(self) -> Any:
        found = super().latest_checkpoint()
        return found if found and found[0] else None


class CheckpointInMemory(PlainLog):
    """Keeps the checkpoint, or the very state, in the object."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._latest: Any = None

    def checkpoint(self, state: Any, upto: int) -> None:
        super().checkpoint(state, upto)
        self._latest = (self.decode(self.encode(state)), upto)

    def latest_checkpoint(self) -> Any:
        return self._latest and (self.decode(self.encode(self._latest[0])), self._latest[1])


class KeepsTheState(PlainLog):
    _latest: Any = None

    def checkpoint(self, state: Any, upto: int) -> None:
        super().checkpoint(state, upto)
        self._latest = (state, upto)

    def latest_checkpoint(self) -> Any:
        return self._latest or super().latest_checkpoint()


class GivesTheState(CheckpointInMemory):
    def latest_checkpoint(self) -> Any:
        return self._latest or PlainLog.latest_checkpoint(self)


class OneTooMany(PlainLog):
    def compact(self, upto: int) -> None:
        super().compact(upto)
        self.rows("DELETE FROM log WHERE position <= ?", upto + 1)


class Renumbers(PlainLog):
    """Numbers the events left from 1 on when it reads them."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [(position - self.first + 1, event) for position, event in super().read(start, stop)]


class OffsetWindows(PlainLog):
    """Forgets that the list of events left does not begin with position 1 any more, where a window has a stop."""

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        left = super().read()
        return super().read(start) if stop is None else left[start - 1 : max(stop - 1, 0)]


class FirstOfNothing(PlainLog):
    @property
    def first(self) -> int:
        ((first,),) = self.rows("SELECT coalesce(min(position), 0) FROM log")
        return int(first)


class FirstIsTheLastGone(PlainLog):
    @property
    def first(self) -> int:
        return max(super().first - 1, 1)

    def checkpoint(self, state: Any, upto: int) -> None:
        if upto < super().first - 1:
            raise ValueError(upto)
        super().checkpoint(state, upto)


class DropsByCount(PlainLog):
    """Drops as many events as the position says, wherever the log begins."""

    def compact(self, upto: int) -> None:
        if upto > self.fact("upto", 0):
            raise ValueError(upto)
        for position, _ in self.read()[:upto]:
            self.rows("DELETE FROM log WHERE position = ?", position)
        self.note("first", upto + 1)


class SecondTimeRaises(PlainLog):
    def compact(self, upto: int) -> None:
        if upto < self.first:
            raise ValueError(f"{upto} is gone already")
        super().compact(upto)


class CompactsAnything(PlainLog):
    def compact(self, upto: int) -> None:
        self.rows("DELETE FROM log WHERE position <= ?", upto)
        self.note("first", max(self.first, upto + 1))


class SequenceReused(PlainLog):
    """Takes the highest position there is for the head."""

    @property
    def head(self) -> int:
        ((last,),) = self.rows("SELECT coalesce(max(position), 0) FROM log")
        return int(last)


class SequenceReusedAfterReopening(PlainLog):
    """As above, but only when it is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        ((last,),) = self.rows("SELECT coalesce(max(position), 0) FROM log")
        self.note("head", last)


class CompactionInMemory(PlainLog):
    """Hides the events that it should have dropped, until it is reopened."""

    _hidden = 0

    @property
    def first(self) -> int:
        return max(super().first, self._hidden + 1)

    def compact(self, upto: int) -> None:
        if upto > self.fact("upto", 0):
            raise ValueError(upto)
        self._hidden = max(self._hidden, upto)

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [entry for entry in super().read(start, stop) if entry[0] > self._hidden]


class Resurrects(CompactionInMemory):
    """Says after reopening that the events before `first` are gone, and reads them all the same."""

    def compact(self, upto: int) -> None:
        super().compact(upto)
        self.note("first", max(self.first, upto + 1))

    @property
    def first(self) -> int:
        return PlainLog.first.fget(self)  # type: ignore[attr-defined, no-any-return]


_AHEAD = "CHECKPOINT-02"
MUTANTS = [
    log_mutant("log_oldest_checkpoint", "the first checkpoint stays", "CHECKPOINT-01", OldestCheckpoint),
    log_mutant("log_checkpoint_at_head", "a checkpoint counts for the head", "CHECKPOINT-01", CheckpointAtTheHead),
    log_mutant("log_first_of_a_position", "a second one at a position is lost", "CHECKPOINT-01", FirstOfAPosition),
    log_mutant("log_checkpoint_ahead", "a checkpoint ahead of the head passes", _AHEAD, CheckpointAhead),
    log_mutant("log_checkpoint_saved_first", "a refused checkpoint is kept", _AHEAD, CheckpointSavedThenRefused),
    log_mutant("log_checkpoint_behind", "one behind what is gone passes", "CHECKPOINT-03", CheckpointBehind),
    log_mutant("log_empty_state_is_none", "an empty state is no checkpoint", "CHECKPOINT-04", EmptyStateIsNone),
    log_mutant("log_keeps_the_state", "keeps the object that it was given", "CHECKPOINT-05", KeepsTheState),
    log_mutant("log_gives_the_state", "gives the object that it keeps", "CHECKPOINT-05", GivesTheState),
    log_mutant("log_checkpoint_in_memory", "no checkpoint after reopening", "CHECKPOINT-06", CheckpointInMemory),
    log_mutant("log_compacts_one_too_many", "drops one event too many", "COMPACT-01", OneTooMany),
    log_mutant("log_renumbers", "numbers the events left from 1", "COMPACT-02 COMPACT-08", Renumbers),
    log_mutant("log_offset_windows", "windows of a compacted log are shifted", "COMPACT-02", OffsetWindows),
    log_mutant("log_first_of_nothing", "`first` is 0 when nothing is left", "COMPACT-03", FirstOfNothing),
    log_mutant("log_first_is_gone", "`first` is the last event gone", "COMPACT-03", FirstIsTheLastGone),
    log_mutant("log_drops_by_count", "compacting twice drops twice", "COMPACT-04", DropsByCount),
    log_mutant("log_second_time_raises", "compacting twice raises", "COMPACT-04", SecondTimeRaises),
    log_mutant("log_compacts_anything", "compacts what no checkpoint covers", "COMPACT-05", CompactsAnything),
    log_mutant("seq_reused", "counts anew when nothing is left", "COMPACT-06 MODEL-01", SequenceReused),
    log_mutant("seq_reused_reopened", "the same, reopened", "COMPACT-07", SequenceReusedAfterReopening),
    log_mutant("log_compaction_in_memory", "all is back after reopening", "COMPACT-08", CompactionInMemory),
    log_mutant(
        "log_resurrects", "what `first` says is gone is read after reopening", "COMPACT-08 REPLAY-51", Resurrects
    ),
]
