"""The types of a subject."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.literal import literal

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

_BRIEF = 40

#: What a store holds: dicts with text keys, lists and values.
Content = Any

#: A record's name, or None, with what was to be listed and what was, in a few words; `nothing` where it is left out.
Mislisted = tuple[Any, str, str]


@dataclass(frozen=True)
class Step:
    """One call of a workload.

    Args:
        verb: What is done, e.g. `set`; a subject says which verbs there are.
        args: The arguments; those of a `transaction` are steps.
    """

    verb: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A contract, as the engine sees it.

    Args:
        contract: Its name.
        empty: The content of a store that was never written to.
        perform: Carries out a step on an open store.
        read: Returns the content of an open store, called through its driver.
        apply: Returns the content that a step makes of a content.
        agrees: Tells whether an observed content is, for every reader, the one that was expected.
        parts: Gives the parts of a content that are written as one: entries, events.
        probe: The step that is carried out after recovery, with a value of the given domain.
        source: Returns a step as Python source.
        tell: Returns a part in a few words.
        last: Adds to a content what an open store shows only by being changed, where there is such a thing; called
            when all else was seen.
        last_of: The capability that this takes; not asked of a backend that disclaims it.
        listed: Returns what an open store lists, as it lists it, where no record is got; None where listing is getting.
        mislisted: Returns what a listing says otherwise than a content: the name of each record, or None for what is
            none, with what was to be listed and what was.
        during: Tells whether an observed content may be met while a step is carried out on a content: a step that the
            contract lets a store carry out in parts. Usually none is.
    """

    contract: str
    empty: Content
    perform: Callable[[Handle, Step], None]
    read: Callable[[Driver, Any], Content]
    apply: Callable[[Content, Step], Content]
    agrees: Callable[[Content, Content], bool]
    parts: Callable[[Content], Iterable[Any]]
    probe: Callable[[str], Step]
    source: Callable[[Step], str]
    tell: Callable[[Any], str]
    last: Callable[[Driver, Any, Content], Content] = lambda _driver, _store, content: content
    last_of: str = ""
    listed: Callable[[Driver, Any], list[Any]] | None = None
    mislisted: Callable[[Content, list[Any]], list[Mislisted]] = lambda _content, _listed: []
    during: Callable[[Content, Content, Step], bool] = lambda _observed, _before, _step: False


def canonical(content: Content) -> str:
    """Return a text that is the same for contents that are equal in type and value, and for no others.

    JSON tells 1 from 1.0 and from True, and -0.0 from 0.0. What it has no form for is shown by its type and `repr`.

    Not `conformance.values.canonical`, which takes ten times as long, and each crash state asks for some of these
    texts. A content is JSON-like: a tuple in it stands for a list, and nothing is refused, since a store may give
    anything after a crash: keys of several types in one dict, a dict that is in itself.
    """
    try:
        return _ENCODER.encode(content)
    except (TypeError, ValueError, RecursionError):
        return f"no JSON: {_shown(content)}"


def brief(value: Any) -> str:
    """Return a value as Python source, and of a long one its beginning and its length."""
    text = literal(value)
    if len(text) <= _BRIEF:
        return text
    size = f" ({len(value):,} long)" if isinstance(value, (str, bytes)) else ""
    return f"{text[:_BRIEF]}…{size}"


def _shown(content: Content) -> str:
    try:
        return repr(content)
    except Exception as error:  # noqa: BLE001 - what a store gave may have a `repr` of its own
        return f"{type(content).__name__}, {type(error).__name__}"


def _foreign(value: object) -> Any:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {type(value).__name__: repr(value)}


#: One for all: json.dumps makes a new one for each call.
_ENCODER = json.JSONEncoder(sort_keys=True, default=_foreign)
