"""Runs are the same whoever reads them, and wherever they were saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.replay.records import AGAIN
from conformance.suites.replay.everywhere import lives_the_same, reads_the_same, saves_anew
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01",)


@check(
    "RUNS-REPLAY-01",
    sources="RUN-31; mutants runs_names_by_hash, runs_set_order",
    promise="durability:clean-close",
    needs=(*_NEEDS, "RUNS-REOPEN-01"),
)
def test_everybody_reads_the_same_runs(trial: Trial) -> None:
    """Runs are read, and listed in one order, the same each time and by everybody: whatever his settings and his clock.

    Why: a run is resumed by another process, on another machine, in another zone. What it goes on from depends on
    nothing but what was saved.

    The processes differ in PYTHONHASHSEED, TZ, LANG, the working directory and the seed of `random`; and the wall clock
    is wrong by years, steps back, or stands still.

    Breaks it:

        def list_runs(self):
            return [self.get_run(run_id) for run_id in set(self._index)]    # in the order of a set
    """
    reads_the_same(trial)


@check("RUNS-REPLAY-02", sources="RUN-31; mutant runs_in_the_encoding_of_the_locale", needs=_NEEDS)
def test_the_same_saves_make_the_same_runs(trial: Trial) -> None:
    """The same saves, appends, forks and deletes leave the same runs in every empty store, in whatever process.

    Why: a failed run is explained by doing again what was done. A store that adds the time, or writes in the encoding
    of its locale, explains another run.

    Of a fork its checkpoints, its state and its lineage are compared: the rest is not settled.

    Breaks it:

        def save_run(self, run):
            self._file(run["id"]).write_text(json.dumps(run, ensure_ascii=False))    # in the encoding of the locale
    """
    lives_the_same(trial)


@check(
    "RUNS-REPLAY-03",
    sources="RUN-16; mutant runs_gc_leaves_outputs",
    capability="delete_run",
    needs=_NEEDS,
)
def test_a_deleted_run_does_not_come_back(trial: Trial) -> None:
    """A run that was deleted and is saved again under its id has what was saved then, and nothing of before.

    Why: ids are taken again: by a test, by a user who starts over, by a counter that was reset. The messages of
    somebody else are in the run then.

    Breaks it:

        def delete_run(self, run_id):
            del self._runs[run_id]                     # and its messages stay, under the same id
    """
    new = small_run(AGAIN, 1)

    def clear(store: Handle) -> None:
        store.save_run(full_run(AGAIN))
        store.delete_run(AGAIN)
        store.save_run(new)

    saves_anew(trial, clear, {AGAIN: new})
