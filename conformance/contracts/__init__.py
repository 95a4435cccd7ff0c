"""The contracts: what a store of each kind must do, in prose, with the verbs that make it recognisable.

One module a contract. Its docstring is the rule book that the checks cite; its `CONTRACT` record names the verbs and
the capabilities.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Capability:
    """An optional part of a contract, detected from the methods present.

    Args:
        name: As in reports and in `lacks=`.
        methods: All of them must be there for the capability to be offered.
        any_of: At least one of them must be there; each check names the one that it needs.
        parameter: `"method:parameter"`, where a parameter of a verb makes the capability.
    """

    name: str
    methods: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    parameter: str = ""

    def missing_from(self, store: Any) -> list[str]:
        """Return what `store` has not got of this capability; empty when it is offered."""
        absent = [name for name in self.methods if not has(store, name)]
        if self.any_of and not any(has(store, name) for name in self.any_of):
            absent.append(" or ".join(self.any_of))
        if self.parameter:
            method, parameter = self.parameter.split(":")
            if not accepts(getattr(store, method, None), parameter):
                absent.append(f"{method}(..., {parameter}=)")
        return absent


@dataclass(frozen=True)
class Contract:
    """The verbs of one kind of store.

    Args:
        name: As in `--contract=` and in reports.
        verbs: Attributes that the open store must have; `"a|b"` means either of the two.
        capabilities: The optional parts.
    """

    name: str
    verbs: tuple[str, ...]
    capabilities: tuple[Capability, ...]

    def missing_from(self, store: Any) -> list[str]:
        """Return the verbs that `store` has not got; empty when it has the form of the contract."""
        return [verb for verb in self.verbs if not any(has(store, name) for name in verb.split("|"))]


def has(store: Any, name: str) -> bool:
    """Tell whether `store` offers `name`; a property such as `head` is seen without being evaluated."""
    # A verb that is None is absent: that is how a class takes a method of its base away (`__hash__ = None`).
    missing = object()
    found = inspect.getattr_static(store, name, missing)
    if found is missing and not name.startswith("__"):
        found = getattr(store, name, None)  # stores that delegate with __getattr__
    return found is not missing and found is not None


def accepts(function: Any, parameter: str) -> bool:
    """Tell whether `function` can be called with the keyword `parameter`, as far as its signature says."""
    if not callable(function):
        return False
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return parameter in parameters


def contracts() -> dict[str, Contract]:
    """Return every contract by name, in the order of every report."""
    from conformance.contracts import jobs, layers, log, runs, state, vectors

    return {module.CONTRACT.name: module.CONTRACT for module in (state, log, runs, jobs, layers, vectors)}


def capability_names() -> tuple[str, ...]:
    """Return the names of all capabilities of all contracts, each once."""
    return tuple(dict.fromkeys(c.name for contract in contracts().values() for c in contract.capabilities))
