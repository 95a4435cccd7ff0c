"""The sessions of the OpenAI Agents SDK, in SQLite: a session for each run, or one that is a log of its items."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from agents import SQLiteSession

from conformance import Backend, Where


class Runs:
    """A session for each run; a save adds the record as its newest item."""

    def __init__(self, where: Where) -> None:
        self.path = where.path / "store.sqlite"
        self.sessions: dict[Any, SQLiteSession] = {}
        self.session("")  # it makes the tables

    def session(self, run_id: Any) -> SQLiteSession:
        """Return the session of a run."""
        if run_id not in self.sessions:
            self.sessions[run_id] = SQLiteSession(run_id, self.path)
        return self.sessions[run_id]

    async def save_run(self, run: Any) -> None:
        """Add the record to its session."""
        if not isinstance(run, dict) or "id" not in run:
            raise ValueError("There is no session to add it to.")
        await self.session(run["id"]).add_items([run])

    async def get_run(self, run_id: Any) -> Any:
        """Return the newest item of a session."""
        items = await self.session(run_id).get_items(limit=1)
        return items[0] if items else None

    async def list_runs(self) -> list[Any]:
        """Return the newest item of each session; the SDK has no verb that lists them, so its table is asked."""
        with closing(sqlite3.connect(self.path)) as connection:
            ids = [row[0] for row in connection.execute("SELECT session_id FROM agent_sessions ORDER BY session_id")]
        return [await self.get_run(run_id) for run_id in ids]

    async def delete_run(self, run_id: Any) -> None:
        """Clear a session."""
        await self.session(run_id).clear_session()

    def close(self) -> None:
        """Close the sessions."""
        for session in self.sessions.values():
            session.close()


class Log:
    """One session; the position of an item is worked out by counting, as the SDK gives none."""

    def __init__(self, where: Where) -> None:
        self.session = SQLiteSession("log", where.path / "store.sqlite")
        self.close = self.session.close

    async def append(self, event: Any) -> int:
        """Add an item, and count."""
        await self.session.add_items([event])
        return await self.head()

    async def read(self, start: int = 1, stop: int | None = None) -> Any:
        """Give the items of a window."""
        for position, event in enumerate(await self.session.get_items(), 1):
            if start <= position and (stop is None or position < stop):
                yield position, event

    async def head(self) -> int:
        """Count the items."""
        return len(await self.session.get_items())


COUNTED = "an item is added first and counted then, so that another writer's may come between"
runs = Backend("openai-agents", runs=Runs)
log = Backend("openai-agents log", log=Log, lacks={"threads": COUNTED, "processes": COUNTED})
