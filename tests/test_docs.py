"""The documentation is true: examples run, what is shown is what comes, generated pages are those of the code."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.check import catalogue
from conformance.histories.lanes import lane_data
from conformance.histories.operation import Operation

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
GENERATED = ("checks", "contracts")
PAGES = [ROOT / "README.md", *(p for p in sorted(DOCS.rglob("*.md")) if p.relative_to(DOCS).parts[0] not in GENERATED)]
BLOCK = re.compile(r"^( *)```(python|toml|console)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
#: The first line of a block that is saved to a file.
FILE = re.compile(r"# ([\w-]+\.(?:py|toml))\n")
#: What a line of an example prints.
PRINTED = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)
SCRIPTS = Path(sysconfig.get_path("scripts"))
COMMANDS = ("pytest", "conformance", "python")
#: Runs the Python blocks of a page in one namespace, and answers each with what it printed and what it raised.
RUNNER = """
import contextlib, io, json, sys, traceback
namespace = {"__name__": "__example__"}
for line in sys.stdin:
    printed, error = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(json.loads(line), "<example>", "exec"), namespace)
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), flush=True)
"""


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_examples_of_a_page_run_and_show_what_comes(page: Path, tmp_path: Path) -> None:
    """Each Python block runs, and prints what its comments say; each command ends in the lines shown under it."""
    with runner(tmp_path) as run:
        for _, kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            text = textwrap.dedent(block)
            file = FILE.match(text)
            if file is not None:
                (tmp_path / file[1]).write_text(text, encoding="utf-8")
            if kind == "console":
                check_console(text, tmp_path)
            elif kind == "python":
                check_printed(text, run(text))


def test_the_tutorial_ends_in_the_store_that_its_steps_make() -> None:
    """Each step of the tutorial is part of its last store, so that what is judged there is what was explained."""
    blocks = [text for _, kind, text in BLOCK.findall((DOCS / "guide" / "tutorial.md").read_text()) if kind == "python"]
    _, *steps, last = blocks
    assert len(steps) > 3
    for step in steps:
        imports, _, rest = step.rpartition("\n\n\n")
        assert set(imports.splitlines()) <= set(last.splitlines())
        assert rest in last or textwrap.indent(rest, "    ") in last, rest


def environment() -> dict[str, str]:
    """Return an environment in which nothing from outside changes what is shown, and nothing is measured."""
    outside = ("CONFORMANCE_", "COVERAGE_", "COV_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    # The order in which lines are shown is that of the suites, also where pytest-randomly is installed.
    return kept | {"COLUMNS": "100", "PYTEST_ADDOPTS": "-p no:randomly"}


@contextmanager
def runner(folder: Path) -> Iterator[Any]:
    """Give a function that runs a Python block in a process of the page's own and returns what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    question, answer = process.stdin, process.stdout

    def run(code: str) -> str:
        question.write(json.dumps(code) + "\n")
        question.flush()
        printed, error = json.loads(answer.readline())
        assert not error, f"{code}\n{error}"
        return str(printed)

    with process:
        yield run
        question.close()
    assert process.returncode == 0


def check_printed(code: str, printed: str) -> None:
    """Require that the comments behind `print(...)` are printed, in their order; `...` stands for anything."""
    rest = printed.splitlines()
    for expected in PRINTED.findall(code):
        while rest and not is_like(rest[0], expected):
            rest.pop(0)
        assert rest, f"{expected!r} is not among what was printed:\n{printed}"
        rest.pop(0)


def check_console(text: str, folder: Path) -> None:
    """Run the commands of a console block, and require that the lines shown under each come, in their order."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command)
        if words[0] not in COMMANDS:
            continue
        program = SCRIPTS / words[0] if words[0] != "python" else Path(sys.executable)
        done = subprocess.run(
            [program, *words[1:]], cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert "INTERNALERROR" not in done.stdout, done.stdout
        output = done.stdout + done.stderr
        check_shown(shown.rstrip().splitlines(), output.splitlines(), f"$ {command}\n{output}")


def check_shown(shown: list[str], output: list[str], whole: str) -> None:
    """Require lines one after the other; a line `...` stands for any lines, `...` in a line for anything there."""
    rest = [settled(line) for line in output if not is_progress(line)]
    gap = True
    for line in shown:
        if line.strip() == "...":
            gap = True
            continue
        if is_progress(line):
            continue
        if gap:
            while rest and not is_like(rest[0], settled(line)):
                rest.pop(0)
        assert rest, f"missing: {line!r}\n\n{whole}"
        assert is_like(rest[0], settled(line)), f"not as shown: {line!r}\n\n{whole}"
        rest.pop(0)
        gap = False
    left = "" if gap else "\n".join(rest).strip()
    assert not left, f"more came than is shown:\n{left}\n\n{whole}"


def is_like(line: str, shown: str) -> bool:
    """Tell whether a line is the one shown, in which `...` stands for anything."""
    return re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), line) is not None


def is_progress(line: str) -> bool:
    """Tell whether a line tells how far a run is; the checks become more."""
    return re.search(r"\[ *\d+%\]$", line) is not None


def settled(line: str) -> str:
    """Return a line without what differs between machines and grows with the catalogue: widths, times, counts.

    The numbers of calls, values, and what was expected and got are kept as they are.
    """
    line = re.sub(r"([=_-])\1{3,}", r"\1", line.rstrip())
    if re.match(r"\s*(\d+\. |expected |got )", line):
        return line
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", line))


def test_generated_pages_are_up_to_date() -> None:
    """`python docs/generate.py --check` finds nothing to write."""
    done = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("damage", "word"), [("stale", "stale"), ("gone", "missing"), ("extra", "superfluous")])
def test_generator_notices_a_page_that_is_not_as_it_should_be(
    damage: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` names a changed, a missing and a superfluous page, and exits 1; without it, the page is put right."""
    generate = load_generator()
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    capsys.readouterr()
    page = tmp_path / "checks" / ("STATE-OLD-01.md" if damage == "extra" else "STATE-BASIC-01.md")
    if damage == "gone":
        page.unlink()
    else:
        page.write_text("something else")
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith(f"{word:<12}checks/{page.name}\n")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def load_generator() -> Any:
    """Return the module docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_field_of_the_record_is_documented(tmp_path: Path) -> None:
    """The tables of the page about CI have the fields of a real record, each of them and no others."""
    (tmp_path / "shop.py").write_text("class Shop(dict):\n    def __init__(self, path):\n        pass\n")
    command = [str(SCRIPTS / "pytest"), "--backend=shop.py:Shop", "--effort=quick", "--conformance-json=out.json"]
    subprocess.run([*command, "-k", "STATE-REOPEN"], cwd=tmp_path, env=environment(), capture_output=True, check=False)
    record = json.loads((tmp_path / "out.json").read_text())
    page = (DOCS / "guide" / "ci.md").read_text(encoding="utf-8").partition("## The record")[2]
    _, run, backend, check, concurrent, promise = page.partition("## GitHub")[0].split("| field | |")
    backends = record["backends"]
    checks = [one for b in backends for c in b["contracts"] for s in c["suites"] for one in s["checks"]]
    assert fields([record], "backends[]") == documented(run)
    assert fields(backends, "contracts[].suites[].checks[]", "promises[]", "lacks") == documented(backend)
    assert fields(checks, "evidence") | {"counterexample"} == documented(check)  # which is null, or an object
    concurrent = concurrent.partition('<a id="pictures">')[0]  # of pictures not every field stands there
    assert fields([lane_data([Operation(1, 2, 1, "put", "a", 1)])]) == documented(concurrent)
    assert fields([one for b in backends for one in b["promises"]]) == documented(promise)


def documented(table: str) -> set[str]:
    """Return the names in the first column of a table."""
    return {
        name for row in table.splitlines() for name in re.findall(r"`(.+?)`", row.split("|")[1] if "|" in row else "")
    }


def fields(records: list[dict[str, Any]], *whole: str) -> set[str]:
    """Return the names of all fields of some records, as paths; those in `whole` are not looked into."""
    found = set()
    waiting: list[tuple[str, Any]] = [("", record) for record in records]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and path not in whole:
            waiting += [(f"{path}.{key}".removeprefix("."), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[]", one) for one in value if isinstance(one, dict) and f"{path}[]" not in whole]
            found.add(f"{path}[]")
        else:
            found.add(path)
    return {path for path in found if not any(other.startswith(f"{path}.") for other in found)}


def test_every_cited_property_is_listed() -> None:
    """Each property number that a check names as its source stands on the page of sources."""
    page = (DOCS / "sources.md").read_text(encoding="utf-8")
    cited = {
        number
        for check in catalogue().values()
        for number in re.findall(r"\b(?:JOB|KIT|KV|LOG|MEM|RUN|TX|VEC|VS)-\d+", check.sources)
    }
    assert [number for number in sorted(cited) if f'id="{number}"' not in page] == []


def test_every_page_is_in_the_navigation() -> None:
    """Each page stands in mkdocs.yml, but for those of single checks, which their index leads to."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS) for page in DOCS.rglob("*.md")]
    single = re.compile(r"checks/.+-\d+\.md")
    assert [
        page for page in pages if not single.fullmatch(page.as_posix()) and f": {page.as_posix()}\n" not in navigation
    ] == []


def test_site_builds_without_warnings(tmp_path: Path) -> None:
    """`mkdocs build --strict` ends without an error: every link leads somewhere."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install -e '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "checks" / "STATE-BASIC-01" / "index.html").exists()
