"""Threads that share one open store of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import THREADS, require
from conformance.suites.concurrency.tokens import require_accepted

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01",)
_PROMISE = "sharing:threads"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check(
    "RUNS-CONC-01",
    sources="KV-36; Herlihy & Wing, TOPLAS 1990; mutant runs_read_all_write_all",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_see_one_order_of_saves(trial: Trial) -> None:
    """Threads that share a store see its saves and gets in one order, each between its call and its return.

    Why: an agent that reads its run back and gets an older one does a step twice, or answers what was answered.

    Breaks it:

        def save_run(self, run):
            runs = self._load()                        # another thread loads the same
            runs[run["id"]] = run
            self._save(runs)                           # and one of the two saves is gone
    """
    require(trial, "saves", THREADS)


@check("RUNS-CONC-02", sources="KV-37; mutant run_in_two_writes", promise=_PROMISE, needs=_NEEDS)
def test_threads_read_whole_runs(trial: Trial) -> None:
    """A run that is read while other threads save it is one that somebody saved, whole, in all of its fields.

    Why: the messages of one save under the state of another are a conversation that never was, and nothing about it
    looks wrong.

    Breaks it:

        def save_run(self, run):
            self._states[run["id"]] = run["state"]
            self._messages[run["id"]] = run["messages"]    # a reader comes in between
    """
    require(trial, "overwrites" if trial.backend.consistency == "linearizable" else "overwrites in sessions", THREADS)


@check("RUNS-CONC-03", sources="KV-36; mutant runs_read_all_write_all", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_keep_all_runs(trial: Trial) -> None:
    """Every run that one of several threads saved is there, as it was saved, when all are done.

    Why: sub-agents run side by side, each with a run of its own, and save them through one store.

    Breaks it:

        def save_run(self, run):
            self._file(run["id"]).write_text(json.dumps(run))
            self._index = [*self._index, run["id"]]    # two threads, one id
    """
    require(trial, "distinct keys", THREADS)


@check("RUNS-CONC-06", sources="redis#4906; mutant runs_listed_by_place", promise=_ONE_ORDER, needs=_NEEDS)
def test_threads_list_every_run(trial: Trial) -> None:
    """A listing while other threads save has every run that was there when it began, once, and none that nobody saved.

    Why: who resumes what was interrupted goes by the listing. A run that it skips is never resumed.

    Breaks it:

        def list_runs(self):
            return [self._runs[n] for n in range(len(self._runs))]    # a save moves its run to the end meanwhile
    """
    require(trial, "new runs", THREADS)


@check(
    "RUNS-CONC-07",
    sources="MEM-16; mutant events_appended_by_hand",
    capability="append_event",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_append_every_event(trial: Trial) -> None:
    """Of the events that threads append to one run none is lost or doubled, and what returned earlier comes earlier.

    Why: tools that run side by side report to one run. What one of them reported is gone, and the run looks whole.

    Breaks it:

        def append_event(self, run_id, event):
            run = self.get_run(run_id)                 # another thread gets the same
            self.save_run({**run, "events": [*run["events"], event]})
    """
    require(trial, "events of a run", THREADS)


@check(
    "RUNS-CONC-08",
    sources="RUN-23, RUN-24; Kleppmann, How to do distributed locking",
    capability="fencing",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_no_thread_saves_with_a_superseded_token(trial: Trial) -> None:
    """As soon as somebody else has acquired a run, no save with an older token is accepted, whenever it comes.

    Why: a worker that was thought dead wakes up in the middle of its save. The token is there for this very moment.

    Breaks it:

        def save_run(self, run, token=None):
            if token != self._tokens[run["id"]]:       # compared here,
                raise ConflictError(run["id"])
            self._runs[run["id"]] = run                # and written when another one holds the run
    """
    require_accepted(trial, THREADS)


@check(
    "RUNS-CONC-09",
    sources="RUN-18, RUN-19; mutant fork_saves_the_source",
    capability="fork",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_threads_fork_what_was_saved(trial: Trial) -> None:
    """A fork while other threads save the source is one of a whole save of it, and takes no save of the source away.

    Why: a run is branched while it goes on. What its own worker saves meanwhile must not be undone by the branch.

    Breaks it:

        def fork_run(self, run_id, new_id, checkpoint_id):
            source = self.get_run(run_id)
            source["metadata"]["lineage"]["childRunIds"].append(new_id)
            self.save_run(source)                      # as it was, before what was saved meanwhile
    """
    require(trial, "forks", THREADS)
