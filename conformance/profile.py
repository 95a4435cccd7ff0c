"""Opening a backend once, to learn its contracts and its capabilities before anything is judged."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.address import AddressError, is_bare
from conformance.backend import CONTRACTS, Backend
from conformance.contracts import Contract, contracts, has
from conformance.drive import Driver
from conformance.literal import literal
from conformance.place import place_of
from conformance.recording import raised
from conformance.serving import served


@dataclass(frozen=True)
class Profile:
    """What a backend was found to be.

    Args:
        backend: With the contracts that it really opens.
        missing: For each contract and capability what is missing for it to be offered; empty when it is offered.
        methods: The method names that the store of each contract has.
        error: Why the store could not be opened; empty when it could.
        server: What server it talks to, for people; empty for none.
    """

    backend: Backend
    missing: Mapping[str, Mapping[str, tuple[str, ...]]]
    methods: Mapping[str, frozenset[str]]
    error: str = ""
    server: str = ""

    def offered(self, contract: str) -> list[str]:
        """Return the capabilities that the store of a contract offers and the backend does not disclaim."""
        return [n for n, gone in self.missing.get(contract, {}).items() if not gone and n not in self.backend.lacks]

    def disclaimed(self, contract: str) -> dict[str, str]:
        """Return the methods of the capabilities that the backend disclaims, each with its capability."""
        return {
            method: capability.name
            for capability in contracts()[contract].capabilities
            if capability.name in self.backend.lacks
            for method in capability.methods
        }

    def contradictions(self) -> list[str]:
        """Return the capabilities that the backend disclaims although its store has their methods."""
        return [
            name
            for name in self.backend.lacks
            if any(name in missing and not missing[name] for missing in self.missing.values())
        ]


def probe(backend: Backend, *, only: str = "") -> Profile:
    """Open each contract of `backend` in a fresh place, look at what came, and close it.

    Args:
        backend: The resolved backend.
        only: Judge it by this contract alone; empty for all that it has the verbs of.

    Raises:
        AddressError: What was opened has not the form of any contract asked for.
    """
    asked = (only,) if only else tuple(name for name in CONTRACTS if getattr(backend, name) is not None)
    if only and getattr(backend, only, None) is None:
        raise AddressError(
            f"backend {backend.name!r} does not open the contract {only!r}; it opens {', '.join(backend.contracts)}."
        )
    try:
        backend = _declared(backend)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it asks a server, and may raise anything
        return Profile(backend, {}, {}, f"asking what {backend.name} promises raised {raised(error)}")
    bare = is_bare(backend)
    missing: dict[str, dict[str, tuple[str, ...]]] = {}
    methods: dict[str, frozenset[str]] = {}
    unfit: list[str] = []
    for name in asked:
        contract = contracts()[name]
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            doing = "opening"
            try:
                with closing(Driver()) as driver:
                    store = driver.open(getattr(backend, name), place_of(backend, Path(folder)))
                    doing = "looking at"
                    absent = contract.missing_from(store)
                    if absent:
                        if not bare or name in _USUAL or len(absent) < len(contract.verbs) / 2:
                            unfit.append(_unfit(contract, store, absent))
                    else:
                        missing[name] = {c.name: tuple(c.missing_from(store)) for c in contract.capabilities}
                        methods[name] = frozenset(n for n in _method_names(contract) if has(store, n))
                    doing = "closing"
                    if callable(getattr(store, "close", None)):
                        driver.call(store.close)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a store may raise anything
                return Profile(backend, {}, {}, f"{doing} {backend.address or backend.name} raised {raised(error)}")
    if not missing or (unfit and not bare):
        raise AddressError(f"backend {backend.address or backend.name!r}: {'; '.join(dict.fromkeys(unfit))}. {_ADVICE}")
    left_out: dict[str, Any] = {name: None for name in CONTRACTS if name not in missing}
    server = served(backend.server).how if backend.server is not None else ""
    return Profile(replace(backend, **left_out), missing, methods, server=server)


def _declared(backend: Backend) -> Backend:
    if backend.declare is None:
        return backend
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        told = dict(backend.declare(place_of(backend, Path(folder))))
    return replace(backend, **{**told, "lacks": {**backend.lacks, **told.get("lacks", {})}})


#: The contracts that a callable is told about when it opens no store at all; of the others only what it almost opens.
_USUAL = ("state", "log")
_ADVICE = "Rename the verbs with conformance.adapt(store, get=..., set=..., delete=..., keys=...) in a small adapter"


def _unfit(contract: Contract, store: Any, absent: list[str]) -> str:
    if store is None:
        return "opening it gave None: the function must return the open store"
    shown = ", ".join(verb.replace("|", " or ") for verb in absent)
    what = f"what it opened, {literal(store, 60)} of type {type(store).__name__}"
    return f"{what}, is no {contract.name} store: it has no {shown}"


def _method_names(contract: Contract) -> set[str]:
    names = {"close", "__contains__", "read", "set", "repair"}
    for capability in contract.capabilities:
        names.update(capability.methods, capability.any_of)
    return names
