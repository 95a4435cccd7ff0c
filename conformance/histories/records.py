"""Stores of runs and of layers, asked as if they were states: so that every way to meet, and every checker, is theirs.

A value stands in several fields of a run. A run that is a mixture of two saves is so a value that nobody wrote.
"""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: The run that events are appended to.
RUN = "a"
#: Characters up to which each of the fields has the whole value; of a longer one each has a part.
_SHORT = 100
_FIELDS = 3


class Viewed:
    """A store that is asked by other verbs; what is not known here is the store's own."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class RunsAsState(Viewed):
    """Runs as entries under their ids; a version is a token, and a swap is a save that is refused without the latest.

    Nobody else's save is accepted between an `acquire_run` and a save with its token that is accepted. So a run that is
    read in between is the one that the save replaces.
    """

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self._owners = itertools.count()

    def __getitem__(self, key: str) -> Any:
        return then(self.store.get_run(key), lambda run: _value_of(_there(run, key), key))

    def __setitem__(self, key: str, value: Any) -> Any:
        return self.store.save_run(run_of(key, value))

    def __delitem__(self, key: str) -> Any:
        return self.store.delete_run(key)

    def __iter__(self) -> Any:
        return _each(self.store.list_runs(), lambda run: run["id"])

    def version(self, key: str) -> Any:
        """Become the writer of a run, and return the token."""
        return self.store.acquire_run(key, f"{os.getpid()}-{next(self._owners)}")

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        """Save a run with a token."""
        return self.store.save_run(run_of(key, value), token=expected)

    def fork(self, key: str, new: str) -> Any:
        """Fork a run, and return the value that the fork has."""
        return then(self.store.fork_run(key, new, "c1"), lambda run: _forked_value(run, new))

    def append(self, value: Any) -> Any:
        """Append an event to the one run; nobody is told a position."""
        return then(self.store.append_event(RUN, {"type": "n", "text": _text(value)}), lambda _: None)

    def read(self) -> Any:
        """Return the events of the one run, with positions."""
        return then(self.store.get_run(RUN), lambda run: _events(_there(run, RUN)))


class LayersAsState(Viewed):
    """Entries of layers; a key that is a pair is one of a scope."""

    def __getitem__(self, key: Any) -> Any:
        name, of = _address(key)
        return then(self.store.get(name, **of), lambda value: _there(value, key))

    def __setitem__(self, key: Any, value: Any) -> Any:
        name, of = _address(key)
        return self.store.set(name, value, **of)

    def __delitem__(self, key: Any) -> Any:
        name, of = _address(key)
        return self.store.delete(name, **of)

    def __iter__(self) -> Any:
        return _each(self.store.entries(), lambda pair: pair[0])

    def clear(self, scope: str) -> Any:
        """Clear a scope."""
        return self.store.clear(scope=scope)


_VIEWS: Mapping[str, Callable[[Any], Viewed]] = {"runs": RunsAsState, "layers": LayersAsState}


def as_asked(contract: str, store: Any) -> Any:
    """Return what a client asks: the store itself, or a view of it as of a state."""
    view = _VIEWS.get(contract)
    return store if view is None else view(store)


def bare(store: Any) -> Any:
    """Return the store that was opened."""
    return store.store if isinstance(store, Viewed) else store


def run_of(run_id: str, value: Any) -> dict[str, Any]:
    """Return the run that has a value, in each of its fields or a part in each."""
    text = _text(value)
    size = len(text) if len(text) <= _SHORT else -(-len(text) // _FIELDS)
    state, message, output = (
        (text, text, text) if size == len(text) else (text[:size], text[size : 2 * size], text[2 * size :])
    )
    return {
        "id": run_id,
        "status": "running",
        "state": {"text": state},
        "messages": [{"role": "user", "content": message}],
        "checkpoints": [{"id": "c1", "state": {"text": state}}],
        "events": [],
        "output": output,
        "metrics": {"characters": len(text)},
    }


def then(result: Any, made: Callable[[Any], Any]) -> Any:
    """Return what is made of a result, which may have to be awaited first."""
    return _awaited(result, made) if inspect.isawaitable(result) else made(result)


async def _awaited(result: Any, made: Callable[[Any], Any]) -> Any:
    return made(await result)


def _each(result: Any, made: Callable[[Any], Any]) -> Any:
    """Give what is made of each item of an iterable, which may be async, or have to be awaited."""
    if inspect.isawaitable(result) or hasattr(result, "__aiter__"):
        return _each_awaited(result, made)
    return _each_of(result, made)


def _each_of(result: Any, made: Callable[[Any], Any]) -> Iterator[Any]:
    for one in result:
        yield made(one)


async def _each_awaited(result: Any, made: Callable[[Any], Any]) -> Any:
    found = await result if inspect.isawaitable(result) else result
    if hasattr(found, "__aiter__"):
        async for one in found:
            yield made(one)
        return
    for one in found:
        yield made(one)


def _there(found: Any, key: Any) -> Any:
    if found is None:
        raise KeyError(key)
    return found


def _value_of(run: Any, run_id: str) -> str:
    """Return the value of a run, or a text that says what is wrong with it."""
    try:
        state, kept = run["state"]["text"], run["checkpoints"][0]["state"]["text"]
        text = f"{state}{run['messages'][0]['content']}{run['output']}"
        parts = _FIELDS if run["metrics"]["characters"] <= _SHORT else 1
        whole = len(text) == parts * run["metrics"]["characters"]
        known = run.keys() == run_of(run_id, "").keys() and run["id"] == run_id
    except (KeyError, IndexError, TypeError) as error:
        return f"a run with {type(error).__name__}: {error}"
    if state != kept:
        return f"{state}{kept}"
    return text if whole and known else f"the run {str(run)[:60]}"


def _forked_value(run: Any, run_id: str) -> str:
    try:
        parts = [run["state"]["text"], run["checkpoints"][0]["state"]["text"]]
        return "".join(parts) if run["id"] == run_id else f"the run {run['id']!r}"
    except (KeyError, IndexError, TypeError) as error:
        return f"a fork with {type(error).__name__}: {error}"


def _events(run: Any) -> list[tuple[int, Any]]:
    return [(place, event["text"]) for place, event in enumerate(run["events"], 1)]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _address(key: Any) -> tuple[str, dict[str, str]]:
    return (key[1], {"scope": key[0]}) if isinstance(key, tuple) else (key, {})
