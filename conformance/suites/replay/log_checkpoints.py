"""Checkpoints and compaction, as a fold sees them: not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.recording import raised
from conformance.replay.errands import restore_again
from conformance.replay.replay import Replay, with_last_state
from conformance.result import Inconclusive
from conformance.suites.replay.elsewhere import same_in_all_worlds
from conformance.suites.replay.laboratory import (
    agree,
    append_all,
    entries_of,
    expected_replay,
    is_durable,
    replay_of,
    state_after,
    with_few_events,
)

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_CHECKPOINT = "the checkpoint, with the events after it folded in,"
_NEEDS = ("LOG-BASIC-01", "LOG-REPLAY-01")


@check("LOG-REPLAY-11", sources="VS-14, VS-15; LOG-60", capability="compaction", needs=_NEEDS)
def test_a_checkpoint_and_the_tail_are_the_whole(trial: Trial) -> None:
    """The state of the latest checkpoint, with the events after it folded in, is the state that all events fold to.

    Why: this is how every start but the first one goes. A tail that begins one event too late gives a state that never
    was, and the next checkpoint keeps it for ever.

    This holds at every checkpoint, after reopening, and in another process, where the log is durable.

    Breaks it:

        def latest_checkpoint(self):
            return self._state, self._head                 # as it is now, not as it was then
    """

    def body(events: list[Any]) -> None:
        whole = expected_replay(trial, events)
        places = sorted({max(1, len(events) * part // 5) for part in range(1, 5)})
        with trial.fresh() as session:
            store = session.open()
            append_all(trial, store, events[: places[0]])
            for upto, following in zip(places, [*places[1:], len(events)], strict=True):
                _checkpoint(trial, store, events[:upto], upto)
                append_all(trial, store, events[upto:following])
                begun = expected_replay(trial, events[:following])
                _restores(trial, store, begun, f"restoring {following:,} events from a checkpoint at {upto:,}")
            if is_durable(trial):
                store = session.reopen(store)
                _restores(trial, store, whole, "restoring from a checkpoint after reopening")
                store.close()
                tail = _after(whole, places[-1])
                what = "restoring from a checkpoint"
                same_in_all_worlds(trial, restore_again, session.where, (), tail, what, _CHECKPOINT)

    with_few_events(trial, body)


@check(
    "LOG-REPLAY-12",
    sources="LOG-44, LOG-45; JasperFx StreamCompacting; mutant tombstone_dropped",
    capability="compaction",
    needs=_NEEDS,
)
def test_no_fold_notices_compaction(trial: Trial) -> None:
    """After compaction a log restores to the state that all events fold to: at once, with more events, and reopened.

    Why: compaction rewrites what nobody will look at again for months. What it drops beyond the checkpoint is gone by
    then, and so are the backups.

    Breaks it:

        def compact(self, upto):
            latest = {event["key"]: position for position, event in self.read()}
            self._keep(latest.values())                    # the last event of each key is enough, it thinks
    """

    def body(events: list[Any]) -> None:
        whole = expected_replay(trial, events)
        places = sorted({max(1, len(events) * part // 4) for part in range(1, 4)})
        with trial.fresh() as session:
            store = session.open()
            grown = 0
            for upto in places:
                ahead = min(len(events), upto + max(1, len(events) // 5))
                append_all(trial, store, events[grown:ahead])
                grown = ahead
                _checkpoint(trial, store, events[:upto], upto)
                if upto >= store.first:  # else the log has compacted itself, and may refuse what is done
                    store.compact(upto)
                begun = expected_replay(trial, events[:ahead])
                what = f"after compacting up to {upto:,} of {ahead:,} events"
                _restores(trial, store, begun, f"restoring {what}")
                if is_durable(trial):
                    store = session.reopen(store)
                    _restores(trial, store, begun, f"restoring {what} and reopening")
            append_all(trial, store, events[grown:])
            store.acknowledge()
            _restores(trial, store, whole, "restoring a compacted log with more events")
            if is_durable(trial):
                store.close()
                tail = _after(whole, places[-1])
                same_in_all_worlds(
                    trial, restore_again, session.where, (), tail, "restoring a compacted log", _CHECKPOINT
                )

    with_few_events(trial, body)


def _checkpoint(trial: Trial, store: Handle, events: list[Any], upto: int) -> None:
    state = state_after(trial, events)
    errors: list[Exception] = []

    def keep() -> None:
        try:
            store.checkpoint(state, upto)
        except Exception as error:
            errors.append(error)
            raise

    if trial.refused(keep):
        raise Inconclusive(
            f"the log refuses the state that the fold gives as a checkpoint: {raised(errors[0])}. "
            f"Have the fold give states that the log can keep"
        )
    trial.count("checkpoints")


def _restores(trial: Trial, store: Handle, whole: Replay, what: str) -> None:
    state, upto = store.latest_checkpoint() or (None, 0)
    head = len(whole.entries)
    trial.true(0 <= upto <= head, what, expected=f"a checkpoint from 0 to {head}", got=f"one at {upto!r}")
    if upto:
        begun = replay_of(trial, whole.entries[:upto])
        agree(trial, with_last_state(begun, state), begun, what, state_of=f"the checkpoint at {upto:,}")
    tail = replay_of(trial, entries_of(store, upto + 1), state)
    agree(trial, tail, _after(whole, upto), what, state_of=_CHECKPOINT)


def _after(whole: Replay, upto: int) -> Replay:
    return Replay(whole.entries[upto:], whole.digests[upto:], whole.state)
