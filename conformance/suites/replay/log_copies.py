"""A log that is copied, and a log that is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.crash.tree import read_tree
from conformance.models.log import LogModel
from conformance.replay.files import changed, steady
from conformance.result import NotApplicable, Violation
from conformance.suites.replay.laboratory import (
    agree,
    append_all,
    entries_of,
    events_for,
    expected_replay,
    is_durable,
    replay_of,
    with_few_events,
)

if TYPE_CHECKING:
    from conformance.session import Handle, Session
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REPLAY-01")
_READS = 3


@check("LOG-REPLAY-21", sources="EventStoreDB and KurrentDB replication; VS-21", needs=_NEEDS)
def test_a_copy_of_the_log_replays_the_same(trial: Trial) -> None:
    """The events of a log, copied into another one, fold to the same state with the same canonical digest.

    Why: this is how one leaves a backend, and how one comes back from a backup. What a log keeps beside its events, or
    alters when it is given them in another way, shows only then.

    They are copied into the reference model of the kit, and back into a new log of the same backend, in one batch where
    it takes batches.

    Breaks it:

        def append_batch(self, events):
            self._write_all(json.dumps(event, default=str) for event in events)      # `append` refuses what this alters
    """

    def body(events: list[Any]) -> None:
        expected = expected_replay(trial, events)
        model = LogModel()
        with trial.fresh() as session:
            store = session.open()
            append_all(trial, store, events)
            for _, event in entries_of(store):
                model.append(event)
            what = "replaying a copy in the reference model"
            agree(trial, replay_of(trial, model.read()), expected, what, ("there", "here"))
        with trial.fresh() as session:
            store = session.open()
            copied = [event for _, event in model.read()]
            if "batch" in trial.bench.profile.offered("log"):
                store.append_batch(copied)
                store.acknowledge()
            else:
                append_all(trial, store, copied)
            if is_durable(trial):
                store = session.reopen(store)
            what = "replaying a copy in a new log of the same backend"
            agree(trial, replay_of(trial, entries_of(store)), expected, what, ("there", "here"))

    with_few_events(trial, body)


@check("LOG-REPLAY-22", sources="LOG-38; RocksDB read-only recovery", promise="durability:clean-close", needs=_NEEDS)
def test_replay_writes_nothing(trial: Trial) -> None:
    """Reading changes no file: opened, read and closed, a log has the files that it has when it is opened and closed.

    Why: a replay is made in order to look: after an accident, from a read-only disk, beside a program that runs. What
    it writes may destroy what was to be seen.

    New files do not count, nor those that every opening changes: a log may keep a lock or a cache.

    Breaks it:

        def read(self, start=1, stop=None):
            self._meta["last_read"] = self.head
            self._save_meta()
    """
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events_for(trial))
        store.close()
        _visit(session, lambda _: None)
        before = read_tree(session.where.path)
        _visit(session, lambda _: None)
        expected = steady(before, read_tree(session.where.path))
        if not expected:
            raise NotApplicable("the log keeps no files in its place that an opening leaves alone")
        _visit(session, _read)
        found = changed(expected, read_tree(session.where.path))
        trial.count("comparisons", len(expected))
        trial.count("files", len(expected))
    if found:
        raise Violation(
            "opening the log, reading it and closing it",
            expected="the files as opening and closing it leaves them",
            got="; ".join(found),
        )


def _visit(session: Session, what: Any) -> None:
    store = session.open()
    what(store)
    store.acknowledge()
    store.close()


def _read(store: Handle) -> None:
    for _ in range(_READS):
        entries_of(store)
        head = store.head
        entries_of(store, head, head + 1)
