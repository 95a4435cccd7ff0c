"""What was seen of the findings on logs, runs, layers, jobs and vectors, by hand."""

from __future__ import annotations

from tests.stores.note import JOURNAL, JOURNAL_DOCS, JSON, SQLITE, SQLITE_DOCS, Note

#: By the name of the store.
OTHERS: dict[str, tuple[Note, ...]] = {
    "Burr SQLitePersister": (
        Note(
            "RUNS-FIELD-04 RUNS-REFUSE-02 RUNS-MODEL-01",
            'what is no JSON is kept as its `str`, without a word: `{1, 2}` comes back as `"{1, 2}"`, `(1, 2)` as '
            '`"(1, 2)"`, `b"ab"` as `"b\'ab\'"`, any object as its repr; `{1: "a", "1": "b"}` has one entry.',
        ),
        Note("RUNS-REFUSE-01", "the empty id, `1` and `True` are ids, the latter two as texts: the column is TEXT."),
        Note("RUNS-CRASH-21", JOURNAL, JOURNAL_DOCS),
        Note("RUNS-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "Optuna JournalFileBackend": (
        Note(
            "LOG-CRASH-01 -02 -03 -05 -11 -12 -13 -15",
            "a line that was cut by a kill or a power loss stays, and the next event is written behind it on the same "
            "line: that one, which was acknowledged, is gone, and once another one follows, reading raises.",
            "https://github.com/optuna/optuna/issues/5138",
        ),
        Note(
            "LOG-CRASH-55",
            "the lock is given back by renaming it; where that fails it stays, and whoever comes next waits for its "
            "grace period of 30 s. The kit waits for 10 s: a longer one would find the log usable again.",
        ),
        Note(
            "LOG-BATCH-02 LOG-MODEL-01",
            "`append_logs([])` writes an empty line, after which nothing can be read any more.",
        ),
        Note(
            "LOG-EVENT-02",
            JSON + " The issue is that of a choice that is a tuple.",
            "https://github.com/optuna/optuna/issues/4893",
        ),
        Note(
            "LOG-CORR-01 -02 -03 -05",
            "there is no checksum: an event that still is JSON is given as it is. The last line, where it is none or "
            "has no end, is taken for one that is being written, and left out.",
        ),
    ),
    "eventsourcing": (
        Note(
            "LOG-EVENT-02",
            "an event is bytes, and what is none is kept as SQLite keeps it: NaN comes back as None, a date as a text. "
            "Its mappers give it bytes only.",
        ),
        Note("LOG-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "Chroma": (
        Note(
            "VECTORS-ADD-01",
            "`upsert` of an id that is there merges the metadata, old names stay; as `update` is documented to do.",
            "https://github.com/chroma-core/chroma/issues/1247",
        ),
        Note(
            "VECTORS-GET-03 VECTORS-FILTER-03",
            "None in metadata is left out without a word, `2**64` comes back as a float; names that are empty, or "
            "begin "
            "with `$` or `#`, are refused.",
        ),
        Note(
            "VECTORS-GET-01 VECTORS-ADD-02 VECTORS-DELETE-02 VECTORS-QUERY-03",
            "a call for none is refused with a ValueError: to get, add or delete no id, to find `k=0`.",
        ),
        Note(
            "VECTORS-REFUSE-01 -02 -04",
            "what is refused is refused with exceptions of its own, `InvalidArgumentError` and `DuplicateIDError`, "
            "which "
            "are no ValueErrors. The pull request would make the former a ValueError.",
            "https://github.com/chroma-core/chroma/pull/7605",
        ),
        Note(
            "VECTORS-CONC-02",
            "a search has the score of a vector that another process has replaced since: each process has an index of "
            "its own; documented: Chroma is not process-safe.",
            "https://cookbook.chromadb.dev/core/system_constraints/",
        ),
        Note("VECTORS-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "LangGraph SqliteSaver": (
        Note(
            "RUNS-FIELD-04",
            '`"a\\ud800b"` comes back as `"a?b"`: the serializer replaces surrogates; `(1, 2)` comes back as '
            "`[1, 2]`, "
            "and a bytearray as bytes.",
            "https://github.com/langchain-ai/langgraph/pull/6395",
        ),
        Note(
            "RUNS-FIELD-03 -06",
            "what takes more than 64 bits, such as `2**64`, is refused: `Integer exceeds 64-bit range`.",
            "https://github.com/langchain-ai/langgraph/issues/8673",
        ),
        Note(
            "RUNS-REFUSE-01",
            'the thread `1` is the thread `"1"`, None is `"None"`; the empty id is a thread, too.',
            "https://github.com/langchain-ai/langgraph/pull/6891",
        ),
        Note(
            "RUNS-CRASH-51",
            "where the first sync fails, SQLite stays with its default journal, which `PRAGMA journal_mode=WAL` "
            "tells in "
            "its answer, and nobody reads it; from then on a power loss undoes what was saved last.",
        ),
        Note("RUNS-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "persist-queue": (
        Note(
            "JOBS-COUNT-01",
            "a record that was read before the last run, with a lower `runCount`, is saved over the newer one: a "
            "record "
            "is opaque to it.",
        ),
        Note("JOBS-CORR-01 -02 -03 -05", "a pickle in SQLite, without a checksum: what can be unpickled is given."),
    ),
    "APScheduler": (
        Note(
            "JOBS-REFUSE-01",
            'a job with the id `""` or None is scheduled, under a random id; for None, that is documented.',
            "https://apscheduler.readthedocs.io/en/3.x/modules/schedulers/base.html",
        ),
        Note("JOBS-CLOSE-01", "the second `shutdown()` raises `SchedulerNotRunningError`."),
        Note(
            "JOBS-CLOSE-02 -03",
            "after `shutdown()`, `add_job` is accepted and the job is kept in memory alone; `get_job` of one that "
            "is in "
            "the database gives None. Documented: jobs that are added while it does not run are tentative.",
            "https://apscheduler.readthedocs.io/en/3.x/userguide.html",
        ),
        Note(
            "JOBS-COUNT-01",
            "a record that was read before the last run, with a lower `runCount`, is saved over the newer one: a "
            "record "
            "is opaque to it.",
        ),
        Note("JOBS-CRASH-21", JOURNAL, JOURNAL_DOCS),
        Note(
            "JOBS-CORR-01 -02 -03 -05",
            "a pickle in SQLite, without a checksum: what can be unpickled is given. What can't be is deleted, as soon "
            "as jobs are listed.",
            "https://github.com/agronholm/apscheduler/issues/341",
        ),
    ),
    "OpenAI Agents SDK": (
        Note("RUNS-FIELD-04", JSON),
        Note(
            "RUNS-REFUSE-01",
            'the sessions `1` and `True` are the session `"1"`: the column is TEXT; the empty id is a session, too.',
        ),
        Note(
            "RUNS-CORR-01 -02 -03 -05",
            "SQLite has no checksums; and an item that is no JSON any more is skipped: the run before it is given, or "
            "none.",
            "https://github.com/openai/openai-agents-python/pull/3305",
        ),
    ),
    "OpenAI Agents SDK, as a log": (
        Note("LOG-EVENT-02", JSON),
        Note(
            "LOG-CORR-01 -02 -03 -05",
            "SQLite has no checksums; and an item that is no JSON any more is skipped, so that those behind it have "
            "other positions.",
            "https://github.com/openai/openai-agents-python/pull/3305",
        ),
    ),
    "LangGraph SqliteStore": (
        Note("LAYERS-VALUE-01", "`2**64` is refused: `Integer exceeds 64-bit range`."),
        Note(
            "LAYERS-VALUE-02",
            "NaN and infinities come back as None, `(1, 2)` as `[1, 2]`, a date as a text: what orjson makes of them.",
        ),
        Note("LAYERS-CRASH-21", JOURNAL, JOURNAL_DOCS),
        Note("LAYERS-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
}
