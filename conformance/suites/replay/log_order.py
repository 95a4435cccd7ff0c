"""The order of acknowledgement is the order of replay: when clocks step, among threads, and among processes."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.recording import raised
from conformance.replay.appends import Appended, disorder
from conformance.replay.errands import LIMIT_S, Errand, append_again
from conformance.replay.events import event_of
from conformance.replay.worlds import WORLDS, can_travel
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.suites.replay.elsewhere import sent, sent_to_all, worlds_of
from conformance.suites.replay.laboratory import agree, entries_of, expected_replay, is_durable, replay_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.session import Handle, Session
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REPLAY-01")
_THREADS = 4
#: Nanoseconds that processes get to be ready for a start together.
_READY_NS = 30_000_000


@check(
    "LOG-REPLAY-05", sources="LOG-61; Axon, Kafka; mutant order_ties", promise="durability:clean-close", needs=_NEEDS
)
def test_the_clock_does_not_decide_the_order(trial: Trial) -> None:
    """Events are replayed in the order in which they were acknowledged, also when the clock stands still or steps back.

    Why: clocks step back by an hour when somebody sets them right, and by years on a machine with an empty battery.
    What is sorted by a timestamp then changes places with what was appended before it.

    Both clocks do: that of the system, and `where.clock`.

    Breaks it:

        def append(self, event):
            self._write(time.time_ns(), event)             # and `read` sorts by it
    """
    if not can_travel():
        raise NotApplicable("the wall clock can't be moved: the library time-machine is not installed (extra `clock`)")
    crew = worlds_of(trial)
    appends: list[Appended] = []
    with trial.fresh() as session:
        # The clock stands still first, steps back then, and is eleven years behind in the end.
        east, west = WORLDS
        for number, (worker, world) in enumerate([(0, replace(east, step=0.0)), (0, east), (1, west)]):
            events = [event_of(trial.backend.values, number, one) for one in range(trial.effort.steps // 2)]
            outcome = sent(trial, crew, worker, Errand(append_again, world, session.where, (events, 0, 3)))
            if outcome.error:
                what = f"appending in a process of the world {world.name!r}"
                raise Violation(what, expected="positions", got=outcome.error)
            appends += outcome.value
        _replays(trial, session, session.open(), appends, "replaying what was appended while the clock stepped")


@check("LOG-REPLAY-06", sources="LOG-40; Herlihy and Wing 1990", promise="sharing:threads", needs=_NEEDS)
def test_appends_of_threads_are_replayed_as_acknowledged(trial: Trial) -> None:
    """What threads append is replayed at the positions that they were told, and what returned earlier comes earlier.

    Why: who was told "position 7" writes it down: in a checkpoint, in an answer, in another log.

    Breaks it:

        def append(self, event):
            self._queue.put(event)                         # a thread writes them, sorted by what it finds
            return next(self._numbers)
    """
    with trial.fresh() as session:
        store = session.open()
        appends = _appended_by_threads(trial, store)
        store.acknowledge()
        _replays(trial, session, store, appends, f"replaying what {_THREADS} threads appended")


@check("LOG-REPLAY-07", sources="LOG-40, LOG-42; Herlihy and Wing 1990", promise="sharing:processes", needs=_NEEDS)
def test_appends_of_processes_are_replayed_as_acknowledged(trial: Trial) -> None:
    """What processes append is replayed at the positions that they were told, and what returned earlier comes earlier.

    Why: as with threads. But processes share no lock that the language gives, and two containers no clock.

    Each process has a clock, a zone and a hash seed of its own.

    Breaks it:

        name = f"{time.time_ns()}-{os.getpid()}.json"      # sorted by name, whoever's clock is behind comes first
    """
    crew = worlds_of(trial)
    with trial.fresh() as session:
        session.reopen(session.open()).close()
        start = time.monotonic_ns() + _READY_NS
        errands = [
            Errand(
                append_again,
                world,
                session.where,
                ([event_of(trial.backend.values, worker, one) for one in range(trial.effort.steps // 2)], start, 3),
            )
            for worker, world in enumerate(WORLDS)
        ]
        appends: list[Appended] = []
        for outcome in sent_to_all(trial, crew, errands):
            if outcome.error:
                raise Violation("appending beside other processes", expected="positions", got=outcome.error)
            appends += outcome.value
        what = f"replaying what {len(WORLDS)} processes appended"
        _replays(trial, session, session.open(), appends, what)


def _appended_by_threads(trial: Trial, store: Handle) -> list[Appended]:
    ticks = itertools.count(1)
    driver, bare = store.reach()
    ready = threading.Barrier(_THREADS)
    found: list[list[Appended]] = [[] for _ in range(_THREADS)]

    def append(worker: int) -> None:
        ready.wait()
        for number in range(trial.effort.steps // 2):
            event, begun = event_of(trial.backend.values, worker, number), next(ticks)
            try:
                position = driver.call(bare.append, event)
                found[worker].append(Appended(event, position, begun, next(ticks)))
            except Exception as error:  # noqa: BLE001 - nobody knows then whether the event is there
                found[worker].append(Appended(event, None, begun, error=raised(error)))

    threads = [threading.Thread(target=append, args=(worker,), daemon=True) for worker in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    if any(thread.is_alive() for thread in threads):
        raise Inconclusive(f"threads that append did not come to their end within {LIMIT_S:.0f} s")
    return [one for mine in found for one in mine]


def _replays(trial: Trial, session: Session, store: Handle, appends: Sequence[Appended], what: str) -> None:
    """Require that the log, reopened where it is durable, has what was appended in the order of acknowledgement."""
    if not any(one.position for one in appends):
        errors = {one.error for one in appends}
        raise Inconclusive(f"no append was acknowledged: {', '.join(sorted(errors))}")
    trial.count("appends", len(appends))
    for again in ("", ", closed and opened again") if is_durable(trial) else ("",):
        if again:
            store = session.reopen(store)
        entries = entries_of(store)
        trial.count("comparisons", len(entries))
        found = disorder(entries, appends)
        if found is not None:
            raise Violation(f"{what}{again}", expected=found.expected, got=found.got)
        state = expected_replay(trial, [event for _, event in entries])
        agree(trial, replay_of(trial, entries_of(store)), state, f"{what}{again}, and once more")
