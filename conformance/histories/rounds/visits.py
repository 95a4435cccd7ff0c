"""Visits: one handle on a store, from its opening to its end, in a process that may be one of several."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.histories.drivers.processes import ranked
from conformance.histories.operation import Operation, Verb
from conformance.histories.perform import Client, Raised
from conformance.histories.plans.plan import Ask, number_for
from conformance.histories.rounds.round import Round, closed, opened
from conformance.recording import raised

_LOOK: Mapping[str, Verb] = {"state": "get", "log": "read"}
_WRITE: Mapping[str, Verb] = {"state": "put", "log": "append"}


@dataclass(frozen=True)
class Visit:
    """What came of a handle.

    Args:
        history: What was asked through it; of one that was refused, a look that was.
        raised: Calls that raised.
        refused: What its opening raised; empty if it was opened.
    """

    history: Sequence[Operation]
    raised: Sequence[Raised] = ()
    refused: str = ""


def write(contract: str, key: str, worker: int) -> list[Ask]:
    """Return a write, of that key if there are keys, with a value as of that worker."""
    return [Ask(_WRITE[contract], key if contract == "state" else None, number_for(worker, 0))]


def round_of(visits: Sequence[Visit], backend: Backend) -> Round:
    """Return the round that visits make; an opening may be refused where no more than one process is promised."""
    history = ranked([operation for visit in visits for operation in visit.history])
    errors = [one for visit in visits for one in visit.raised]
    why = ""
    for each in visits:
        if each.refused and backend.sharing == "processes":
            why = f"an opening raised {each.refused} while others opened the store"
    for _, verb, error in errors:
        # To be busy is an answer; that a file is gone in the midst of a write is none.
        if verb in _WRITE.values() and error.startswith("FileNotFoundError"):
            why = f"a {verb} raised {error} while others opened the store"
    return Round(history, errors, why)


# What members of a team are asked. Their state has the backend and the contract, and the open store.


def ask(state: dict[str, Any], folder: Path, worker: int, asks: Sequence[Ask], times: int) -> Visit:
    """Open the store, if it is not open, and ask."""
    if "open" not in state:
        begun = time.monotonic_ns()
        try:
            driver, store = opened(state["backend"], state["contract"], folder)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            # It stands for what did nothing, but was there while others did something.
            look = Operation(begun, time.monotonic_ns(), worker, _LOOK[state["contract"]], outcome="fail")
            return Visit([look], (), raised(error))
        state["open"] = driver, store
        state["client"] = Client(worker, state["backend"], driver, store, time.monotonic_ns, times)
    client: Client = state["client"]
    client.history, client.raised = [], []
    client.ask_all(asks)
    return Visit(client.history, client.raised)


def leave(state: dict[str, Any]) -> None:
    """Close the store, if it is open."""
    if "open" in state:
        closed(*state.pop("open"))


def visit(state: dict[str, Any], folder: Path, worker: int, asks: Sequence[Ask], times: int) -> Visit:
    """Open the store, ask, and close it."""
    try:
        return ask(state, folder, worker, asks, times)
    finally:
        leave(state)
