"""One way to call a store, sync or async, so that no check is written twice.

A sync store is called in the calling thread (SQLite connections belong to theirs). An async store lives in an event
loop of its own, in a thread that anyio runs; every call, the opening included, is made in that loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

from conformance.address import PathOpener

_VERBS = ("__getitem__", "__setitem__", "append", "read", "get", "save_run", "save_job", "add", "close")
#: A store has one of these; what has none may be a context manager that gives the store.
_VERBS_OF_A_STORE = ("__getitem__", "append", "save_run", "save_job", "entries", "query")
#: Classes that were looked at: a store is opened thousands of times, and a look costs a tenth of a quick opening.
_ASYNC: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def is_async(thing: Any) -> bool:
    """Tell whether a function is `async`, or any verb of a store, or of the class of one."""
    if inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing):
        return True
    return _has_async_verbs(thing if isinstance(thing, type) else type(thing))


def _has_async_verbs(kind: type) -> bool:
    if kind not in _ASYNC:
        verbs = [getattr(kind, verb, None) for verb in _VERBS]
        _ASYNC[kind] = hasattr(kind, "__aiter__") or any(
            inspect.iscoroutinefunction(verb) or inspect.isasyncgenfunction(verb) for verb in verbs
        )
    return _ASYNC[kind]


class Driver:
    """Calls functions of a store and waits for what they return. Close it when the store is closed."""

    def __init__(self) -> None:
        self._lent = ExitStack()
        self._running = ExitStack()
        self._portal: Any = None
        self._loop_only = False
        #: Whether the store came from a context manager, so that leaving it is a way of closing.
        self.lends = False

    def open(self, opener: Callable[..., Any], *args: Any) -> Any:
        """Open a store; a context manager that is not itself a store is entered, and left by `leave`."""
        self._loop_only = is_async(opener.function if isinstance(opener, PathOpener) else opener)
        store = self.call(opener, *args)
        if not looks_open(store):
            lender = store
            if hasattr(lender, "__aenter__"):
                # Entered and left by one task, as cancel scopes and task groups ask for.
                lender = self._loop().wrap_async_context_manager(lender)
            if hasattr(lender, "__enter__"):
                store = self._lent.enter_context(lender)
                self.lends = True
        # The class is looked at, not the store: inspect asks a function for attributes that a store may refuse to have.
        self._loop_only = self._loop_only or is_async(type(store))
        return store

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function` and return its result, awaited if need be."""
        if self._loop_only:
            return self._wait_for(function, *args, **kwargs)
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            return self._wait_for(_identity, result)
        return result

    def items(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Call `function` and return the items of the iterable, sync or async, that it gives."""
        if not self._loop_only:
            result = function(*args, **kwargs)
            if not inspect.isawaitable(result) and not hasattr(result, "__aiter__"):
                return list(result)
            function, args, kwargs = _identity, (result,), {}
        found: list[Any] = self._wait_for(_items, function, *args, **kwargs)
        return found

    def each(self, pick: Callable[[Any], Any], function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Return what `pick` makes of each item, as `items` gives them; the items themselves are not kept."""
        if not self._loop_only:
            result = function(*args, **kwargs)
            if not inspect.isawaitable(result) and not hasattr(result, "__aiter__"):
                return [pick(item) for item in result]
            function, args, kwargs = _identity, (result,), {}
        found: list[Any] = self._wait_for(_picked, pick, function, args, kwargs)
        return found

    def attribute(self, store: Any, name: str) -> Any:
        """Return what a store tells under a name, such as the head of a log: an attribute, or a method to be called."""
        return self.call(_told, store, name)

    def leave(self) -> None:
        """Leave the store's context manager, where it had one; the store can still be called, to see what it does."""
        self._lent.close()

    def close(self) -> None:
        """Leave the store's context manager, and stop the event loop, where there is one."""
        try:
            self.leave()
        finally:
            self._running.close()
            self._portal = None

    def _wait_for(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._loop().call(_awaited, function, args, kwargs)

    def _loop(self) -> Any:
        if self._portal is None:
            from anyio.from_thread import start_blocking_portal  # here, because most stores are sync

            self._portal = self._running.enter_context(start_blocking_portal())
        return self._portal


def looks_open(store: Any) -> bool:
    """Tell whether something is a store; what is none may be a context manager that gives one."""
    return any(hasattr(store, verb) for verb in _VERBS_OF_A_STORE)


def _told(store: Any, name: str) -> Any:
    found = getattr(store, name)
    return found() if callable(found) else found


def _identity(thing: Any) -> Any:
    return thing


async def _awaited(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = function(*args, **kwargs)
    return await result if inspect.isawaitable(result) else result


async def _picked(
    pick: Callable[[Any], Any], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any]:
    result = await _awaited(function, args, kwargs)
    if hasattr(result, "__aiter__"):
        return [pick(item) async for item in result]
    return [pick(item) for item in result]


async def _items(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
    from conformance.adapt import gathered

    return await gathered(function(*args, **kwargs))
