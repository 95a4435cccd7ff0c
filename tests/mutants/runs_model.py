"""Run stores that go wrong only where several calls meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from reference_backends._records import check_id, check_record
from tests.mutants.runs_base import Run, runs_mutant


class ForgetsEvictedEvents:
    """Keeps texts in memory, and holds the run that was saved last, to append events to it alone."""

    def __init__(self, path: Path) -> None:
        self.texts: dict[str, str] = {}
        self.held = ""

    def save_run(self, run: Run) -> None:
        """Save a run, and hold it."""
        run_id, text = check_record(run, "run"), dumps(run)
        self.texts[run_id] = text
        self.held = run_id

    def get_run(self, run_id: str) -> Any:
        """Return a run."""
        return loads(self.texts[check_id(run_id)])

    def list_runs(self) -> Any:
        """Return all."""
        return [loads(text) for text in self.texts.values()]

    def append_event(self, run_id: str, event: Any) -> None:
        """Append an event, if the run is held."""
        run = self.get_run(run_id)
        if run_id == self.held:
            self.texts[run_id] = dumps({**run, "events": [*run.get("events", []), event]})


MUTANTS = [
    runs_mutant(
        "forgets_evicted_events",
        "events of a run that is not in its cache are lost",
        "MODEL-01",
        ForgetsEvictedEvents,
        durability="volatile",
        sharing="threads",
    ),
]
