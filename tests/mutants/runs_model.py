"""Run stores that go wrong only where several calls meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_backends._json import dumps, loads
from reference_backends._records import check_id, check_record
from tests.mutants.runs_base import Run, runs_mutant


class AppendsToWhatItGave:
    """Keeps texts in memory; a run that was read is held, and from then on events are appended to what is held."""

    def __init__(self, path: Path) -> None:
        self.texts: dict[str, str] = {}
        self.held: dict[str, Run] = {}

    def save_run(self, run: Run) -> None:
        """Save a run; what is held of it is old."""
        run_id, text = check_record(run, "run"), dumps(run)
        self.texts[run_id] = text
        self.held.pop(run_id, None)

    def get_run(self, run_id: str) -> Any:
        """Return a run, and hold it."""
        self.held[run_id] = loads(self.texts[check_id(run_id)])
        return loads(self.texts[run_id])

    def list_runs(self) -> Any:
        """Return all."""
        return [loads(text) for text in self.texts.values()]

    def append_event(self, run_id: str, event: Any) -> None:
        """Append an event to what is held, else to what is kept."""
        run = self.held.get(run_id) or loads(self.texts[check_id(run_id)])
        run["events"] = [*run.get("events", []), event]
        if run_id not in self.held:
            self.texts[run_id] = dumps(run)


MUTANTS = [
    runs_mutant(
        "appends_to_what_it_gave",
        "an event of a run that was read is not kept",
        "MODEL-01",
        AppendsToWhatItGave,
        durability="volatile",
        sharing="threads",
    ),
]
