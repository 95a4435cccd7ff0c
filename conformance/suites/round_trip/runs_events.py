"""Appending events to runs: capability `append_event` of the `runs` contract."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.log_steps import UNSTORABLE
from conformance.suites.round_trip.runs_steps import (
    gone,
    hold_all,
    holds,
    is_durable,
    must_refuse,
    offers,
    require_durable,
    save_all,
    some_runs,
)
from conformance.values.cases import ACCEPTED_VALUES
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_APPEND = "append_event"
_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")
_GATE = (*_LISTED, "RUNS-EVENT-01")


def _event(number: int) -> dict[str, Any]:
    # The times go back, so that an order by time is not the order of the appends.
    return {"type": "tool.called", "seq": number, "at": 1_000 - number}


def _after(run: dict[str, Any], *events: Any) -> dict[str, Any]:
    return {**run, "events": [*run["events"], *events]}


@check("RUNS-EVENT-01", sources="RUN-08; LOG-01", capability=_APPEND, needs=_LISTED)
def test_appended_event_is_the_last(trial: Trial) -> None:
    """An appended event comes after all others, equal ones included, and nothing else of the run changes.

    Why: events tell what happened, in the order in which it did. A run that is folded from events in another order, or
    whose status was written back as it was some time ago, is another run.

    Breaks it:

        run["events"] = sorted([*run["events"], event], key=lambda one: one["at"])
    """
    runs = {"run-1": full_run("run-1"), **some_runs(1, after=1), "run-3": {"id": "run-3", "events": []}}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for number in (1, 2, 2, 3, 1):
            for run_id in ("run-1", "run-3"):
                store.append_event(run_id, _event(number))
                runs[run_id] = _after(runs[run_id], _event(number))
            store.acknowledge()
            hold_all(trial, store, runs, "after events were appended to two of three runs")


@check("RUNS-EVENT-02", sources="RUN-05, RUN-29", capability=_APPEND, needs=_GATE)
def test_event_needs_a_run(trial: Trial) -> None:
    """Appending to a run that is not there is refused, and makes no run.

    Why: an event of a run that was deleted, or whose id has a slip, is lost in silence, or makes a run that has an
    event and nothing else, and that every supervisor tries to resume.

    Breaks it:

        self._runs.setdefault(run_id, {"id": run_id, "events": []})["events"].append(event)
    """
    runs = some_runs(2)
    with trial.fresh() as session:
        store = session.open()
        must_refuse(trial, lambda: store.append_event("run-1", _event(1)), "appending an event in an empty store")
        gone(trial, store, "run-1", "getting a run to which an event was appended before it was there")
        save_all(store, runs)
        missing = ["run-3", "run", "run-11", "RUN-1"]
        if offers(trial, "delete_run"):
            store.delete_run("run-2")
            del runs["run-2"]
            missing.append("run-2")
        for run_id in missing:
            must_refuse(trial, partial(store.append_event, run_id, _event(1)), "appending an event to a missing run")
            gone(trial, store, run_id, "getting a run to which an event was appended although it was not there")
        hold_all(trial, store, runs, "after events were appended to runs that are not there")


@check("RUNS-EVENT-03", sources="KV-14; LOG-08", capability=_APPEND, needs=_GATE)
def test_refused_event_leaves_the_run_intact(trial: Trial) -> None:
    """An event that is not JSON is refused loudly, and the run stays as it was, with all of its events.

    Why: the object slips into an event as it does into a run, and it is the run that is lost.

    Breaks it:

        self._runs[run_id]["events"].append(event)
        self._write(run_id)                   # raises, and the event is in the run
    """
    runs = {"run-1": full_run("run-1"), **some_runs(1, after=1)}
    unstorable = (UNSTORABLE, {"type": "x", "data": UNSTORABLE}, ["x" * 5_000, {"a": [UNSTORABLE]}])
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for number, event in enumerate(unstorable):
            must_refuse(trial, partial(store.append_event, "run-1", event), "appending an event that is not JSON")
            hold_all(trial, store, runs, "after an event was refused")
            store.append_event("run-1", _event(number))
            runs["run-1"] = _after(runs["run-1"], _event(number))
        holds(trial, store, runs["run-1"], "getting a run after events were refused, and others appended")
        if is_durable(trial):
            must_refuse(trial, lambda: store.append_event("run-1", UNSTORABLE), "appending an event that is not JSON")
            hold_all(trial, session.reopen(store), runs, "after an event was refused and the store opened again")


@check("RUNS-EVENT-04", sources="LOG-56", capability=_APPEND, needs=_GATE)
def test_every_json_event_comes_back(trial: Trial) -> None:
    """Every kind of JSON value comes back from an event as it was appended.

    Why: events are often written by another path than runs, which was not tested with the same values.

    Breaks it:

        UPDATE runs SET document = json_insert(document, '$.events[#]', json(?))     -- ints beyond 64 bits
    """
    run = {"id": "run-1", "events": [_event(0)]}

    @trial.cases(ACCEPTED_VALUES)
    def _(store: Handle, value: Any) -> None:
        store.save_run(run)
        event = {"type": "tool.result", "data": value, "list": [value]}
        store.append_event("run-1", event)
        store.append_event("run-1", _event(1))
        holds(trial, store, _after(run, event, _event(1)), "getting a run with an odd value in an event")


@check("RUNS-EVENT-05", sources="RUN-02, RUN-12", capability=_APPEND, needs=(*_GATE, "RUNS-SAVE-01"))
def test_events_and_saves_take_turns(trial: Trial) -> None:
    """A save replaces the events as well, those that were appended included; the next event comes after what was saved.

    Why: where events have a table of their own, a save that leaves it alone shows events that the program took out, and
    one that adds to it shows each event twice.

    Breaks it:

        def save_run(self, run):
            self._events[run["id"]].extend(run["events"])
    """
    with trial.fresh() as session:
        store = session.open()
        run = small_run("run-1", 1)
        for number in range(1, 5):
            store.save_run(run)
            holds(trial, store, run, "getting a run that was saved with the events that it has")
            for event in (_event(number), _event(-number)):
                store.append_event("run-1", event)
                run = _after(run, event)
            holds(trial, store, run, "getting a run after events were appended")
            if number == 2:
                run = {**run, "events": run["events"][1:2]}
            if number == 3:
                run = {**run, "events": [], "status": "completed"}


@check("RUNS-EVENT-06", sources="RUN-27; LOG-39", capability=_APPEND, promise="durability:clean-close", needs=_GATE)
def test_events_of_runs_survive_reopening(trial: Trial) -> None:
    """Acknowledged events of a run are there, in order, after the store was closed and opened again.

    Why: what an agent did since its last save is in the events alone. Without them it does it again.

    Breaks it:

        def append_event(self, run_id, event):
            self._runs[run_id]["events"].append(event)     # written with the next save
    """
    runs = {"run-1": full_run("run-1"), **some_runs(1, after=1)}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for more in (1, 3, 2):
            for number in range(more):
                store.append_event("run-1", _event(number))
                runs["run-1"] = _after(runs["run-1"], _event(number))
            store = session.reopen(store)
            hold_all(trial, store, runs, "after events were appended and the store opened again")


@check("RUNS-EVENT-07", sources="LOG-52; RUN-33", capability=_APPEND, promise="sharing:processes", needs=_GATE)
def test_events_of_two_handles_take_turns(trial: Trial) -> None:
    """Events that two handles append in turn are all there, for both, in the order in which they were appended.

    Why: a handle that appends to the run as it knows it takes away the events of the other one.

    Breaks it:

        run = self._cache[run_id]             # without the events of the other handle
        self.save_run({**run, "events": [*run["events"], event]})
    """
    require_durable(trial)
    run = small_run("run-1", 1)
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        save_all(handles[0], {"run-1": run})
        for handle in handles:
            holds(trial, handle, run, "getting a run through each handle, before events were appended")
        for number in range(1, 7):
            handle = handles[number // 2 % 2]  # 1, 2, 2, 1, 1, 2: in turn, and twice in a row
            handle.append_event("run-1", _event(number))
            handle.acknowledge()
            run = _after(run, _event(number))
            for each in handles:
                holds(trial, each, run, "getting a run through each handle, when both append in turn")


@check("RUNS-EVENT-08", sources="KV-08", capability=_APPEND, needs=_GATE)
def test_changing_an_appended_event_changes_no_run(trial: Trial) -> None:
    """An event that is changed after it was appended is read as it was appended.

    Why: programs append a dict and go on filling it, for the next event.

    Breaks it:

        self._runs[run_id]["events"].append(event)     # the caller's own object
    """
    run, event = small_run("run-1", 1), {"type": "x", "data": {"list": [1]}}
    with trial.fresh() as session:
        store = session.open()
        store.save_run(run)
        store.append_event("run-1", event)
        event["data"]["list"].append(2)  # type: ignore[index]
        event["type"] = "changed"
        expected = _after(run, {"type": "x", "data": {"list": [1]}})
        holds(trial, store, expected, "getting a run whose event the program changed after it had appended it")


@check("RUNS-EVENT-09", sources="LOG-23; RUN-02", capability=_APPEND, needs=_GATE)
def test_many_events_are_kept(trial: Trial) -> None:
    """However many events are appended to one run, they are all there, in order.

    Why: events that are numbered as texts, or cut into files or pages, change places or get lost when there are many.

    Breaks it:

        SELECT event FROM events WHERE run = ? ORDER BY CAST(place AS TEXT)
    """
    run = small_run("run-1", 1)
    with trial.fresh() as session:
        store = session.open()
        store.save_run(run)
        for number in range(150):
            store.append_event("run-1", _event(number))
        holds(trial, store, _after(run, *map(_event, range(150))), "getting a run with many events")
