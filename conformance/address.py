"""From the text of `--backend=...` to a `Backend`: a name, `module:attribute`, `file.py:attribute`, `x.toml:name`.

Child processes call `load` with `Backend.address` to open the same store again, so an address never depends on pytest.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.backend import CONTRACTS, PROMISES, Backend, Where
from conformance.project import read_table

#: A dotted name; Python imports more than what it calls identifiers, such as `my-store`.
_MODULE = re.compile(r"[\w-]+(\.[\w-]+)*")


class AddressError(Exception):
    """A `--backend=...` that leads to no usable backend; the text says which, why, and what to write."""


@dataclass(frozen=True)
class PathOpener:
    """Opens a bare callable with a path that does not exist yet: the store may make a file or a directory of it."""

    function: Callable[..., Any]

    def __call__(self, where: Where) -> Any:
        """Open the store at a path inside the place."""
        return self.function(str(where.path / "store"))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the known word nearest to `word`, or an empty text."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""


def find(spec: str, *, base: Path, named: Mapping[str, str]) -> Backend:
    """Return the backend that a `--backend=SPEC` means.

    Args:
        spec: A name in `named`, or an address.
        base: The directory that relative file names start from.
        named: Address by name.

    Raises:
        AddressError: The name is unknown, or nothing usable is at the address.
    """
    if spec in named:
        return replace(load(named[spec], base=base), name=spec)
    if ":" not in spec:
        raise AddressError(
            f"unknown backend {spec!r}.{nearest(spec, named)} Known: {', '.join(sorted(named)) or 'none'}. Or give an "
            f"address: --backend=package.module:attribute, or --backend=./file.py:attribute."
        )
    return load(spec, base=base)


def load(address: str, *, base: Path | None = None) -> Backend:
    """Return the backend at `address`; a bare callable becomes a backend that opens every contract with a path.

    Args:
        address: `module:attribute`, `file.py:attribute` or `pyproject.toml:name`.
        base: The directory that relative file names start from; the working directory unless given.

    Raises:
        AddressError: Nothing usable is there.
    """
    place, _, attribute = address.rpartition(":")
    if not place or not attribute:
        raise AddressError(f"backend address {address!r} is not of the form module:attribute or file.py:attribute.")
    if place.endswith(".toml"):
        return _from_table(_existing(place, base, address), attribute)
    if place.endswith(".py"):
        path = _existing(place, base, address)
        module, canonical, name = _module_at(path, address), f"{path}:{attribute}", f"{path.name}:{attribute}"
    else:
        module, canonical, name = _module_named(place, base or Path.cwd(), address), address, address
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise AddressError(
                f"backend {address!r}: {place} has no attribute {attribute!r}.{nearest(part, dir(found))}"
            )
        found = getattr(found, part)
    if isinstance(found, Backend):
        return replace(found, address=canonical)
    if not callable(found):
        raise AddressError(
            f"backend {address!r} is {_an(found)}, which is not callable. Point at a Backend record, or at the "
            f"function or class that opens the store from a path: never at an open store, engines open it again in "
            f"other processes."
        )
    opener = PathOpener(found)
    return Backend(name, address=canonical, **dict.fromkeys(CONTRACTS, opener))  # type: ignore[arg-type]


def is_bare(backend: Backend) -> bool:
    """Tell whether the backend came from a bare callable, so that its contracts are known only once it was opened."""
    return any(isinstance(getattr(backend, contract), PathOpener) for contract in CONTRACTS)


def _an(thing: object) -> str:
    name = type(thing).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name} object"


def _existing(place: str, base: Path | None, address: str) -> Path:
    path = ((base or Path.cwd()) / place).resolve()
    if not path.is_file():
        raise AddressError(f"backend {address!r}: there is no file {path}.")
    return path


def _module_at(path: Path, address: str) -> ModuleType:
    # A name of its own, so that two adapter.py in different directories do not replace each other in sys.modules.
    name = f"conformance_adapter_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AddressError(f"backend {address!r}: {path} can't be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # The adapter's neighbours are importable, as with `python adapter.py`.
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise AddressError(f"backend {address!r}: importing {path} raised {_told(error)}") from error
    return module


def _module_named(name: str, base: Path, address: str) -> ModuleType:
    if not _MODULE.fullmatch(name):
        raise AddressError(
            f"backend {address!r}: {name!r} is no name of a module. Name a file, with its ending: "
            f"--backend={name}.py:{address.rpartition(':')[2]}."
        )
    top = name.partition(".")[0]
    # A module that lies where the command was given is found, as by other tools that take module:attribute.
    if top not in sys.modules and importlib.util.find_spec(top) is None and list(base.glob(f"{top}*")):
        sys.path.append(str(base))
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise AddressError(
                f"backend {address!r}: there is no module {error.name!r} on sys.path. Install it, or name a file: "
                f"--backend=./file.py:attribute."
            ) from error
        raise AddressError(f"backend {address!r}: importing {name} raised {_told(error)}") from error
    except (Exception, SystemExit) as error:
        raise AddressError(f"backend {address!r}: importing {name} raised {_told(error)}") from error


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


_TABLE_KEYS = ("address", "lacks", *PROMISES)


def _from_table(path: Path, name: str) -> Backend:
    table = read_table(path).get("backends", {}).get(name)
    heading = f"[tool.conformance.backends.{name}] in {path}"
    if isinstance(table, str):
        table = {"address": table}
    if not isinstance(table, dict) or not isinstance(table.get("address"), str):
        raise AddressError(f'{heading}: give address = "module:attribute", the store to open.')
    unknown = [key for key in table if key not in _TABLE_KEYS]
    if unknown:
        raise AddressError(
            f"{heading}: unknown key {unknown[0]!r}.{nearest(unknown[0], _TABLE_KEYS)} Known: {', '.join(_TABLE_KEYS)}."
        )
    lacks: Any = table.get("lacks", {})
    if not isinstance(lacks, dict):
        raise AddressError(f'{heading}: lacks={lacks!r} is not a table. Write lacks = {{ ttl = "the reason" }}.')
    backend = load(table["address"], base=path.parent)
    promises = {key: value for key, value in table.items() if key in PROMISES}
    try:
        return replace(backend, name=name, lacks={**backend.lacks, **lacks}, address=f"{path}:{name}", **promises)
    except (TypeError, ValueError) as error:
        raise AddressError(f"{heading}: {error}") from error
