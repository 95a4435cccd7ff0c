"""A side of a migration, and its stores, opened one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.address import is_bare
from conformance.backend import Backend, Where
from conformance.contracts import contracts
from conformance.drive import Driver
from conformance.migrate.errors import Stopped
from conformance.recording import raised


@dataclass(frozen=True)
class Side:
    """A backend, and the place where its stores are.

    Args:
        backend: What opens them.
        where: Their place. A clock that stands still keeps entries from expiring on their way.
    """

    backend: Backend
    where: Where

    def __str__(self) -> str:
        if self.backend.server is not None:
            server = urlsplit(self.where.url)  # without the user and the password
            port = f":{server.port}" if server.port else ""
            return f"{self.backend.name} at {server.hostname or 'its server'}{port}, {self.where.namespace}"
        return f"{self.backend.name} at {self.where.path}"


class Opened:
    """An open store, sync or async, and what a migration asks of it.

    Attributes:
        side: Whose store it is.
        contract: Which one.
        missing: The exceptions that say that something is not there.
    """

    def __init__(self, side: Side, contract: str, store: Any, driver: Driver) -> None:
        self.side = side
        self.contract = contract
        self.missing = side.backend.errors.get("missing", KeyError)
        self._store = store
        self._driver = driver
        self._offers: dict[str, bool] = {}

    def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Call a verb, and return what it gives.

        Raises:
            Stopped: It raised something else than that a record is missing.
        """
        return self._asked(verb, self._driver.call, self._verb(verb), *args, **kwargs)

    def each(self, pick: Callable[[Any], Any], verb: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Call a verb that lists, and return what `pick` makes of each item; the items themselves are let go.

        Raises:
            Stopped: It raised.
        """
        try:
            found: list[Any] = self._asked(verb, self._driver.each, pick, self._verb(verb), *args, **kwargs)
        except self.missing as error:
            raise Stopped(f"the {self.contract} of {self.side} failed in {verb}: {raised(error)}") from error
        return found

    def attribute(self, name: str) -> Any:
        """Return what the store tells under a name, such as the head of a log.

        Raises:
            Stopped: It raised.
        """
        return self._asked(name, self._driver.attribute, self._store, name)

    def acknowledge(self) -> None:
        """Make the writes so far count as acknowledged, where the backend says how.

        Raises:
            Stopped: It raised.
        """
        if self.side.backend.flush is not None:
            self._asked("flush", self._driver.call, self.side.backend.flush, self._store)

    def offers(self, capability: str) -> bool:
        """Tell whether the store offers a capability of its contract, and the backend does not disclaim it."""
        if capability not in self._offers:  # asked for each record
            found = next(one for one in contracts()[self.contract].capabilities if one.name == capability)
            lacked = capability in self.side.backend.lacks
            self._offers[capability] = not lacked and not found.missing_from(self._store)
        return self._offers[capability]

    def is_whole(self) -> bool:
        """Tell whether the store has the verbs of its contract."""
        return not contracts()[self.contract].missing_from(self._store)

    def has(self, verb: str) -> bool:
        """Tell whether the store has a verb."""
        return callable(getattr(self._store, verb, None))

    def _verb(self, verb: str) -> Any:
        if verb == "__iter__":
            verb = "__aiter__" if hasattr(self._store, "__aiter__") else verb
        return getattr(self._store, verb)

    def _asked(self, verb: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Stopped:
            raise
        except self.missing:
            raise
        except Exception as error:
            raise Stopped(f"the {self.contract} of {self.side} failed in {verb}: {raised(error)}") from error


@contextmanager
def opened(side: Side, contract: str) -> Iterator[Opened]:
    """Open a store for as long as the block takes.

    Raises:
        Stopped: It can't be opened, or it can't be closed.
    """
    with closing(Driver()) as driver:
        store = _tried(f"opening the {contract} of {side}", driver.open, getattr(side.backend, contract), side.where)
        close = store.close if callable(getattr(store, "close", None)) else lambda: None
        try:
            yield Opened(side, contract, store, driver)
        except BaseException:
            with suppress(Exception):  # what led here is what matters
                driver.call(close)
            raise
        _tried(f"closing the {contract} of {side}", driver.call, close)


def _tried(doing: str, function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except Exception as error:
        raise Stopped(f"{doing} raised {raised(error)}") from error


def offered(side: Side) -> tuple[str, ...]:
    """Return the contracts that a side has stores of; a bare callable is opened to see.

    Raises:
        Stopped: A store can't be opened.
    """
    if not is_bare(side.backend):
        return side.backend.contracts
    found = []
    for contract in side.backend.contracts:
        with opened(side, contract) as one:
            if one.is_whole():
                found.append(contract)
    return tuple(found)
