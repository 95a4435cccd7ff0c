"""Marking classes of stores as mutants about crashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant

#: What these stores promise beside durability: one handle, and nothing about damage.
PROMISES: dict[str, Any] = {"sharing": "single", "corruption": "silent"}


def store_name(kind: type) -> str:
    """Return the name of a class as that of a store: `NoDirFsync` is `no_dir_fsync`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")


def codes(contract: str, short: str) -> tuple[str, ...]:
    """Return codes in full: `11 13` are two checks of crashes, and what has a dash in it is a code already."""
    return tuple(one if "-" in one else f"{contract.upper()}-CRASH-{one}" for one in short.split())


@dataclass(frozen=True)
class Opener:
    """Opens a store with the path of a file; found again by a child process, as a lambda would not be."""

    store: Callable[[Path], Any]

    def __call__(self, where: Where) -> Any:
        return self.store(where.path / "store")


def broken_state(bug: str, killed_by: str, **promises: Any) -> Callable[[type], type]:
    """Mark a class of state stores, opened with the path of a file, as a mutant that is named after the class."""

    def mark(kind: type) -> type:
        name = store_name(kind)
        backend = Backend(name, state=Opener(kind), **{**PROMISES, **promises})
        kind.mutants = [Mutant(name, bug, codes("state", killed_by), backend)]  # type: ignore[attr-defined]
        return kind

    return mark


def marked(module: dict[str, Any]) -> list[Mutant]:
    """Return the mutants of the marked classes in a module's `globals()`."""
    kinds = [kind for kind in module.values() if isinstance(kind, type) and kind.__module__ == module["__name__"]]
    return [mutant for kind in kinds for mutant in vars(kind).get("mutants", [])]
