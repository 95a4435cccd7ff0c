"""Random sequences of calls to a log, compared with the model after each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hypothesis.strategies import booleans, integers, lists, none, sampled_from

from conformance.models.log import LogModel, RefusedError
from conformance.random_examples import PlacedMachine, rule
from conformance.suites.round_trip import log_steps as steps
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial

#: The events by number, few and simple: what they hold is the business of other checks, and these shrink fast.
_EVENTS = integers(0, 9)
#: How far behind the head, or the latest checkpoint; mostly not at all, because that is where it gets interesting.
_BACK = sampled_from((0, 0, 0, 1, 3, -1))
_MAINTENANCE = ("verify", "flush")


class LogMachine(PlacedMachine):
    """A log and its model side by side; each rule is a call that both get."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        self.trial = trial
        self.model = LogModel()
        self.compacts = self.offers("compaction")

    def offers(self, capability: str) -> bool:
        """Tell whether the log offers a capability."""
        return steps.offers(self.trial, capability)

    def event(self, number: int) -> Any:
        """Return an event that the log accepts."""
        return domain.numbered(self.trial.backend.values, number)

    def teardown(self) -> None:
        """Compare all, where nothing went wrong so far, and leave the place."""
        try:
            if sys.exc_info()[0] is None:
                self._compare("at the end")
        finally:
            super().teardown()

    @rule(numbers=lists(_EVENTS, min_size=1, max_size=3))
    def append(self, numbers: list[int]) -> None:
        """Append events one by one."""
        for event in map(self.event, numbers):
            self.trial.equal(self.store.append(event), self.model.append(event), "appending")

    @rule(lambda self: self.offers("batch"), numbers=lists(_EVENTS, max_size=3))
    def append_batch(self, numbers: list[int]) -> None:
        """Append a batch, an empty one now and then."""
        events = [self.event(number) for number in numbers]
        if events:
            steps.append_batch(self.trial, self.store, events, self.model.head, "appending a batch")
        else:
            self.store.append_batch([])
        self.model.append_batch(events)

    @rule(lambda self: self.offers("expected"), number=_EVENTS, distance=integers(-1, 1))
    def append_if_expected(self, number: int, distance: int) -> None:
        """Append an event if the head is the expected one, which it is not always."""
        event, expected = self.event(number), max(self.model.head + distance, 0)
        what = f"appending with expected={expected} to a log whose head is {self.model.head}"
        try:
            position = self.model.append(event, expected)
        except RefusedError:
            steps.must_decline(self.trial, lambda: self.store.append(event, expected=expected), what)
        else:
            self.trial.equal(self.store.append(event, expected=expected), position, what)

    @rule(lambda self: self.model.head, numbers=lists(_EVENTS, max_size=2))
    def append_what_cannot_be_stored(self, numbers: list[int]) -> None:
        """Append something that the log refuses, unless it can keep it: alone, or at the end of a batch."""
        batch = [*map(self.event, numbers), steps.UNSTORABLE]
        if len(batch) > 1 and self.offers("batch"):
            if not self.trial.refused(lambda: self.store.append_batch(batch)):
                self.model.append_batch(batch)
        elif not self.trial.refused(lambda: self.store.append(steps.UNSTORABLE)):
            self.model.append(steps.UNSTORABLE)

    @rule(lambda self: self.model.head, start=integers(-5, 8), length=none() | integers(-1, 5))
    def read(self, start: int, length: int | None) -> None:
        """Read a window, one with a negative start counted from the head, and ask for the head."""
        begin = start if start > 0 else max(self.model.head + 1 + start, 1)
        self._read(begin, None if length is None else begin + length, "reading a window")
        self.trial.equal(self.store.head, self.model.head, "the head")

    @rule(lambda self: self.model.head and steps.is_durable(self.trial))
    def reopen(self) -> None:
        """Close the log and open it again."""
        self.store = self.session.reopen(self.store)
        self._compare("after reopening")

    @rule(lambda self: self.compacts and self.model.head, back=_BACK, compact=booleans())
    def checkpoint(self, back: int, *, compact: bool) -> None:
        """Make a checkpoint near the head, one that must be refused now and then; drop all that it covers, or not."""
        upto = max(self.model.head - back, 1)
        self._adopt_first()
        state = steps.fold(self.trial, self.model.events[:upto])
        try:
            self.model.checkpoint(state, upto)
        except RefusedError as refused:
            steps.must_refuse(self.trial, lambda: self.store.checkpoint(state, upto), f"a checkpoint; {refused}")
        else:
            self.store.checkpoint(state, upto)
            if compact:
                self.compact(back=0)

    @rule(lambda self: self.compacts and self.model.covered, back=_BACK)
    def compact(self, back: int) -> None:
        """Compact up to a position near the latest checkpoint, one that must be refused now and then."""
        upto = max(self.model.covered - back, 1)
        self._adopt_first()
        long_gone = upto < self.model.first - 1
        try:
            self.model.compact(upto)
        except RefusedError as refused:
            steps.must_refuse(self.trial, lambda: self.store.compact(upto), f"compacting up to {upto}; {refused}")
        else:
            if long_gone:
                self.trial.refused(lambda: self.store.compact(upto))  # a log may say that this is done already
            else:
                self.store.compact(upto)
        self._adopt_first()

    @rule(lambda self: self.compacts and self.model.covered)
    def restore(self) -> None:
        """Fold the events after the latest checkpoint into its state."""
        self._restore("at a random moment")

    @rule(lambda self: self.model.head and any(map(self.offers, _MAINTENANCE)))
    def maintain(self) -> None:
        """Verify and flush the log, which changes nothing."""
        for method in filter(self.offers, _MAINTENANCE):
            getattr(self.store, method)()

    def _compare(self, when: str) -> None:
        self.trial.equal(self.store.head, self.model.head, f"the head {when}")
        if self.compacts:
            self._restore(when)
        else:
            self._read(1, None, f"reading {when}")

    def _read(self, start: int, stop: int | None, what: str) -> None:
        """Read a window; where compaction may have taken some of it, it may be refused, or begin with what is left."""
        window = (start,) if stop is None else (start, stop)
        if start > self.model.covered:
            steps.agree(self.trial, steps.entries(self.trial, self.store, *window), self.model.read(start, stop), what)
            return
        self._adopt_first()
        found: list[tuple[int, Any]] = []
        refused = self.trial.refused(lambda: found.extend(steps.entries(self.trial, self.store, *window)))
        if not refused:
            steps.agree(self.trial, found, self.model.read(start, stop), what)
        elif start >= self.model.first:
            first = self.model.first
            self.trial.violated(what, expected=f"the events from {start} on, `first` being {first}", got="an exception")

    def _restore(self, when: str) -> None:
        what = f"restoring the state from the latest checkpoint {when}"
        self.trial.equal(steps.restored(self.trial, self.store), steps.fold(self.trial, self.model.events), what)

    def _adopt_first(self) -> None:
        """Take over how much the store has compacted: it may have gone up to its latest checkpoint by itself."""
        if not self.model.covered:
            return
        first = self.store.first
        self.trial.true(
            type(first) is int and self.model.first <= first <= self.model.covered + 1,
            "`first`, which may lie behind what was compacted, but not behind the latest checkpoint",
            expected=f"an int from {self.model.first} to {self.model.covered + 1}",
            got=repr(first),
        )
        self.model.first = first
