"""The `file` backend: names, documents and what damage makes of them, shards, backups."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conformance import Where
from reference_backends import _documents, file
from reference_backends._documents import encode, file_name, key_at
from reference_backends.file import ConflictError, CorruptDocument, FileState

ROOT = Path(__file__).parents[2]

LONG = "x" * 300
AWKWARD_KEYS = [
    "",
    "a",
    "A",
    ".",
    "..",
    "../a",
    "/etc/passwd",
    "C:\\con",
    "CON",
    "nul.txt",
    "a/b",
    "a_b",
    "a%2fb",
    "k_a.json",
    "a.json.1",
    "trailing. ",
    "\x00",
    "a\nb",
    "\u00e9",
    "e\u0301",
    "\U0001f600",
    "\ud800",
    LONG + "a",
    LONG + "b",
    "\u00e9" * 300,
]

KEYS = st.text(st.characters())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the place of a store that is not made yet."""
    return tmp_path / "state"


@pytest.fixture
def store(directory: Path) -> FileState:
    """Return an empty store."""
    return FileState(directory)


def path_of(store: FileState, key: str) -> Path:
    """Return the file that the document of `key` is in."""
    return store._path(key)


def files_in(directory: Path) -> list[str]:
    """Return the names of all files below `directory`, sorted."""
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


class TestNames:
    """Which file a key is in."""

    @settings(deadline=None, max_examples=300)
    @given(key=KEYS)
    @example(key=LONG)
    def test_a_name_is_safe_everywhere_and_tells_its_key(self, key: str) -> None:
        """A name has only characters that every file system keeps, is short enough, and leads back to its key."""
        name = file_name(key)
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_%.")
        assert len(name) <= 250
        assert name.startswith(("k_", "h_"))
        assert name.count(".") == 1
        if name.startswith("k_"):
            assert key_at(Path(name)) == key

    @settings(deadline=None, max_examples=300)
    @given(one=KEYS, other=KEYS)
    @example(one=LONG + "a", other=LONG + "b")
    @example(one="a", other="A")
    @example(one="\u00e9", other="e\u0301")
    @example(one="/", other="%2f")
    def test_two_keys_have_two_names(self, one: str, other: str) -> None:
        """Names are equal when keys are, and never otherwise."""
        assert (file_name(one) == file_name(other)) == (one == other)

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("", "k_.json"),
            ("run-1_a", "k_run-1_a.json"),
            ("CON", "k_%43%4f%4e.json"),
            ("nul.txt", "k_nul%2etxt.json"),
            ("../a", "k_%2e%2e%2fa.json"),
            ("\u00e9", "k_%c3%a9.json"),
            ("\ud800", "k_%ed%a0%80.json"),
            ("y" * 233, "k_" + "y" * 233 + ".json"),
            ("y" * 234, "h_" + hashlib.sha256(b"y" * 234).hexdigest() + ".json"),
        ],
    )
    def test_names_stay_as_they_are(self, key: str, name: str) -> None:
        """The names are part of the format on disk."""
        assert file_name(key) == name

    def test_awkward_keys_live_together(self, store: FileState, directory: Path) -> None:
        """Every key has a value of its own, inside the directory, and is listed once, after a reopen as well."""
        for key in AWKWARD_KEYS:
            store[key] = {"key": key}
        for handle in (store, FileState(directory)):
            assert {key: handle[key] for key in AWKWARD_KEYS} == {key: {"key": key} for key in AWKWARD_KEYS}
            assert sorted(handle) == sorted(AWKWARD_KEYS)
            assert len(handle) == len(AWKWARD_KEYS)
        assert {path.name for path in directory.parent.iterdir()} == {"state"}
        for key in AWKWARD_KEYS:
            del store[key]
        assert list(store) == []

    def test_a_key_that_json_would_change_is_refused(self, store: FileState) -> None:
        """Refused when written, and when looked for."""
        for key in ("\ud83d" + "\ude00", 1, None):
            with pytest.raises((TypeError, ValueError)):
                store[key] = 1  # type: ignore[index]
            with pytest.raises((TypeError, ValueError)):
                key in store  # noqa: B015
        assert len(store) == 0

    def test_other_files_are_left_alone(self, store: FileState, directory: Path) -> None:
        """What the store did not name is neither listed nor removed."""
        others = ["notes.txt", "notes.tmp", "k_A.json", "k_%6.json", "k_%ff.json", "k_a", "h_0.json", "k_a.json.1"]
        for name in others:
            (directory / "shard-0-of-1" / name).write_text("mine")
        store["a"] = 1
        FileState(directory).verify()
        assert (list(store), len(store)) == (["a"], 1)
        assert set(others) <= set(files_in(directory))

    def test_a_collision_of_hashes_is_noticed(self, store: FileState, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two long keys with one hash: the second is refused, the first stays."""
        for module in (_documents, file):
            monkeypatch.setattr(module, "hash_of", lambda _: "0" * 64)
        store[LONG + "a"] = 1
        for verb in (
            lambda: store[LONG + "b"],
            lambda: store.__setitem__(LONG + "b", 2),
            lambda: store.__delitem__(LONG + "b"),
            lambda: store.version(LONG + "b"),
        ):
            with pytest.raises(CorruptDocument, match="holds the key"):
                verb()
        assert LONG + "b" not in store
        assert (store[LONG + "a"], list(store)) == (1, [LONG + "a"])


class TestState:
    """The rules of the contract, quickly."""

    def test_it_is_a_mapping(self, store: FileState) -> None:
        """Writing, reading and deleting work as in a dict."""
        store.update({"a": 1, "b": [2, {"c": None}]})
        store["a"] = "longer than before"
        store["a"] = -0.0
        assert (repr(store["a"]), store["b"], "a" in store, "c" in store) == ("-0.0", [2, {"c": None}], True, False)
        assert store.setdefault("a", 1) == 0
        assert store.pop("b") == [2, {"c": None}]
        assert store.pop("b", None) is None
        for verb in (lambda: store["b"], lambda: store.__delitem__("b")):
            with pytest.raises(KeyError):
                verb()
        store.clear()
        assert dict(store) == {}

    @pytest.mark.parametrize("value", [-(10**5_000), {"a": ["\ud800", 10**5_000, "\n"]}, "a\r\n\u2028"], ids=range(3))
    def test_an_unusual_value_comes_back(self, store: FileState, value: Any) -> None:
        """Long ints, lone surrogates and line ends of any kind survive."""
        store["k"] = value
        assert store["k"] == value

    @pytest.mark.parametrize("value", [(1,), {"a": {1}}, b"", {1: 2}])
    def test_a_refused_value_leaves_the_old_one(self, store: FileState, directory: Path, value: Any) -> None:
        """What is refused touches no file."""
        store["k"] = 1
        before = path_of(store, "k").read_bytes()
        with pytest.raises(TypeError):
            store["k"] = value
        with pytest.raises(TypeError):
            store.compare_and_set("k", value, store.version("k"))
        assert path_of(store, "k").read_bytes() == before
        assert files_in(directory) == ["k_k.json", "lock"]

    def test_versions_never_come_twice(self, store: FileState) -> None:
        """Equal values have different versions, and a delete does not bring one back."""
        seen = [store.compare_and_set("a", 1, None)]
        for _ in range(3):
            store["a"] = 1
            seen.append(str(store.version("a")))
        del store["a"]
        assert store.version("a") is None
        seen.append(store.compare_and_set("a", 1, None))
        assert len(set(seen)) == 5

    def test_a_stale_version_is_refused(self, store: FileState) -> None:
        """Only who knows the present version writes."""
        first = store.compare_and_set("a", 1, None)
        second = store.compare_and_set("a", 2, first)
        for stale in (None, first, "other"):
            with pytest.raises(ConflictError):
                store.compare_and_set("a", 3, stale)
        with pytest.raises(ConflictError):
            store.compare_and_set("b", 3, second)
        assert (store["a"], store.version("a"), list(store)) == (2, second, ["a"])

    def test_health_and_maintenance(self, directory: Path) -> None:
        """The numbers agree with the store."""
        store = FileState(directory, shards=4, backups=2)
        store.update({"a": 1, LONG: 2})
        store.flush()
        store.compact()
        assert store.ping()
        assert store.stats() == {"keys": 2, "shards": 4, "backups": 2}
        assert store.verify() == {"healthy": 2, "damaged": []}

    def test_a_closed_store_refuses(self, store: FileState) -> None:
        """After close, which may be repeated, every verb raises."""
        store["a"] = 1
        store.close()
        store.close()
        for verb in (
            lambda: store["a"],
            lambda: store.__setitem__("a", 2),
            lambda: store.__delitem__("a"),
            lambda: "a" in store,
            lambda: list(store),
            lambda: len(store),
            store.ping,
            store.flush,
            store.compact,
            store.verify,
        ):
            with pytest.raises(ValueError, match="closed"):
                verb()


class TestDocuments:
    """What is in a file."""

    def test_people_can_read_it(self, store: FileState) -> None:
        """One field a line, the value indented, the checksum over everything before it."""
        store["a/b"] = {"steps": [1]}
        text = path_of(store, "a/b").read_text("ascii")
        fields, _, _ = text.partition(',\n  "sha256"')
        assert text == (
            '{\n  "format": 1,\n  "key": "a/b",\n'
            f'  "version": "{store.version("a/b")}",\n'
            '  "value": {\n    "steps": [\n      1\n    ]\n  },\n'
            f'  "sha256": "{hashlib.sha256(fields.encode()).hexdigest()}"\n}}\n'
        )

    @pytest.mark.parametrize("key", ["k", LONG])
    def test_every_damaged_byte_is_noticed(self, store: FileState, key: str) -> None:
        """A flipped bit anywhere, a missing end or a longer one: an error that names the file; others stay readable."""
        store.update({key: {"a": -0.0, "b": "text"}, "other": 1})
        path = path_of(store, key)
        sound = path.read_bytes()
        damaged = [sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :] for at in range(len(sound))]
        damaged += [sound[:size] for size in range(0, len(sound), 7)]
        damaged += [sound + b"\n", sound + sound, bytes(len(sound))]
        for data in damaged:
            path.write_bytes(data)
            with pytest.raises(CorruptDocument, match=path.name):
                store[key]
            with pytest.raises(CorruptDocument):
                store.compare_and_set(key, 1, None)
            assert store["other"] == 1
            report = store.verify()
            assert report["healthy"] == 1
            assert [Path(one["file"]).name for one in report["damaged"]] == [path.name]
        store[key] = "written again"
        assert store[key] == "written again"

    def test_a_damaged_document_can_be_deleted(self, store: FileState) -> None:
        """Deleting needs the name only."""
        for key in ("k", LONG):
            store[key] = 1
            path_of(store, key).write_bytes(b"")
            del store[key]
        assert len(store) == 0

    def test_damage_does_not_end_a_listing_early(self, store: FileState) -> None:
        """A key that cannot be told is an error, after every key that can; other damage is none to a listing."""
        store.update({"a": 1, "b": 2, LONG + "c": 3, LONG + "d": 4})
        path = path_of(store, LONG + "c")
        sound = path.read_bytes()
        path.write_bytes(sound[:-9])
        assert sorted(store) == ["a", "b", LONG + "c", LONG + "d"]
        listed: list[str] = []

        def collect() -> None:
            for key in store:
                listed.append(key)  # noqa: PERF402 (what came before the error counts)

        for other_key in (b"xe", b"x\\"):  # another text, and no text at all
            path.write_bytes(sound.replace(b"xc", other_key))
            listed.clear()
            with pytest.raises(CorruptDocument, match="only a hash"):
                collect()
            assert sorted(listed) == ["a", "b", LONG + "d"]
            assert len(store) == 4

    def test_a_document_under_another_name_is_noticed(self, store: FileState) -> None:
        """A file that was copied or exchanged is sound in itself, and wrong where it is."""
        store.update({"a": 1, "b": 2})
        shutil.copyfile(path_of(store, "a"), path_of(store, "b"))
        with pytest.raises(CorruptDocument, match="holds the key 'a', not 'b'"):
            store["b"]
        report = store.verify()
        assert (report["healthy"], len(report["damaged"])) == (1, 1)
        assert "holds the key 'a'" in report["damaged"][0]["problem"]

    def test_a_document_of_another_format_is_refused(self, store: FileState) -> None:
        """A newer format is not read as if it were this one."""
        store["a"] = 1
        fields = encode("a", "v", "1").partition(b',\n  "sha256"')[0].replace(b'"format": 1', b'"format": 2')
        checksum = hashlib.sha256(fields).hexdigest().encode()
        path_of(store, "a").write_bytes(fields + b',\n  "sha256": "' + checksum + b'"\n}\n')
        with pytest.raises(CorruptDocument, match="its format is 2"):
            store["a"]


class TestShards:
    """`shards=`."""

    def test_documents_are_spread(self, directory: Path) -> None:
        """The same key is in the same shard in every process, and each shard has its part."""
        store = FileState(directory, shards=16)
        for number in range(200):
            store[f"key-{number}"] = number
        shards = [path for path in directory.iterdir() if path.is_dir()]
        assert sorted(path.name for path in shards) == sorted(f"shard-{number}-of-16" for number in range(16))
        assert all(any(shard.iterdir()) for shard in shards)
        assert path_of(store, "key-0").parent.name == "shard-4-of-16"
        again = FileState(directory, shards=16)
        assert sorted(again.values()) == list(range(200))
        assert len(again) == 200

    @pytest.mark.parametrize("shards", [1, 4, 17])
    def test_another_number_is_refused(self, directory: Path, shards: int) -> None:
        """The number is in the directory: another one is an error, and nothing is made."""
        FileState(directory, shards=16)["a"] = 1
        with pytest.raises(ValueError, match=f"with shards=16, not {shards}"):
            FileState(directory, shards=shards)
        assert len(list(directory.glob("shard-*"))) == 16
        assert FileState(directory, shards=16)["a"] == 1

    @pytest.mark.parametrize("options", [{"shards": 0}, {"shards": -1}, {"backups": -1}])
    def test_numbers_have_to_make_sense(self, directory: Path, options: dict[str, int]) -> None:
        """A number that makes no sense is refused before the directory is made."""
        with pytest.raises(ValueError, match="at least 1 shard"):
            FileState(directory, **options)
        assert not directory.exists()

    def test_an_open_that_was_interrupted_is_completed(self, directory: Path) -> None:
        """A directory with some of its shards, or nested in missing ones, becomes a store."""
        (directory / "a" / "shard-1-of-3").mkdir(parents=True)
        FileState(directory / "a", shards=3)["k"] = 1
        FileState(directory / "b" / "c" / "d")["k"] = 1
        assert FileState(directory / "b" / "c" / "d")["k"] == FileState(directory / "a", shards=3)["k"] == 1


class TestBackups:
    """`backups=`."""

    def test_previous_versions_are_kept_newest_first(self, directory: Path) -> None:
        """As many as asked for, each a whole document, none of them a key."""
        store = FileState(directory, backups=5)
        for number in range(8):
            store["a"] = number
        assert files_in(directory) == ["k_a.json", *[f"k_a.json.{number}" for number in range(1, 6)], "lock"]
        kept = [_documents.read_document(path_of(store, "a").with_suffix(f".json.{number}")) for number in range(1, 6)]
        assert [(document.key, document.value) for document in kept] == [("a", number) for number in (6, 5, 4, 3, 2)]
        assert (list(store), len(store), store.verify()["healthy"]) == (["a"], 1, 1)

    def test_a_deleted_document_is_kept_until_compaction(self, directory: Path) -> None:
        """What was deleted is the newest backup; compact removes it, and no backup of a key that is there."""
        store = FileState(directory, backups=2)
        store.update({"a": 1, "b": 2})
        store.update({"a": 3, "b": 4})
        del store["a"]
        assert files_in(directory) == ["k_a.json.1", "k_a.json.2", "k_b.json", "k_b.json.1", "lock"]
        assert "a" not in store
        store.compact()
        assert files_in(directory) == ["k_b.json", "k_b.json.1", "lock"]

    def test_a_backup_can_be_copied_back(self, directory: Path) -> None:
        """Restoring is a copy."""
        store = FileState(directory, backups=1)
        store["a"] = "good"
        store["a"] = "bad"
        path = path_of(store, "a")
        shutil.copyfile(path.with_suffix(".json.1"), path)
        assert store["a"] == "good"

    def test_without_backups_nothing_is_kept(self, store: FileState, directory: Path) -> None:
        """The default leaves one file a key."""
        for number in range(3):
            store["a"] = number
        assert files_in(directory) == ["k_a.json", "lock"]
        del store["a"]
        assert files_in(directory) == ["lock"]


def start_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process that can import the reference backends."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestBackend:
    """The records."""

    @pytest.mark.parametrize("record", [file.backend, file.sharded], ids=lambda record: record.name)
    def test_what_was_written_is_there_after_a_reopen(self, tmp_path: Path, record: Any) -> None:
        """The opener gives the same store for the same place."""
        where = Where(tmp_path)
        record.state(where)["a"] = [1]
        assert dict(record.state(where)) == {"a": [1]}
        assert (record.durability, record.sharing, record.corruption) == ("power-loss", "processes", "isolates")
