"""What reference stores raise and report beyond the built-in exceptions; each backend has these names as its own."""

from __future__ import annotations

from dataclasses import dataclass


class ConflictError(Exception):
    """A conditional write met another version, or another head, than it expected. Nothing was changed."""


class CorruptRecord(Exception):
    """What is stored is not what was written.

    Args:
        where: The file, table or record that is damaged.
        what: How that is known.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)  # both, so that the exception survives pickling between processes
        self.where = where
        self.what = what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class NewerSchemaError(Exception):
    """The store was written by a newer version of this code. It was left as it is."""


@dataclass(frozen=True)
class Damage:
    """One thing that `verify` found.

    Attributes:
        where: The file, table or record that is damaged.
        what: How that is known.
    """

    where: str
    what: str


@dataclass(frozen=True)
class Report:
    """The outcome of `verify`.

    Attributes:
        healthy: How many keys, or events, are there and whole.
        damaged: What is not; empty for a sound store.
    """

    healthy: int
    damaged: tuple[Damage, ...]
