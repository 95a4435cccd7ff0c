"""A `runs` store over any `state` store that has `cas`: each run is one entry, changed by compare-and-set.

    runs = RunStore(FileState(path))

The entry of a run has the record, the token of its last writer, and the ids of runs that name it as their parent, or
were about to. A deleted run leaves an entry without a record, so that no token is ever given twice. A parent must exist
when a run is first saved, and is never changed: so no cycle can come to be, whoever writes at the same time.

No child loses its parent either. The first save of a child writes the parent's entry before its own, and the delete of
a parent writes the entries of its missing children before its own: of the two, the later one meets a version that it
does not expect, and looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_backends._errors import ConflictError
from reference_backends._json import check_value
from reference_backends._records import StateStore, changed, check_id, check_record, found, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ConflictError", "RunStore"]

_NEW: Mapping[str, Any] = {"run": None, "token": 0, "owner": None, "children": []}


class RunStore:
    """Runs in a state store, which belongs to this one from then on.

    As durable, as shared and as careful with damage as the state store is. Every verb raises what the state store does.

    Args:
        state: Where the runs are kept; it holds nothing else.
    """

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def save_run(self, run: dict[str, Any], token: int | None = None) -> None:
        """Save a run, in place of the one with its id.

        Args:
            run: A JSON document with a text `id`.
            token: What `acquire_run` gave; the save is refused when somebody else has acquired the run since.

        Raises:
            TypeError: The run is no dict, or something in it is not JSON.
            ValueError: It has no id, names a parent that is not there, or another parent than before.
            ConflictError: The token was superseded.
        """
        run_id = check_record(run, "run")
        parent = _parent(run)

        def save(entry: Any) -> Any:
            entry = entry or _NEW
            if token is not None and token != entry["token"]:
                raise ConflictError(f"The token {token} of the run {run_id!r} was superseded by {entry['token']}.")
            if entry["run"] is not None and _parent(entry["run"]) != parent:
                raise ValueError(f"The parent of the run {run_id!r} is {_parent(entry['run'])!r} and can't be changed.")
            if entry["run"] is None and parent is not None:
                self._adopt(parent, run_id)
            return {**entry, "run": run}

        changed(self._state, run_id, save)

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the run with an id, None when there is none."""
        entry = found(self._state, check_id(run_id))
        run: dict[str, Any] | None = entry and entry["run"]
        return run

    def list_runs(self) -> list[dict[str, Any]]:
        """Return all runs, in the order of their ids."""
        return [entry["run"] for entry in listed(self._state) if entry["run"] is not None]

    def delete_run(self, run_id: str) -> None:
        """Delete a run; one that is not there is no error.

        Raises:
            ConflictError: Other runs name it as their parent.
        """

        def delete(entry: Any) -> Any:
            if entry is None or entry["run"] is None:
                return entry
            for child in entry["children"]:
                self._part(run_id, child)
            return {**entry, "run": None, "children": []}

        changed(self._state, check_id(run_id), delete)

    def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to the `events` of a run; of concurrent calls none is lost.

        Raises:
            KeyError: There is no such run.
            TypeError: The event is not JSON, or the run's `events` are no list.
            ValueError: Something in the event does not survive JSON.
        """
        check_value(event)

        def append(entry: Any) -> Any:
            run = _present(entry, run_id)
            events = run.get("events", [])
            if not isinstance(events, list):
                raise TypeError(f"The events of the run {run_id!r} are no list, but a {type(events).__name__}.")
            return {**entry, "run": {**run, "events": [*events, event]}}

        changed(self._state, check_id(run_id), append)

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> dict[str, Any]:
        """Make a new run of another one up to a checkpoint, and return it; the other one is left as it is.

        Raises:
            KeyError: There is no such run, or it has no such checkpoint.
            ConflictError: The new id is taken.
        """
        source = _present(found(self._state, check_id(run_id)), run_id)
        checkpoints = source.get("checkpoints")
        checkpoints = checkpoints if isinstance(checkpoints, list) else []
        place = next((n for n, one in enumerate(checkpoints) if _dict(one).get("id") == checkpoint_id), None)
        if place is None:
            raise KeyError(f"The run {run_id!r} has no checkpoint {checkpoint_id!r}.")
        metadata = _dict(source.get("metadata"))
        lineage = _dict(metadata.get("lineage"))
        branch = {
            **source,
            "id": check_id(new_id),
            "checkpoints": checkpoints[: place + 1],
            "state": checkpoints[place].get("state"),
            "metadata": {
                **metadata,
                "lineage": {
                    **lineage,
                    "rootRunId": lineage.get("rootRunId") or run_id,
                    "parentRunId": None,
                    "childRunIds": [],
                    "branchOriginRunId": run_id,
                    "branchCheckpointId": checkpoint_id,
                },
            },
        }

        def create(entry: Any) -> Any:
            if entry is not None and entry["run"] is not None:
                raise ConflictError(f"There is a run {new_id!r} already.")
            return {**(entry or _NEW), "run": branch}

        changed(self._state, new_id, create)
        return branch

    def lineage(self, run_id: str) -> list[str]:
        """Return the ids of the run's ancestors, the root first, and its own.

        Raises:
            KeyError: There is no such run.
        """
        ids = [check_id(run_id)]
        while (parent := _parent(_present(found(self._state, ids[0]), ids[0]))) is not None:
            ids.insert(0, parent)
        return ids

    def acquire_run(self, run_id: str, owner: str) -> int:
        """Make `owner` the writer of a run, which need not exist yet, and return the token that it saves with."""

        def acquire(entry: Any) -> Any:
            entry = entry or _NEW
            return {**entry, "owner": owner, "token": entry["token"] + 1}

        token: int = changed(self._state, check_id(run_id), acquire)["token"]
        return token

    def close(self) -> None:
        """Close the state store."""
        self._state.close()

    def _adopt(self, parent: str, child: str) -> None:
        """Note a child at its parent before it is saved, again if need be: a delete under way must look again."""

        def note(entry: Any) -> Any:
            if entry is None or entry["run"] is None:
                raise ValueError(
                    f"The run {child!r} names the parent {parent!r}, which is no run that was saved before."
                )
            return {**entry, "children": list(dict.fromkeys([*entry["children"], child]))}

        changed(self._state, check_id(parent), note)

    def _part(self, parent: str, child: str) -> None:
        """Refuse to part a parent from a child; if there is none yet, a save of it under way must look again."""

        def look(entry: Any) -> Any:
            if entry is None or entry["run"] is None:
                return {**(entry or _NEW)}
            if _parent(entry["run"]) == parent:
                raise ConflictError(f"The run {parent!r} is the parent of {child!r}.")
            return entry

        changed(self._state, child, look)


def _present(entry: Any, run_id: str) -> dict[str, Any]:
    if entry is None or entry["run"] is None:
        raise KeyError(run_id)
    run: dict[str, Any] = entry["run"]
    return run


def _parent(run: Mapping[str, Any]) -> str | None:
    # A run may have anything under these names: what is no lineage names no parent.
    parent = _dict(_dict(run.get("metadata")).get("lineage")).get("parentRunId")
    return parent if isinstance(parent, str) and parent else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
