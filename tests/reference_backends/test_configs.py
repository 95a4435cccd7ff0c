"""The `configs` backend: documents for people, by name and format, migrated, and with references."""

from __future__ import annotations

import json
import math
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance import Where
from conformance.check import catalogue
from reference_backends.configs import (
    ConfigNameError,
    ConfigStore,
    CorruptConfig,
    MigrationError,
    NewerSchemaError,
    UnresolvedReference,
    backend,
    open_state,
    yaml,
)
from reference_backends.configs.formats import FORMATS, decode, encode
from tests.benches import bench, judge_all

EACH_FORMAT = pytest.mark.parametrize("form", ["json", "yaml", "yml", "toml"])


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    """Return an empty store of JSON documents."""
    return ConfigStore(tmp_path)


def test_round_trip(tmp_path: Path) -> None:
    """Entries in JSON keep every rule of the suite."""
    outcomes = {code: one.outcome for code, one in judge_all(backend, tmp_path, suites=("round-trip",)).items()}
    assert {code for code, outcome in outcomes.items() if outcome not in ("pass", "not applicable")} == set()


@pytest.mark.parametrize("code", ["STATE-KEY-01", "STATE-VALUE-01", "STATE-VALUE-02"])
def test_entries_in_yaml(code: str, tmp_path: Path) -> None:
    """Keys and values of every kind come back from YAML too."""
    result = bench(yaml, tmp_path).judge(catalogue()[code])
    assert result.outcome == "pass", result


class TestFormats:
    """What documents are as text."""

    @EACH_FORMAT
    def test_a_document_comes_back(self, form: str, tmp_path: Path) -> None:
        """A document is in one file of its format, and comes back equal in type and content."""
        document = {
            "version": 1,
            "model": {"name": "small", "temperature": 0.5, "stop": ["\n", "no", "1", "null", "2001-01-01", ""]},
            "limits": [{"calls": 10**12, "strict": True}, {"calls": -1, "strict": False}],
            "zero": [-0.0, 1.0, math.inf],
            "empty": [{}, [], ""],
            "odd keys": {"": 1, "é \u2028": 2, "a.b": 3, "true": 4, "1": 5},
        }
        with closing(ConfigStore(tmp_path, form=form)) as store:
            store["chat-agent"] = document
        assert [file.name for file in tmp_path.glob("chat*")] == [f"chat-agent.{form}"]
        with closing(ConfigStore(tmp_path)) as store:
            back = store["chat-agent"]
        assert (back, repr(back["zero"]), type(back["limits"][0]["strict"])) == (document, "[-0.0, 1.0, inf]", bool)

    @EACH_FORMAT
    def test_rewriting_keeps_the_format(self, form: str, tmp_path: Path) -> None:
        """A document that a person made stays in its format, whatever the store gives to new ones."""
        texts = {"json": '{"version": 1, "a": 1}', "toml": "version = 1\na = 1\n"}
        (tmp_path / f"by-hand.{form}").write_text(texts.get(form, "version: 1\na: 1\n"))
        store = ConfigStore(tmp_path, form="toml" if form == "json" else "json")
        store["by-hand"] = {**store["by-hand"], "a": 2}
        assert [file.name for file in tmp_path.glob("by-hand*")] == [f"by-hand.{form}"]
        assert store["by-hand"] == {"version": 1, "a": 2}

    def test_people_can_read_them(self) -> None:
        """Each format is written over several lines, in the order that was given, without escapes for plain words."""
        document = {"version": 1, "name": "Zoë", "model": {"size": "no"}}
        assert encode(document, FORMATS["yaml"]).decode() == "version: 1\nname: Zoë\nmodel:\n  size: no\n"
        assert encode(document, FORMATS["toml"]).decode() == 'version = 1\nname = "Zoë"\n\n[model]\nsize = "no"\n'
        assert encode(document, FORMATS["json"]).decode().startswith('{\n  "version": 1,\n')

    @pytest.mark.parametrize(
        ("form", "value", "said"),
        [
            ("toml", {"a": [1, {"b": None}]}, r"document\['a'\]\[1\]\['b'\] is None, which TOML can't hold"),
            ("toml", {"a": "\udc80"}, "TOML can't hold this document"),
            ("json", {"a": "\ud83d" + "\ude00"}, "surrogate"),
        ],
    )
    def test_what_a_format_cannot_hold_is_refused(self, form: str, value: Any, said: str, tmp_path: Path) -> None:
        """A value that would not come back is a ValueError that says what and where; the old document stays."""
        store = ConfigStore(tmp_path, form=form)
        store["a"] = {"kept": 1}
        with pytest.raises(ValueError, match=said):
            store["a"] = value
        assert store["a"] == {"version": 1, "kept": 1}

    def test_a_library_that_alters_is_not_believed(self) -> None:
        """A format whose text would be read as something else is refused, with what it would be."""
        for altered in ({"version": True}, {"version": 1, "a": 1}, {"version": 1.0}, []):
            form = FORMATS["json"]._replace(read=lambda text, altered=altered: altered)
            with pytest.raises(ValueError, match="it would come back as"):
                encode({"version": 1}, form)

    @pytest.mark.parametrize(
        ("form", "text", "said"),
        [
            ("json", "{", "it is no JSON that can be used here"),
            ("json", "[1]", "it holds a list, where a document has named fields"),
            ("yaml", "version: 1\nday: 2001-01-01\n", r"value\['day'\] has type date"),
            ("yaml", "a: [", "it is no YAML that can be used here"),
            ("yaml", "1: a\n", "The key 1 has type int"),
            ("toml", "day = 2001-01-01\n", r"value\['day'\] has type date"),
            ("toml", "a = \n", "it is no TOML that can be used here"),
        ],
    )
    def test_files_that_are_no_documents(self, form: str, text: str, said: str) -> None:
        """What can't be parsed, and what is more than JSON, is refused with the place."""
        with pytest.raises(ValueError, match=said):
            decode(text.encode(), FORMATS[form])

    def test_yaml_is_of_1_2(self) -> None:
        """`no` and `on` are texts: a country, not a refusal."""
        assert decode(b"country: no\nswitch: on\n", FORMATS["yaml"]) == {"country": "no", "switch": "on"}


class TestNames:
    """Kebab-case, and one file for each name."""

    @pytest.mark.parametrize("name", ["a", "chat-agent", "gpt-4", "2", "x" * 200])
    def test_kebab_case_is_taken(self, name: str, store: ConfigStore) -> None:
        """Lower-case words and numbers with single hyphens are names."""
        store[name] = {}
        assert (list(store), name in store, len(store)) == ([name], True, 1)

    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("ChatAgent", "chat-agent"),
            ("chat_agent", "chat-agent"),
            ("chat--agent", "chat-agent"),
            ("-a", "a"),
            ("../up", "up"),
            ("a.json", "a-json"),
            ("a\n", "a"),
        ],
    )
    def test_other_names_are_refused(self, name: str, nearest: str, store: ConfigStore) -> None:
        """Any other name is refused by every verb, with the nearest that would do."""
        for verb in (store.__getitem__, store.__delitem__, store.__contains__, store.raw):
            with pytest.raises(ConfigNameError, match=f"is not kebab-case: .* Did you mean '{nearest}'"):
                verb(name)
        with pytest.raises(ConfigNameError):
            store[name] = {}
        assert len(store) == 0

    def test_names_without_a_nearest(self, store: ConfigStore) -> None:
        """A name of which nothing would be left, one that is too long, and one that is no text, are refused too."""
        with pytest.raises(ConfigNameError, match=r"one hyphen between\.$"):
            store["é"] = {}
        with pytest.raises(ConfigNameError, match="has 201 characters"):
            store["x" * 201] = {}
        with pytest.raises(TypeError, match="type int"):
            store[1] = {}  # type: ignore[index]

    def test_two_files_of_one_name(self, store: ConfigStore, tmp_path: Path) -> None:
        """Where there are two formats of one name, neither is taken for the right one."""
        store["a"] = {}
        (tmp_path / "a.toml").write_text("version = 1\n")
        with pytest.raises(CorruptConfig, match=r"a\.json and a\.toml: remove all but one"):
            store["a"]
        assert list(store) == ["a"]

    def test_other_files_are_left_alone(self, store: ConfigStore, tmp_path: Path) -> None:
        """Files that are no documents are neither listed nor touched."""
        for name in ("README.md", "Upper.json", "a.json.v1"):
            (tmp_path / name).write_text("x")
        assert (list(store), len(list(tmp_path.iterdir()))) == ([], 4)


class TestDocuments:
    """What a document must be."""

    def test_the_version_is_filled_in(self, tmp_path: Path) -> None:
        """A document without a version gets the present one; any other version is refused."""
        store = ConfigStore(tmp_path, current=3)
        store["a"] = {"x": 1}
        assert store["a"] == {"version": 3, "x": 1}
        for version in (2, 4, "3", 3.0):
            with pytest.raises(ValueError, match=f"has the version {version!r}, not 3"):
                store["a"] = {"version": version}
        with pytest.raises(TypeError, match="is a list"):
            store["a"] = []  # type: ignore[assignment]

    @pytest.mark.parametrize("text", ["{}", '{"version": "1"}', '{"version": true}', '{"version": 0}'])
    def test_a_file_without_a_version(self, text: str, store: ConfigStore, tmp_path: Path) -> None:
        """A file whose version is missing, or no number from 1 on, is told with its path."""
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(CorruptConfig, match=r"a\.json: its version is"):
            store["a"]

    def test_a_closed_store_refuses(self, store: ConfigStore) -> None:
        """Every verb of a closed store is a ValueError; closing twice is harmless."""
        store.close()
        store.close()
        for verb in (lambda: store["a"], lambda: "a" in store, lambda: list(store), lambda: store.pop("a")):
            with pytest.raises(ValueError, match="closed"):
                verb()

    def test_deleting(self, store: ConfigStore) -> None:
        """A deleted document is gone; deleting a missing one is a KeyError."""
        store["a"] = {"x": 1}
        assert store.pop("a") == {"version": 1, "x": 1}
        with pytest.raises(KeyError):
            del store["a"]
        with pytest.raises(KeyError):
            store["a"]

    def test_what_makes_no_sense_is_refused(self, tmp_path: Path) -> None:
        """An unknown format and migrations with a hole are refused before a directory is made."""
        with pytest.raises(ValueError, match="form='ini' is unknown"):
            ConfigStore(tmp_path / "new", form="ini")
        for migrations in ({1: dict}, {1: dict, 3: dict}, {2: dict, 3: dict, 4: dict}):
            with pytest.raises(ValueError, match="do not lead to version 4"):
                ConfigStore(tmp_path / "new", current=4, migrations=migrations)
        assert list(tmp_path.iterdir()) == []


def rename_model(document: dict[str, Any]) -> dict[str, Any]:
    """Call the model by what it is now."""
    document["model-name"] = document.pop("model")
    return document


def nest_model(document: dict[str, Any]) -> dict[str, Any]:
    """Make a table of the model."""
    return {"model": {"name": document["model-name"]}}


class TestMigrations:
    """Documents of older versions."""

    @EACH_FORMAT
    def test_an_old_document_is_migrated_when_it_is_read(self, form: str, tmp_path: Path) -> None:
        """All steps are made in their order, the file is kept in its format, and a backup has what was there."""
        ConfigStore(tmp_path, form=form)["a"] = {"model": "small"}
        old = (tmp_path / f"a.{form}").read_bytes()
        store = ConfigStore(tmp_path, current=3, migrations={1: rename_model, 2: nest_model})
        assert store["a"] == {"version": 3, "model": {"name": "small"}}
        assert (tmp_path / f"a.{form}.v1").read_bytes() == old
        assert decode((tmp_path / f"a.{form}").read_bytes(), FORMATS[form]) == store["a"]
        assert list(store) == ["a"]

    def test_the_backup_is_made_first(self, store: ConfigStore, tmp_path: Path, monkeypatch: Any) -> None:
        """Where the new document can't be written, the old one is there, and so is its backup."""
        store["a"] = {"model": "small"}
        written: list[str] = []

        def replace_file(path: Path, data: bytes, *, backups: int) -> None:
            written.append(path.name)
            raise OSError("no space left")

        monkeypatch.setattr("reference_backends.configs.store.replace_file", replace_file)
        with pytest.raises(OSError, match="no space"):
            ConfigStore(tmp_path, current=2, migrations={1: rename_model})["a"]
        assert written == ["a.json.v1"]
        assert store["a"] == {"version": 1, "model": "small"}

    @pytest.mark.parametrize(
        "broken", [lambda document: document["nothing"], lambda document: {"a": {1, 2}}, lambda document: None]
    )
    def test_a_migration_that_fails_changes_nothing(self, broken: Any, store: ConfigStore, tmp_path: Path) -> None:
        """A migration that raises, or makes what is no document, is told with the file and the version."""
        store["a"] = {"model": "small"}
        newer = ConfigStore(tmp_path, current=3, migrations={1: rename_model, 2: broken})
        with pytest.raises(MigrationError, match=r"a\.json can't be migrated from version 2"):
            newer["a"]
        assert store["a"] == {"version": 1, "model": "small"}
        assert not (tmp_path / "a.json.v1").exists()

    def test_versions_that_are_not_known(self, store: ConfigStore, tmp_path: Path) -> None:
        """A newer document is left as it is, and so is one that is older than the oldest migration."""
        store["a"] = {}
        with pytest.raises(MigrationError, match="version 1, from which no migration leads on"):
            ConfigStore(tmp_path, current=3, migrations={2: nest_model})["a"]
        ConfigStore(tmp_path, current=7)["b"] = {}
        with pytest.raises(NewerSchemaError, match="version 7, and only 1 is known"):
            store["b"]

    def test_a_document_that_is_referred_to_is_migrated_too(self, store: ConfigStore, tmp_path: Path) -> None:
        """A reference leads to the present version of the other document."""
        store["a"] = {"model": {"$ref": "defaults#/model"}}
        store["defaults"] = {"model": "small"}
        newer = ConfigStore(tmp_path, current=2, migrations={1: rename_model})
        newer["a"] = {"mine": {"$ref": "defaults#/model-name"}}
        assert newer["a"] == {"version": 2, "mine": "small"}
        assert json.loads((tmp_path / "defaults.json").read_text())["version"] == 2


class TestReferences:
    """What stands for a part of another document."""

    def test_references_are_resolved_when_they_are_read(self, store: ConfigStore) -> None:
        """Each gives what the other document holds now; in the file it stays a reference."""
        store["defaults"] = {"models": [{"name": "small"}, {"name": "large", "a/b~c": 1}]}
        store["a"] = {
            "model": {"$ref": "defaults#/models/1/name"},
            "odd": [{"$ref": "defaults#/models/1/a~1b~0c"}],
            "own": {"$ref": "#/model"},
            "all": {"$ref": "defaults"},
        }
        assert store["a"] == {
            "version": 1,
            "model": "large",
            "odd": [1],
            "own": "large",
            "all": {"version": 1, "models": [{"name": "small"}, {"name": "large", "a/b~c": 1}]},
        }
        store["defaults"] = {"models": ["", {"name": "huge", "a/b~c": 2}]}
        assert store["a"]["own"] == "huge"
        assert store.raw("a")["model"] == {"$ref": "defaults#/models/1/name"}

    @pytest.mark.parametrize(
        ("documents", "circle"),
        [
            ({"a": {"x": {"$ref": "#/x"}}}, "a#/x -> a#/x"),
            ({"a": {"x": {"$ref": "b#/y"}}, "b": {"y": {"$ref": "a#/x"}}}, "b#/y -> a#/x -> b#/y"),
            ({"a": {"x": [{"$ref": "b"}]}, "b": {"y": {"$ref": "a"}}}, "b# -> a# -> b#"),
        ],
    )
    def test_circles_are_refused(self, documents: dict[str, Any], circle: str, store: ConfigStore) -> None:
        """References that lead back to themselves are told with each step."""
        store.update(documents)
        with pytest.raises(UnresolvedReference, match=f"round in a circle: {circle}\\."):
            store["a"]

    @pytest.mark.parametrize(
        ("reference", "said"),
        [
            ("missing#/x", "'missing#/x' leads to nothing"),
            ("a#/missing", "'a#/missing' leads to nothing"),
            ("a#/list/7", "'a#/list/7' leads to nothing"),
            ("a#/list/-1", "there is no '-1'"),
            ("a#/text/x", "there is no 'x'"),
            ("a#text", "does not begin with a slash"),
            (7, "is no reference"),
        ],
    )
    def test_references_to_nothing(self, reference: Any, said: str, store: ConfigStore) -> None:
        """A reference that leads to nothing is told with the document it stands in."""
        store["a"] = {"list": [1], "text": "t", "x": {"$ref": reference}}
        with pytest.raises(UnresolvedReference, match=f"In 'a': .*{said}"):
            store["a"]
        store["b"] = {"x": {"$ref": "a", "more": 1}}
        with pytest.raises(UnresolvedReference, match="which has '\\$ref' alone"):
            store["b"]

    def test_the_same_part_twice_is_no_circle(self, store: ConfigStore) -> None:
        """Two references may lead to the same part."""
        store["a"] = {"x": {"$ref": "#/z"}, "y": {"$ref": "#/z"}, "z": 1}
        assert store["a"] == {"version": 1, "x": 1, "y": 1, "z": 1}


class TestEntries:
    """The store as the `state` contract has it."""

    def test_an_entry_is_a_document(self, tmp_path: Path) -> None:
        """The name tells what it can of the key; a value that looks like a reference is a value."""
        with closing(open_state(Where(tmp_path))) as store:
            store["Run 1/Steps"] = {"$ref": "nothing"}
            (file,) = (tmp_path / "configs").glob("*.json")
            assert file.name.startswith("run-1-steps-")
            assert json.loads(file.read_text()) == {"version": 1, "key": "Run 1/Steps", "value": {"$ref": "nothing"}}
            assert dict(store) == {"Run 1/Steps": {"$ref": "nothing"}}

    @pytest.mark.parametrize("change", [{"key": "b"}, {"key": 7}, {"more": 1}])
    def test_a_document_that_is_no_entry(self, change: dict[str, Any], tmp_path: Path) -> None:
        """A document that was changed into something else is told, and its key not called missing."""
        with closing(open_state(Where(tmp_path))) as store:
            store["a"] = 1
            (file,) = (tmp_path / "configs").glob("*.json")
            file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
            with pytest.raises(CorruptConfig, match="is not the entry of 'a'"):
                store["a"]
            if "key" in change:
                with pytest.raises(CorruptConfig, match="is the entry of no key"):
                    list(store)
