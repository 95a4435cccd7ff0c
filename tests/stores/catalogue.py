"""The public stores that docs/stores.md is about: which version, by which adapter, and how it is opened.

`benchmarks/stores.py` measures them, `page.py` makes the page, `notes.py` says what was seen of each finding by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Store:
    """A public store.

    Args:
        name: As on the page, and of its results; the page of its findings is `slug`.
        adapter: The file in this folder, and the name of the backend in it; or the address of a callable that needs no
            adapter.
        opened: How it is opened, as its documentation does.
        requires: What is installed for it, the store itself first, each as `name==version`; nothing for a module of
            Python's own.
        upstream: Where it is kept.
        disclaims: Where its documentation says what the adapter has in `lacks=`, by level.
    """

    name: str
    adapter: str
    opened: str
    requires: tuple[str, ...]
    upstream: str
    disclaims: dict[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The name as part of an address."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


_SQLALCHEMY = "SQLAlchemy==2.1.9"
_LANGGRAPH = "langgraph-checkpoint-sqlite==3.1.2"
_AGENTS = "openai-agents==0.24.0"

STORES = (
    # Mappings.
    Store(
        "diskcache",
        "diskcache:Cache",
        "`diskcache:Cache`, without an adapter",
        ("diskcache==5.6.3",),
        "https://github.com/grantjenks/python-diskcache",
    ),
    Store(
        "sqlitedict",
        "sqlitedict_store.py:backend",
        "`SqliteDict(path, autocommit=True)`",
        ("sqlitedict==2.1.0",),
        "https://github.com/piskvorky/sqlitedict",
    ),
    Store(
        "shelve on dbm.dumb",
        "dbm_dumb_store.py:backend",
        "`shelve.Shelf(dbm.dumb.open(path))`, of Python itself",
        (),
        "https://github.com/python/cpython",
    ),
    Store(
        "LMDB",
        "lmdb_store.py:backend",
        'a transaction for each verb, `values="bytes"`',
        ("lmdb==3.0.0",),
        "https://github.com/jnwatson/py-lmdb",
    ),
    Store(
        "LevelDB (plyvel)",
        "plyvel_store.py:backend",
        '`plyvel.DB(path, create_if_missing=True)`, `values="bytes"`',
        ("plyvel==1.5.1",),
        "https://github.com/wbolster/plyvel",
    ),
    Store(
        "RocksDB (rocksdict)",
        "rocksdict_store.py:backend",
        "`Rdict(path)`",
        ("rocksdict==0.3.29",),
        "https://github.com/rocksdict/RocksDict",
    ),
    Store(
        "zict",
        "zict_store.py:backend",
        "`Func(pickle.dumps, pickle.loads, File(path))`",
        ("zict==3.0.0",),
        "https://github.com/dask/zict",
    ),
    Store(
        "klepto",
        "klepto_store.py:backend",
        "`dir_archive(path, cached=False)`",
        ("klepto==0.2.8",),
        "https://github.com/uqfoundation/klepto",
    ),
    Store(
        "ZODB",
        "zodb_store.py:backend",
        "`DB(path)`, the root of a FileStorage, `with db.transaction()` for each verb",
        ("ZODB==6.4",),
        "https://github.com/zopefoundation/ZODB",
    ),
    Store(
        "peewee",
        "peewee_store.py:backend",
        "`playhouse.kv.KeyValue` on SQLite",
        ("peewee==4.5.3",),
        "https://github.com/coleifer/peewee",
    ),
    Store(
        "TinyDB",
        "tinydb_store.py:backend",
        'a table of documents `{"key": ..., "value": ...}`',
        ("tinydb==4.9.0",),
        "https://github.com/msiemens/tinydb",
    ),
    Store(
        "pickleDB",
        "pickledb_store.py:backend",
        "`save()` after each write",
        ("pickledb==1.6",),
        "https://github.com/patx/pickledb",
    ),
    Store(
        "huey",
        "huey_store.py:backend",
        "`SqliteHuey(filename=path)`: its store of results, `put` and `get_raw(peek=True)`",
        ("huey==3.5.4",),
        "https://github.com/coleifer/huey",
    ),
    Store(
        "requests-cache",
        "requests_cache_store.py:backend",
        "`SQLiteDict(path, serializer=pickle)`, as its own serializer is for responses",
        ("requests-cache==1.3.3",),
        "https://github.com/requests-cache/requests-cache",
    ),
    Store(
        "fsspec",
        "fsspec_store.py:backend",
        '`get_mapper(path, create=True)`, `values="bytes"`',
        ("fsspec==2026.9.0",),
        "https://github.com/fsspec/filesystem_spec",
    ),
    Store(
        "zarr",
        "zarr_store.py:backend",
        '`LocalStore.open(path)`, async, `values="bytes"`',
        ("zarr==3.1.6",),
        "https://github.com/zarr-developers/zarr-python",
    ),
    Store(
        "LangChain LocalFileStore",
        "langchain_store.py:backend",
        '`LocalFileStore(path)`, `values="bytes"`',
        ("langchain-classic==1.0.8",),
        "https://github.com/langchain-ai/langchain",
    ),
    Store(
        "LlamaIndex SimpleKVStore",
        "llama_index_store.py:backend",
        "`persist(path)` after each write, a value in a dict",
        ("llama-index-core==0.14.25",),
        "https://github.com/run-llama/llama_index",
    ),
    Store(
        "py-key-value RedisStore",
        "keyvalue_store.py:backend",
        "`RedisStore(client=Redis.from_url(...))`, async, on a server that syncs every write; a value in a dict",
        ("py-key-value-aio==0.5.0", "redis==8.1.0"),
        "https://github.com/strawgate/py-key-value",
    ),
    # Runs, logs, layers, jobs, vectors.
    Store(
        "LangGraph SqliteSaver",
        "langgraph_saver_store.py:backend",
        "a thread for each run; a save puts a checkpoint that carries it; the newest counts",
        (_LANGGRAPH,),
        "https://github.com/langchain-ai/langgraph",
    ),
    Store(
        "OpenAI Agents SDK",
        "agents_session_store.py:runs",
        "a `SQLiteSession` for each run; a save adds an item; the newest counts",
        (_AGENTS,),
        "https://github.com/openai/openai-agents-python",
    ),
    Store(
        "OpenAI Agents SDK, as a log",
        "agents_session_store.py:log",
        "one `SQLiteSession`; an item's position is worked out by counting",
        (_AGENTS,),
        "https://github.com/openai/openai-agents-python",
    ),
    Store(
        "Burr SQLitePersister",
        "burr_store.py:backend",
        "an application for each run; a save is its state at the next step",
        ("apache-burr==0.42.0",),
        "https://github.com/apache/burr",
    ),
    Store(
        "Optuna JournalFileBackend",
        "optuna_store.py:backend",
        "`JournalFileBackend(path)`; an event's position is worked out by counting",
        ("optuna==5.0.0",),
        "https://github.com/optuna/optuna",
    ),
    Store(
        "eventsourcing",
        "eventsourcing_store.py:backend",
        '`SQLiteApplicationRecorder`; an event is the first of an aggregate of its own, `values="bytes"`',
        ("eventsourcing==9.5.6",),
        "https://github.com/pyeventsourcing/eventsourcing",
    ),
    Store(
        "LangGraph SqliteStore",
        "langgraph_memory_store.py:backend",
        "a namespace for each scope",
        (_LANGGRAPH,),
        "https://github.com/langchain-ai/langgraph",
    ),
    Store(
        "APScheduler",
        "apscheduler_store.py:backend",
        "SQLAlchemyJobStore, a scheduler that is paused; the record is a job's argument, `replace_existing=True`",
        ("APScheduler==3.11.3", _SQLALCHEMY),
        "https://github.com/agronholm/apscheduler",
    ),
    Store(
        "persist-queue",
        "persistqueue_store.py:backend",
        "`SQLiteAckQueue`; a job's row is found by the id in it",
        ("persist-queue==1.1.0",),
        "https://github.com/peter-wangxu/persist-queue",
    ),
    Store(
        "Chroma",
        "chroma_store.py:backend",
        "`PersistentClient(path)`, one collection with `l2`",
        ("chromadb==1.5.9",),
        "https://github.com/chroma-core/chroma",
    ),
)
