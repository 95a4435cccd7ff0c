"""The `state` contract against its oracle, in random sequences that reopen the store now and then."""

from __future__ import annotations

from conformance.check import check
from conformance.suites.round_trip.state_values import passes
from conformance.trial import Trial
from conformance.values import domain


@check("STATE-MODEL-01", sources="KV-01 to KV-07, KV-15, KV-40; Hypothesis stateful testing", needs=("STATE-BASIC-01",))
def test_random_sequences_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of writes, deletes, reads, listings and reopenings gives what a plain mapping would give.

    Why: bugs live between the rules: a delete after an overwrite after a reopen. The shortest such sequence is shown.

    Breaks it:

        def _load(self):
            for record in self._log:
                self._index.setdefault(record.key, record)     # the oldest record wins after a reopen
    """
    from hypothesis.strategies import integers

    from conformance.models.state import StateModel
    from conformance.random_examples import PlacedMachine, rule, run_machine
    from conformance.values.strategies import few_keys, keys, values

    # Values and keys that fail by themselves fail other checks; sequences are then tried with plain ones.
    kind = trial.backend.values
    plain_values = integers(0, 99).map(lambda number: domain.numbered(kind, number))
    any_value = values(kind) if passes(trial, "STATE-VALUE-01", "STATE-VALUE-02") else plain_values
    any_key = keys() if passes(trial, "STATE-KEY-01", "STATE-KEY-04") else few_keys()

    class StateMachine(PlacedMachine):
        def __init__(self) -> None:
            super().__init__(trial)
            self.model = StateModel()

        @rule(key=few_keys(), value=any_value)
        def put(self, key: str, value: object) -> None:
            self.store[key] = value
            self.model.put(key, value)

        @rule(key=any_key, value=any_value)
        def put_under_any_key(self, key: str, value: object) -> None:
            self.put(key=key, value=value)

        # Reading, deleting and reopening an empty store would fill most random sequences, and find little.
        @rule(lambda self: self.model.content, place=integers(0, 20), value=any_value)
        def overwrite(self, place: int, value: object) -> None:
            self.put(key=self._present(place), value=value)

        @rule(lambda self: self.model.content, place=integers(0, 20))
        def delete(self, place: int) -> None:
            key = self._present(place)
            del self.store[key]
            self.model.delete(key)
            trial.raises(lambda: self.store[key], "missing", f"reading {key!r} after deleting it")

        @rule(key=few_keys())
        def look(self, key: str) -> None:
            if key in self.model.content:
                trial.equal(self.store[key], self.model.content[key], f"reading {key!r}")
            trial.equal(key in self.store, key in self.model.content, f"asking for {key!r}")
            trial.equal(sorted(self.store.keys()), self.model.keys(), "listing")
            trial.equal(len(self.store), len(self.model.content), "the length")

        @rule(lambda self: self.model.content and trial.backend.durability != "volatile")
        def reopen(self) -> None:
            self.store = self.session.reopen(self.store)
            trial.equal(sorted(self.store.keys()), self.model.keys(), "listing after reopening")
            for key, value in self.model.content.items():
                trial.equal(self.store[key], value, f"reading {key!r} after reopening")

        def _present(self, place: int) -> str:
            keys = self.model.keys()
            return keys[place % len(keys)]

    run_machine(trial, StateMachine)
