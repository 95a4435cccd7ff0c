"""Looking at a store that nobody has described: which contract it may have, and what its verbs are called there."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.adapt import STATE_VERBS, adapt
from conformance.address import AddressError, PathOpener, is_bare, load
from conformance.backend import CONTRACTS, Where
from conformance.contracts import contracts, has
from conformance.drive import Driver, is_async
from conformance.literal import literal
from conformance.recording import raised

#: What stores call the verbs, the likeliest first. The verbs of a contract that are not here have their own names only.
_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "state": {
        "get": ("get", "load", "fetch", "read", "retrieve", "lookup", "get_item", "aget"),
        "set": ("set", "put", "save", "store", "write", "upsert", "set_item", "aset", "aput"),
        "delete": ("delete", "remove", "discard", "unset", "erase", "delete_item", "adelete"),
        "keys": ("keys", "list_keys", "list_ids", "ids", "all_keys", "iter_keys", "scan", "list", "akeys"),
    },
    "log": {
        "append": ("append", "add", "publish", "emit", "record", "write", "push"),
        "read": ("read", "iter", "events", "replay", "scan", "list"),
        "head": ("head", "last_position", "last", "latest", "position", "length"),
    },
    "runs": {
        "save_run": ("put_run", "save", "put"),
        "get_run": ("load_run", "get", "load"),
        "list_runs": ("runs", "list"),
    },
    "jobs": {
        "save_job": ("put_job", "save", "put"),
        "get_job": ("load_job", "get", "load"),
        "list_jobs": ("jobs", "list"),
    },
    "vectors": {"query": ("search", "nearest", "find"), "add": ("upsert", "insert", "put"), "delete": ("remove",)},
}
#: Verbs that are read, not called.
_ATTRIBUTES = ("head", "dimension", "metric")
_CLOSE = ("close", "aclose", "shut", "shutdown", "disconnect", "dispose", "stop")
#: A key that no store has, and what is written to see whether the verbs work.
_KEY, _VALUE = "conformance-init", {"n": 1}


class LookError(Exception):
    """No adapter can be written for a store; the text says why, and what to do instead."""


@dataclass(frozen=True)
class Looked:
    """What was seen of a store.

    Args:
        contracts: That it can be judged by.
        verbs: What `adapt` has to be told, by verb; empty where the store has the verbs of the contract itself.
        missing: As Python, what `get` returns for a missing key; empty where it raises.
        error: The type that it raises then, where that is no KeyError.
        opener_is_async: What opens it has to be awaited.
        told: What was found, in words.
    """

    contracts: tuple[str, ...]
    verbs: Mapping[str, str | None] = field(default_factory=dict)
    missing: str = ""
    error: type[BaseException] | None = None
    opener_is_async: bool = False
    told: Sequence[str] = ()


def look(address: str, contract: str, base: Path) -> Looked:
    """Open a store once, in a directory that is gone afterwards, and return what was seen.

    Args:
        address: A callable that opens it from a path, as in `--backend=`.
        contract: By which it is to be judged; empty for whatever it has the verbs of.
        base: The directory that relative file names start from.

    Raises:
        LookError: It can't be opened, or has not got the verbs.
    """
    try:
        backend = load(address, base=base)
    except AddressError as error:
        raise LookError(str(error)) from error
    if not is_bare(backend):
        raise LookError(f"{address} is a Backend record already: judge it with pytest --backend={address}.")
    opener = getattr(backend, contract or CONTRACTS[0])
    assert isinstance(opener, PathOpener)
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        try:
            with closing(Driver()) as driver:
                store = driver.open(opener, Where(Path(folder)))
                found = _look(driver, store, contract, address)
                with suppress(Exception):  # it was looked at, and is gone with its directory
                    driver.call(getattr(store, _closer(store) or "close"))
        except LookError:
            raise
        except (Exception, SystemExit) as error:
            raise LookError(f"opening {address} with a path raised {raised(error)}. Give what opens it.") from error
    return replace(found, opener_is_async=inspect.iscoroutinefunction(opener.function))


def _look(driver: Driver, store: Any, contract: str, address: str) -> Looked:
    kind = type(store).__name__
    told = [f"{address} opens a {kind}{', which is async' if is_async(store) else ''}"]
    wanted = (contract,) if contract else CONTRACTS
    whole = tuple(name for name in wanted if not contracts()[name].missing_from(store))
    if whole:
        closes = _closer(store)
        if closes in (None, "close"):
            told.append(f"it has the verbs of {' and '.join(whole)}, and needs no other names")
            return Looked(whole, told=told)
        told.append(f"it has the verbs of {whole[0]}, and is closed with {closes}")
        return Looked(whole[:1], {**_own(store, whole[0]), "close": closes}, told=told)
    for name in (contract,) if contract else ("state", "log"):
        verbs, absent = _named(store, name)
        if not absent:
            told.append(
                f"it is a {name} by other names: {', '.join(f'{verb} is {is_}' for verb, is_ in verbs.items())}"
            )
            looked = Looked((name,), verbs, told=told)
            return _tried(driver, store, looked) if name == "state" else looked
    absent = _named(store, contract or "state")[1]
    methods = [name for name in dir(store) if not name.startswith("_") and callable(getattr(store, name, None))]
    raise LookError(
        f"{kind} is no {contract or 'state'} store by any usual name: it has nothing for {', '.join(absent)}. Its "
        f"methods are {', '.join(methods) or 'none'}. Name them by hand, conformance.adapt(store, {absent[0]}=..., "
        "...), as in the guide 'Writing an adapter'; or choose another contract with --contract."
    )


def _own(store: Any, contract: str) -> dict[str, str]:
    """Return the verbs of a store that has all of them under the names of the contract."""
    if contract != "state":
        return {verb: verb for verb in contracts()[contract].verbs}
    keys = "__iter__" if has(store, "__iter__") else "__aiter__"
    return {verb: STATE_VERBS[verb] for verb in ("get", "set", "delete")} | {"keys": keys}


def _closer(store: Any) -> str | None:
    return next((name for name in _CLOSE if has(store, name)), None)


def _is_usable(store: Any, name: str, verb: str) -> bool:
    return has(store, name) and (verb in _ATTRIBUTES or callable(getattr(store, name)))


def _named(store: Any, contract: str) -> tuple[dict[str, str | None], list[str]]:
    """Return the names of the verbs in a store, and the verbs that it has no name for."""
    found: dict[str, str | None] = {}
    absent: list[str] = []
    known = _NAMES.get(contract, {})
    for verb in known if contract == "state" else contracts()[contract].verbs:
        own = STATE_VERBS[verb] if contract == "state" else verb
        if has(store, own) and contract == "state":
            continue  # `adapt` finds it
        names = (verb, *known.get(verb, ())) if contract != "state" else known[verb]
        name = next((name for name in names if _is_usable(store, name, verb)), None)
        if name is None:
            absent.append(verb)
        else:
            found[verb] = name
    if not absent and _closer(store) != "close":
        found["close"] = _closer(store)
    return found, absent


def _tried(driver: Driver, store: Any, looked: Looked) -> Looked:
    """Return what was seen together with what the store does about a key that is not there; and whether it works."""
    told = list(looked.told)
    adapted = adapt(store, **looked.verbs)
    missing, error = "", None
    try:
        given = driver.call(adapted.__getitem__, _KEY)
    except KeyError:
        pass
    except Exception as raised_error:  # noqa: BLE001 - a store may raise anything
        error = type(raised_error)
        told.append(f"a missing key raises {error.__name__}")
    else:
        told.append(f"a missing key reads as {literal(given, 60)}")
        missing = repr(given) if given is None or isinstance(given, (bool, int, str)) else ""
    try:
        driver.call(adapted.__setitem__, _KEY, _VALUE)
        read = driver.call(adapted.__getitem__, _KEY)
        driver.call(adapted.__delitem__, _KEY)
        what = "reads back" if read == _VALUE else f"reads back as {literal(read, 60)}"
    except Exception as raised_error:  # noqa: BLE001 - a store may raise anything
        what = f"raised {raised(raised_error)}"
    told.append(f"writing {_VALUE} {what}")
    return replace(looked, missing=missing, error=error, told=told)
