"""What a store of configurations raises beyond the built-in exceptions."""

from __future__ import annotations


class ConfigNameError(ValueError):
    """A name is not kebab-case; the text says what it might be."""


class CorruptConfig(Exception):
    """A file is no document that can be used: it can't be parsed, has no version, or there are two of one name."""


class MigrationError(Exception):
    """A document could not be brought to the present version. Its file was left as it is."""


class UnresolvedReference(LookupError):
    """A reference leads to nothing, or round in a circle; the text has each step."""
