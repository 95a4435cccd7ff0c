"""Stores that refuse what other threads want to change: nothing is lost in them, and nothing was tested."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance import Backend, Where
from reference_backends.memory import backend as memory

CONTRACTS = ("state", "log", "runs", "jobs", "layers")
_CHANGES = {
    *("__setitem__", "__delitem__", "compare_and_set", "transaction", "set", "delete", "clear", "append"),
    *("append_batch", "checkpoint", "compact", "save_run", "delete_run", "append_event", "fork_run", "acquire_run"),
    *("save_job", "delete_job", "claim_due", "renew", "complete", "fail"),
}


def _refusing(store: Any, owner: list[int]) -> Any:
    """Return a store with the verbs of another one; changes are those of one thread alone."""

    def asked(name: str) -> Callable[..., Any]:
        function = getattr(type(store), name)

        @functools.wraps(function)
        def call(_: Any, *arguments: Any, **named: Any) -> Any:
            if name in _CHANGES:
                if not owner:
                    owner.append(threading.get_ident())
                if threading.get_ident() != owner[0]:
                    raise RuntimeError("another thread may not write")
            return function(store, *arguments, **named)

        return call

    verbs = [name for name, _ in inspect.getmembers(type(store), callable) if not name.startswith("_")]
    special = [f"__{name}__" for name in ("getitem", "setitem", "delitem", "iter", "len", "contains")]
    body: dict[str, Any] = {name: asked(name) for name in (*verbs, *special) if hasattr(type(store), name)}
    for name, found in inspect.getmembers(type(store), lambda found: isinstance(found, property)):
        body[name] = property(functools.partial(lambda _, name: getattr(store, name), name=name))
        assert found is not None
    return type("Refusing", (), body)()


def _opened(contract: str, *, by_opener: bool) -> Callable[[Where], Any]:
    def opened(where: Where) -> Any:
        return _refusing(getattr(memory, contract)(where), [threading.get_ident()] if by_opener else [])

    return opened


def _backend(name: str, *, by_opener: bool) -> Backend:
    openers: dict[str, Any] = {contract: _opened(contract, by_opener=by_opener) for contract in CONTRACTS}
    return replace(memory, name=name, address=f"{__name__}:{name.upper()}", **openers)


#: Who opened it may write; who writes first may write.
OPENER, FIRST = _backend("opener", by_opener=True), _backend("first", by_opener=False)
