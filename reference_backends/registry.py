"""Stores by name and kind, as a runtime finds them in its settings.

    runs = open_store("sqlite", "runs", "data/agent")
    state = open_store("redis", "state", "redis://localhost:6379/0", namespace="agent")

The names are those that installed packages register under `conformance.backends`: a store that can be judged by its
name can be opened by it. Whoever has no package gives `register` a factory.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore

__all__ = ["KINDS", "UnknownStore", "known_stores", "open_store", "register"]

GROUP = "conformance.backends"
KINDS = ("state", "log", "runs", "jobs", "layers", "vectors")

Factory = Callable[[Where], Any]

#: What any state store with `cas` can be made into.
_MADE_OF_STATE: dict[str, Callable[[Any], Any]] = {"runs": RunStore, "jobs": JobStore, "layers": LayerStore}
_registered: dict[str, dict[str, Factory]] = {}


class UnknownStore(LookupError):
    """There is no store of that name, or none of that kind; the text says which there are."""


def register(name: str, kind: str, factory: Factory) -> None:
    """Make a store known in this process; before what packages register under that name.

    Args:
        name: What `open_store` finds it by.
        kind: One of `KINDS`.
        factory: Opens the store at a `Where`, which has a `path`, a `namespace` and a `url`.

    Raises:
        UnknownStore: There is no such kind.
        ValueError: The name has a factory of that kind already.
    """
    _check_kind(kind)
    factories = _registered.setdefault(name, {})
    if kind in factories:
        raise ValueError(f"The name {name!r} has a factory of the kind {kind!r} already.")
    factories[kind] = factory


def known_stores() -> list[str]:
    """Return the names that `open_store` knows, in their order."""
    return sorted({*_registered, *entry_points(group=GROUP).names})


def open_store(name: str, kind: str, path_or_url: str | os.PathLike[str], *, namespace: str = "default") -> Any:
    """Open a store.

    Args:
        name: One of `known_stores()`.
        kind: One of `KINDS`. `runs`, `jobs` and `layers` are made of a state store where there are none of its own.
        path_or_url: The directory of a store in files, made when missing; the address of the server of another one.
        namespace: Keeps stores that share a server apart; [a-z0-9-].

    Raises:
        UnknownStore: There is no such name or kind.
        ValueError: A directory was given for a store in a server, or an address for one in files.
    """
    _check_kind(kind)
    if name not in known_stores():
        raise UnknownStore(f"There is no store {name!r}.{_nearest(name, known_stores())}")
    own = _registered.get(name, {})
    backend = None if kind in own else _backend(name)
    openers = {one: opener for one in KINDS if (opener := own.get(one) or getattr(backend, one, None)) is not None}
    if kind not in openers and not (kind in _MADE_OF_STATE and "state" in openers):
        raise UnknownStore(f"The store {name!r} has no {kind!r}.{_nearest(kind, openers)}")
    where = _where(path_or_url, namespace)
    if backend is not None and bool(where.url) != (backend.server is not None):
        wanted = "is in files: give a directory" if where.url else "is in a server: give its address, with ://"
        raise ValueError(f"The store {name!r} {wanted}, not {os.fspath(path_or_url)!r}.")
    return openers[kind](where) if kind in openers else _made_of_state(openers["state"], kind, where)


def _made_of_state(opener: Factory, kind: str, where: Where) -> Any:
    # Apart from the state of the same place, whose keys are not those of records.
    directory = where.path / kind
    if not where.url:
        directory.mkdir(exist_ok=True)
    state = opener(Where(directory, f"{where.namespace}-{kind}", where.clock, where.url))
    if not hasattr(state, "compare_and_set"):
        state.close()
        raise UnknownStore(f"A {type(state).__name__} has no compare-and-set, without which it can't hold {kind!r}.")
    return _MADE_OF_STATE[kind](state)


def _backend(name: str) -> Backend | None:
    points = entry_points(group=GROUP, name=name)
    if len({point.value for point in points}) > 1:
        raise UnknownStore(
            f"The name {name!r} is registered by several packages: {', '.join(p.value for p in points)}."
        )
    for point in points:
        found = point.load()
        if not isinstance(found, Backend):
            raise UnknownStore(f"{point.value}, registered as {name!r}, is no Backend: its kinds are not known.")
        return found
    return None


def _where(path_or_url: str | os.PathLike[str], namespace: str) -> Where:
    place = os.fspath(path_or_url)
    if "://" in place:
        return Where(Path(), namespace, url=place)
    Path(place).mkdir(parents=True, exist_ok=True)
    return Where(Path(place), namespace)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownStore(f"There is no kind {kind!r} of stores.{_nearest(kind, KINDS)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    found = difflib.get_close_matches(word, known, n=1)
    return f"{f' Did you mean {found[0]!r}?' if found else ''} Known: {', '.join(known)}."
