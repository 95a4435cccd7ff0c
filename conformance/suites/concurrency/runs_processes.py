"""Processes, each with a handle of its own on one store of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import PROCESSES, require
from conformance.suites.concurrency.tokens import require_accepted

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01", "RUNS-REOPEN-01")
_PROMISE = "sharing:processes"
_ONE_ORDER = f"{_PROMISE} consistency:linearizable"


@check("RUNS-CONC-11", sources="KV-38; mutant runs_cached", promise=_ONE_ORDER, needs=_NEEDS)
def test_processes_see_one_order_of_saves(trial: Trial) -> None:
    """Processes with a handle each see saves and gets in one order, each between its call and its return.

    Why: the worker that takes a run over must find what the last one acknowledged, or it does its last step again.

    Breaks it:

        def get_run(self, run_id):
            return self._cache.get(run_id) or self._load(run_id)    # what another process saved since is not seen
    """
    require(trial, "saves", PROCESSES)


@check("RUNS-CONC-12", sources="KV-37; mutant run_rewritten_in_place", promise=_PROMISE, needs=_NEEDS)
def test_processes_read_whole_runs(trial: Trial) -> None:
    """A run that is read while another process saves it is one that somebody saved, whole, in all of its fields.

    Why: a file that is rewritten in place is for a moment empty, then half of it is there.

    Breaks it:

        def save_run(self, run):
            self._file(run["id"]).write_text(json.dumps(run))
    """
    require(trial, "overwrites" if trial.backend.consistency == "linearizable" else "overwrites in sessions", PROCESSES)


@check(
    "RUNS-CONC-13",
    sources="KV-36; agno#7479, mastra#17298; mutant runs_read_all_write_all",
    promise=_PROMISE,
    needs=_NEEDS,
)
def test_processes_keep_all_runs(trial: Trial) -> None:
    """Every run that one of several processes saved is there, as it was saved, when all are done.

    Why: a store that loads all runs, changes one and saves all loses what another process saved in between, without
    any error.

    Breaks it:

        def save_run(self, run):
            runs = self._load()
            runs[run["id"]] = run
            self._replace(runs)                        # whole, synced, and without what the other process saved
    """
    require(trial, "distinct keys", PROCESSES)


@check("RUNS-CONC-16", sources="redis#4906; mutant runs_half_read_is_empty", promise=_ONE_ORDER, needs=_NEEDS)
def test_processes_list_every_run(trial: Trial) -> None:
    """A listing while another process saves has every run that was there when it began, once, and none nobody saved.

    Why: a listing that is made of a file that is just being rewritten is empty, and nothing says so.

    Breaks it:

        def list_runs(self):
            try:
                return list(json.loads(self._path.read_bytes()).values())
            except ValueError:                         # half of it is there
                return []
    """
    require(trial, "new runs", PROCESSES)


@check(
    "RUNS-CONC-17",
    sources="MEM-16; mutant events_appended_by_hand",
    capability="append_event",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_processes_append_every_event(trial: Trial) -> None:
    """Of the events that processes append to one run none is lost or doubled, and what returned earlier comes earlier.

    Why: a run is read by the process that shows it, and written by those that work on it.

    Breaks it:

        def append_event(self, run_id, event):
            with self._thread_lock:                    # keeps no other process out
                run = self.get_run(run_id)
                self.save_run({**run, "events": [*run["events"], event]})
    """
    require(trial, "events of a run", PROCESSES)


@check(
    "RUNS-CONC-18",
    sources="RUN-23, RUN-24; langgraph#8796; Kleppmann, How to do distributed locking",
    capability="fencing",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_no_process_saves_with_a_superseded_token(trial: Trial) -> None:
    """As soon as another process has acquired a run, no save with an older token is accepted, whenever it comes.

    Why: two workers hold one run for a moment at each deployment. The older one must see that it is the older one.

    Breaks it:

        def save_run(self, run, token=None):
            if token < self._tokens.get(run["id"], 0):    # those that this process gave
                raise ConflictError(run["id"])
            self._write(run)
    """
    require_accepted(trial, PROCESSES)


@check(
    "RUNS-CONC-19",
    sources="RUN-18, RUN-19; mutant fork_saves_the_source",
    capability="fork",
    promise=_ONE_ORDER,
    needs=_NEEDS,
)
def test_processes_fork_what_was_saved(trial: Trial) -> None:
    """A fork while another process saves the source is one of a whole save of it, and takes no save of it away.

    Why: people branch a run in one process, to try something else, while another one goes on with it.

    Breaks it:

        def fork_run(self, run_id, new_id, checkpoint_id):
            runs = self._load()
            runs[new_id] = branched(runs[run_id], checkpoint_id)
            self._replace(runs)                        # without what was saved meanwhile
    """
    require(trial, "forks", PROCESSES)
