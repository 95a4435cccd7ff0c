"""What this backend raises and reports beyond the built-in exceptions.

| raised | nothing was changed | what to do |
|---|---|---|
| `ConflictError` | yes | read again, and decide again |
| `RolledBackError`, a `ConflictError` | yes | run the block of the transaction again |
| `TimeoutError` of a write | yes | ask again: somebody else holds a lock, or there is much to do |
| `ConnectionError` | yes | ask again, when the server can be reached |
| `AmbiguousCommitError` | nobody knows | read what is there, then decide |
| `CorruptRecord` | yes | `verify()` tells what else is damaged |
"""

from __future__ import annotations

from dataclasses import dataclass


class ConflictError(Exception):
    """A conditional write met another version, or another head, than it expected. Nothing was changed."""


class RolledBackError(ConflictError):
    """The server rolled a transaction back, because of what others did meanwhile. Nothing was changed."""


class AmbiguousCommitError(Exception):
    """No answer came to a write or a commit that was sent: it was made, or it was not."""


class LostConnectionError(ConnectionError):
    """The connection broke, or there was none to be had."""


class NoAnswerError(TimeoutError):
    """The server gave no answer in time. What it makes of the call is not known."""


class CorruptRecord(Exception):
    """What is stored is not what was written.

    Args:
        where: The table or record that is damaged.
        what: How that is known.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)  # both, so that the exception survives pickling between processes
        self.where = where
        self.what = what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class NewerSchemaError(Exception):
    """The place was written by a newer version of this code. It was left as it is."""


@dataclass(frozen=True)
class Damage:
    """One thing that `verify` found.

    Attributes:
        where: The table or record that is damaged.
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
