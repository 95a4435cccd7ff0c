"""The command `conformance init`: an adapter for a store, the configuration, and a job of CI."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.backend import CONTRACTS
from conformance.commands import Refusal
from conformance.project import ProjectError, read_toml

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_EPILOG = (
    "No file that is there is changed, but for pyproject.toml, which gets a table at its end. Exit codes: 0, 2 refused."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "store", metavar="STORE", help="what opens it from a path: module:attribute or file.py:attribute"
    )
    parser.add_argument("--contract", choices=CONTRACTS, help="what it is; else whatever it has the verbs of")
    parser.add_argument("--name", metavar="NAME", help="of the backend; else that of the module")
    parser.add_argument("--async", dest="is_async", action="store_true", help="open it inside of an event loop")
    parser.add_argument("--gitlab", action="store_true", help="a job for GitLab in place of a workflow for GitHub")
    parser.add_argument("--force", action="store_true", help="write the adapter anew")
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Write the files, and return the exit code and what was found and written.

    Raises:
        Refusal: No adapter can be written for the store.
    """
    from conformance.scaffold.look import LookError, look
    from conformance.scaffold.texts import ADAPTER, adapter

    base = Path.cwd()
    place, _, attribute = arguments.store.rpartition(":")
    if not place or not attribute:
        raise Refusal(f"{arguments.store!r} is not of the form module:attribute or file.py:attribute.")
    module = _module(place, base)
    name = arguments.name or re.sub(r"[^a-z0-9]+", "-", module.rpartition(".")[2].lower()).strip("-")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise Refusal(f"--name={name!r}: give letters, digits and hyphens, such as mystore.")
    try:
        table = read_toml(base / "pyproject.toml")
        looked = look(arguments.store, arguments.contract or "", base)
    except (LookError, ProjectError) as error:
        raise Refusal(str(error)) from None
    told = [f"  {line}" for line in looked.told]
    path = base / ADAPTER
    if path.exists() and not arguments.force:
        told.append(f"left     {ADAPTER}: it is there already; --force writes it anew")
    else:
        awaited = arguments.is_async or looked.opener_is_async
        path.write_text(adapter(arguments.store, module, attribute, name, looked, awaited=awaited), encoding="utf-8")
        told.append(f"wrote    {ADAPTER}")
    told.append(_configured(base, table, name))
    told.append(_workflow(base, table, name, "gitlab" if arguments.gitlab else "github"))
    told += ["", f"Next: pytest --backend={name} --effort=quick"]
    return 0, iter(told)


def _module(place: str, base: Path) -> str:
    """Return the module that the adapter imports the store from."""
    if not place.endswith(".py"):
        return place
    path = (base / place).resolve()
    if path.parent != base.resolve() or not path.stem.isidentifier():
        raise Refusal(f"{place} can't be imported by name from here: give module:attribute, or stand beside the file.")
    return path.stem


def _configured(base: Path, table: dict[str, object], name: str) -> str:
    from conformance.scaffold.texts import configuration

    path, tool = base / "pyproject.toml", table.get("tool")
    if isinstance(tool, dict) and "conformance" in tool:
        return "left     pyproject.toml: it has [tool.conformance] already"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(gap + configuration(name))
    return f"wrote    pyproject.toml: [tool.conformance]{' at its end' if text else ''}"


def _workflow(base: Path, table: dict[str, object], name: str, service: str) -> str:
    from conformance.scaffold.texts import WORKFLOWS, workflow

    path = base / WORKFLOWS[service]
    told = ""
    if path.exists() and service == "gitlab":
        path = base / ".gitlab" / "conformance.yml"
        told = (
            f", to be included: add `include: [{{local: {path.relative_to(base).as_posix()}}}]` to {WORKFLOWS[service]}"
        )
    shown = path.relative_to(base).as_posix()
    if path.exists():
        return f"left     {shown}: it is there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(workflow(service, name, _installed(base, table)), encoding="utf-8")
    return f"wrote    {shown}{told}"


def _installed(base: Path, table: dict[str, object]) -> str:
    """Return how pip is told the project; empty where there is nothing that it could install."""
    if "project" in table or "build-system" in table or (base / "setup.py").exists():
        return "."
    return "-r requirements.txt" if (base / "requirements.txt").exists() else ""
