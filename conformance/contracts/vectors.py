"""The `vectors` contract: embeddings with their records, found by nearness.

A vector store has `add(ids, vectors, metadata)`, `query(vector, k, where=None)`, `get(ids)`, `delete(ids)`,
`len(store)`, `dimension`, `metric` and `close()`. An async store has the same verbs as `async def`, with `__len__` as
a plain method.

Records
    An id is a non-empty text; a vector is a list of `dimension` finite floats; a record's metadata is a flat dict of
    JSON scalars. `add` takes a list of each, of equal length, and replaces what is there under an id, vector and
    metadata. All of a call is added or nothing: a vector of another dimension, a NaN, an infinity, lists of unequal
    length and an id twice in one call are refused with TypeError or ValueError, and nothing is stored.

Getting
    `get(ids)` returns a list, in the order of the ids, with a dict with `id`, `vector` and `metadata` for each record,
    and None for each id that is not there. A vector comes back within the precision of a 32-bit float. What is
    returned is a copy.

Finding
    `query(vector, k)` returns at most `k` pairs of an id and a score, the nearest first, each id once; min(k, matches)
    of them. `metric` says what near means: `l2` (the score is the Euclidean distance or its square, smallest first),
    `cosine` or `dot` (the score is the similarity, largest first). Equal scores are ordered by the store, always in
    the same way. `where` is a dict: only records whose metadata have all of these values count, and they are picked
    before the nearest `k` are taken. A query vector of another dimension, or with a NaN or an infinity, is refused,
    and so is a negative `k`; `k=0` gives nothing.

Exactness
    A store that has no `recall`, or 1.0, is exact: it gives the `k` nearest. An approximate one declares in `recall`
    the share of the `k` nearest that it finds on average, and is held to that.

Deleting
    `delete(ids)` removes records from `get`, from `len` and from every search. Ids that are not there change nothing.

Durability
    After a reopen, a kill or a loss of power, records and index agree: every record that `get` gives is found by a
    search for its own vector, and no search gives an id that `get` does not know.

Sources: the property checklist VEC-01 to VEC-28; Semantic Kernel's vector store conformance tests; langchain4j's and
Spring AI's vector store tests; the recall@k of ann-benchmarks.
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="vectors",
    verbs=("add", "query", "get", "delete", "__len__", "dimension", "metric"),
    capabilities=(Capability("filter", parameter="query:where"),),
)
