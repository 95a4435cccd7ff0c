"""What the checks of the `layers` contract share: a key that is missing, and entries as a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def offers(trial: Trial, capability: str) -> bool:
    """Tell whether the store offers a capability, and the backend does not disclaim it."""
    return capability in trial.bench.profile.offered("layers")


def layers_of(trial: Trial, store: Handle) -> tuple[str, ...]:
    """Return the store's layers, the one that wins first."""
    driver, reached = store.reach()
    found = driver.attribute(reached, "precedence")
    what = "asking for the precedence"
    if not isinstance(found, (tuple, list)) or not found or any(type(name) is not str for name in found):
        trial.violated(what, expected="a tuple of the names of the layers", got=literal(found))
    if len(set(found)) != len(found):
        trial.violated(what, expected="each layer once", got=literal(found))
    return tuple(found)


def several_layers(trial: Trial, store: Handle) -> tuple[str, ...]:
    """Return the store's layers; make the check not applicable where there is only one."""
    names = layers_of(trial, store)
    if len(names) == 1:
        raise NotApplicable(f"there is only one layer, {names[0]!r}")
    return names


def delete_missing(trial: Trial, store: Handle, key: str, **of: Any) -> None:
    """Delete a key that is not there, which may raise the exception for what is missing, and no other."""
    try:
        store.delete(key, **of)
    except trial.errors("missing"):
        trial.count("refusals")


def must_refuse(trial: Trial, call: Callable[[], Any], types: tuple[type[BaseException], ...], what: str) -> None:
    """Require that a call is refused with one of some exceptions."""
    trial.count("comparisons")
    trial.count("refusals")
    expected = f"{' or '.join(one.__name__ for one in types)} to be raised"
    try:
        got = call()
    except types:
        return
    except Exception as error:  # noqa: BLE001 - judged here
        trial.violated(what, expected=expected, got=raised(error))
    trial.violated(what, expected=expected, got=literal(got))
