"""What this backend raises and reports beyond the built-in exceptions and those of redis-py."""

from __future__ import annotations


class NotReachedError(ConnectionError):
    """No server took the command. Nothing was changed."""


class NotAnsweredError(ConnectionError):
    """A command was sent, and no answer came. What it should change was changed, or will be, or never."""


class NotSealedError(Exception):
    """The server could not rewrite its append-only file, which has to be done first. Nothing was changed."""
