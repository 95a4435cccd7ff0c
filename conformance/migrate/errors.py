"""How a migration ends early: before it changed anything, or on its way."""

from __future__ import annotations


class Unfit(Exception):
    """The migration can't be done as asked; the target was not written to. The text says why, and what to do."""


class Stopped(Exception):
    """The migration stopped on its way; the text says where and why. Asked again, it goes on from there."""
