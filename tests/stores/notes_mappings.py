"""What was seen of the findings on mappings, by hand."""

from __future__ import annotations

from tests.stores.note import FILES, JOURNAL, JOURNAL_DOCS, JSON, NO_SYNC, SQLITE, SQLITE_DOCS, Note

_LANGCHAIN_FILES = (
    "https://github.com/langchain-ai/langchain/blob/master/libs/langchain/langchain_classic/storage/file_system.py"
)

#: By the name of the store.
MAPPINGS: dict[str, tuple[Note, ...]] = {
    "diskcache": (
        Note("STATE-VALUE-04", '`float("nan")` comes back as None: SQLite has no NaN, and a float is a column of it.'),
        Note(
            "STATE-FAIL-03",
            "a tuple is found by its pickled bytes, in which parts that are one object stand once: an equal tuple "
            "with parts of its own is another key.",
            "https://github.com/grantjenks/python-diskcache/issues/181",
        ),
        Note(
            "STATE-CRASH-21 -22 -26",
            "it opens SQLite with a WAL and `synchronous = NORMAL`: a power loss takes the newest commits. "
            '`durability="prefix"` would say so.',
            "https://grantjenks.com/docs/diskcache/tutorial.html",
        ),
        Note(
            "STATE-CRASH-13",
            "a value above 32 KiB is a file of its own, which is never synced; its row is, so that after a power loss "
            "the row leads to half a value.",
        ),
        Note(
            "STATE-CRASH-55",
            "`cache[key] = value` begins its transaction again and again for as long as SQLite raises an "
            "OperationalError, whichever it is: on a full disk it never returns.",
        ),
        Note("STATE-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "LevelDB (plyvel)": (
        Note(
            "STATE-CRASH-11 -12 -13 -16 -32",
            "the first manifest of a new database is not synced before `CURRENT` leads to it: after a power loss it "
            "cannot be opened.",
            "https://github.com/google/leveldb/issues/189",
        ),
        Note(
            "STATE-SHARE-01 STATE-CONC-11 -12 -13 -16 -31 -32 -35 -91",
            "another process is locked out while the database is open; documented.",
            "https://plyvel.readthedocs.io/en/latest/user.html",
        ),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "a record of the log that is damaged or cut is left out without a word, and what was there before it is "
            "given; blocks of tables are not checked on reading. `paranoid_checks=True` and `verify_checksums=True` "
            "would ask for it.",
            "https://plyvel.readthedocs.io/en/latest/api.html",
        ),
    ),
    "klepto": (
        Note(
            "STATE-CONC-01 -02 -12 -41 -91 STATE-CRASH-01 -06 -52 -53 -56",
            "a value is replaced by removing its directory and renaming the new one to its place: in between the key "
            "is missing, and if it ends there, it stays so.",
            "https://github.com/uqfoundation/klepto/issues/56",
        ),
        Note(
            "STATE-CONC-06 -16 STATE-CRASH-02 -03 -32 -55 STATE-KEY-02 STATE-FAIL-01",
            "the directory `.I_...` in which a value is made is listed as a key while it is being written, and for "
            "ever if the writing failed.",
            "https://github.com/uqfoundation/klepto/issues/41",
        ),
        Note("STATE-CRASH-11 -12 -13 -16", NO_SYNC),
        Note(
            "STATE-KEY-01 -03 -04 -05 STATE-LIST-03 STATE-MODEL-01 STATE-DELETE-01 STATE-REPLAY-01",
            "the key is the name of a directory: `a/b` is listed as `a`, and gone when `a` is deleted.",
            "https://github.com/uqfoundation/klepto/issues/54",
        ),
        Note("STATE-FAIL-03", 'the key `1` is the key `"1"`: `str` of it is the name of the directory.'),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "a value that cannot be unpickled is a missing key: every exception of reading it becomes a KeyError.",
        ),
    ),
    "huey": (
        Note("STATE-FAIL-03", 'the key `1` is the key `"1"`: the column is TEXT.'),
        Note("STATE-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "LMDB": (
        Note(
            "STATE-SHARE-02",
            "a second handle in the same process is refused when it is opened; other processes are welcome; "
            "documented.",
            "https://lmdb.readthedocs.io/en/release/",
        ),
        Note("STATE-CORR-02 -03 -05", "LMDB has no checksums: what damage does to a page is given as the value."),
        Note(
            "STATE-CORR-91",
            "the file is mapped into memory, so that reading a page that was cut off ends the process with SIGBUS.",
        ),
    ),
    "fsspec": (
        Note(
            "STATE-CONC-01 -02 -12 STATE-CRASH-01 -02 -03 -06 -52 -53 -56",
            "a value is written where it lies, after the old one was cut to nothing: who reads in between, and who is "
            "killed or out of space there, has half a value or none. Transactions of fsspec exist, and a mapper uses "
            "none.",
            "https://github.com/fsspec/filesystem_spec/issues/4",
        ),
        Note("STATE-CRASH-11 -12 -13 -16", NO_SYNC),
        Note(
            "STATE-KEY-01 -04 -05 STATE-MODEL-01 STATE-REPLAY-01",
            "a key is a path: there cannot be `a` and `a/b`, and `.`, `/` and the like are directories. It is how an "
            "object store would be mapped, but there both keys can be.",
        ),
        Note("STATE-KEY-06", "the key `../../x` reads, and writes, a file outside of the directory."),
        Note(
            "STATE-KEY-03",
            "a key with `*`, `?` or `[` is a pattern when it is read: what comes is a dict of all files that match, "
            "by their paths.",
            "https://github.com/fsspec/filesystem_spec/issues/838",
        ),
        Note("STATE-FAIL-01", "a value that is no bytes is refused, and its key is there, with nothing in it."),
        Note(
            "STATE-FAIL-03",
            'the key `1` is the key `"1"`, with a DeprecationWarning that it will be refused.',
            "https://github.com/fsspec/filesystem_spec/pull/1101",
        ),
        Note("STATE-CORR-01 -02 -03 -04 -05", FILES),
        Note("STATE-CORR-06", "any file in the directory is a key: that is what a mapper is for."),
    ),
    "zarr": (
        Note(
            "STATE-CRASH-01 -02 -03 -06 -32",
            "the file `....partial` in which a value is made is listed as a key while it is being written, and "
            "for ever "
            "if the process is killed there.",
            "https://github.com/zarr-developers/zarr-python/issues/4161",
        ),
        Note(
            "STATE-CRASH-11 -12 -13 -16",
            "neither the content nor the name is synced: a power loss leaves the value empty, or its `.partial` file.",
        ),
        Note(
            "STATE-KEY-01 -03 -04 -05 STATE-MODEL-01 STATE-REPLAY-01",
            "a key is a path: there cannot be `a` and `a/b`, `a/.` is `a`, and `.` or `/` is no file. Keys of "
            "zarr have "
            "no such forms, and the store does not refuse them.",
        ),
        Note("STATE-KEY-06", "the key `../../x` reads, and writes, a file outside of the directory."),
        Note("STATE-CORR-01 -02 -03 -04 -05", FILES, "https://github.com/zarr-developers/zarr-python/issues/392"),
        Note("STATE-CORR-06", "any file in the directory is a key."),
    ),
    "LangChain LocalFileStore": (
        Note(
            "STATE-CONC-01 STATE-CRASH-01 -02 -03 -06 -32 -52 -53 -57",
            "a value is written where it lies, after the old one was cut to nothing: who reads in between, and who is "
            "killed or out of space there, has half a value or none. The issue is that of its twin in "
            "JavaScript, which "
            "has been repaired.",
            "https://github.com/langchain-ai/langchainjs/issues/9337",
        ),
        Note("STATE-CRASH-11 -12 -13 -16", NO_SYNC),
        Note(
            "STATE-KEY-01 -04 -05 STATE-MODEL-01 STATE-REPLAY-01",
            "keys are letters, digits and `_.-/`; all others are refused, loudly, as documented. And a key is a path: "
            "there cannot be `a` and `a/b`.",
            _LANGCHAIN_FILES,
        ),
        Note("STATE-CORR-01 -02 -03 -04 -05", FILES),
        Note("STATE-CORR-06", "any file in the directory is a key."),
    ),
    "sqlitedict": (
        Note(
            "STATE-CRASH-11 -12 -13 -16",
            "it opens SQLite with `synchronous = OFF`: a power loss keeps some pages of the file and not the "
            "journal, and "
            "what is left is malformed.",
            "https://github.com/piskvorky/sqlitedict/issues/149",
        ),
        Note(
            "STATE-CORR-31 -91",
            "SQLite raises in a thread of sqlitedict's own while rows are fetched; the thread ends, and whoever "
            "waits for "
            "its answer waits for ever.",
            "https://github.com/piskvorky/sqlitedict/issues/129",
        ),
        Note(
            "STATE-FAIL-03",
            'the key `1` is the key `"1"`, None is `"None"`.',
            "https://github.com/piskvorky/sqlitedict/issues/73",
        ),
        Note("STATE-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "shelve on dbm.dumb": (
        Note(
            "STATE-SHARE-01 STATE-CONC-03 -11 -13 -16 -31 -32 -35",
            "each handle has an index of its own in memory, which it writes when it is closed, over that of the "
            "others: "
            "keys that were acknowledged are missing, or have older values. Documented.",
            "https://docs.python.org/3/library/shelve.html#restrictions",
        ),
        Note(
            "STATE-CRASH-01 -02 -03 -06 -52 -53 -55 -56",
            "a value is overwritten where it lies, and the index is written at the end: killed in between, half of a "
            "value is the new one, or the index leads to the old place.",
            "https://github.com/python/cpython/issues/100414",
        ),
        Note("STATE-CRASH-11 -12 -13 -16", NO_SYNC),
        Note(
            "STATE-CORR-01 -02 -03 -05", "there is no checksum, and a line of the index that is gone is a key that is."
        ),
    ),
    "RocksDB (rocksdict)": (
        Note(
            "STATE-CRASH-06 -11 -12 -13 -16 -32 -33 -52 -53",
            "each opening writes `rocksdict-config.json` anew, byte by byte over the old one and without a sync: "
            "after a "
            "kill, a full disk or a power loss there it is empty, and the database cannot be opened any more (`does "
            "not "
            "match existing comparator`). The data of RocksDB itself are sound.",
        ),
        Note(
            "STATE-SHARE-01 STATE-CONC-11 -12 -13 -16 -31 -32 -35 -91",
            "another process is locked out while the database is open; documented by RocksDB.",
            "https://github.com/facebook/rocksdb/wiki/RocksDB-FAQ",
        ),
        Note("STATE-CLOSE-01", "the second `close()` raises `DbClosedError`."),
        Note("STATE-VALUE-09", "a member of an IntEnum comes back as an int, one of a subclass of str as a str."),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "at a damaged block the listing ends, without a word, as if that were all; reading a key of it raises "
            "`block checksum mismatch`. A manifest that was cut gives an older state.",
        ),
    ),
    "zict": (
        Note(
            "STATE-CONC-01 -02 STATE-CRASH-01 -02 -03 -05 -06 -52 -53 -55 -56",
            "a value is replaced by removing its file and writing another one: in between the key is missing, for the "
            "threads beside it and, killed or out of space there, for ever; or half of the new one is left.",
        ),
        Note("STATE-CRASH-11 -12 -13 -15 -16", NO_SYNC),
        Note(
            "STATE-SHARE-02 STATE-CONC-11 -12 -16 -35",
            "each handle lists the directory once, when it is opened: what others write is missing, what they replace "
            "raises FileNotFoundError. Documented.",
            "https://zict.readthedocs.io/en/latest/",
        ),
        Note(
            "STATE-KEY-04",
            "a key is escaped, and then may be longer than the name of a file may be.",
            "https://github.com/dask/zict/pull/27",
        ),
        Note(
            "STATE-FAIL-03",
            '`store[b"a"] = x` is taken, and can\'t be read: the error comes when it is; opened again, there are two '
            'files for `"a"`.',
        ),
        Note("STATE-CORR-03 -05", "there is no checksum: what can be unpickled is given."),
    ),
    "TinyDB": (
        Note(
            "STATE-CRASH-01 -02 -03 -06 -11 -12 -13 -16 -55",
            "the text of all is written over the old one, which is longer, and then the file is cut: killed, or out of "
            "power or space, in between, it ends in `JSONDecodeError: Extra data`.",
            "https://github.com/msiemens/tinydb/issues/113",
        ),
        Note(
            "STATE-CONC-01 -02 -03 -06 -11 -13 -31",
            "everybody reads the file, changes what they read and writes it back, without a lock: a key that was "
            "acknowledged is missing, a reader meets half a file. Documented: neither threads nor processes.",
            "https://github.com/msiemens/tinydb/issues/537",
        ),
        Note(
            "STATE-SHARE-02",
            "the second handle's second insert: `Document with ID 2 already exists`; documented, as above.",
            "https://tinydb.readthedocs.io/en/latest/intro.html#why-not-use-tinydb",
        ),
        Note(
            "STATE-VALUE-05 -07 -08",
            JSON + " The issue is that of the keys.",
            "https://github.com/msiemens/tinydb/issues/290",
        ),
        Note("STATE-VALUE-09", "a member of an IntEnum comes back as an int, one of a subclass of str as a str."),
        Note(
            "STATE-KEY-02 STATE-FAIL-03",
            'the keys `"\\ud83d\\ude00"` and `("a",)` are accepted, and never found again: they are stored as '
            "other ones.",
        ),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "there is no checksum: what still is JSON is given, and an empty file is empty.",
        ),
    ),
    "peewee": (
        Note("STATE-VALUE-01 -02 -11", '`store["k"] = None` is refused: the column is NOT NULL.'),
        Note("STATE-FAIL-03", 'the key `1` is the key `"1"`, `b"a"` is `"a"`: the column is TEXT.'),
        Note("STATE-CRASH-21 -22 -23 -26", JOURNAL, JOURNAL_DOCS),
        Note("STATE-CORR-01 -02 -03 -05", SQLITE, SQLITE_DOCS),
    ),
    "pickleDB": (
        Note(
            "STATE-VALUE-04 -07 -09",
            "NaN, a tuple and a date are what they are until the file is opened again; then None, a list and a text.",
        ),
        Note("STATE-VALUE-01", "`-2**63 - 1` is refused when it is saved: `Integer exceeds 64-bit range`."),
        Note(
            "STATE-KEY-02 STATE-FAIL-01",
            "a key or a value that is refused when it is saved stays in memory, and every later `save()` fails.",
        ),
        Note(
            "STATE-FAIL-03",
            'the key `1` is the key `"1"`.',
            "https://github.com/patx/pickledb/issues/38",
        ),
        Note(
            "STATE-ALIAS-01 -02",
            '`store["a"] = value; value["more"] = 1` changes what `store["a"]` gives, and is not saved. The issue is '
            "that of a list that was read.",
            "https://github.com/patx/pickledb/issues/74",
        ),
        Note(
            "STATE-SHARE-02 STATE-CONC-11 -13 -31 -32 -35",
            "each handle has all entries in memory, and saves them over those of the others; and all of them rename "
            "the one `store.json.tmp`, which is missing for the second.",
        ),
        Note(
            "STATE-CONC-01 -02 -03 -06 -91",
            "one `asyncio.Lock` is shared by all threads, each of which runs an event loop of its own: who waits for "
            "it is never woken.",
        ),
        Note("STATE-CRASH-13 -21 -22 -26", "the new file is renamed over the old one, and neither is synced."),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            f"{FILES[:-1]}; an empty file is a new store.",
        ),
    ),
    "LlamaIndex SimpleKVStore": (
        Note(
            "STATE-CRASH-01 -02 -03 -06 -11 -12 -13 -16 -32 -52 -53",
            "`persist` writes the file over itself: a crash, or a full disk, leaves it empty or cut short, and then "
            "nothing can be read.",
        ),
        Note(
            "STATE-SHARE-02 STATE-CONC-11 -12 -13 -16 -31 -35",
            "each handle has all entries in memory, and writes them over those of the others; two that write at the "
            "same time leave a file that is no JSON.",
        ),
        Note(
            "STATE-VALUE-05 -07 -08 -09 STATE-KEY-02 STATE-FAIL-03",
            f"until the file is loaded again, keys and values are what they are; then {JSON}",
        ),
        Note(
            "STATE-FAIL-01",
            "a value that JSON can't hold is refused when it is persisted, and stays in memory.",
        ),
        Note("STATE-ALIAS-01 -02", "what is read, and what was put, is the object itself."),
        Note("STATE-CORR-01 -03 -05", FILES),
    ),
    "ZODB": (
        Note(
            "STATE-SHARE-01 STATE-CONC-11 -12 -13 -16 -31 -32 -35 -91",
            "another process is locked out while a FileStorage is open; documented: several would share it by ZEO.",
            "https://zodb.org/en/latest/articles/ZODB1.html",
        ),
        Note(
            "STATE-ALIAS-01 -02",
            "what is read is an object of the connection's cache: "
            '`store["a"]["more"] = 1` changes what this handle gives, and is not saved, since a plain dict does not '
            "tell that it was changed; documented.",
            "https://zodb.org/en/latest/guide/writing-persistent-objects.html",
        ),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "a FileStorage has no checksums, and a transaction at its end that is not whole is cut off when it is "
            "opened, as after a crash.",
        ),
        Note(
            "STATE-CRASH-51",
            "after a sync that failed it writes on behind what may not be there; what a power loss then leaves can't "
            "be opened: `invalid transaction header`.",
        ),
        Note(
            "STATE-CRASH-31",
            "the byte that says that a transaction is whole is synced together with it: where it is there and the end "
            "of the transaction is not, the file can't be opened.",
        ),
    ),
    "py-key-value RedisStore": (
        Note("STATE-VALUE-05 -07 -08 -09", JSON),
        Note("STATE-FAIL-02", "`SerializationError` is neither a TypeError nor a ValueError."),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            "it is the server's: its append-only file has no checksums, and a command at its end that is not whole is "
            "left out when it starts.",
            "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        ),
        Note(
            "STATE-CRASH-31 -51",
            "it is the server's: a hole in its append-only file, which a failed sync may leave, or a disk that writes "
            "in any order, keeps it from starting until `redis-check-aof --fix` has cut the file.",
            "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        ),
    ),
    "requests-cache": (
        Note(
            "STATE-KEY-01 -03 -04 -05",
            "the key is put into the text of the query as it is: `it's` and a NUL end in an error when they are read. "
            "Its own keys are digests.",
            "https://github.com/requests-cache/requests-cache/pull/1079",
        ),
        Note("STATE-FAIL-03", 'the key `1` is the key `"1"`: the column is TEXT.'),
        Note(
            "STATE-CONC-06",
            "a listing steps over the rows while other threads write by the same connection; a row that is replaced "
            "moves to the end, and is seen again.",
        ),
        Note(
            "STATE-CRASH-52 -53 -55 -56",
            "an `OperationalError`, such as that of a full disk, is rolled back and dropped in "
            "`_acquire_sqlite_lock`: the write that failed returns as if it were done. Another exception, such as that "
            "of a key with a lone surrogate, leaves the transaction open there, and the next write tries to begin one "
            "for ever; STATE-KEY-02 does not end for that.",
        ),
        Note("STATE-CRASH-21 -22 -23 -26", JOURNAL, JOURNAL_DOCS),
        Note(
            "STATE-CORR-01 -02 -03 -05",
            f"{SQLITE[:-1]}; and what can't be unpickled reads as None.",
            SQLITE_DOCS,
        ),
    ),
}
