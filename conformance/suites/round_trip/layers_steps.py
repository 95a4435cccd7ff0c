"""What the checks of the `layers` contract share: a key that is missing, and entries as a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.session import Handle
    from conformance.trial import Trial


def require_durable(trial: Trial) -> None:
    """Make the check not applicable to a store that lives in one handle only; for checks of another promise."""
    if trial.backend.durability == "volatile":
        raise NotApplicable("durability is promised at 'volatile' only; a second handle is another store then")


def some(trial: Trial, number: int) -> Any:
    """Return a small value that differs for every number."""
    return domain.numbered(trial.backend.values, number)


def absent(trial: Trial, store: Handle, key: str, what: str, **of: Any) -> str:
    """Require that a key is missing, and return how the store says so: with None, or with an exception.

    Args:
        trial: The check's.
        store: The store that is asked.
        key: The key.
        what: What is being done, for the failure.
        of: The layer and the scope that are asked, where they are.
    """
    trial.count("comparisons")
    try:
        got = store.get(key, **of)
    except trial.errors("missing"):
        return "an exception"
    if got is not None:
        trial.violated(what, expected="None, or the exception for what is missing", got=literal(got))
    return "None"


def listed(trial: Trial, store: Handle, what: str, **of: Any) -> dict[str, Any]:
    """Return the entries as a dict; each must be a pair of a text and a value, and no key may come twice."""
    found: dict[str, Any] = {}
    for item in store.entries(**of):
        if not (isinstance(item, (tuple, list)) and len(item) == 2 and type(item[0]) is str):
            trial.violated(what, expected="pairs of a key and a value", got=literal(item))
        if item[0] in found:
            trial.violated(what, expected=f"the key {item[0]!r} once", got="the key twice")
        found[item[0]] = item[1]
    return found


def lists(trial: Trial, store: Handle, expected: Mapping[str, Any], what: str, **of: Any) -> None:
    """Require that the entries are the expected ones, in whatever order."""
    trial.equal(listed(trial, store, what, **of), dict(expected), what)


def holds(trial: Trial, store: Handle, expected: Mapping[str, Any], what: str, **of: Any) -> None:
    """Require that the store lists the expected entries, and gives the value of each."""
    lists(trial, store, expected, f"listing {what}", **of)
    for key, value in expected.items():
        trial.equal(store.get(key, **of), value, f"reading {key!r} {what}")
