"""The oracle of the `runs` contract: the rule book written out as the least code that obeys it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Run = dict[str, Any]


class RefusedError(Exception):
    """The contract wants this call to be refused loudly; nothing was changed."""


def parent_of(run: Run) -> str | None:
    """Return the id of the run that a run names as its parent; None when it names none."""
    parent: str | None = run.get("metadata", {}).get("lineage", {}).get("parentRunId")
    return parent


@dataclass
class RunModel:
    """What a run store must show after each call.

    Args:
        lineage: Whether parents are kept closed and acyclic.
    """

    lineage: bool = False
    runs: dict[str, Run] = field(default_factory=dict)
    tokens: dict[str, list[int]] = field(default_factory=dict)

    def save(self, run: Run, token: int | None = None) -> None:
        """Keep a copy of a run, in place of the one with its id.

        Raises:
            RefusedError: The token was superseded, or the parent is not there, or is a descendant.
        """
        if token is not None and token != self.tokens[run["id"]][-1]:
            raise RefusedError(f"the token {token} was superseded")
        parent = parent_of(run)
        if self.lineage and parent is not None:
            if parent not in self.runs:
                raise RefusedError(f"the parent {parent!r} is not there")
            if run["id"] in self.ancestors(parent):
                raise RefusedError(f"{run['id']!r} would be its own ancestor")
        self.runs[run["id"]] = copy.deepcopy(run)

    def delete(self, run_id: str) -> None:
        """Remove a run, if it is there.

        Raises:
            RefusedError: It has children.
        """
        if self.lineage and run_id in map(parent_of, self.runs.values()):
            raise RefusedError(f"{run_id!r} has children")
        self.runs.pop(run_id, None)

    def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run.

        Raises:
            RefusedError: The run is not there.
        """
        if run_id not in self.runs:
            raise RefusedError(f"{run_id!r} is not there")
        self.runs[run_id].setdefault("events", []).append(copy.deepcopy(event))

    def ancestors(self, run_id: str) -> list[str]:
        """Return the ids from the root to a run that is there."""
        ids = [run_id]
        while (parent := parent_of(self.runs[ids[0]])) is not None:
            ids.insert(0, parent)
        return ids
