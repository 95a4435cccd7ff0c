"""What references lead to: `{"$ref": "defaults#/model/name"}` stands for a part of another document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_backends.configs.errors import UnresolvedReference

REF = "$ref"


def resolved(name: str, raw: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return a document with what its references lead to in their place.

    Args:
        name: The document.
        raw: Gives a document by its name, references as they stand; raises KeyError where there is none.

    Raises:
        UnresolvedReference: One leads to nothing, or round in a circle.
    """
    document: dict[str, Any] = _resolve(raw(name), name, raw, ())
    return document


def _resolve(value: Any, name: str, raw: Callable[[str], dict[str, Any]], chain: tuple[str, ...]) -> Any:
    """Return `value`, which stands in the document `name`, resolved; `chain` is what led here."""
    if type(value) is list:
        return [_resolve(item, name, raw, chain) for item in value]
    if type(value) is not dict:
        return value
    if REF not in value:
        return {key: _resolve(item, name, raw, chain) for key, item in value.items()}
    reference = value[REF]
    if type(reference) is not str or len(value) > 1:
        raise UnresolvedReference(f"In {name!r}: {value!r} is no reference, which has {REF!r} alone, with a text.")
    target, _, pointer = reference.partition("#")
    target = target or name
    step = f"{target}#{pointer}"
    led = (*chain, step)
    if step in chain:
        raise UnresolvedReference(f"References go round in a circle: {' -> '.join(led)}.")
    try:
        found = _at(raw(target), pointer)
    except LookupError as error:
        raise UnresolvedReference(f"In {name!r}: {reference!r} leads to nothing ({error}).") from error
    return _resolve(found, target, raw, led)


def _at(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) leads to."""
    if pointer and not pointer.startswith("/"):
        raise LookupError(f"{pointer!r} does not begin with a slash")
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if type(found) is list and name.isascii() and name.isdigit():
            found = found[int(name)]
        elif type(found) is dict:
            found = found[name]
        else:
            raise LookupError(f"there is no {name!r}")
    return found
