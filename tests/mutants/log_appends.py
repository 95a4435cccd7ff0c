"""Logs whose batches and conditional appends are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.log_base import ConflictError, PlainLog, log_mutant
from tests.mutants.log_lifetime import Snapshot


class BatchBackwards(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        return super().append_batch(events[::-1])


class BatchIsOnePosition(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        return super().append_batch(events)[-1:]


class BatchReturnsHead(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        super().append_batch(events)
        return self.head


class EmptyBatchTakesOne(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        if not events:
            self.note("head", self.head + 1)
        return super().append_batch(events)


class EmptyBatchRaises(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        if not events:
            raise IndexError("an empty batch has no first event")
        return super().append_batch(events)


class BatchOneByOne(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        return [self.append(event) for event in events]


class BatchComesBack(PlainLog):
    """Undoes a refused batch in the head that it remembers, not in the file; the next start counts the rows."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        ((last,),) = self.rows("SELECT coalesce(max(position), 0) FROM log")
        self.note("head", last)

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return [entry for entry in super().read(start, stop) if entry[0] <= self.head]

    def insert(self, texts: list[Any]) -> list[int]:
        self.rows("DELETE FROM log WHERE position > ?", self.head)
        return super().insert(texts)

    def append_batch(self, events: list[Any]) -> Any:
        before, positions = self.head, []
        try:
            for event in events:
                positions.append(self.append(event))  # noqa: PERF401 - the first ones stay when one raises
        except TypeError:
            self.note("head", before)
            raise
        return positions


class BatchCutAt1000(PlainLog):
    def append_batch(self, events: list[Any]) -> Any:
        return super().append_batch(events[:1000])


class ZeroNeverPasses(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        if expected is not None and (not expected or expected != self.head):
            raise ConflictError(expected)
        return super().append(event)


class ZeroAlwaysPasses(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        return super().append(event, expected or None)


class ExpectedIgnored(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        return super().append(event)


class OnlyTooLowRefused(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        if expected is not None and expected < self.head:
            raise ConflictError(expected)
        return super().append(event)


class ConflictTakesPosition(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            return super().append(event, expected)
        except ConflictError:
            self.note("head", self.head + 1)
            raise


class WrongException(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            return super().append(event, expected)
        except ConflictError as error:
            raise OSError("the log could not be written") from error


class ConflictReturnsNone(PlainLog):
    def append(self, event: Any, expected: int | None = None) -> Any:
        try:
            return super().append(event, expected)
        except ConflictError:
            return None


class CountsSinceTheStart(PlainLog):
    """Compares `expected` with the number of appends that it has seen itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._appended = 0

    def append(self, event: Any, expected: int | None = None) -> Any:
        if expected is not None and expected != self._appended:
            raise ConflictError(expected)
        self._appended += 1
        return super().append(event)


class ComparesWithOwnHead(Snapshot):
    """Reads what all have appended, but compares `expected` with the head that it knows."""

    def append(self, event: Any, expected: int | None = None) -> Any:
        if expected is not None and expected != self._known:
            raise ConflictError(expected)
        return super().append(event)

    def read(self, start: int = 1, stop: int | None = None) -> Any:
        return PlainLog.read(self, start, stop)


class BatchAfterReopening(PlainLog):
    """The first batch after a reopening begins one too early, if no single append came before it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._fresh = self.head > 0

    def append(self, event: Any, expected: int | None = None) -> Any:
        self._fresh = False
        return super().append(event, expected)

    def append_batch(self, events: list[Any]) -> Any:
        if self._fresh and events:
            self.rows("DELETE FROM log WHERE position = ?", self.head)
            self.note("head", self.head - 1)
        self._fresh = False
        return super().append_batch(events)


MUTANTS = [
    log_mutant("log_batch_backwards", "a batch is appended in the wrong order", "BATCH-01", BatchBackwards),
    log_mutant("log_batch_is_one_position", "a batch returns its last position", "BATCH-01", BatchIsOnePosition),
    log_mutant("log_batch_returns_head", "a batch returns the head", "BATCH-01", BatchReturnsHead),
    log_mutant("log_empty_batch_takes_one", "an empty batch takes a position", "BATCH-02", EmptyBatchTakesOne),
    log_mutant("log_empty_batch_raises", "an empty batch raises", "BATCH-02", EmptyBatchRaises),
    log_mutant("log_batch_one_by_one", "a refused batch leaves a part", "BATCH-03", BatchOneByOne),
    log_mutant("log_batch_comes_back", "a refused batch is there after reopening", "BATCH-04", BatchComesBack),
    log_mutant("log_batch_cut_at_1000", "a batch is cut at 1,000", "BATCH-05", BatchCutAt1000),
    log_mutant("log_zero_never_passes", "expected=0 is always refused", "EXPECTED-01", ZeroNeverPasses),
    log_mutant("log_zero_always_passes", "expected=0 is never refused", "EXPECTED-02", ZeroAlwaysPasses),
    log_mutant("log_expected_ignored", "expected is ignored", "EXPECTED-02 MODEL-01", ExpectedIgnored),
    log_mutant("log_only_too_low_refused", "an expected head to come passes", "EXPECTED-02", OnlyTooLowRefused),
    log_mutant("log_conflict_takes_position", "a refusal takes a position", "EXPECTED-02", ConflictTakesPosition),
    log_mutant("log_conflict_returns_none", "a refusal is not told", "EXPECTED-02", ConflictReturnsNone),
    log_mutant("log_wrong_exception", "a refusal looks like a broken disk", "EXPECTED-03", WrongException),
    log_mutant("log_counts_since_the_start", "expected counts from the start", "EXPECTED-04", CountsSinceTheStart),
    log_mutant("log_compares_with_own_head", "expected is compared per handle", "EXPECTED-05", ComparesWithOwnHead),
    log_mutant("log_batch_after_reopening", "a batch overwrites, reopened", "MODEL-01", BatchAfterReopening),
]
