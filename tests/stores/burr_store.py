"""Burr's SQLitePersister: a run is an application, and each save its state at the next step."""

from __future__ import annotations

from typing import Any

from burr.core import State
from burr.core.persistence import SQLitePersister

from conformance import Backend, Where, adapt


def open_runs(where: Where) -> Any:
    """Open the database."""
    path = str(where.path / "store.sqlite")
    persister = SQLitePersister.from_values(path, connect_kwargs={"check_same_thread": False})
    persister.initialize()

    def save_run(run: Any) -> None:
        if not isinstance(run, dict) or "id" not in run:
            raise ValueError("There is no application to save it for.")
        newest = persister.load(None, run["id"])
        step = newest["sequence_id"] + 1 if newest else 0
        persister.save(None, run["id"], step, "save", State({"run": run}), "completed")

    def get_run(run_id: Any) -> Any:
        found = persister.load(None, run_id)
        return found and found["state"]["run"]

    return adapt(
        persister,
        save_run=save_run,
        get_run=get_run,
        list_runs=lambda: [get_run(run_id) for run_id in persister.list_app_ids(None)],
        close="cleanup",
    )


COUNTED = "the adapter works out the next step from the newest, so that another writer may come between"
backend = Backend("burr", runs=open_runs, lacks={"threads": COUNTED, "processes": COUNTED})
