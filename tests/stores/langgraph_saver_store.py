"""LangGraph's SqliteSaver: a run is a thread, and each save a checkpoint of it that carries the run in one channel."""

from __future__ import annotations

import sqlite3
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

from conformance import Backend, Where, adapt


def open_runs(where: Where) -> Any:
    """Open the database as `SqliteSaver.from_conn_string` does."""
    connection = sqlite3.connect(str(where.path / "store.sqlite"), check_same_thread=False)
    saver = SqliteSaver(connection)

    def save_run(run: Any) -> None:
        if not isinstance(run, dict) or "id" not in run:
            raise ValueError("There is no thread to save it in.")
        config = {"configurable": {"thread_id": run["id"], "checkpoint_ns": ""}}
        saver.put(config, {**empty_checkpoint(), "channel_values": {"run": run}}, {}, {})

    def get_run(run_id: Any) -> Any:
        found = saver.get_tuple({"configurable": {"thread_id": run_id}})
        return found and found.checkpoint["channel_values"]["run"]

    def list_runs() -> list[Any]:
        newest: dict[str, Any] = {}
        for one in saver.list(None):  # the checkpoints of all threads, the newest first
            newest.setdefault(one.config["configurable"]["thread_id"], one.checkpoint["channel_values"]["run"])
        return list(newest.values())

    return adapt(
        saver,
        save_run=save_run,
        get_run=get_run,
        list_runs=list_runs,
        delete_run="delete_thread",
        close=connection.close,
    )


backend = Backend("langgraph-checkpoint-sqlite", runs=open_runs)
