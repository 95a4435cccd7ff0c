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

from reference_backends._errors import ConflictError


class RolledBackError(ConflictError):
    """The server rolled a transaction back, because of what others did meanwhile. Nothing was changed."""


class AmbiguousCommitError(Exception):
    """No answer came to a write or a commit that was sent: it was made, or it was not."""


class LostConnectionError(ConnectionError):
    """The connection broke, or there was none to be had."""


class NoAnswerError(TimeoutError):
    """The server gave no answer in time. What it makes of the call is not known."""
