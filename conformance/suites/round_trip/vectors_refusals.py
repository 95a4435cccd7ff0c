"""What a store of the `vectors` contract refuses: all of the call, and nothing is stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.vectors_steps import add, holds, must_refuse, query, some

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial
    from conformance.values.vectors import Vector

_GATE = ("VECTORS-BASIC-01",)


def _nothing_of(trial: Trial, store: Handle, records: dict[str, Vector], call: tuple[Any, Any, Any], what: str) -> None:
    """Require that a call of `add` is refused, and that the store has what it had."""
    must_refuse(trial, lambda: store.add(*call), f"adding {what}")
    holds(trial, store, records, f"after {what} was refused", gone=["new", "other"])


@check("VECTORS-REFUSE-01", sources="VEC-06, VEC-28; Semantic Kernel dimension tests", needs=_GATE)
def test_wrong_dimension_is_refused(trial: Trial) -> None:
    """A vector with too few or too many numbers is refused with TypeError or ValueError; nothing of the call is stored.

    Why: another model was configured. Vectors that are cut or filled with zeros are found by nobody, and every search
    is worse for ever.

    Breaks it:

        row = (vector + [0.0] * dimension)[:dimension]
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 3)
        add(store, records)
        good, other = some(trial, store, 2, first=3).values()
        for bad, what in (
            (good[:-1], "a vector that is too short"),
            ([*good, 1.0], "a vector that is too long"),
            ([], "[]"),
        ):
            _nothing_of(trial, store, records, (["new"], [bad], [{}]), what)
            _nothing_of(trial, store, records, (["other", "new"], [other, bad], [{}, {}]), f"{what}, behind a good one")
            _nothing_of(
                trial, store, records, (["v0", "new"], [other, bad], [{"a": 1}, {}]), f"{what}, behind an update"
            )
        add(store, {"new": good})
        holds(trial, store, {**records, "new": good}, "after a good one was added")


@check("VECTORS-REFUSE-02", sources="VEC-07", needs=_GATE)
def test_numbers_that_are_not_finite_are_refused(trial: Trial) -> None:
    """A vector with a NaN or an infinity is refused with TypeError or ValueError; nothing of the call is stored.

    Why: a NaN is near to nothing and compares with nothing: sorted by such scores, the nearest come in any order, and
    searches that have nothing to do with it go wrong.

    Breaks it:

        self._index.add(numpy.array(vector))             # takes whatever is a number
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 3)
        add(store, records)
        good, other = some(trial, store, 2, first=3).values()
        for number in (math.nan, math.inf, -math.inf):
            for place in (0, -1):
                bad = list(good)
                bad[place] = number
                _nothing_of(trial, store, records, (["new"], [bad], [{}]), f"a vector with {number!r}")
                _nothing_of(
                    trial, store, records, (["v0", "new"], [other, bad], [{}, {}]), f"{number!r}, behind an update"
                )
        add(store, {"new": good})
        holds(trial, store, {**records, "new": good}, "after a good one was added")


@check("VECTORS-REFUSE-03", sources="VEC-22; KV-14", needs=_GATE)
def test_lists_of_unequal_length_are_refused(trial: Trial) -> None:
    """Lists of ids, vectors and metadata of unequal length are refused with TypeError or ValueError; nothing is stored.

    Why: one document was dropped on the way to the embedding. Zipped to the shortest, every vector behind it belongs to
    another id.

    Breaks it:

        for id, vector, metadata in zip(ids, vectors, metadata): ...
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 3)
        add(store, records)
        good, other = some(trial, store, 2, first=3).values()
        calls = {
            "a vector too few": (["new", "other"], [good], [{}, {}]),
            "a vector too many": (["new"], [good, other], [{}]),
            "no vector": (["new"], [], [{}]),
            "metadata too few": (["new", "other"], [good, other], [{}]),
            "metadata too many": (["new"], [good], [{}, {}]),
            "an update with a vector too few": (["v0", "new"], [good], [{"a": 1}]),
            "no id": ([], [good], [{}]),
        }
        for what, call in calls.items():
            _nothing_of(trial, store, records, call, what)


@check("VECTORS-REFUSE-04", sources="KV-26; VEC-22", needs=_GATE)
def test_id_twice_in_one_call_is_refused(trial: Trial) -> None:
    """An id that comes twice in one call is refused with TypeError or ValueError; nothing of the call is stored.

    Why: which of the two was meant, nobody knows. Records and index may decide differently.

    Breaks it:

        self._records.update(zip(ids, rows))             # the last one
        self._index.add(labels, vectors)                 # both
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 3)
        add(store, records)
        one, other, third = some(trial, store, 3, first=3).values()
        calls = {
            "an id twice": (["new", "new"], [one, other], [{}, {}]),
            "an id twice with equal vectors": (["new", "new"], [one, one], [{}, {}]),
            "an id twice, another between": (["new", "other", "new"], [one, other, third], [{}, {}, {}]),
            "an id of an update twice": (["v0", "v0"], [one, other], [{"a": 1}, {"a": 2}]),
        }
        for what, call in calls.items():
            _nothing_of(trial, store, records, call, what)


@check("VECTORS-REFUSE-05", sources="VEC-06, VEC-07, VEC-10", needs=_GATE)
def test_queries_that_mean_nothing_are_refused(trial: Trial) -> None:
    """A query vector of another dimension, or with a NaN or an infinity, and a negative `k` are refused.

    Why: the answer would be records, in some order. Nobody sees that the order means nothing.

    Breaks it:

        def query(self, vector, k):
            return self._sorted(vector)[:k]              # all but the last one for k=-1
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 4)
        add(store, records)
        good = records["v1"]
        bad: dict[str, tuple[Vector, int]] = {
            "a vector that is too short": (good[:-1], 2),
            "a vector that is too long": ([*good, 1.0], 2),
            "a vector with a NaN": ([math.nan, *good[1:]], 2),
            "a vector with an infinity": ([*good[:-1], math.inf], 2),
            "k=-1": (good, -1),
            "k=-3": (good, -3),
        }
        for what, (vector, k) in bad.items():
            must_refuse(trial, lambda v=vector, k=k: query(trial, store, v, k), f"a query with {what}", (Exception,))  # type: ignore[misc]
        holds(trial, store, records, "after queries were refused")
