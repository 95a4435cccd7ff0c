"""`adapt`: gives any object, sync or async, the verbs of a contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

#: How the verbs of the `state` contract are spelled in `adapt(...)`, and the methods that they become.
STATE_VERBS = {
    "get": "__getitem__",
    "set": "__setitem__",
    "delete": "__delitem__",
    "keys": "__iter__",
    "length": "__len__",
    "contains": "__contains__",
}
#: Those of them that a state store can't be without.
_NEEDED = ("get", "set", "delete", "keys")
#: Verbs of contracts whose `get`, `set` and `delete` are their own.
_NO_STATE = ("entries", "query")
#: Verbs that are read, not called.
_READ = ("head", "first", "precedence", "dimension", "metric", "recall")
_RAISES = object()


def adapt(obj: Any, *, missing: Any = _RAISES, **verbs: str | Callable[..., Any] | None) -> Any:
    """Return an object that has the verbs of a contract and passes each call on to `obj`.

    Args:
        obj: The open store. Its methods may be `def` or `async def`, mixed freely.
        missing: What the store's `get` returns for a missing key, where it does not raise; becomes a KeyError.
        **verbs: For each verb the name of the method of `obj`, or any callable. For `state`: `get`, `set`, `delete`,
            `keys`, and, where the store has them, `length` and `contains` (else both are worked out from `keys`); of
            the first four those need not be named that `obj` has already, as `__getitem__` and so on. For `log`:
            `append`, `read`, `head`. For the other contracts their verbs; what has `entries` is a layered store, what
            has `query` a vector store (whose `length` is `len`), and their `get`, `set` and `delete` are no state's.
            Any capability's methods under their own names. `close=None` says that there is nothing to close.

    Raises:
        TypeError: A verb is given no usable method; the message names it.

    Example:
        >>> class Shelf:
        ...     def __init__(self): self.books = {}
        ...     def load(self, key): return self.books.get(key)
        ...     def save(self, key, value): self.books[key] = value
        ...     def remove(self, key): del self.books[key]
        ...     def list_ids(self): return list(self.books)
        >>> store = adapt(Shelf(), get="load", set="save", delete="remove", keys="list_ids", close=None, missing=None)
        >>> store["a"] = 1
        >>> store["a"], list(store), len(store), "b" in store
        (1, ['a'], 1, False)
    """
    calls = {verb: _method(obj, verb, target) for verb, target in verbs.items() if target is not None}
    if "close" not in verbs and callable(getattr(obj, "close", None)):
        calls["close"] = obj.close
    is_state = not calls.keys().isdisjoint(_NEEDED) and calls.keys().isdisjoint(_NO_STATE)
    if is_state:
        calls.update({verb: call for verb, call in _own(obj).items() if verb not in verbs})
    if "keys" in calls:
        calls.setdefault("length", _length_of(calls["keys"]))
        calls.setdefault("contains", _contains_in(calls["keys"]))
    if missing is not _RAISES and "get" in calls:
        calls["get"] = _raising(calls["get"], missing)
    members: dict[str, Any] = {}
    for verb, call in calls.items():
        name = STATE_VERBS.get(verb, verb) if is_state or verb == "length" else verb
        if verb == "keys":
            members.update(_iteration(call))
        elif verb in _READ:
            members[verb] = property(_reader(call))
        else:
            members[name] = _member(call)
    if "expires_at" in calls and "set" in calls:
        members["set"] = _member(calls["set"])  # the ttl capability writes with `set(key, value, ttl=)`
    return type(f"Adapted{type(obj).__name__}", (_Adapted,), members)(obj)


class _Adapted:
    """What `adapt` returns; the verbs are put on a subclass made for the object."""

    def __init__(self, adapted: Any) -> None:
        self.adapted = adapted

    def __repr__(self) -> str:
        return f"adapt({self.adapted!r})"


def _method(obj: Any, verb: str, target: str | Callable[..., Any]) -> Callable[..., Any]:
    if not isinstance(target, str):
        if callable(target):
            return target
        raise TypeError(
            f"adapt(..., {verb}={target!r}): give the name of a method of {type(obj).__name__}, or a callable."
        )
    if not hasattr(type(obj), target) and not hasattr(obj, target):
        raise TypeError(f"adapt(..., {verb}={target!r}): {type(obj).__name__} has no attribute {target!r}.")
    static = inspect.getattr_static(obj, target, None)
    if isinstance(static, property) or not callable(getattr(obj, target)):
        return lambda: getattr(obj, target)  # a plain attribute, such as a log's head
    bound: Callable[..., Any] = getattr(obj, target)
    return bound


def _member(call: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(call):

        async def awaited(_self: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await call(*args, **kwargs)

        member: Callable[..., Any] = awaited
    else:

        def direct(_self: Any, /, *args: Any, **kwargs: Any) -> Any:
            return call(*args, **kwargs)

        member = direct
    # The signature is kept: capabilities such as `append(event, expected=)` are recognised by it.
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):
        return member
    receiver = inspect.Parameter("_self", inspect.Parameter.POSITIONAL_ONLY)
    member.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[receiver, *signature.parameters.values()]
    )
    return member


def _reader(call: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda _self: call()


def _own(obj: Any) -> dict[str, Callable[..., Any]]:
    """Return the verbs that `obj` has under the names of the contract."""
    names = {verb: STATE_VERBS[verb] for verb in _NEEDED}
    if hasattr(type(obj), "__aiter__"):
        names["keys"] = "__aiter__"
    return {verb: getattr(obj, name) for verb, name in names.items() if getattr(type(obj), name, None) is not None}


def _iteration(keys: Callable[..., Any]) -> dict[str, Any]:
    if inspect.iscoroutinefunction(keys) or inspect.isasyncgenfunction(keys):

        async def aiter_keys(_self: Any) -> Any:
            for key in await gathered(keys()):
                yield key

        return {"__aiter__": aiter_keys}

    def iter_keys(_self: Any) -> Any:
        found = keys()
        return found if _is_later(found) else iter(found)  # what is later is gathered by whoever drives the store

    return {"__iter__": iter_keys}


def _is_later(result: Any) -> bool:
    """Tell whether a result has still to be waited for: a plain function may give one too, such as a lambda."""
    return inspect.isawaitable(result) or hasattr(result, "__aiter__")


async def gathered(result: Any) -> list[Any]:
    """Return the items of an iterable, an async iterable, or an awaitable of either."""
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__aiter__"):
        return [item async for item in result]
    return list(result)


def _length_of(keys: Callable[..., Any]) -> Callable[..., Any]:
    return lambda: _with_items(keys(), len)


def _contains_in(keys: Callable[..., Any]) -> Callable[..., Any]:
    return lambda key: _with_items(keys(), lambda items: key in items)


def _with_items(found: Any, work_out: Callable[[list[Any]], Any]) -> Any:
    """Return what `work_out` makes of the keys found; where they have still to be waited for, a coroutine of it."""

    async def later() -> Any:
        return work_out(await gathered(found))

    return later() if _is_later(found) else work_out(list(found))


def _raising(get: Callable[..., Any], missing: Any) -> Callable[..., Any]:
    def checked(key: Any, value: Any) -> Any:
        if value is missing or (type(value) is type(missing) and value == missing):
            raise KeyError(key)
        return value

    async def later(key: Any, value: Any) -> Any:
        return checked(key, await value)

    if inspect.iscoroutinefunction(get):

        async def get_later(key: Any) -> Any:
            return checked(key, await get(key))

        return get_later

    def get_now(key: Any) -> Any:
        value = get(key)
        return later(key, value) if inspect.isawaitable(value) else checked(key, value)

    return get_now
