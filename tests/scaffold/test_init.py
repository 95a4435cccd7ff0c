"""`conformance init`: what it finds of a store, and that what it writes works as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.project import read_toml
from conformance.scaffold.texts import ADAPTER, WORKFLOWS, workflow

LIBRARY = """
import json
from pathlib import Path

class NotThere(Exception):
    pass

class Library:
    def __init__(self, path):
        self.path = Path(path)
        self.books = json.loads(self.path.read_text()) if self.path.exists() else {}

    def load(self, id):
        if id not in self.books:
            raise NotThere(id)
        return json.loads(self.books[id])

    def save(self, id, book):
        self.books[id] = json.dumps(book)

    def remove(self, id):
        del self.books[id]

    def list_ids(self):
        return list(self.books)

    def shut(self):
        self.path.write_text(json.dumps(self.books))

class Cache(dict):
    def __init__(self, path):
        pass

class Shelf(Cache):
    def dispose(self):
        pass

class Forgiving:
    def __init__(self, path):
        self.data = {}

    async def get(self, key):
        return self.data.get(key)

    async def put(self, key, value):
        self.data[key] = value

    async def delete(self, key):
        self.data.pop(key, None)

    async def keys(self):
        return list(self.data)

async def later(path):
    return Forgiving(path)

class Journal:
    def __init__(self, path):
        self.events = []

    def publish(self, event):
        self.events.append(event)
        return len(self.events)

    def replay(self, start=1, stop=None):
        for position in range(start, stop or len(self.events) + 1):
            yield position, self.events[position - 1]

    @property
    def last(self):
        return len(self.events)

class Queue:
    def __init__(self, path):
        pass

    def push(self, task):
        pass

    def pull(self):
        pass

def leaves(path):
    raise SystemExit(3)


def closed(path):
    raise OSError("no disk")
"""


#: The verbs of a state under the contract's own names, in a store that is closed otherwise.
OWN = 'get="__getitem__", set="__setitem__", delete="__delitem__", keys="__iter__", close="dispose"'


@pytest.fixture
def here(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return an empty directory with a module of stores, in which the command is run."""
    pytester.makepyfile(library=LIBRARY)
    pytester.syspathinsert()
    return pytester


def written(here: pytest.Pytester) -> str:
    """Return the adapter."""
    return (here.path / ADAPTER).read_text()


@pytest.mark.parametrize(
    ("store", "opened", "check"),
    [
        (
            "library:Library",
            'adapt(store, get="load", set="save", delete="remove", keys="list_ids", close="shut")',
            "STATE-BASIC-01 or STATE-DELETE-01",
        ),
        (
            "library.py:Forgiving",
            'adapt(store, get="get", set="put", delete="delete", keys="keys", close=None, missing=None)',
            "STATE-BASIC-01",
        ),
        (
            "library:later",
            'adapt(store, get="get", set="put", delete="delete", keys="keys", close=None, missing=None)',
            "STATE-BASIC-01",
        ),
        ("library:Cache", "store", "STATE-BASIC-01"),
        (
            "library:Shelf",
            f"adapt(store, {OWN})",
            "STATE-BASIC-01",
        ),
        ("library:Journal", 'adapt(store, append="publish", read="replay", head="last", close=None)', "LOG-BASIC-01"),
    ],
)
def test_what_is_written_works(here: pytest.Pytester, store: str, opened: str, check: str) -> None:
    """The adapter has the names that the store uses, and pytest judges it by the name that is configured."""
    assert main(["init", store]) == 0
    assert f"    return {opened}\n" in written(here)
    # In a process of its own, as a user would: nothing is imported yet.
    command = [sys.executable, "-m", "pytest", "--backend=library", "--effort=quick", "-k", check, "-p", "no:randomly"]
    done = subprocess.run(command, cwd=here.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMANT in the " in done.stdout


def test_it_tells_what_it_found_and_wrote(here: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, what a missing key does, whether a value reads back, each file, and what to do next."""
    assert main(["init", "library:Library"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  library:Library opens a Library",
        "  it is a state by other names: get is load, set is save, delete is remove, keys is list_ids, close is shut",
        "  a missing key raises NotThere",
        "  writing {'n': 1} reads back",
        "wrote    conformance_adapter.py",
        "wrote    pyproject.toml: [tool.conformance]",
        "wrote    .github/workflows/conformance.yml",
        "",
        "Next: pytest --backend=library --effort=quick",
    ]
    assert 'errors={"missing": NotThere},' in written(here)
    assert read_toml(here.path / "pyproject.toml")["tool"]["conformance"] == {
        "backend": "library",
        "edition": "2026.1",
        "backends": {"library": "conformance_adapter.py:backend"},
    }


def test_what_is_there_is_left(here: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is overwritten but the adapter with --force; a pyproject.toml gets the table at its end, once."""
    project = here.path / "pyproject.toml"
    project.write_text('[project]\nname = "library"')
    assert main(["init", "library:Library"]) == 0
    text = project.read_text()
    assert text.startswith('[project]\nname = "library"\n\n[tool.conformance]\n')
    assert "python -m pip install . " in (here.path / WORKFLOWS["github"]).read_text()
    adapter, flow = here.path / ADAPTER, here.path / WORKFLOWS["github"]
    adapter.write_text("mine")
    flow.write_text("mine")
    capsys.readouterr()
    assert main(["init", "library:Library"]) == 0
    assert capsys.readouterr().out.splitlines()[4:7] == [
        "left     conformance_adapter.py: it is there already; --force writes it anew",
        "left     pyproject.toml: it has [tool.conformance] already",
        "left     .github/workflows/conformance.yml: it is there already",
    ]
    assert (adapter.read_text(), flow.read_text(), project.read_text()) == ("mine", "mine", text)
    assert main(["init", "library:Library", "--force"]) == 0
    assert "get=" in written(here)
    assert flow.read_text() == "mine"


def test_async_opens_inside_of_a_loop(here: pytest.Pytester) -> None:
    """--async writes a coroutine function, for stores that want a running loop when they are made."""
    assert main(["init", "library:Forgiving", "--async", "--name=forgiving"]) == 0
    assert "async def open_store(where: Where) -> Any:" in written(here)
    assert "store = Forgiving(" in written(here)
    assert '    "forgiving",\n' in written(here)


def test_gitlab_gets_a_file_of_its_own_where_there_is_one(
    here: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """--gitlab writes .gitlab-ci.yml, or beside one that is there a file to be included, and says how."""
    assert main(["init", "library:Cache", "--gitlab"]) == 0
    assert (here.path / ".gitlab-ci.yml").read_text() == workflow("gitlab", "library", "")
    assert not (here.path / ".github").exists()
    capsys.readouterr()
    assert main(["init", "library:Cache", "--gitlab"]) == 0
    told = capsys.readouterr().out
    assert "wrote    .gitlab/conformance.yml, to be included: " in told
    assert "add `include: [{local: .gitlab/conformance.yml}]` to .gitlab-ci.yml" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["library"], "'library' is not of the form module:attribute"),
        (["library:Nothing"], "library has no attribute 'Nothing'"),
        (["nowhere:Store"], "there is no module 'nowhere'"),
        (["library:Queue"], "Queue is no state store by any usual name: it has nothing for get, set, delete, keys."),
        (["library:Queue"], "Its methods are pull, push."),
        (["library:Library", "--contract=log"], "Library is no log store by any usual name: it has nothing for append"),
        (["library:closed"], "opening library:closed with a path raised OSError: no disk"),
        (["library:leaves"], "opening library:leaves with a path raised SystemExit: 3"),
        (["library:Library", "--name=a b"], "--name='a b': give letters, digits and hyphens"),
        (["reference_backends.memory:backend"], "is a Backend record already: judge it with pytest --backend="),
    ],
)
def test_stores_that_no_adapter_can_be_written_for(
    here: pytest.Pytester, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """It is said why, and nothing is written."""
    with pytest.raises(SystemExit) as stop:
        main(["init", *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (here.path / ADAPTER).exists()
    assert not (here.path / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("blocked", "arguments", "message"),
    [
        (".github", [], ".github/workflows/conformance.yml can't be written: .github is no directory"),
        ("pyproject.toml/", [], "pyproject.toml can't be read: Is a directory."),
        ("conformance_adapter.py/", ["--force"], "conformance_adapter.py can't be written: it is no file"),
        (".gitlab", ["--gitlab"], ".gitlab/conformance.yml can't be written: .gitlab is no directory"),
    ],
)
def test_what_can_not_be_written_is_told_before_anything_is(
    here: pytest.Pytester, capsys: pytest.CaptureFixture[str], blocked: str, arguments: list[str], message: str
) -> None:
    """Half a scaffold is worse than none."""
    (here.path / ".gitlab-ci.yml").write_text("mine")
    if blocked.endswith("/"):
        (here.path / blocked).mkdir()
    else:
        (here.path / blocked).write_text("mine")
    before = sorted(here.path.iterdir())
    with pytest.raises(SystemExit) as stop:
        main(["init", "library:Library", *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert [path for path in sorted(here.path.iterdir()) if path.name != "__pycache__"] == before


def test_a_directory_that_nothing_can_be_written_into_is_told(
    here: pytest.Pytester, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system is asked, as it is root that runs these tests in containers."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(SystemExit) as stop:
        main(["init", "library:Library"])
    assert stop.value.code == 2
    assert "conformance_adapter.py can't be written: no permission for ." in capsys.readouterr().err


def test_a_write_that_fails_is_told(
    here: pytest.Pytester, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk."""
    opened = Path.open

    def full(path: Path, mode: str = "r", **more: Any) -> Any:
        if mode in ("w", "a"):
            raise OSError(28, "No space left on device")
        return opened(path, mode, **more)

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(SystemExit) as stop:
        main(["init", "library:Cache"])
    assert stop.value.code == 2
    assert "conformance_adapter.py can't be written: No space left on device." in capsys.readouterr().err


def test_a_project_that_can_not_be_used_is_left(here: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """A table at the end of such a file would be none."""
    (here.path / "pyproject.toml").write_text("tool = 5")
    with pytest.raises(SystemExit) as stop:
        main(["init", "library:Library"])
    assert stop.value.code == 2
    assert "pyproject.toml: tool = 5 is no table. Write [tool.conformance]" in capsys.readouterr().err
    assert not (here.path / ADAPTER).exists()


@pytest.mark.parametrize(("service", "schema"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")])
@pytest.mark.parametrize("installed", [".", "", "-r requirements.txt"])
def test_jobs_of_ci_are_valid(service: str, schema: str, installed: str, tmp_path: Path) -> None:
    """Each template is what the service takes, by the schema that its users publish."""
    pytest.importorskip("check_jsonschema")
    file = tmp_path / Path(WORKFLOWS[service]).name
    file.write_text(workflow(service, "mystore", installed))
    assert "@" not in file.read_text().replace("actions/", "").replace("@v", "")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_shows_the_jobs_that_are_written() -> None:
    """What stands in the guide about CI is what `conformance init` writes."""
    page = (Path(__file__).parents[2] / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
    for service in WORKFLOWS:
        assert f"```yaml\n{workflow(service, 'mystore', '.')}```" in page
