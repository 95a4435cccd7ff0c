"""Asking a store, and noting when, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from conformance.backend import Backend
from conformance.contracts import has
from conformance.drive import Driver
from conformance.histories.inside import Aborted, Inside
from conformance.histories.operation import NEVER, NEXT_LIFE, Operation, Step, Verb
from conformance.histories.plans.plan import Ask
from conformance.histories.records import bare
from conformance.histories.upkeep import compact_log, restored
from conformance.histories.values import number_of, value_of
from conformance.recording import raised


class Raised(NamedTuple):
    """A call that raised; it is the last in the history of its worker.

    Args:
        worker: Whose.
        verb: What was asked.
        error: Its type and its text.
    """

    worker: int
    verb: str
    error: str


class Client:
    """One worker of a history: it asks one thing at a time, and goes on as another one after a call that raised.

    Args:
        worker: Its number; no two in a history have the same.
        backend: Of the store.
        driver: Calls the store.
        store: Open.
        now: Tells the time; never the same twice.
        times: How often a number is repeated in a value.
    """

    def __init__(
        self, worker: int, backend: Backend, driver: Driver, store: Any, now: Callable[[], int], times: int
    ) -> None:
        self.history: list[Operation] = []
        self.raised: list[Raised] = []
        self._worker = worker
        self._backend = backend
        self._driver = driver
        self._store = store
        self._now = now
        self._times = times
        self._missing: tuple[type[BaseException], ...] = (*_types(backend, "missing"), KeyError)
        self._conflict = _types(backend, "conflict")

    def ask_all(self, asks: Iterable[Ask]) -> None:
        """Make some calls, one after the other."""
        for ask in asks:
            self._ask(ask)

    def _ask(self, ask: Ask) -> None:
        version, seen = self._value(ask.key) if ask.verb == "cas" else (None, None)
        if ask.verb == "cas" and seen is None:
            return  # nothing to swap
        verb: Verb = ask.verb
        if ask.steps:
            verb = "transaction"
        elif verb == "transaction":  # of one that raises nobody knows what it read; what it may have done is write
            verb = "put"
        elif verb == "restore":
            verb = "read"
        elif verb == "fork":
            verb = "get"
        call = self._now()
        value = ask.steps or (None if verb == "delete" else ask.number or None)  # a delete writes no number
        operation = Operation(call, NEVER, self._worker, verb, ask.key, value, seen, None, "info")
        try:
            operation = self._answered(ask, operation, version)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            self._retire(ask.verb, error)
        finally:  # also when the driver ends this worker in the midst of a call
            self.history.append(operation)

    def _answered(self, ask: Ask, asked: Operation, version: Any) -> Operation:
        call, store = self._driver.call, self._store
        if ask.steps:
            return self._stepped(ask, asked)
        match ask.verb:
            case "put":
                call(store.__setitem__, ask.key, self._written(ask))
                self._acknowledge()
                return asked._replace(end=self._now(), outcome="ok")
            case "get":
                found = self._read(ask.key)
                return asked._replace(end=self._now(), value=None, answer=found, outcome="ok")
            case "delete":
                try:
                    call(store.__delitem__, ask.key)
                except self._missing:  # it has seen that nothing is there
                    return asked._replace(end=self._now(), verb="get", value=None, outcome="ok")
                self._acknowledge()
                return asked._replace(end=self._now(), value=None, outcome="ok")
            case "list":
                keys = self._driver.items(getattr(store, "__aiter__", None) or store.__iter__)
                return asked._replace(end=self._now(), value=None, answer=tuple(keys), outcome="ok")
            case "cas":
                try:
                    call(store.compare_and_set, ask.key, self._written(ask), version)
                except self._conflict:
                    return asked._replace(end=self._now(), outcome="fail")
                self._acknowledge()
                return asked._replace(end=self._now(), answer=True, outcome="ok")
            case "transaction":
                return self._updated(ask, asked)
            case "increment":  # by hand: somebody may come in between
                count = self._read(ask.key)
                if isinstance(count, int):
                    count += 1
                    call(store.__setitem__, ask.key, value_of(count, self._backend.values, self._times))
                    self._acknowledge()
                return asked._replace(end=self._now(), answer=count, outcome="ok")
            case "append":
                position = call(store.append, self._written(ask))
                self._acknowledge()
                return asked._replace(end=self._now(), answer=position, outcome="ok")
            case "restore":
                numbers = restored(self._driver, store)
                return asked._replace(end=self._now(), verb="read", value=None, answer=numbers, outcome="ok")
            case "compact" if has(store, "append"):
                compact_log(self._driver, store, self._backend.values)
                return asked._replace(end=self._now(), value=None, outcome="ok")
            case "compact" | "flush":
                if has(store, ask.verb):
                    call(getattr(store, ask.verb))
                return asked._replace(end=self._now(), value=None, outcome="ok")
            case "clear":
                call(store.clear, ask.key)
                self._acknowledge()
                return asked._replace(end=self._now(), value=None, outcome="ok")
            case "fork":  # shows what is there, as a get does
                found = number_of(call(store.fork, ask.key, f"fork-{ask.number}"))
                self._acknowledge()
                return asked._replace(end=self._now(), verb="get", value=None, answer=found, outcome="ok")
            case _:
                events = self._driver.items(store.read)
                return asked._replace(end=self._now(), value=None, answer=_in_order(events), outcome="ok")

    def _updated(self, ask: Ask, asked: Operation) -> Operation:
        """Read a value and write another in one transaction: a compare-and-set, if transactions are what they say."""

        def replaced(mapping: Any) -> Any:
            seen = number_of(self._driver.call(mapping.__getitem__, ask.key))
            self._driver.call(mapping.__setitem__, ask.key, self._written(ask))
            return seen

        try:
            seen = self._in_transaction(replaced)
        except self._conflict:
            return asked._replace(end=self._now(), verb="cas", expected=None, outcome="fail")
        self._acknowledge()
        return asked._replace(end=self._now(), verb="cas", expected=seen, answer=True, outcome="ok")

    def _stepped(self, ask: Ask, asked: Operation) -> Operation:
        """Do the steps of a transaction, or those of a get outside of any."""

        def done(mapping: Any) -> tuple[Step, ...]:
            return Inside(self._driver, mapping, self._missing, self._backend.values).done(ask.steps)

        refused: tuple[type[BaseException], ...] = (Aborted, *self._conflict)
        try:
            seen = done(self._store) if ask.verb == "get" else self._in_transaction(done)
        except refused:
            return asked._replace(end=self._now(), outcome="fail")
        self._acknowledge()
        return asked._replace(end=self._now(), value=None, answer=seen, outcome="ok")

    def _in_transaction(self, body: Callable[[Any], Any]) -> Any:
        """Do something with the mapping that a transaction gives; what is raised by it leaves the transaction, too."""
        manager = self._driver.call(self._store.transaction)
        asynchronous = hasattr(manager, "__aenter__")
        enter, leave = (
            (manager.__aenter__, manager.__aexit__) if asynchronous else (manager.__enter__, manager.__exit__)
        )
        mapping = self._driver.call(enter)
        try:
            done = body(mapping)
        except BaseException as error:
            self._driver.call(leave, type(error), error, error.__traceback__)
            raise
        self._driver.call(leave, None, None, None)
        return done

    def _acknowledge(self) -> None:
        if self._backend.flush is not None:
            self._driver.call(self._backend.flush, bare(self._store))

    def _retire(self, verb: str, error: Exception) -> None:
        self.raised.append(Raised(self._worker, verb, raised(error)))
        self._worker += NEXT_LIFE

    def _value(self, key: Any) -> tuple[Any, Any]:
        """Return a version and the value that it has; the version first, so that it can only be too old."""
        call = self._now()
        try:
            return self._driver.call(self._store.version, key), self._read(key)
        except Exception as error:  # noqa: BLE001 - as above
            self.history.append(Operation(call, NEVER, self._worker, "get", key, outcome="info"))
            self._retire("get", error)
            return None, None

    def _read(self, key: Any) -> Any:
        try:
            return number_of(self._driver.call(self._store.__getitem__, key))
        except self._missing:
            return None

    def _written(self, ask: Ask) -> Any:
        return value_of(ask.number, self._backend.values, self._times)


def _types(backend: Backend, kind: str) -> tuple[type[BaseException], ...]:
    named = backend.errors.get(kind, ())
    return named if isinstance(named, tuple) else (named,)


def _in_order(events: list[Any]) -> tuple[Any, ...]:
    """Return the numbers of the events of a log; where positions are not those from 1 on, a text that says so."""
    positions = [position for position, _ in events]
    if positions != list(range(1, len(events) + 1)):
        return (f"positions {positions[:5]} instead of 1, 2, 3",)
    return tuple(number_of(event) for _, event in events)
