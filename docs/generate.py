"""Writes the pages that come from the code: one for each check, their index, and one for each contract.

python docs/generate.py            writes them
python docs/generate.py --check    exits 1 and names the pages that are stale, missing or superfluous
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))  # the mutants are part of the tests, which are not installed

from conformance.check import Check, catalogue  # noqa: E402 - needs the path
from conformance.commands.explain import applies_to  # noqa: E402
from conformance.contracts import contracts  # noqa: E402
from tests.mutants.registry import mutants  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutants.base import Mutant

#: The folders that hold generated pages and nothing else.
FOLDERS = ("checks", "contracts")
NOTE = "<!-- Written by docs/generate.py. -->"
#: What a broken rule of a level comes to.
LEVELS = {
    "must": "A backend that breaks it is NOT CONFORMANT.",
    "should": "A backend that breaks it is told so; the verdict does not change.",
}


def main(argv: list[str] | None = None) -> int:
    """Write or check the pages, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would be written")
    only_check: bool = parser.parse_args(argv).check
    changes = list(differences(pages()))
    for what, path, text in changes:
        sys.stdout.write(f"{what:<12}{path.relative_to(ROOT)}\n")
        if only_check:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if only_check and changes:
        sys.stdout.write("Run python docs/generate.py, and commit what it writes.\n")
    return int(only_check and bool(changes))


def differences(wanted: dict[Path, str]) -> Iterator[tuple[str, Path, str | None]]:
    """Give (word, path, new text or None) for each page that is not as it should be."""
    there = {path for folder in FOLDERS for path in (DOCS / folder).glob("*") if path.is_file()}
    for path, text in sorted(wanted.items()):
        if path not in there:
            yield "missing", path, text
        elif path.read_text(encoding="utf-8") != text:
            yield "stale", path, text
    for path in sorted(there - wanted.keys()):
        yield "superfluous", path, None


def pages() -> dict[Path, str]:
    """Return the text of every generated page."""
    killed: dict[str, list[Mutant]] = {}
    for mutant in mutants():
        for code in mutant.killed_by:
            killed.setdefault(code, []).append(mutant)
    found = {DOCS / "checks" / f"{check.code}.md": _check_page(check, killed) for check in catalogue().values()}
    found[DOCS / "checks" / "index.md"] = _index_page(killed)
    for name in contracts():
        found[DOCS / "contracts" / f"{name}.md"] = _contract_page(name)
    return found


def _check_page(check: Check, killed: dict[str, list[Mutant]]) -> str:
    needs = ", ".join(f"[{code}]({code}.md)" for code in check.needs) or "no other check"
    contract = f"[{check.contract}](../contracts/{check.contract}.md)" if check.contract in contracts() else "every"
    blocks = [
        NOTE,
        f"# {check.code}: {prose(check.sentence.rstrip('.'))}",
        _table(
            ("level", "contract", "suite", "applies to", "needs"),
            [(check.level, contract, check.suite, prose("; ".join(applies_to(check))), needs)],
        ),
        "## Rule",
        f"{prose(check.sentence)} {LEVELS[check.level]}",
        "## Why",
        prose(check.why[0].upper() + check.why[1:]),
        "## An example that breaks it",
        f"```\n{check.breaks}\n```",
        "## How to run it alone",
        f"```\npytest --backend=mystore -k {check.code}\n```",
        "## Mutants that it kills",
        "\n".join(f"- `{m.name}`: {prose(m.bug)}" for m in killed.get(check.code, ())) or "None yet.",
        "## Sources",
        "\n".join(f"- {_linked(prose(source.strip()))}" for source in check.sources.split(";")),
    ]
    return "\n\n".join(blocks) + "\n"


def _index_page(killed: dict[str, list[Mutant]]) -> str:
    blocks = [
        NOTE,
        "# Checks",
        f"{len(catalogue())} checks. {len(mutants())} mutants, stores with one bug each, prove that they can fail.",
        "`conformance list` prints the same in a terminal, `conformance explain CODE` one of the pages.",
    ]
    areas: dict[tuple[str, str], list[Check]] = {}
    for check in catalogue().values():
        areas.setdefault((check.contract, _area(check)), []).append(check)
    for (contract, area), checks in areas.items():
        blocks.append(f"## {contract}: {area}")
        rows = [
            (f"[{c.code}]({c.code}.md)", c.level, prose(c.sentence), f"{len(killed.get(c.code, ()))}") for c in checks
        ]
        blocks.append(_table(("code", "level", "rule", "mutants"), rows))
    return "\n\n".join(blocks) + "\n"


def _area(check: Check) -> str:
    """Return the part of the code between contract and number: VALUE, for STATE-VALUE-01."""
    return check.code.partition("-")[2].rpartition("-")[0]


def _contract_page(name: str) -> str:
    module = importlib.import_module(f"conformance.contracts.{name}")
    paragraphs = [_paragraph(text) for text in (inspect.getdoc(module) or "").split("\n\n")]
    rows = [
        (f"[{c.code}](../checks/{c.code}.md)", c.level, prose(c.sentence))
        for c in catalogue().values()
        if c.contract == name
    ]
    checks = _table(("code", "level", "rule"), rows)
    return "\n\n".join([NOTE, f"# The `{name}` contract", *paragraphs, "## Its checks", checks]) + "\n"


def _paragraph(text: str) -> str:
    """Return a paragraph of a docstring as Markdown; a line above indented ones is a heading."""
    head, _, rest = text.partition("\n")
    if text.startswith("Capabilities, "):
        return f"## Capabilities\n\n{text}"
    if not rest.startswith("    "):
        return _linked(text)
    level = "###" if head.startswith("`") else "##"
    return f"{level} {head}\n\n{inspect.cleandoc(rest)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in (head, *rows)]
    return "\n".join([f"| {lines[0]} |", "|---" * len(tuple(head)) + "|", *(f"| {line} |" for line in lines[1:])])


def prose(text: str) -> str:
    """Return plain text as Markdown that shows the same; what stands between backticks is code already."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([\\*_<\[\]#])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _linked(source: str) -> str:
    """Return a source with its property numbers as links into the page that lists them."""
    return re.sub(r"\b(JOB|KIT|KV|LOG|MEM|RUN|TX|VEC|VS)-(\d+)\b", r"[\g<0>](../sources.md#\g<0>)", source)


if __name__ == "__main__":
    sys.exit(main())
