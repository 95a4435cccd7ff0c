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
        ProjectError: The file is not TOML.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return table
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} is not valid TOML: {error}") from error
