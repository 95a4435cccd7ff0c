"""The order of acknowledgement is the order of replay: when clocks step, among threads, and among processes."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.histories.drivers.threads import run_free
from conformance.histories.operation import Operation, overlaps
from conformance.replay.appends import appended, attempted, check_replay
from conformance.replay.errands import LIMIT_S, Errand, Start, append_again
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
#: Times that they try to append at the same time: where nobody meets anybody, nothing is shown. Most meet at once. But
#: the appends of a log in memory are over so soon that threads may miss each other ten times in a row.
_MEETINGS = 100


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
    appends: list[Operation] = []
    with trial.fresh() as session:
        # The clock stands still first, steps back then, and is eleven years behind in the end.
        east, west = WORLDS
        for number, (worker, world) in enumerate([(0, replace(east, step=0.0)), (0, east), (1, west)]):
            with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
                arguments = (_events(trial, number), Start(Path(folder), number), 3)
                outcome = sent(trial, crew, worker, Errand(append_again, world, session.where, arguments))
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
    for _ in range(_MEETINGS):
        with trial.fresh() as session:
            store = session.open()
            appends = _appended_by_threads(trial, store)
            store.acknowledge()
            _replays(trial, session, store, appends, f"replaying what {_THREADS} threads appended")
        if _met(trial, appends):
            return
    raise Inconclusive("no two threads ever appended at the same time")


@check("LOG-REPLAY-07", sources="LOG-40, LOG-42; Herlihy and Wing 1990", promise="sharing:processes", needs=_NEEDS)
def test_appends_of_processes_are_replayed_as_acknowledged(trial: Trial) -> None:
    """What processes append is replayed at the positions that they were told, and what returned earlier comes earlier.

    Why: as with threads. But processes share no lock that the language gives, and two containers no clock.

    Each process has a clock, a zone and a hash seed of its own.

    Breaks it:

        name = f"{time.time_ns()}-{os.getpid()}.json"      # sorted by name, whoever's clock is behind comes first
    """
    crew = worlds_of(trial)
    for _ in range(_MEETINGS):
        with trial.fresh() as session, tempfile.TemporaryDirectory(prefix="conformance-") as folder:
            session.reopen(session.open()).close()
            errands = [
                Errand(append_again, world, session.where, (_events(trial, worker), _start(folder, worker), 3))
                for worker, world in enumerate(WORLDS)
            ]
            appends: list[Operation] = []
            for outcome in sent_to_all(trial, crew, errands):
                if outcome.error:
                    raise Violation("appending beside other processes", expected="positions", got=outcome.error)
                appends += outcome.value
            what = f"replaying what {len(WORLDS)} processes appended"
            _replays(trial, session, session.open(), appends, what)
        if _met(trial, appends):
            return
    raise Inconclusive("no two processes ever appended at the same time")


def _start(folder: str, worker: int) -> Start:
    return Start(Path(folder), worker, len(WORLDS))


def _events(trial: Trial, worker: int) -> list[Any]:
    return [event_of(trial.backend.values, worker, number) for number in range(trial.effort.steps // 2)]


def _met(trial: Trial, appends: Sequence[Operation]) -> bool:
    # Of one that raised nobody knows when it ended.
    met = overlaps(sorted(one for one in appends if one.outcome == "ok"))
    trial.count("meetings", met)
    return met


def _appended_by_threads(trial: Trial, store: Handle) -> list[Operation]:
    ticks = itertools.count(1)
    driver, bare = store.reach()
    found: list[Operation] = []

    def append(worker: int) -> None:
        for event in _events(trial, worker):
            begun = next(ticks)
            try:
                position = driver.call(bare.append, event)
                found.append(appended(worker, event, begun, next(ticks), position))
            except Exception:  # noqa: BLE001 - nobody knows then whether the event is there
                found.append(attempted(worker, event, begun))

    ran = run_free([partial(append, worker) for worker in range(_THREADS)], limit_s=LIMIT_S)
    if ran.stuck:
        raise Inconclusive(f"threads that append did not come to their end within {LIMIT_S:.0f} s")
    return found


def _replays(trial: Trial, session: Session, store: Handle, appends: Sequence[Operation], what: str) -> None:
    """Require that the log, reopened where it is durable, has what was appended in the order of acknowledgement."""
    if not any(one.outcome == "ok" for one in appends):
        raise Inconclusive("no append was acknowledged: each raised")
    trial.count("appends", len(appends))
    for again in ("", ", closed and opened again") if is_durable(trial) else ("",):
        if again:
            store = session.reopen(store)
        entries = entries_of(store)
        trial.count("comparisons", len(entries))
        verdict = check_replay(entries, appends)
        if not verdict.holds:
            order = "each event at the position that its append was told, in the order of acknowledgement"
            raise Violation(f"{what}{again}", expected=order, got=verdict.why)
        state = expected_replay(trial, [event for _, event in entries])
        agree(trial, replay_of(trial, entries_of(store)), state, f"{what}{again}, and once more")
