"""Listing in the `runs` contract: every run once, in an order that is always the same, and true to the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.runs_steps import (
    agree,
    hold_all,
    ids,
    listing,
    lists,
    require_durable,
    save_all,
    some_runs,
)
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)
_LISTED = (*_GATE, "RUNS-LIST-01")
#: More than one page of any store.
_MANY = 150
#: Neither sorted, nor in the order of their numbers, nor the reverse of either.
_MIXED = ("run-5", "run-1", "run-10", "B", "run-2", "a", "run-9", "é", "run-3")


@check("RUNS-LIST-01", sources="RUN-15, RUN-35; mutants runs_forgets_saved_again, runs_lists_each_save", needs=_GATE)
def test_every_run_is_listed_once(trial: Trial) -> None:
    """Every run that was saved is listed once, however often it was saved; an empty store lists none.

    Why: what is not listed is not found after a restart, and never resumed. What is listed twice is resumed twice.

    Breaks it:

        def save_run(self, run):
            self._index.append(run["id"])     # once for each save
    """
    runs = some_runs(3)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(ids(listing(trial, store)), [], "the ids that an empty store lists")
        for number, run in enumerate(runs.values(), 1):
            store.save_run(run)
            what = "the ids that are listed after a run was saved"
            trial.equal(sorted(ids(listing(trial, store))), sorted(runs)[:number], what)
        for number in range(3):
            store.save_run(small_run("run-2", 10 + number))
            store.save_run(runs["run-1"])
            what = "the ids that are listed after runs were saved again, one of them unchanged"
            trial.equal(sorted(ids(listing(trial, store))), sorted(runs), what)


@check("RUNS-LIST-02", sources="RUN-03, RUN-15; mutant runs_shuffles", needs=_LISTED)
def test_listing_is_repeatable(trial: Trial) -> None:
    """Two listings with no write between them are equal, whatever was read meanwhile.

    Why: who works through the runs page by page asks again and again. In an order that changes it meets some twice and
    others never.

    Breaks it:

        def list_runs(self):
            return [self.get_run(run_id) for run_id in set(self._ids)]
    """
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {run_id: small_run(run_id, number) for number, run_id in enumerate(_MIXED)})
        first = listing(trial, store)
        for time in ("second", "third"):
            agree(trial, listing(trial, store), first, f"listing for the {time} time")
            for run_id in _MIXED:
                store.get_run(run_id)
        agree(trial, listing(trial, store), first, "listing after all runs were read")


@check("RUNS-LIST-03", sources="RUN-35", needs=(*_LISTED, "RUNS-SAVE-01"))
def test_listing_repeats_the_records(trial: Trial) -> None:
    """What the listing says of a run is what its record says, from the moment on at which it was saved.

    Why: a supervisor looks for the runs that wait for an approval in the listing. One that shows the status of the
    first save shows a run that is long done, and hides one that waits.

    Breaks it:

        INSERT OR IGNORE INTO summaries VALUES (?, ?)     -- kept as the first save wrote it
    """
    runs = {"run-1": full_run("run-1"), "run-2": small_run("run-2", 2), "run-3": {"id": "run-3"}}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        lists(trial, store, runs, "listing runs with many fields, with few, and with none")
        runs["run-1"] = {**full_run("run-1"), "status": "completed", "output": [], "pendingApproval": None}
        runs["run-2"] = {"id": "run-2", "status": "failed", "errors": [{"message": "late"}]}
        dropped = {"run-2": small_run("run-2", 2)}
        save_all(store, runs)
        lists(trial, store, runs, "listing after the runs were saved again with other fields")
        for item in listing(trial, store):
            before, now = dropped.get(item["id"], {}), runs[item["id"]]
            # A summary may have null, or an empty list, where the record has nothing.
            stale = sorted(name for name in before.keys() & item.keys() if name not in now and item[name])
            trial.equal(stale, [], f"the fields listed of {item['id']!r} that its last record has no more")


@check("RUNS-LIST-04", sources="RUN-15; mutant runs_shuffles", promise="durability:clean-close", needs=_LISTED)
def test_listing_is_the_same_after_reopening(trial: Trial) -> None:
    """The listing is the same after the store was closed and opened again, its order included.

    Why: a page number, or the place in a list, is kept over a restart of the program.

    Breaks it:

        for path in folder.iterdir():         # in the order of the file system, which a rewrite changes
    """
    runs = {run_id: small_run(run_id, number) for number, run_id in enumerate(_MIXED)}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for again in ("run-10", "é", "run-1"):
            runs[again] = {**runs[again], "status": "saved again"}
            save_all(store, {again: runs[again]})
            before = listing(trial, store)
            store = session.reopen(store)
            agree(trial, listing(trial, store), before, "listing after the store was opened again")
        hold_all(trial, store, runs, "after the store was opened again")


@check("RUNS-LIST-05", sources="RUN-15, RUN-33", promise="sharing:processes", needs=_LISTED)
def test_listing_is_the_same_through_another_handle(trial: Trial) -> None:
    """The listing is the same through every handle, its order included, whoever saved the runs.

    Why: two workers that divide the runs among them by their place in the listing do some twice, and others never.

    Breaks it:

        def list_runs(self):
            return [*self._mine, *self._of_others]
    """
    require_durable(trial)
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        for number, run_id in enumerate(_MIXED):
            save_all(handles[number % 2], {run_id: small_run(run_id, number)})
            one, other = (listing(trial, handle) for handle in handles)
            agree(trial, other, one, "listing through the second handle, and then through the first")


@check("RUNS-LIST-06", sources="RUN-15", needs=_LISTED)
def test_many_runs_are_listed(trial: Trial) -> None:
    """However many runs there are, they are all listed, each once.

    Why: a page of results that is taken for all of them, and a page that begins where the one before it ended by time
    and not by run, lose runs only where there are many.

    Breaks it:

        SELECT document FROM runs ORDER BY updated LIMIT 100
    """
    runs = some_runs(_MANY)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        found = ids(listing(trial, store))
        missing, extra = sorted(set(runs) - set(found)), sorted(set(found) - set(runs))
        trial.equal((missing, extra, len(found)), ([], [], _MANY), "the runs not listed, those too many, and how many")
