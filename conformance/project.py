"""Reading the project's `pyproject.toml`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - the standard library has it from 3.11 on
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


class ProjectError(Exception):
    """A pyproject.toml that can't be used; the text names the file, the entry and what to write."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file, `{}` where there is none.

    Raises:
        ProjectError: The file can't be read, or is not TOML.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return table
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProjectError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOMLDecodeError
        raise ProjectError(f"{path} is not valid TOML: {error}") from error


def read_table(path: Path) -> dict[str, Any]:
    """Return `[tool.conformance]` of a TOML file, `{}` where there is none; its `backends`, if any, are a table too.

    Raises:
        ProjectError: The file can't be read, is not TOML, or has something else under one of these names.
    """
    tool = _inner(path, read_toml(path), "tool", "tool.conformance")
    table = _inner(path, tool, "conformance", "tool.conformance")
    _inner(path, table, "backends", "tool.conformance.backends")
    return table


def _inner(path: Path, table: dict[str, Any], key: str, wanted: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        raise ProjectError(
            f"{path}: {key} = {inner!r} is no table. Write [{wanted}] in a line of its own, and its entries below."
        )
    return inner
