"""Replays of one log: again, in another process on another day, and of its beginnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.replay.errands import replay_again
from conformance.suites.replay.elsewhere import same_in_all_worlds
from conformance.suites.replay.laboratory import (
    agree,
    append_all,
    entries_of,
    expected_replay,
    is_durable,
    replay_of,
    with_few_events,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REPLAY-01")


@check("LOG-REPLAY-02", sources="LOG-60; JasperFx RebuildAndCatchUp; mutant order_ties", needs=_NEEDS)
def test_replaying_twice_gives_the_same(trial: Trial) -> None:
    """A log that is replayed gives the events that were appended, in their order, and so it does the second time.

    Why: the state of a program that starts again is its log, folded. Two events that change places when an index is
    built anew make it another state, without any error.

    Each replay folds to the state that the events fold to that were appended: through the same handle, and after
    reopening where the log is durable.

    Breaks it:

        def read(self, start=1, stop=None):
            return self._rows("SELECT ... ORDER BY created_at")      # two events of one second, in any order
    """

    def body(events: list[Any]) -> None:
        expected = expected_replay(trial, events)
        with trial.fresh() as session:
            store = session.open()
            append_all(trial, store, events)
            for times in ("once", "twice"):
                agree(trial, replay_of(trial, entries_of(store)), expected, f"replaying the log {times}")
            if is_durable(trial):
                for times in ("", " once more"):
                    store = session.reopen(store)
                    what = f"replaying the log after it was closed and opened{times}"
                    agree(trial, replay_of(trial, entries_of(store)), expected, what)

    with_few_events(trial, body)


@check(
    "LOG-REPLAY-03",
    sources="Temporal, deterministic constraints; mutants replay_set_order, replay_wall_clock",
    promise="durability:clean-close",
    needs=_NEEDS,
)
def test_another_process_replays_the_same(trial: Trial) -> None:
    """A log gives the same events, and folds to the same state, in any process: whatever its settings and its clock.

    Why: the next start is in a container with another zone and without a UTF-8 locale, and hashes texts otherwise. What
    was sorted or decoded by any of that is another log there.

    The processes differ in PYTHONHASHSEED, TZ, LANG, the working directory and the seed of `random`; and the wall clock
    is wrong by years, steps back, or stands still.

    Breaks it:

        def __init__(self, path):
            self._index = [name for name in {*os.listdir(path)}]     # in the order of a set
            self._file = open(path / "events", "r+")                 # in the encoding of the locale
    """

    def body(events: list[Any]) -> None:
        expected = expected_replay(trial, events)
        with trial.fresh() as session:
            store = session.open()
            append_all(trial, store, events)
            store.close()
            same_in_all_worlds(trial, replay_again, session.where, (), expected, "replaying the log")

    with_few_events(trial, body)


@check("LOG-REPLAY-04", sources="LOG-05, LOG-60; Prometheus, Kafka offsets", needs=_NEEDS)
def test_replays_of_a_beginning_agree(trial: Trial) -> None:
    """A replay up to some position is the beginning of every longer one, whether it stops there or the log ended there.

    Why: whoever looks at the state "as of event 1,000" must find what was there then; and a reader that goes on where
    it stopped must come to the state of one that begins anew.

    A replay in pieces, each of which begins where the one before stopped, is the replay of the whole.

    Breaks it:

        if stop is not None:
            rows = sorted(rows, key=lambda row: str(row.position))[: stop - start]     # 10 comes before 9
    """

    def body(events: list[Any]) -> None:
        whole = expected_replay(trial, events)
        ends = sorted({len(events) * part // 4 for part in range(1, 5)} | {min(10, len(events))})
        with trial.fresh() as session:
            store = session.open()
            grown = 0
            for end in ends:
                append_all(trial, store, events[grown:end])
                grown = end
                what = f"replaying a log of {end:,} events, which will have more"
                agree(trial, replay_of(trial, entries_of(store)), expected_replay(trial, events[:end]), what)
            for end in ends:
                what = f"replaying {end:,} of {len(events):,} events"
                beginning = replay_of(trial, entries_of(store, 1, end + 1))
                agree(trial, beginning, expected_replay(trial, events[:end]), what)
            pieces = [
                entry
                for start, end in zip([0, *ends], ends, strict=False)
                for entry in entries_of(store, start + 1, end + 1)
            ]
            agree(trial, replay_of(trial, pieces), whole, f"replaying the log in {len(ends)} pieces")

    with_few_events(trial, body)
