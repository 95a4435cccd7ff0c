"""Checkpoints of the `log` contract: the state that the events up to a position fold to, kept beside the log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.result import NotApplicable
from conformance.suites.round_trip.log_steps import append_all, fold, latest, must_refuse, restored, some_events
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01", "LOG-READ-01")


@check("LOG-CHECKPOINT-01", sources="LOG-44, LOG-60", capability="compaction", needs=_NEEDS)
def test_newest_checkpoint_wins(trial: Trial) -> None:
    """A fresh log has no checkpoint; afterwards the newest is given, with the position that it stands for.

    Why: a start that takes an older checkpoint, or takes the right one for another position, folds events in twice or
    leaves some out.

    Breaks it:

        def latest_checkpoint(self):
            return self._rows("SELECT state, upto FROM checkpoints LIMIT 1")    # the oldest
    """
    events = some_events(trial, 9)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(latest(trial, store), None, "asking an empty log for a checkpoint")
        append_all(trial, store, events)
        trial.equal(latest(trial, store), None, "asking a log without checkpoints for one")
        for upto in (2, 3, 7, 9):
            state = fold(trial, events[:upto])
            store.checkpoint(state, upto)
            trial.equal(latest(trial, store), (state, upto), f"asking for the latest checkpoint after one at {upto}")
        replaced = some_events(trial, 1, after=20)[0]
        store.checkpoint(replaced, 9)
        what = "asking for the latest checkpoint after a second one at the same position"
        trial.equal(latest(trial, store), (replaced, 9), what)
        append_all(trial, store, some_events(trial, 1, after=9))
        what = "asking for the latest checkpoint after one more append"
        trial.equal(latest(trial, store), (replaced, 9), what)


@check("LOG-CHECKPOINT-02", sources="LOG-46", capability="compaction", needs=(*_NEEDS, "LOG-CHECKPOINT-01"))
def test_checkpoint_ahead_of_the_head_is_refused(trial: Trial) -> None:
    """A checkpoint ahead of the head is refused, and the latest one stays.

    Why: it says of events to come that they are folded in already. Everything appended from now on is skipped by the
    next start, without a word.

    Breaks it:

        def checkpoint(self, state, upto):
            self._save(state, upto)           # whatever upto is
    """
    events = some_events(trial, 4)
    state = fold(trial, events)
    with trial.fresh() as session:
        store = session.open()
        must_refuse(trial, lambda: store.checkpoint(state, 1), "a checkpoint at 1 of an empty log")
        trial.equal(latest(trial, store), None, "asking for a checkpoint after the only one was refused")
        append_all(trial, store, events)
        for upto in (5, 6, 100):
            refused = partial(store.checkpoint, state, upto)
            must_refuse(trial, refused, f"a checkpoint at {upto}, the head being 4")
            trial.equal(latest(trial, store), None, "asking for a checkpoint after all were refused")
        store.checkpoint(state, 4)
        must_refuse(trial, lambda: store.checkpoint(state, 5), "a checkpoint at 5, the head being 4")
        trial.equal(latest(trial, store), (state, 4), "asking for the latest checkpoint after one was refused")
        append_all(trial, store, some_events(trial, 2, after=4))
        what = "restoring the state after a checkpoint was refused, and two more appends"
        trial.equal(restored(trial, store), fold(trial, some_events(trial, 6)), what)


@check("LOG-CHECKPOINT-03", sources="LOG-47", capability="compaction", needs=(*_NEEDS, "LOG-CHECKPOINT-01"))
def test_checkpoint_behind_the_first_event_is_refused(trial: Trial) -> None:
    """A checkpoint below `first - 1`, behind which events are missing, is refused; one at `first - 1` is not.

    Why: the events between that checkpoint and the first one left were dropped. Nobody can restore a state from it, and
    the checkpoint that could was newer and is replaced.

    Breaks it:

        def checkpoint(self, state, upto):
            if upto > self.head:
                raise ValueError(upto)        # the other end is not looked at
    """
    events = some_events(trial, 8)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        good = fold(trial, events[:5])
        store.checkpoint(good, 5)
        store.compact(5)
        for upto in (1, 3, 4):
            refused = partial(store.checkpoint, fold(trial, events[:upto]), upto)
            must_refuse(trial, refused, f"a checkpoint at {upto}, the first event left being at 6")
            trial.equal(latest(trial, store), (good, 5), "asking for the latest checkpoint after one was refused")
        trial.equal(restored(trial, store), fold(trial, events), "restoring the state after checkpoints were refused")
        store.checkpoint(good, 5)
        trial.equal(latest(trial, store), (good, 5), "asking for the latest checkpoint after one at first - 1")


@check("LOG-CHECKPOINT-04", sources="KV-01; LOG-44", capability="compaction", needs=(*_NEEDS, "LOG-CHECKPOINT-01"))
def test_every_state_comes_back_equal(trial: Trial) -> None:
    """The state of a checkpoint comes back equal in type and content, also one that is empty, zero or false.

    Why: an agent that has nothing yet has the state `{}`, `[]`, `""` or `0`. Where that reads as "no checkpoint", the
    events before it are folded once more; after compaction they are gone.

    Breaks it:

        state = self._load_state()
        return (state, self._upto) if state else None
    """
    (event,) = some_events(trial, 1)

    @trial.cases(domain.accepted(trial.backend.values))
    def _(store: Handle, state: Any) -> None:
        position = store.append(event)
        store.checkpoint(state, position)
        trial.equal(latest(trial, store), (state, position), "asking for the checkpoint just made")


@check("LOG-CHECKPOINT-05", sources="KV-08", capability="compaction", needs=(*_NEEDS, "LOG-CHECKPOINT-01"))
def test_checkpoint_is_a_copy(trial: Trial) -> None:
    """A checkpoint is a copy: it does not follow the state that it was made of, nor what a reader makes of it.

    Why: the fold goes on with the very object that it gave to `checkpoint`. Where the log keeps that object, the state
    runs ahead of its position, and each start from it applies events twice.

    Breaks it:

        def checkpoint(self, state, upto):
            self._latest = (state, upto)
    """
    if trial.backend.values == "bytes":
        raise NotApplicable("values are promised at 'bytes' only; bytes can't be changed in place")
    events = some_events(trial, 5)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        state = list(events[:3])
        store.checkpoint(state, 3)
        state.append(events[3])
        what = "asking for the checkpoint after the program went on folding into the state that it was made of"
        trial.equal(latest(trial, store), (events[:3], 3), what)
        read, _ = latest(trial, store) or ([], 0)
        read.append(events[3])
        what = "asking for the checkpoint after a reader went on folding into what it was given"
        trial.equal(latest(trial, store), (events[:3], 3), what)


@check(
    "LOG-CHECKPOINT-06",
    sources="LOG-48, LOG-60",
    capability="compaction",
    promise="durability:clean-close",
    needs=(*_NEEDS, "LOG-CHECKPOINT-01", "LOG-REOPEN-01"),
)
def test_checkpoint_survives_reopening(trial: Trial) -> None:
    """The latest checkpoint is there after reopening, with its state as it was; an older one does not come back.

    Why: checkpoints are made for the next start. One that is lost costs a replay of everything, or, after compaction,
    everything.

    Breaks it:

        def checkpoint(self, state, upto):
            self._checkpoint = (state, upto)  # of this object
    """
    kind = trial.backend.values
    exact = bytes(range(256)) if kind == "bytes" else [{"a": [1, True, 1.0, -0.0, None]}, 2**70, "\r\n\x00\u2028"]
    events = some_events(trial, 6)
    with trial.fresh() as session:
        store = session.reopen(session.open())
        trial.equal(latest(trial, store), None, "asking a reopened empty log for a checkpoint")
        append_all(trial, store, events)
        for upto, state in ((2, fold(trial, events[:2])), (4, exact), (6, fold(trial, events))):
            store.checkpoint(state, upto)
            store = session.reopen(store)
            what = f"asking the reopened log for its latest checkpoint, made at {upto}"
            trial.equal(latest(trial, store), (state, upto), what)
