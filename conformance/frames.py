"""Where in the store's own code something happened."""

from __future__ import annotations

import inspect
import sys
import sysconfig
import traceback
from functools import cache
from pathlib import Path
from typing import Any

from conformance.address import PathOpener
from conformance.backend import CONTRACTS, Backend

_OURS = Path(__file__).parent
_STDLIB = Path(sysconfig.get_path("stdlib"))
_SITE = Path(sysconfig.get_path("purelib"))


def store_frame(error: BaseException, backend: Backend) -> str:
    """Return `file:line in function` for the innermost frame of the store in the error's traceback.

    Where the store raised nothing, it is the function that opens the store.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if is_of_store(frame.filename):
            return f"{_short(path)}:{frame.lineno} in {frame.name}: {(frame.line or '').strip()}"
    return _opener_line(backend)


@cache
def is_of_store(file: str) -> bool:
    """Tell whether code in a file is that of the store, or of what it is built on: not of Python, nor of the kit."""
    path = Path(file)
    if path.is_relative_to(_OURS) or file.startswith("<"):
        return False
    if path.is_relative_to(_SITE):
        return path.relative_to(_SITE).parts[0] not in ("anyio", "hypothesis", "pluggy", "pytest", "_pytest")
    return not path.is_relative_to(_STDLIB)


def store_code() -> tuple[str, ...]:
    """Return the files and folders of the code that is loaded and belongs to stores, or to what they are built on."""
    return _store_code(len(sys.modules))


@cache
def _store_code(_loaded: int) -> tuple[str, ...]:
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and file and is_of_store(file):
            top = sys.modules.get(name.partition(".")[0], module)
            whole = getattr(top, "__path__", None) and getattr(top, "__file__", None)
            found.add(str(Path(whole).parent) if whole else file)
    return tuple(sorted(found))


def shown_path(file: str) -> str:
    """Return a path as people know it: from the working directory, or from where packages are installed."""
    return _short(Path(file))


def _short(path: Path) -> str:
    for base in (Path.cwd(), _SITE):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)


def _opener_line(backend: Backend) -> str:
    opener: Any = next(getattr(backend, c) for c in CONTRACTS if getattr(backend, c) is not None)
    function = opener.function if isinstance(opener, PathOpener) else opener
    try:
        file = inspect.getsourcefile(function)
        line = inspect.getsourcelines(function)[1]
    except (TypeError, OSError):
        return ""
    return f"{_short(Path(file or ''))}:{line} in {getattr(function, '__name__', '?')}" if file else ""
