"""What holds for the whole repository."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.project import read_toml

ROOT = Path(__file__).parent.parent
PACKAGES = ("conformance", "reference_backends")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]
PROJECT = read_toml(ROOT / "pyproject.toml")
EACH_MODULE = pytest.mark.parametrize("path", MODULES, ids=NAMES)

#: Modules that know pytest; the others work without it.
ON_PYTESTS_SIDE = {
    "conformance/hookspecs.py",
    "conformance/plugin.py",
    *(
        f"conformance/running/{name}.py"
        for name in ("activate", "benchmarking", "collecting", "judging", "keys", "outputs", "reporting")
    ),
}
#: What a plain pytest run of an environment with the kit must not pay for.
HEAVY = (
    "anyio",
    "hypothesis",
    "jinja2",
    "sqlite3",
    "tomllib",
    "tomli",
    "conformance.bench",
    "conformance.check",
    "conformance.contracts",
    "conformance.run",
    "conformance.running.activate",
    "conformance.options",
    "conformance.session",
    "conformance.trial",
    "reference_backends",
)
#: Seconds that importing the plugin may take.
START_UP_S_MAX = 0.015


def imported(path: Path) -> set[str]:
    """Return the names of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@EACH_MODULE
def test_no_private_part_of_pytest_is_imported(path: Path) -> None:
    """No module imports from `_pytest`."""
    assert not [name for name in imported(path) if name.split(".")[0] == "_pytest"]


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "benchmarks", "docs"])
def test_modules_are_of_bearable_length(folder: str) -> None:
    """No module has more than 500 lines; tests are as hard to find one's way in as what they test."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert lengths
    assert [str(path.relative_to(ROOT)) for path, length in lengths.items() if length > 500] == []


@EACH_MODULE
def test_public_names_have_docstrings(path: Path) -> None:
    """Every module, and every public class, function and method in it, has a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [] if ast.get_docstring(tree) or not tree.body else ["the module"]
    waiting: list[ast.Module | ast.ClassDef] = [tree]
    while waiting:
        for node in waiting.pop().body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                bare.append(node.name)
            if isinstance(node, ast.ClassDef):
                waiting.append(node)
    assert bare == []


@EACH_MODULE
def test_only_the_plugins_side_knows_pytest(path: Path) -> None:
    """All but the plugin's own modules work without pytest: they import neither it nor what hooks into it."""
    if str(path.relative_to(ROOT)) in ON_PYTESTS_SIDE:
        return
    on_pytests_side = {name.removesuffix(".py").replace("/", ".") for name in ON_PYTESTS_SIDE}
    assert not imported(path) & {"pytest", "conformance.running", *on_pytests_side}


#: What judges, and what makes of judgements what is shown.
JUDGES = ("bench", "check", "trial", "result", "suites", "run", "options", "report", "running", "plugin")
#: What of the engine of histories puts its checkers and its drivers together.
TOGETHER = ("histories.rounds", "histories.kinds", "histories.search", "workers", "backend")


@pytest.mark.parametrize(
    ("room", "strangers"),
    [
        ("crash", (*JUDGES, "models")),
        ("histories", (*JUDGES, "crash")),
        ("histories/checkers", ("histories.drivers", *TOGETHER)),
        ("histories/drivers", ("histories.checkers", *TOGETHER)),
        ("workers", (*JUDGES, "models", "crash")),
        ("servers", (*JUDGES, "models", "crash", "workers", "session", "backend")),
        ("network", (*JUDGES, "models", "damage", "replay")),
        ("damage", (*JUDGES, "models", "histories")),
        ("replay", (*JUDGES, "damage")),
        # Where the suites lie, and that this one is no suite of checks, the checks say.
        ("benchmarks", tuple(name for name in JUDGES if name not in ("bench", "check"))),
        ("migrate", tuple(name for name in JUDGES if name != "check")),  # what a whole result has, the checks say
        ("crash/recorder", ("crash.disk", "crash.subjects", "crash.reopen", "workers", "crash.explore")),
        ("crash/disk", ("crash.recorder", "crash.subjects", "crash.reopen", "workers", "crash.explore")),
    ],
)
def test_engines_know_no_check(room: str, strangers: tuple[str, ...]) -> None:
    """Engines work without checks and reports; recorders and disk models know nothing of each other."""
    package = ROOT / "conformance"
    for name in (room, *strangers):  # after a move nothing would be looked at, or for
        place = package / name.replace(".", "/")
        assert any(place.rglob("*.py")) or place.with_suffix(".py").exists(), name
    for path in (package / room).rglob("*.py"):
        known = {name.removeprefix("conformance.") for name in imported(path) if name.startswith("conformance.")}
        assert not [name for name in known if name.startswith(strangers)], path


@pytest.mark.parametrize("path", sorted((ROOT / "reference_backends").rglob("*.py")), ids=lambda path: path.name)
def test_reference_backends_lean_on_nothing_of_the_kit(path: Path) -> None:
    """A reference imports what `conformance` exports, as any adapter does, and no module of it."""
    assert not [name for name in imported(path) if name.startswith("conformance.")]


def test_no_suite_and_no_engine_names_a_backend() -> None:
    """No text in the kit's code is the name of a store, and none of its modules imports one."""
    stores = PROJECT["project"]["entry-points"]["conformance.backends"].keys() | {"diskcache", "sqlitedict", "tinydb"}
    # Examples in docstrings and messages may name them; a text that is nothing but the name is a special case.
    for path in MODULES:
        # A store may have the name of the engine that it talks to, which is no store.
        if path.is_relative_to(ROOT / "reference_backends") or path.is_relative_to(ROOT / "conformance" / "servers"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in stores, f"{path}:{node.lineno} names {node.value!r}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert module.split(".")[0] not in {*stores, "sqlite3", "dbm", "shelve", "reference_backends"}, path


def test_readme_has_the_two_commands() -> None:
    """The commands that a fresh clone is tried with stand in the README, each on a line of its own."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "    pip install . && pytest --backend=sqlite --effort=quick" in lines
    assert '    pip install -e ".[dev]" && pytest -n auto' in lines


def test_ci_runs_the_readmes_commands() -> None:
    """`.ci/run` runs both commands of the README, as they stand there."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install . && pytest --backend=sqlite --effort=quick" in script
    assert 'pip install -e ".[dev]" && pytest -n auto\n' in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_changelog_fragments_have_a_known_type() -> None:
    """Each fragment is `<issue>.<type>.md` or `+<name>.<type>.md`, of a type of pyproject.toml, and has a sentence."""
    types = "|".join(one["directory"] for one in PROJECT["tool"]["towncrier"]["type"])
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != ".gitkeep"]
    for path in fragments:
        assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({types})(\.\d+)?\.md", path.name), path.name
        assert path.read_text(encoding="utf-8").rstrip().endswith("."), path.name


def test_every_dependency_has_its_reason() -> None:
    """Each dependency, of the kit and of each extra, stands in docs/dependencies.md; none has an upper cap."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    project = PROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (one for group in groups for one in group):
        name = re.split(r"[\[<>=; ]", requirement)[0]
        assert "<" not in requirement.partition(";")[0], f"{requirement} has an upper cap"
        if name != project["name"]:
            assert f"`{name}`" in page or f"`{name}[" in page, f"{name} has no reason in docs/dependencies.md"


def test_every_python_has_an_environment() -> None:
    """Each Python version of the classifiers is an environment of tox, and a job of the workflow."""
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    minors = [c.rpartition(".")[2] for c in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert f"py{{{','.join(f'3{minor}' for minor in minors)}}}" in tox
    for minor in minors:
        assert f'python: "3.{minor}", env: py3{minor}' in workflow


def fresh(*arguments: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a new Python that nothing measures, with `more` in its environment."""
    outside = ("CONFORMANCE_", "COVERAGE_", "COV_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=kept | more, capture_output=True, text=True, check=True
    )


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    """After `import conformance.plugin` none of the heavy modules is loaded."""
    code = f"import sys, pytest; before = set(sys.modules); import conformance.plugin; heavy = {HEAVY!r}\n"
    code += "print([name for name in heavy if name in set(sys.modules) - before])"
    assert fresh("-c", code).stdout == "[]\n"


def test_a_plain_run_loads_nothing_heavy(tmp_path: Path) -> None:
    """A whole pytest run that does not ask for conformance ends without any of the heavy modules."""
    (tmp_path / "pytest.ini").touch()  # so that no other file is read, which might need a TOML parser
    (tmp_path / "test_plain.py").write_text(
        f"import sys\n\ndef test_nothing_heavy():\n    assert not set({HEAVY!r}) & sys.modules.keys()\n"
    )
    plugins = ["-p", "conformance.plugin", "-p", "no:cacheprovider"]
    done = fresh("-m", "pytest", *plugins, str(tmp_path), cwd=tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed" in done.stdout


def test_start_up_cost(tmp_path: Path) -> None:
    """Importing the plugin, compiled as after any first run, costs less than 15 ms where pytest is loaded already."""
    code = "import pytest, time; start = time.process_time()\n"
    code += "import conformance.plugin; print(time.process_time() - start)"
    # The time of the processor, and the best of some runs: what else the machine does now is not the plugin's cost.
    costs: list[float] = []
    while len(costs) < 5 or (min(costs) >= START_UP_S_MAX and len(costs) < 15):
        done = fresh("-c", code, PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(tmp_path))
        costs.append(float(done.stdout))
    assert min(costs) < START_UP_S_MAX, costs
