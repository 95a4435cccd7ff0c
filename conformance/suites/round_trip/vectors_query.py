"""Finding in the `vectors` contract: the nearest, their scores, how many, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.literal import literal
from conformance.result import NotApplicable
from conformance.suites.round_trip.vectors_steps import (
    add,
    dimension_of,
    ids_of,
    metric_of,
    nearest,
    query,
    recall_of,
    some,
)
from conformance.values.vectors import along, random_vectors, ranked, score, tolerance

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("VECTORS-BASIC-01",)
#: How many records and queries approximate stores are measured with; as many as tell a few percent.
_MANY, _QUERIES, _K = 1_000, 50, 10
#: What the share that was found may be below the declared one by chance, with so many queries.
_CHANCE = 0.02


@check("VECTORS-QUERY-01", sources="VEC-08, VEC-16; ann-benchmarks", needs=_GATE)
def test_exact_store_finds_the_nearest(trial: Trial) -> None:
    """A store that is exact finds the `k` nearest, as many as brute force finds, the nearest first.

    Why: what is not found is not in the prompt, and nobody misses it. An index that was trained on the first records,
    or sorts in the wrong direction, still gives plausible neighbours.

    Breaks it:

        self._index.search(vector, k, nprobe=1)          # looks into one cell
    """
    with trial.fresh() as session:
        store = session.open()
        if recall_of(store) < 1.0:
            raise NotApplicable(f"the store is approximate, with recall={recall_of(store)}")
        records = some(trial, store, 120)
        add(store, dict(list(records.items())[:50]))
        for key in list(records)[50:]:
            add(store, {key: records[key]})
        asked = random_vectors(trial.seed + 1, 12, dimension_of(trial, store))
        for vector in [*asked, *list(records.values())[:3], [-number for number in records["v5"]]]:
            for k in (1, 5, 40):
                nearest(trial, store, vector, k, records, f"the {k} nearest of 120")


@check("VECTORS-QUERY-02", sources="VEC-09; Semantic Kernel DistanceFunctionTests", needs=_GATE)
def test_scores_are_what_the_metric_says(trial: Trial) -> None:
    """Scores are what the metric says: the distance or its square, smallest first, or the similarity, largest first.

    Why: a threshold is put on the score. Where a similarity is a distance, or `1 - x`, it lets in what it was to keep
    out.

    Breaks it:

        return [(id, 1 - distance) for id, distance in found]      # for l2
    """
    with trial.fresh() as session:
        store = session.open()
        metric, dimension = metric_of(trial, store), dimension_of(trial, store)
        records = some(trial, store, 20)
        records |= {f"at {angle}": along(dimension, angle=angle, length=2.0) for angle in (0.0, 0.7, 1.4, 2.8)}
        add(store, records)
        powers = {1, 2} if metric == "l2" else {1}
        for vector in (along(dimension, angle=0.3, length=3.0), *random_vectors(trial.seed + 2, 4, dimension)):
            found = query(trial, store, vector, len(records))
            for key, got in found:
                wanted, off = score(metric, vector, records[key]), tolerance(metric, vector, records[key])
                fits = {p for p in powers if abs(got - wanted**p) <= off * max(1.0, 2 * abs(wanted)) ** (p - 1)}
                powers = powers & fits or trial.violated(
                    f"the score of {key!r}, the metric being {metric!r}",
                    expected=literal(wanted)
                    if metric != "l2"
                    else f"{wanted!r} or its square, always the same of the two",
                    got=literal(got),
                )
            scores = [one for _, one in found]
            trial.equal(scores, sorted(scores, reverse=metric != "l2"), "the order of the scores")


@check("VECTORS-QUERY-03", sources="VEC-10; Semantic Kernel top and skip", needs=_GATE)
def test_number_of_results(trial: Trial) -> None:
    """A query gives `k` results, all there are when `k` is larger, none for `k=0`, and each id once.

    Why: the prompt has room for five. Indexes fill up to `k` with an id of -1, or with the last one again.

    Breaks it:

        return [(self._ids[n], score) for n, score in zip(numbers, scores)]      # n is -1 where there are no more
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 7)
        add(store, records)
        for k in (0, 1, 2, 6, 7, 8, 50):
            nearest(trial, store, records["v2"], k, records, f"a search with k={k} among 7")
        store.delete(["v1", "v4"])
        kept = {key: vector for key, vector in records.items() if key not in ("v1", "v4")}
        for k in (0, 4, 5, 6, 7, 50):
            nearest(trial, store, records["v2"], k, kept, f"a search with k={k} among 5 that are left of 7")


@check("VECTORS-QUERY-04", sources="VEC-08, ties", needs=_GATE)
def test_equal_scores_are_ordered_in_one_way(trial: Trial) -> None:
    """Records that are equally near come in the same order each time the same is asked.

    Why: a run that is repeated must see the same documents. Of ten copies of one text, five go into the prompt, and
    which five must not be a matter of luck.

    Breaks it:

        return heapq.nsmallest(k, {...})                 # a set: in the order of this process's hashes
    """
    with trial.fresh() as session:
        store = session.open()
        same, near = random_vectors(trial.seed, 2, dimension_of(trial, store))
        records = {
            **{f"copy {number}": same for number in range(12)},
            **{f"near {number}": near for number in range(6)},
        }
        add(store, records)
        for vector in (same, near):
            for k in (1, 3, 12, 15, 18):
                first = nearest(trial, store, vector, k, records, f"the {k} nearest, most of them equally near")
                for _ in range(3):
                    query(trial, store, near, 2)
                    again = query(trial, store, vector, k)
                    trial.equal(ids_of(again), ids_of(first), f"the same query with k={k} again")


@check("VECTORS-RECALL-01", sources="VEC-16; ann-benchmarks, recall@k", needs=_GATE)
def test_approximate_store_finds_the_share_that_it_declares(trial: Trial) -> None:
    """A store that declares a `recall` below 1.0 finds on average at least this share of the `k` nearest.

    Why: an approximate index is a bargain whose price is declared. With the parameters of yesterday's data it finds a
    half, and every answer looks as plausible as before.

    Breaks it:

        recall = 0.95                                    # measured once, with 100 records
        index = hnswlib.Index(space="l2", dim=d)         # ef=10
    """
    with trial.fresh() as session:
        store = session.open()
        declared = recall_of(store)
        if declared >= 1.0:
            raise NotApplicable("the store is exact")
        metric, dimension = metric_of(trial, store), dimension_of(trial, store)
        records = some(trial, store, _MANY)
        for first in range(0, _MANY, 100):
            add(store, dict(list(records.items())[first : first + 100]))
        met = 0
        for vector in random_vectors(trial.seed + 3, _QUERIES, dimension):
            # What is as near as the last of them counts as well.
            best = ranked(metric, vector, records)[:_K]
            last, sign = best[-1][1], 1 if metric == "l2" else -1
            found = query(trial, store, vector, _K)
            strangers = [key for key, _ in found if key not in records]
            trial.true(not strangers, "an approximate search", expected="ids that are there", got=literal(strangers))
            scores = [
                (score(metric, vector, records[key]), tolerance(metric, vector, records[key])) for key, _ in found
            ]
            met += sum(sign * (got - last) <= off for got, off in scores)
        share = met / (_QUERIES * _K)
        trial.count("neighbours", _QUERIES * _K)
        trial.true(
            share >= declared - _CHANCE,
            f"the share of the {_K} nearest that is found among {_MANY:,}, in {_QUERIES} searches",
            expected=f"at least {declared!r}, as declared",
            got=f"{share:.3f}",
        )
