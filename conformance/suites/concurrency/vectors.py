"""Several workers of one vector store, in processes and in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.jobs import require_jobs as require_workers

if TYPE_CHECKING:
    from conformance.trial import Trial

_PROCESSES, _THREADS = "sharing:processes", "sharing:threads"
_ONE_ORDER = "consistency:linearizable"
_NEEDS = ("VECTORS-BASIC-01", "VECTORS-DELETE-01")
_LASTING = (*_NEEDS, "VECTORS-REOPEN-01")
_ALL_THERE = "each record that was added is got and found at the end, with its vector"
_MEANWHILE = "ids that were there at some moment of the search, each once, with the score of a vector that it had"


@check(
    "VECTORS-CONC-01",
    sources="KV-36, VEC-24; mutant vectors_read_all_write_all",
    promise=_PROCESSES,
    needs=_LASTING,
)
def test_processes_keep_all_records(trial: Trial) -> None:
    """Every record that one of several processes added is got and found when all are done.

    Why: documents are embedded by many at once. A store that loads its index, adds to it and saves it loses what
    another process has added in between, and nothing says so.

    Breaks it:

        index = faiss.read_index(path)
        index.add(vectors)
        faiss.write_index(index, path)                 # without what the other process wrote
    """
    require_workers(trial, "additions", "processes", _ALL_THERE)


@check(
    "VECTORS-CONC-02",
    sources="VEC-24; mutant vectors_index_before_others",
    promise=f"{_PROCESSES} {_ONE_ORDER}",
    needs=_LASTING,
)
def test_a_search_gives_what_is_there_while_processes_write(trial: Trial) -> None:
    """A search while other processes add, replace and delete gives what was there meanwhile, each id once.

    Each score is that of a vector that the id had at some moment of the search; what nobody writes is found each time.

    Why: what is found is quoted. An id that was deleted before the search leads nowhere, or to what was withdrawn.

    Breaks it:

        def query(self, vector, k):
            return self._index.search(vector, k)       # as it was when this process has read it
    """
    require_workers(trial, "searches", "processes", _MEANWHILE)


@check(
    "VECTORS-CONC-11",
    sources="KV-36, VEC-24; mutant vectors_read_all_write_all",
    promise=_THREADS,
    needs=_NEEDS,
)
def test_threads_keep_all_records(trial: Trial) -> None:
    """Every record that one of several threads added through one handle is got and found when all are done.

    Why: indexes are libraries that are not made for two writers, and the GIL is not held while they work.

    Breaks it:

        self._records = {**self._records, **new}       # two threads, one of the two
    """
    require_workers(trial, "additions", "threads", _ALL_THERE)


@check(
    "VECTORS-CONC-12",
    sources="VEC-24; mutant vectors_numbers_move",
    promise=f"{_THREADS} {_ONE_ORDER}",
    needs=_NEEDS,
)
def test_a_search_gives_what_is_there_while_threads_write(trial: Trial) -> None:
    """A search while other threads add, replace and delete gives what was there meanwhile, each id once.

    Each score is that of a vector that the id had at some moment of the search; what nobody writes is found each time.

    Why: an index answers with numbers of rows, and a list says which ids they have. A delete moves the rows up.

    Breaks it:

        scores, rows = self._index.search(vector, k)   # a row is removed after this
        return [(self._ids[row], score) for row, score in zip(rows, scores)]
    """
    require_workers(trial, "searches", "threads", _MEANWHILE)
