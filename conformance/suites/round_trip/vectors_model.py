"""The `vectors` contract against its oracle, in random sequences of all that the store offers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.vectors_steps import add, dimension_of, nearest
from conformance.values.vectors import random_vectors

if TYPE_CHECKING:
    from conformance.trial import Trial

_IDS = ("a", "b", "c", "d")


@check(
    "VECTORS-MODEL-01",
    sources="VEC-01 to VEC-13; Hypothesis stateful testing",
    needs=("VECTORS-BASIC-01", "VECTORS-ADD-01", "VECTORS-DELETE-01"),
)
def test_random_sequences_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of additions, deletes, searches and reopenings gives what brute force over a dict gives.

    Why: bugs live between the rules: an id that is added again after a delete after a reopening. The shortest such
    sequence is shown.

    Breaks it:

        self._next = len(self._index)      # after a reopening; the number of a deleted record is given again
    """
    from hypothesis.strategies import integers, lists, sampled_from

    from conformance.models.vectors import VectorsModel
    from conformance.random_examples import PlacedMachine, rule, run_machine

    some_ids = lists(sampled_from(_IDS), min_size=1, max_size=2, unique=True)
    numbers, kinds = integers(0, 11), sampled_from("xy")
    filters = "filter" in trial.bench.profile.offered("vectors")

    class VectorsMachine(PlacedMachine):
        def __init__(self) -> None:
            super().__init__(trial)
            self.model = VectorsModel()
            self.vectors = random_vectors(trial.seed, 12, dimension_of(trial, self.store))

        @rule(ids=some_ids, number=numbers, kind=kinds)
        def put(self, ids: list[str], number: int, kind: str) -> None:
            records = {key: self.vectors[(number + place) % 12] for place, key in enumerate(ids)}
            metadata = {key: {"kind": kind} for key in ids}
            add(self.store, records, metadata)
            self.model.add(records, metadata)

        @rule(ids=some_ids)
        def delete(self, ids: list[str]) -> None:
            self.store.delete(ids)
            self.model.delete(ids)
            trial.equal(list(self.store.get(ids)), [None] * len(ids), "get of what was deleted")

        @rule(number=numbers, k=integers(0, 8))
        def search(self, number: int, k: int) -> None:
            nearest(trial, self.store, self.vectors[number], k, self.model.vectors, f"the {k} nearest")

        @rule(lambda _: filters, number=numbers, k=integers(1, 8), kind=kinds)
        def search_kind(self, number: int, k: int, kind: str) -> None:
            where = {"kind": kind}
            matching = self.model.having(where)
            nearest(trial, self.store, self.vectors[number], k, matching, f"the {k} nearest with {where}", where=where)

        @rule(lambda self: self.model.vectors and trial.backend.durability != "volatile")
        def reopen(self) -> None:
            self.store = self.session.reopen(self.store)
            self.all_of_it("after reopening")

        def all_of_it(self, when: str) -> None:
            gone = [key for key in _IDS if key not in self.model.vectors]
            records = self.model.vectors
            trial.equal(len(self.store), len(records), f"the length {when}")
            found = [one and (one["id"], dict(one["metadata"])) for one in self.store.get([*records, *gone])]
            expected = [(key, self.model.metadata[key]) for key in records]
            trial.equal(found, [*expected, *(None for _ in gone)], f"ids and metadata of what get gave {when}")
            nearest(trial, self.store, self.vectors[0], len(_IDS) + 1, records, f"a search for all {when}")

        def teardown(self) -> None:
            try:
                if sys.exc_info()[0] is None:
                    self.all_of_it("at the end")
            finally:
                super().teardown()

    run_machine(trial, VectorsMachine)
