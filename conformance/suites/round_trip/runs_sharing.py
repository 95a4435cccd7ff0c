"""Who sees saved runs, and when: other handles, and other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.runs_steps import agree, hold_all, ids, listing, require_durable, save_all, some_runs
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.trial import Trial

_SHARED = "sharing:processes"
_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")


@check("RUNS-SHARED-01", sources="RUN-33; the log contract on other handles", promise=_SHARED, needs=_LISTED)
def test_other_handle_sees_runs_at_once(trial: Trial) -> None:
    """Acknowledged runs are there at once for every other handle, one that was opened before and has read included.

    Why: a supervisor that reads through a handle of its own acts on what it read at its opening, and starts a run that
    another worker has finished.

    Breaks it:

        @functools.cache                      # the first answer, for ever
        def get_run(self, run_id): ...
    """
    require_durable(trial)
    runs: dict[str, dict[str, object]] = {}
    with trial.fresh() as session:
        writer, reader = session.open(), session.open()
        hold_all(trial, reader, runs, "through a second handle, when nothing was saved")
        for number in range(1, 4):
            new = {**some_runs(1, after=number), "run-1": small_run("run-1", 10 + number)}
            save_all(writer, new)
            runs |= new
            hold_all(trial, reader, runs, "through a second handle, after the first has saved")
        hold_all(trial, session.open(), runs, "through a third handle, opened last")


@check("RUNS-SHARED-02", sources="RUN-33", promise=_SHARED, needs=_LISTED)
def test_saves_of_two_handles_take_turns(trial: Trial) -> None:
    """Runs that two handles save in turn are all there, for both, and of one run the last save counts.

    Why: a handle that writes all that it knows takes away what the other one has saved since.

    Breaks it:

        def save_run(self, run):
            self._runs[run["id"]] = run
            self._path.write_text(json.dumps(self._runs))    # as this handle knows them
    """
    require_durable(trial)
    runs: dict[str, dict[str, object]] = {}
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        for number in range(1, 7):
            handle = handles[number // 2 % 2]  # 1, 2, 2, 1, 1, 2: in turn, and twice in a row
            new = {**some_runs(1, after=number), "shared": small_run("shared", number)}
            save_all(handle, new)
            runs |= new
            for name, each in zip(("first", "second"), handles, strict=True):
                hold_all(trial, each, runs, f"through the {name} handle, when both save in turn")


@check("RUNS-SHARED-03", sources="RUN-33", promise=_SHARED, needs=_LISTED)
def test_other_process_sees_runs_at_once(trial: Trial) -> None:
    """Acknowledged runs are there at once for another process, while the store is still open here.

    Why: a run that waits in a buffer of this process until the store is closed is invisible to every other worker, and
    gone when this process is.

    Breaks it:

        def save_run(self, run):
            self._pending.append(run)         # written every tenth save, and by close()
    """
    require_durable(trial)
    runs = {**some_runs(2), "run-3": full_run("run-3")}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        expected = [runs[run_id] for run_id in ids(listing(trial, store))]
        agree(trial, session.read_in_new_process(), expected, "getting all that is listed, in a new process")
        runs["run-1"] = small_run("run-1", 9)
        save_all(store, {"run-1": runs["run-1"]})
        hold_all(trial, store, runs, "after another process has read the runs")
