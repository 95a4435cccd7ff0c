"""Random sequences of calls to a run store, compared with the model after each."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis.strategies import integers, sampled_from

from conformance.models.runs import RefusedError, RunModel, parent_of
from conformance.random_examples import PlacedMachine, rule
from conformance.suites.round_trip import runs_steps as steps
from conformance.suites.round_trip.log_steps import UNSTORABLE
from conformance.suites.round_trip.runs_fork import forked
from conformance.values.runs import small_run

if TYPE_CHECKING:
    from conformance.trial import Trial

#: A handful, so that calls meet each other; ids that look alike, so that they meet where they must not.
_IDS = sampled_from(["a", "b", "c", "a/b", "A"])
_NUMBERS = integers(0, 9)
#: Which of the runs that are there; and how often it is one that is there.
_PLACES = integers(0, 20)
_MOSTLY = sampled_from((True, True, True, False))


class RunsMachine(PlacedMachine):
    """A run store and its model side by side; each rule is a call that both get."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        self.trial = trial
        self.model = RunModel(lineage=self.offers("lineage"))

    def offers(self, capability: str) -> bool:
        """Tell whether the store offers a capability."""
        return steps.offers(self.trial, capability)

    def teardown(self) -> None:
        """Compare all, where nothing went wrong so far, and leave the place."""
        try:
            if sys.exc_info()[0] is None:
                self._compare("at the end")
        finally:
            super().teardown()

    @rule(run_id=_IDS, number=_NUMBERS)
    def save(self, run_id: str, number: int) -> None:
        """Save a run, one that is there with the parent that it has, one that was acquired with its newest token."""
        self._save(self._run(run_id, number))

    @rule(lambda self: self.offers("lineage") and self.model.runs, run_id=_IDS, parent=_IDS, number=_NUMBERS)
    def save_with_a_parent(self, run_id: str, parent: str, number: int) -> None:
        """Save a new run with a parent, which is not there now and then; or an old one, if that must be refused."""
        run = self._run(run_id, number, parent)
        there = parent in self.model.runs
        if run_id not in self.model.runs or not there or run_id in self.model.ancestors(parent):
            self._save(run)

    @rule(lambda self: self.model.tokens, place=_PLACES, back=sampled_from((0, 0, 1)), number=_NUMBERS)
    def save_with_a_token(self, place: int, back: int, number: int) -> None:
        """Save a run with its newest token, or with one that was superseded."""
        run_id = sorted(self.model.tokens)[place % len(self.model.tokens)]
        tokens = self.model.tokens[run_id]
        self._save(self._run(run_id, number), tokens[max(len(tokens) - 1 - back, 0)])

    @rule(lambda self: self.offers("fencing"), run_id=_IDS)
    def acquire(self, run_id: str) -> None:
        """Acquire a run, which may not be there."""
        token = self.store.acquire_run(run_id, "owner")
        tokens = self.model.tokens.setdefault(run_id, [])
        what, last = f"the token of {run_id!r}", max(tokens, default=token - 1)
        self.trial.true(token > last, what, expected=f"higher than {last}", got=repr(token))
        tokens.append(token)

    @rule(lambda self: self.model.runs, run_id=_IDS, number=_NUMBERS)
    def save_what_is_no_json(self, run_id: str, number: int) -> None:
        """Save something that must be refused."""
        run = {**self._run(run_id, number), "state": [UNSTORABLE]}
        steps.must_refuse(self.trial, lambda: self.store.save_run(run), "saving a run that is not JSON")

    @rule(lambda self: self.offers("append_event") and self.model.runs, place=_PLACES, number=_NUMBERS, there=_MOSTLY)
    def append_event(self, place: int, number: int, *, there: bool) -> None:
        """Append an event, to a run that is not there now and then."""
        run_id = self._present(place) if there else f"not {self._present(place)}"
        event = {"type": "event", "number": number}
        call = partial(self.store.append_event, run_id, event)
        self._agreed(partial(self.model.append_event, run_id, event), call, "appending an event")
        self._look(run_id, "getting a run after an event was appended")

    @rule(
        lambda self: self.offers("fork") and self.model.runs,
        place=_PLACES,
        number=_NUMBERS,
        at=integers(0, 1),
        free=_MOSTLY,
    )
    def fork(self, place: int, number: int, at: int, *, free: bool) -> None:
        """Fork a run that is there, to an id that is taken now and then."""
        new_id = f"branch {number}" if free else self._present(number)
        source = self.model.runs[self._present(place)]
        at = min(at, len(source["checkpoints"]) - 1)
        if new_id in self.model.runs:
            fork = partial(self.store.fork_run, source["id"], new_id, source["checkpoints"][at]["id"])
            steps.must_refuse(self.trial, fork, "a fork to an id that is taken")
        else:
            self.model.runs[new_id] = forked(self.trial, self.store, source, new_id, at, "forking")
        self._look(source["id"], "getting the source of a fork")

    @rule(lambda self: self.offers("delete_run") and self.model.runs, place=_PLACES)
    def delete(self, place: int) -> None:
        """Delete a run that is there; one with children must be kept."""
        run_id = self._present(place)
        call = partial(self.store.delete_run, run_id)
        self._agreed(partial(self.model.delete, run_id), call, f"deleting {run_id!r}")
        self._look(run_id, "getting a run after it was deleted, or kept")

    @rule(lambda self: self.model.runs, run_id=_IDS)
    def look(self, run_id: str) -> None:
        """Get a run, which is not there now and then, and list all; ask for its ancestors."""
        run = self.model.runs.get(run_id)
        self._look(run_id, f"getting {run_id!r}")
        steps.lists(self.trial, self.store, self.model.runs, "listing")
        if run is not None and self.offers("lineage"):
            found = list(self.store.lineage(run_id))
            self.trial.equal(found, self.model.ancestors(run_id), f"the lineage of {run_id!r}")

    @rule(lambda self: self.model.runs and steps.is_durable(self.trial))
    def reopen(self) -> None:
        """Close the store and open it again."""
        before = steps.listing(self.trial, self.store)
        self.store = self.session.reopen(self.store)
        steps.agree(self.trial, steps.listing(self.trial, self.store), before, "listing after reopening")
        self._compare("after reopening")

    def _look(self, run_id: str, what: str) -> None:
        run = self.model.runs.get(run_id)
        steps.agree(self.trial, steps.fetched(self.trial, self.store, run_id), run, what)

    def _present(self, place: int) -> str:
        ids = sorted(self.model.runs)
        return ids[place % len(ids)]

    def _run(self, run_id: str, number: int, parent: str | None = None) -> steps.Run:
        old = self.model.runs.get(run_id)
        if parent is None and old is not None:
            parent = parent_of(old)
        run = small_run(run_id, number)
        run["checkpoints"] = [
            {"id": f"{place}", "state": {"n": number, "at": place}} for place in range(1 + number % 2)
        ]
        if parent is not None:
            run["metadata"] = {"lineage": {"parentRunId": parent}}
        return run

    def _save(self, run: steps.Run, token: int | None = None) -> None:
        if token is None and run["id"] in self.model.tokens:
            token = self.model.tokens[run["id"]][-1]
        # A store may have no such argument.
        options = {} if token is None else {"token": token}
        call = partial(self.store.save_run, run, **options)
        self._agreed(partial(self.model.save, run, token), call, "saving a run")
        self._look(run["id"], "getting a run after it was saved, or refused")

    def _agreed(self, on_model: Any, on_store: Any, what: str) -> None:
        try:
            on_model()
        except RefusedError as refused:
            steps.must_refuse(self.trial, on_store, f"{what}, though {refused}")
        else:
            on_store()

    def _compare(self, when: str) -> None:
        steps.hold_all(self.trial, self.store, self.model.runs, when)
