"""Writers of a run that supersede each other: capability `fencing` of the `runs` contract."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.runs_steps import (
    gone,
    hold_all,
    holds,
    is_durable,
    lists,
    require_durable,
    save_all,
    some_runs,
)
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_FENCING = "fencing"
_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")
_GATE = (*_LISTED, "RUNS-FENCE-01", "RUNS-FENCE-02")


def acquired(trial: Trial, store: Handle, run_id: str, owner: str, before: int | None = None) -> int:
    """Acquire a run and require an int that is higher than the token `before`; acknowledge it."""
    token: Any = store.acquire_run(run_id, owner)
    store.acknowledge()
    what = f"the token that {owner!r} was given for {run_id!r}"
    trial.true(type(token) is int, what, expected="an int", got=literal(token))
    if before is not None:
        trial.true(token > before, what, expected=f"an int higher than {before}, the last one", got=literal(token))
    return int(token)


def superseded(trial: Trial, store: Handle, run: dict[str, Any], token: int, what: str) -> None:
    """Require that a save with a superseded token is refused with the `conflict` exception."""
    trial.count("refusals")
    trial.raises(partial(store.save_run, run, token=token), "conflict", f"saving with a superseded token {what}")


@check("RUNS-FENCE-01", sources="RUN-23; LOG-54; Kleppmann on fencing tokens", capability=_FENCING, needs=_LISTED)
def test_tokens_of_a_run_grow(trial: Trial) -> None:
    """Each token of a run is an int, and higher than every one before, whoever asks; acquiring changes no run.

    Why: the token says who is the later one. Two owners with one token are both the writer.

    Breaks it:

        def acquire_run(self, run_id, owner):
            self._owners[run_id] = owner
            return hash(owner)
    """
    runs = {"run-1": full_run("run-1"), **some_runs(1, after=1)}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        last: dict[str, int] = {}
        for owner in ("one", "two", "two", "one", "three"):
            for run_id in runs:
                last[run_id] = acquired(trial, store, run_id, owner, last.get(run_id))
        hold_all(trial, store, runs, "after runs were acquired")


@check(
    "RUNS-FENCE-02",
    sources="RUN-23, RUN-24; langgraph#8796; mutant runs_ignores_tokens",
    capability=_FENCING,
    needs=(*_LISTED, "RUNS-FENCE-01"),
)
def test_superseded_save_is_refused(trial: Trial) -> None:
    """A save with a token that was superseded is refused with the `conflict` exception, and changes nothing.

    Why: a worker that was paused for a minute wakes up and saves, over the work of the one that took its place. It
    never learns that it was replaced, and goes on.

    Breaks it:

        def save_run(self, run, token=None):
            self._runs[run["id"]] = run       # the token is for the next version
    """
    runs = {"run-1": full_run("run-1"), **some_runs(1, after=1)}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        first = acquired(trial, store, "run-1", "one")
        second = acquired(trial, store, "run-1", "two", first)
        superseded(trial, store, small_run("run-1", 5), first, "before the new owner has saved")
        hold_all(trial, store, runs, "after a superseded save, before the new owner has saved")
        runs["run-1"] = {**runs["run-1"], "status": "running"}
        store.save_run(runs["run-1"], token=second)
        third = acquired(trial, store, "run-1", "one", second)
        for token in (first, second):
            superseded(trial, store, small_run("run-1", 5), token, "after the run was acquired for the third time")
            superseded(trial, store, runs["run-1"], token, "although it has the content that is there")
        hold_all(trial, store, runs, "after superseded saves")
        runs["run-1"] = small_run("run-1", 6)
        store.save_run(runs["run-1"], token=third)
        hold_all(trial, store, runs, "after the last owner has saved")


@check("RUNS-FENCE-03", sources="RUN-23", capability=_FENCING, needs=_GATE)
def test_current_token_is_accepted(trial: Trial) -> None:
    """A save with the newest token of a run is accepted, as often as it comes, whatever other runs were acquired.

    Why: an owner that is refused without having been replaced gives up a run that nobody else goes on with.

    Breaks it:

        self._token += 1                      # one for all runs: each acquire supersedes all owners
    """
    runs = {run_id: small_run(run_id, 0) for run_id in ("run-1", "run-2", "run-3")}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": runs["run-1"], "run-2": runs["run-2"]})
        tokens = {run_id: acquired(trial, store, run_id, "one") for run_id in runs}
        tokens["run-2"] = acquired(trial, store, "run-2", "two", tokens["run-2"])
        for number in range(1, 4):
            for run_id, token in tokens.items():
                runs[run_id] = small_run(run_id, number)
                store.save_run(runs[run_id], token=token)
                holds(trial, store, runs[run_id], "getting a run that was saved with its newest token")
        hold_all(trial, store, runs, "after runs were saved with their newest tokens")


@check("RUNS-FENCE-04", sources="RUN-23, RUN-25", capability=_FENCING, needs=_GATE)
def test_run_is_acquired_before_it_exists(trial: Trial) -> None:
    """A run may be acquired before it was ever saved: that makes no run, and the token counts for its first save.

    Why: two workers are told to begin one run. The first save is where they meet, and there is nothing yet to compare
    with.

    Breaks it:

        def acquire_run(self, run_id, owner):
            run = self._runs.setdefault(run_id, {"id": run_id})     # listed from now on
    """
    with trial.fresh() as session:
        store = session.open()
        first = acquired(trial, store, "run-1", "one")
        second = acquired(trial, store, "run-1", "two", first)
        gone(trial, store, "run-1", "getting a run that was acquired and never saved")
        lists(trial, store, {}, "listing after a run was acquired and never saved")
        superseded(trial, store, small_run("run-1", 1), first, "for the first time")
        gone(trial, store, "run-1", "getting a run whose first save was superseded")
        lists(trial, store, {}, "listing after the first save of a run was superseded")
        store.save_run(small_run("run-1", 2), token=second)
        hold_all(trial, store, {"run-1": small_run("run-1", 2)}, "after the first save with the newest token")


@check("RUNS-FENCE-05", sources="RUN-23; LOG-53", capability=_FENCING, promise="durability:clean-close", needs=_GATE)
def test_superseded_save_is_refused_after_reopening(trial: Trial) -> None:
    """Tokens go on to grow after the store was closed and opened again, and what was superseded is still refused.

    Why: the store is started anew just when things go wrong. If it begins to count anew, the first owner of before has
    the newest token.

    Breaks it:

        def __init__(self, path):
            self._tokens = {}                 # of this process
    """
    run = small_run("run-1", 1)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": run})
        first = acquired(trial, store, "run-1", "one")
        second = acquired(trial, store, "run-1", "two", first)
        never = acquired(trial, store, "run-2", "one")
        store = session.reopen(store)
        superseded(trial, store, small_run("run-1", 5), first, "after the store was opened again")
        holds(trial, store, run, "getting a run after a superseded save, the store opened again")
        run = small_run("run-1", 2)
        store.save_run(run, token=second)
        acquired(trial, store, "run-2", "two", never)
        third = acquired(trial, store, "run-1", "one", second)
        store = session.reopen(store)
        for token in (first, second):
            superseded(trial, store, small_run("run-1", 5), token, "after the store was opened again twice")
        superseded(trial, store, small_run("run-2", 5), never, "of a run that was never saved")
        store.save_run(small_run("run-1", 3), token=third)
        hold_all(trial, store, {"run-1": small_run("run-1", 3)}, "after the last owner has saved")


@check("RUNS-FENCE-06", sources="RUN-23, RUN-24", capability=_FENCING, promise="sharing:processes", needs=_GATE)
def test_superseded_save_is_refused_through_every_handle(trial: Trial) -> None:
    """An owner is superseded by an acquire through any other handle, and refused through any.

    Why: two owners are two processes, each with a handle of its own. A token that is compared with what the handle
    remembers is always the newest.

    Breaks it:

        if token != self._my_tokens[run["id"]]: ...
    """
    require_durable(trial)
    run = small_run("run-1", 1)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        save_all(one, {"run-1": run})
        first = acquired(trial, one, "run-1", "one")
        one.save_run(run, token=first)
        one.acknowledge()
        second = acquired(trial, other, "run-1", "two", first)
        for handle in (one, other):
            superseded(trial, handle, small_run("run-1", 5), first, "through the handles of both owners")
            holds(trial, handle, run, "getting a run after a superseded save")
        run = small_run("run-1", 2)
        other.save_run(run, token=second)
        other.acknowledge()
        for handle in (one, other, session.open()):
            superseded(trial, handle, small_run("run-1", 5), first, "after the new owner has saved")
            holds(trial, handle, run, "getting a run after the new owner has saved")
        acquired(trial, one, "run-1", "one", second)
        superseded(trial, other, small_run("run-1", 5), second, "after the first owner has taken the run back")


@check("RUNS-FENCE-07", sources="RUN-16, RUN-23", capability=_FENCING, methods=("delete_run",), needs=_GATE)
def test_tokens_outlive_the_run(trial: Trial) -> None:
    """A token of a run that was deleted since is never given again: tokens go on to grow for its id.

    Why: a run is deleted and begun anew under its id, while the first owner is paused. With a token that starts from 1
    again the owner of the deleted run is the owner of the new one.

    Breaks it:

        DELETE FROM runs WHERE id = ?         -- the token is a column of it
    """
    with trial.fresh() as session:
        store = session.open()
        save_all(store, some_runs(2))
        first = acquired(trial, store, "run-1", "one")
        store.delete_run("run-1")
        second = acquired(trial, store, "run-1", "two", first)
        superseded(trial, store, small_run("run-1", 5), first, "of a run that was deleted since")
        gone(trial, store, "run-1", "getting a deleted run after a superseded save")
        store.save_run(small_run("run-1", 6), token=second)
        store.delete_run("run-1")
        if is_durable(trial):
            store = session.reopen(store)
        third = acquired(trial, store, "run-1", "three", second)
        store.save_run(small_run("run-1", 7), token=third)
        runs = {"run-1": small_run("run-1", 7), **some_runs(1, after=1)}
        hold_all(trial, store, runs, "after a deleted run was acquired and saved again")
