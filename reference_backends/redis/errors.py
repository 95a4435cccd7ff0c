"""What this backend raises and reports beyond the built-in exceptions and those of redis-py."""

from __future__ import annotations

from dataclasses import dataclass


class ConflictError(Exception):
    """A conditional write met another version, or another head, than it expected. Nothing was changed."""


class NotReachedError(ConnectionError):
    """No server took the command. Nothing was changed."""


class NotAnsweredError(ConnectionError):
    """A command was sent, and no answer came. What it should change was changed, or will be, or never."""


class NotSealedError(Exception):
    """The server could not rewrite its append-only file, which has to be done first. Nothing was changed."""


class CorruptRecord(Exception):
    """What is stored is not what was written.

    Args:
        where: The record that is damaged.
        what: How that is known.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)  # both, so that the exception survives pickling between processes
        self.where = where
        self.what = what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Damage:
    """One thing that `verify` found.

    Attributes:
        where: The record that is damaged.
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
