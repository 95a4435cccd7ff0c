"""Two `log` stores that are asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "DIFF-LOG-01", level="should", sources="McKeeman, Differential Testing for Software (1998)", needs=("LOG-BASIC-01",)
)
def test_two_logs_answer_the_same(trial: Trial) -> None:
    """The same sequence of calls on two backends gets the same answers: positions, events, windows, the head.

    Why: whoever moves a log must find each event at its old position, or every cursor that was saved points elsewhere.

    Breaks it:

        def read(self, start=1, stop=None):
            return self._rows("SELECT ... WHERE n BETWEEN ? AND ?", start, stop)   # stop is excluded elsewhere
    """
    from hypothesis.strategies import integers, lists

    from conformance.models.twins import Twins, both_last, both_offer, common_values, swapped
    from conformance.random_examples import rule, run_machine

    any_event, lasting = common_values(trial), both_last(trial)
    has_batch, has_expected = both_offer(trial, "batch"), both_offer(trial, "expected")

    class Logs(Twins):
        def __init__(self) -> None:
            super().__init__(trial)

        @rule(event=any_event)
        def append(self, event: object) -> None:
            self.both("appending", lambda store: store.append(event))

        @rule(start=integers(1, 8), length=integers(0, 8))
        def read(self, start: int, length: int) -> None:
            what = f"reading from {start} to before {start + length}"
            self.both(what, lambda store: [tuple(pair) for pair in store.read(start, start + length)])
            self.both("reading all", lambda store: [tuple(pair) for pair in store.read()])
            self.both("the head", lambda store: store.head)

        @rule(lambda _: has_batch, events=lists(any_event, min_size=1, max_size=4))
        def append_batch(self, events: list[object]) -> None:
            self.both("appending a batch", lambda store: list(store.append_batch(events)))

        @rule(lambda _: has_expected, event=any_event, away=integers(-1, 1))
        def append_expected(self, event: object, away: int) -> None:
            what = "appending where the head is as expected" if not away else "appending where it is not"
            self.both(what, lambda store: swapped(store.append(event, expected=max(0, store.head + away))))

        @rule(lambda _: lasting)
        def reopen(self) -> None:
            self.reopen_both()
            self.both("reading all after reopening", lambda store: [tuple(pair) for pair in store.read()])
            self.both("the head after reopening", lambda store: store.head)

    run_machine(trial, Logs)
