"""Commands that pages show and nobody runs: pytest, its plugins and `conformance` would take each of them."""

from __future__ import annotations

import argparse
import datetime
import importlib
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conformance.backend import CONTRACTS
from conformance.check import BENCHMARK, catalogue, suite_names
from conformance.cli import COMMANDS
from conformance.gaps import GateError
from conformance.gate import required_words
from conformance.options import OptionError, settle
from conformance.project import read_toml
from tests.test_docs import PAGES, ROOT

#: The page of decisions tells of commands that were left out, too.
SHOWN = [*(page for page in PAGES if page.name != "decisions.md"), ROOT / "CONTRIBUTING.md"]
REGISTERED = read_toml(ROOT / "pyproject.toml")["project"]["entry-points"]["conformance.backends"].keys()
#: What stands for the backend of the reader.
PLACEHOLDERS = ("...", "mystore")
#: What stands for the code of a check.
ANY_CODE = "CODE"
#: Options of plugins that the pages have the reader install.
FOREIGN = ("--timeout",)

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
#: Blocks in which nothing is a command, and those whose commands test_docs.py runs.
LEFT_OUT = ("python", "toml", "json", "console")
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
#: Such as `CI_NODE_INDEX` and `matrix.shard` in a job of CI; a number will do for each.
VARIABLE = re.compile(r"\$\{\{.*?\}\}|\$\{?\w+\}?")
#: A line with a command in it, which no heading of YAML is.
LINE = re.compile(r"(?:.*[\s;&|])?(?:pytest|conformance) (?![=#]).*(?<!:)")
#: What may stand before a command: a prompt, an item of YAML, what it is for, in two columns.
BEFORE = re.compile(r"(\$ |- )?(run: |\w+ {2,})?(python -m )?")


class WrongError(Exception):
    """A command that would be refused; the text says why."""


class Parser(argparse.ArgumentParser):
    """Raises where another one would end the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong."""
        raise WrongError(message)


def shown(page: str) -> Iterator[list[str]]:
    """Give the words of each command that a page shows as a line of code, or as code within a line."""
    text = FENCE.sub(lambda m: "" if m[2] in LEFT_OUT else textwrap.indent(textwrap.dedent(m[3]), "    "), page)
    text = re.sub(r"\\\n\s*", " ", text)
    text = re.sub(r"\n +(?=--\w)", " ", text)  # as YAML folds lines
    codes = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    codes += [" ".join(code.split()) for part in text.split("\n\n") for code in INLINE.findall(part)]
    for code in codes:
        if LINE.fullmatch(code):
            yield from commands(code)


def commands(line: str) -> Iterator[list[str]]:
    """Give the words of each command of the kit in a line of a shell."""
    lexer = shlex.shlex(BEFORE.sub("", VARIABLE.sub("1", line), count=1), posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not set(word) <= set(";|&<>"):
            words.append(word)
            continue
        if len(words) > 1 and words[0] in ("pytest", "conformance"):
            yield words
        words = []


def require_known(words: list[str], pytester: pytest.Pytester) -> None:
    """Require that a command would be taken, without carrying it out.

    Raises:
        WrongError: An option, or what it is given, is not known.
    """
    program, *arguments = words
    if program == "conformance":
        require_subcommand(*arguments)
        return
    arguments = [word for word in arguments if word.partition("=")[0] not in FOREIGN]
    if arguments == ["-n"]:  # the option itself is spoken of
        arguments.append("1")
    try:
        config = pytester.parseconfig(*arguments)
        given = {name: config.getoption(f"conformance_{name}") for name in ("suite", "contract", "effort", "disk")}
        given |= {name: config.getoption(f"conformance_{name}") for name in ("require", "edition", "seed", "backend")}
        settle(given, {}, pytester.path, datetime.date.today())
    except (pytest.UsageError, OptionError) as error:
        raise WrongError(str(error)) from None
    for spec in given["backend"] or ():
        require_backend(spec)


def require_subcommand(name: str, *arguments: str) -> None:
    """Require that `conformance` has a command, and that it takes the arguments, if any are shown."""
    if name not in COMMANDS:
        raise WrongError(f"conformance has no command {name!r}")
    if not arguments:  # the command itself is spoken of
        return
    parser = Parser(prog=f"conformance {name}", allow_abbrev=False)
    importlib.import_module(COMMANDS[name][0]).add_arguments(parser)
    given: dict[str, Any] = vars(parser.parse_args(arguments))
    for spec in (given.get("backend"), given.get("from"), given.get("to")):
        if spec is not None:
            require_backend(spec)
    known = {"suite": (*suite_names(), BENCHMARK), "contract": CONTRACTS, "code": (*catalogue(), ANY_CODE)}
    for option, values in known.items():
        words = given.get(option) or ()
        for word in (words,) if isinstance(words, str) else words:
            if word not in values:
                raise WrongError(f"unknown {option} {word!r}")
    try:
        required_words(given.get("require", ()), "command line")
    except GateError as error:
        raise WrongError(str(error)) from None


def require_backend(spec: str) -> None:
    """Require that a backend is registered, an address, or stands for that of the reader."""
    if ":" not in spec and spec not in (*REGISTERED, *PLACEHOLDERS):
        raise WrongError(f"no backend is registered as {spec!r}")


@pytest.mark.parametrize("page", SHOWN, ids=[str(page.relative_to(ROOT)) for page in SHOWN])
def test_shown_commands_would_be_taken(page: Path, pytester: pytest.Pytester) -> None:
    """Each option of a command is known, and so is each value that has to be one of some."""
    wrong = []
    for words in shown(page.read_text(encoding="utf-8")):
        try:
            require_known(words, pytester)
        except WrongError as error:
            wrong.append(f"{shlex.join(words)}: {error}")
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("pytest --backnd=memory", "--backnd"),
        ("pytest --backend=memory --conformance-jsn=out.json", "--conformance-jsn"),
        ("pytest --backend=memory --conformance-suites=replay", "--conformance-suites"),
        ("pytest --backend=memory -Q", "-Q"),
        ("pytest --backend", "expected one argument"),
        ("pytest --backend=vectors", "'vectors'"),
        ("pytest --conformance-backend memory --backend their-store", "'their-store'"),
        ("pytest --backend=memory --suite=crash", "suite 'crash'"),
        ("pytest --backend=memory --suite=differential", "compares two backends"),
        ("pytest --backend=memory --contract=states", "contract 'states'"),
        ("pytest --backend=memory --effort quickly", "effort 'quickly'"),
        ("pytest --backend=memory --require=json,power", "'power'"),
        ("pytest --backend=memory --conformance-disk=ext5", "disk 'ext5'"),
        ("conformance explian STATE-BASIC-01", "'explian'"),
        ("conformance explain STATE-BASIC-00", "'STATE-BASIC-00'"),
        ("conformance list --contracts=state", "--contracts"),
        ("conformance list --suite=crash", "suite 'crash'"),
        ("conformance report result.json --htm", "--htm"),
        ("conformance compare before.json --md", "required: B"),
        ("conformance migrate --from=file --to=sqlite3 --unproven", "'sqlite3'"),
        ("conformance migrate --from=file --to=sqlite --contract=states", "'states'"),
        ("conformance doctor --backend=mystore --require=power", "'power'"),
    ],
)
def test_a_wrong_command_is_noticed(command: str, why: str, pytester: pytest.Pytester) -> None:
    """What is not known is named."""
    with pytest.raises(WrongError) as caught:
        require_known(command.split(), pytester)
    assert why in str(caught.value)


def test_a_command_is_found_wherever_it_stands() -> None:
    """Lines of code, code within a line, jobs of CI, lines that go on; not prose, nor blocks that are run elsewhere."""
    page = """
pytest is not shown here, and `pytest` alone is a word. `pytest -k "A or
B"` is.

    pip install . && pytest --backend=one  # not --two
    rerun       pytest --backend=two \\
        --seed 3

1. In a list:

        conformance report a.json > page.html

```console
$ pytest --backend=three
```

```yaml
conformance verdict:
  script:
    - run: >-
        pytest --backend=four
        --conformance-shard=$INDEX/${{ matrix.of }}
    - python -m pytest --backend=five
```
"""
    assert [shlex.join(words) for words in shown(page)] == [
        "pytest --backend=one",
        "pytest --backend=two --seed 3",
        "conformance report a.json",
        "pytest --backend=four --conformance-shard=1/1",
        "pytest --backend=five",
        "pytest -k 'A or B'",
    ]


def test_every_exception_is_needed() -> None:
    """Each name that stands for something, and each option of another plugin, is in a command of a page."""
    words = [word for page in SHOWN for found in shown(page.read_text(encoding="utf-8")) for word in found]
    for name in PLACEHOLDERS:
        assert f"--backend={name}" in words
    for option in FOREIGN:
        assert any(word.startswith(f"{option}=") for word in words)
    assert ANY_CODE in words
