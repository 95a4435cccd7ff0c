"""Ids of the `runs` contract: compared exactly, and data, whatever they look like."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.runs_steps import gone, holds, ids, is_durable, listing, save_all
from conformance.values.cases import ACCEPTED_KEYS, EXACT_OR_REFUSED_KEYS, NEIGHBOURS
from conformance.values.runs import small_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.session import Handle
    from conformance.trial import Trial

_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")


def _listed_once(trial: Trial, store: Handle, run_ids: Iterable[str], what: str) -> None:
    found = ids(listing(trial, store))
    for run_id in run_ids:
        trial.equal(found.count(run_id), 1, f"{what}: how often {run_id!r} is listed")


def _not_taken_for(trial: Trial, store: Handle, run_id: str) -> None:
    # The id may be one that the store refuses to be asked for, too.
    found: list[Any] = []
    if not trial.refused(lambda: found.append(store.get_run(run_id))):
        trial.equal(found, [None], "getting a run by an id that differs at its end only")


@check("RUNS-ID-01", sources="the state contract on keys; mutants path_traversal, runs_no_slashes", needs=_LISTED)
def test_any_text_is_an_id(trial: Trial) -> None:
    """Any text of up to 200 characters is an id: it is kept, found and listed as it is.

    Why: ids come from elsewhere: paths of a workflow, addresses, names that users gave. One that is taken for a path is
    written outside the store, and one that is escaped is listed in another form than it was saved in.

    Breaks it:

        path = self._folder / f"{run_id}.json"     # "../escape", "a/b", "CON"
    """

    @trial.cases(ACCEPTED_KEYS)
    def _(store: Handle, run_id: str) -> None:
        for number in (1, 2):
            store.save_run(small_run(run_id, number))
            holds(trial, store, small_run(run_id, number), "getting a run by an odd id")

    runs = {run_id: small_run(run_id, number) for number, run_id in enumerate(ACCEPTED_KEYS.values())}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        _listed_once(trial, store, runs, "listing runs with odd ids")
        if is_durable(trial):
            store = session.reopen(store)
            for run in runs.values():
                holds(trial, store, run, "getting a run by an odd id, the store opened again")
            _listed_once(trial, store, runs, "listing runs with odd ids, the store opened again")


@check("RUNS-ID-02", sources="the state contract on keys; RUN-06", needs=_LISTED)
def test_ids_that_look_alike_are_kept_apart(trial: Trial) -> None:
    """Ids that differ at all name different runs: in case, in normal form, in spaces, in an escape.

    Why: a store that folds ids writes one run over another, and both were acknowledged.

    Breaks it:

        CREATE TABLE runs (id VARCHAR(64) COLLATE NOCASE PRIMARY KEY, ...)
    """

    @trial.cases(NEIGHBOURS)
    def _(store: Handle, group: Any) -> None:
        kept: dict[str, int] = {}
        for number, run_id in enumerate(group):
            save = partial(store.save_run, small_run(run_id, number))
            if "\x00" in run_id or len(run_id) > 200:
                if trial.refused(save):
                    continue
            else:
                save()
            kept[run_id] = number
        for run_id in list(kept)[:2]:
            kept[run_id] += 100
            store.save_run(small_run(run_id, kept[run_id]))
        for run_id, number in kept.items():
            holds(trial, store, small_run(run_id, number), f"getting {run_id!r} beside ids that look like it")
        _listed_once(trial, store, kept, "listing runs with ids that look alike")


@check("RUNS-ID-03", sources="the state contract on keys", needs=_LISTED)
def test_other_ids_are_exact_or_refused(trial: Trial) -> None:
    """An id that a store can't take, as it is too long or has a NUL, is refused loudly; it is never cut or changed.

    Why: an id that is cut at 255 characters is found by the whole one, until another has the same beginning.

    Breaks it:

        name = run_id[:255]                   # as long as a file's name may be
    """
    other = small_run("other", 7)

    @trial.cases({name: run_id for name, run_id in EXACT_OR_REFUSED_KEYS.items() if run_id})
    def _(store: Handle, run_id: str) -> None:
        alike = [run_id[:-1], f"{run_id[:-1]}y"]
        store.save_run(other)
        before = len(listing(trial, store))
        if trial.refused(lambda: store.save_run(small_run(run_id, 1))):
            trial.count("refusals")
            trial.equal(len(listing(trial, store)), before, "how many runs are listed after an id was refused")
        else:
            holds(trial, store, small_run(run_id, 1), "getting a run by an id that was accepted")
            _listed_once(trial, store, [run_id], "listing a run with an id that was accepted")
            for near in filter(None, alike):
                _not_taken_for(trial, store, near)
        holds(trial, store, other, "getting another run")
        gone(trial, store, "oth", "getting a run that is not there")
