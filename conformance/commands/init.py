"""The command `conformance init`: an adapter for a store, the configuration, and a job of CI."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.backend import CONTRACTS
from conformance.commands import Refusal
from conformance.project import ProjectError, read_table, read_toml

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
        read_table(base / "pyproject.toml")  # at the end of a file with something else there no table is one
        looked = look(arguments.store, arguments.contract or "", base)
    except (LookError, ProjectError) as error:
        raise Refusal(str(error)) from None
    told = [f"  {line}" for line in looked.told]
    service = "gitlab" if arguments.gitlab else "github"
    path = base / ADAPTER
    leaves_adapter = path.exists() and not arguments.force
    _require_writable(base, [] if leaves_adapter else [path], table, service)
    if leaves_adapter:
        told.append(f"left     {ADAPTER}: it is there already; --force writes it anew")
    else:
        awaited = arguments.is_async or looked.opener_is_async
        _write(path, base, adapter(arguments.store, module, attribute, name, looked, awaited=awaited))
        told.append(f"wrote    {ADAPTER}")
    told.append(_configured(base, table, name))
    told.append(_workflow(base, table, name, service))
    told += ["", f"Next: pytest --backend={name} --effort=quick"]
    return 0, iter(told)


def _require_writable(base: Path, files: list[Path], table: dict[str, object], service: str) -> None:
    """Require that these files and the others can be written: half a scaffold is worse than none."""
    try:
        flow, _ = _flow(base, service)
        files += [] if _is_configured(table) else [base / "pyproject.toml"]
        files += [] if flow.exists() else [flow]
        hindered = [(path, why) for path in files if (why := _hindrance(path, base))]
    except OSError as error:  # a directory that may not even be looked into
        raise Refusal(f"{error.filename} can't be looked at: {error.strerror}.") from None
    for path, why in hindered:
        raise Refusal(f"{path.relative_to(base).as_posix()} can't be written: {why}.")


def _hindrance(path: Path, base: Path) -> str:
    """Return why a file can't be written, or made together with its directories; empty where it can."""
    asked = next(place for place in (path, *path.parents) if place.exists())
    named = asked.relative_to(base).as_posix()
    if asked == path and not path.is_file():
        return "it is no file. Move it away"
    if asked != path and not asked.is_dir():
        return f"{named} is no directory. Move it away"
    return "" if os.access(asked, os.W_OK) else f"no permission for {named}"


def _write(path: Path, base: Path, text: str, mode: str = "w") -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:  # as of a full disk
        raise Refusal(f"{path.relative_to(base).as_posix()} can't be written: {error.strerror}.") from None


def _module(place: str, base: Path) -> str:
    """Return the module that the adapter imports the store from."""
    if not place.endswith(".py"):
        return place
    path = (base / place).resolve()
    if path.parent != base.resolve() or not path.stem.isidentifier():
        raise Refusal(f"{place} can't be imported by name from here: give module:attribute, or stand beside the file.")
    return path.stem


def _is_configured(table: dict[str, object]) -> bool:
    tool = table.get("tool")
    return isinstance(tool, dict) and "conformance" in tool


def _configured(base: Path, table: dict[str, object], name: str) -> str:
    from conformance.scaffold.texts import configuration

    path = base / "pyproject.toml"
    if _is_configured(table):
        return "left     pyproject.toml: it has [tool.conformance] already"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    _write(path, base, gap + configuration(name), "a")
    return f"wrote    pyproject.toml: [tool.conformance]{' at its end' if text else ''}"


def _workflow(base: Path, table: dict[str, object], name: str, service: str) -> str:
    from conformance.scaffold.texts import workflow

    path, told = _flow(base, service)
    shown = path.relative_to(base).as_posix()
    if path.exists():
        return f"left     {shown}: it is there already"
    _write(path, base, workflow(service, name, _installed(base, table)))
    return f"wrote    {shown}{told}"


def _flow(base: Path, service: str) -> tuple[Path, str]:
    """Return the file of the job of CI, and what is to be done about it."""
    from conformance.scaffold.texts import WORKFLOWS

    path = base / WORKFLOWS[service]
    if not path.exists() or service != "gitlab":
        return path, ""
    path = base / ".gitlab" / "conformance.yml"
    local = path.relative_to(base).as_posix()
    return path, f", to be included: add `include: [{{local: {local}}}]` to {WORKFLOWS[service]}"


def _installed(base: Path, table: dict[str, object]) -> str:
    """Return how pip is told the project; empty where there is nothing that it could install."""
    if "project" in table or "build-system" in table or (base / "setup.py").exists():
        return "."
    return "-r requirements.txt" if (base / "requirements.txt").exists() else ""
