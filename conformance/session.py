"""A session: one fresh place, the stores opened in it, and the record of every call made to them.

Usable without pytest; this is what a reproduction script runs on.

    session = Session.at("diskcache:Cache", "state")
    store = session.open()
    store["a"] = 1
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.address import load
from conformance.backend import Backend, Where
from conformance.child import in_new_process
from conformance.drive import Driver
from conformance.literal import literal
from conformance.place import ManualClock, place_of
from conformance.recording import Recorder, raised
from conformance.result import Violation
from conformance.serving import serve_until_exit

_NAMES = ("store", "second", "third", "fourth")


class Handle:
    """An open store whose verbs are recorded. State stores are used as mappings, logs by their methods."""

    def __init__(self, store: Any, name: str, session: Session, driver: Driver) -> None:
        self._store = store
        self._name = name
        self._session = session
        self._driver = driver
        self._recorder = session.recorder
        self._closed = False

    def __getitem__(self, key: Any) -> Any:
        return self._call(f"{self._name}[{literal(key)}]", "__getitem__", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._call(f"{self._name}[{literal(key)}] = {literal(value)}", "__setitem__", key, value)

    def __delitem__(self, key: Any) -> None:
        self._call(f"del {self._name}[{literal(key)}]", "__delitem__", key)

    def __contains__(self, key: Any) -> bool:
        return bool(self._recorder.record(f"{literal(key)} in {self._name}", self._contains, key))

    def __len__(self) -> int:
        return int(self._call(f"len({self._name})", "__len__"))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """Return the keys, as the store lists them, in its order."""
        iterate = getattr(self._store, "__aiter__", None) or self._store.__iter__
        found: list[Any] = self._recorder.record(f"list({self._name})", self._driver.items, iterate)
        return found

    def read(self, *window: Any) -> list[Any]:
        """Return what a log's `read(start, stop)` gives, read to the end."""
        shown = ", ".join(literal(bound) for bound in window)
        found: list[Any] = self._recorder.record(
            f"list({self._name}.read({shown}))", self._driver.items, self._store.read, *window
        )
        return found

    def versions(self, key: Any, **limit: int) -> list[Any]:
        """Return what `versions(key, limit=)` of a state lists, in whatever kind of iterable."""
        return self._listed("versions", key, **limit)

    def list_snapshots(self) -> list[Any]:
        """Return what `list_snapshots()` of a state lists, in whatever kind of iterable."""
        return self._listed("list_snapshots")

    def list_runs(self) -> list[Any]:
        """Return what `list_runs()` lists, in whatever kind of iterable."""
        return self._listed("list_runs")

    def list_jobs(self) -> list[Any]:
        """Return what `list_jobs()` lists, in whatever kind of iterable."""
        return self._listed("list_jobs")

    def claim_due(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what `claim_due(now, owner, lease, limit)` of a job store gives, in whatever kind of iterable."""
        return self._listed("claim_due", *args, **kwargs)

    def entries(self, **of: Any) -> list[Any]:
        """Return the pairs that `entries()` of a layered store lists, in whatever kind of iterable."""
        return self._listed("entries", **of)

    def query(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what `query(vector, k, where)` of a vector store finds, in whatever kind of iterable."""
        return self._listed("query", *args, **kwargs)

    @property
    def head(self) -> Any:
        """The head of a log."""
        return self._recorder.record(f"{self._name}.head", self._driver.attribute, self._store, "head")

    @property
    def first(self) -> Any:
        """The first position left in a log."""
        return self._recorder.record(f"{self._name}.first", self._driver.attribute, self._store, "first")

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(self._source(method, args, kwargs), method, *args, **kwargs)

        return call

    @contextmanager
    def transaction(self) -> Iterator[Handle]:
        """Enter the store's transaction; gives a handle on the mapping that the store gave."""
        index = self._recorder.note(f"with {self._name}.transaction() as t:")
        try:
            manager = self._driver.call(self._store.transaction)
            asynchronous = hasattr(manager, "__aenter__")
            leave = manager.__aexit__ if asynchronous else manager.__exit__
            inner = self._driver.call(manager.__aenter__ if asynchronous else manager.__enter__)
        except BaseException as error:
            self._failed(index, error)
            raise
        self._recorder.depth += 1
        try:
            yield Handle(inner, "t", self._session, self._driver)
        except BaseException as error:
            # A check that finds its rule broken inside the block leaves it by a Violation, which is no call.
            broken = isinstance(error, Violation)
            if error is not self._recorder.error and not broken:
                self._recorder.note(f"raise {literal(error)}")
            self._recorder.depth -= 1
            swallowed = self._leave(index, leave, error)
            left = "" if broken else f"raised {raised(error)}"
            self._recorder.settle(index, "-> went on after the exception" if swallowed else left)
            if not swallowed:
                raise
        else:
            self._recorder.depth -= 1
            self._leave(index, leave, None)
            self._recorder.settle(index, "-> committed")

    def _leave(self, index: int, leave: Any, error: BaseException | None) -> bool:
        told = (None, None, None) if error is None else (type(error), error, error.__traceback__)
        try:
            return bool(self._driver.call(leave, *told))
        except BaseException as failure:
            if failure is error:
                return False
            self._failed(index, failure)
            raise

    def _failed(self, index: int, error: BaseException) -> None:
        self._recorder.error = error
        self._recorder.settle(index, f"raised {raised(error)}")

    def acknowledge(self) -> None:
        """Make the writes so far count as acknowledged: call the backend's `flush`, where it names one."""
        flush = self._session.backend.flush
        if flush is not None:
            self._recorder.record(f"{self._name}.acknowledge()", self._driver.call, flush, self._store)

    @property
    def tokens(self) -> dict[str, int]:
        """The tokens of the session's claims, by job."""
        return self._session.tokens

    def reach(self) -> tuple[Driver, Any]:
        """Return the driver and the store itself, for an engine that reads it without a record of the calls."""
        return self._driver, self._store

    def offers(self, method: str) -> bool:
        """Tell whether the store has `method`."""
        return callable(getattr(self._store, method, None))

    def close(self) -> None:
        """Close the store, as often as asked; leave its `with` block; a store that has neither is let go."""
        if self.offers("close") or self._driver.lends:
            self._recorder.record(f"{self._name}.close()", self._close)
        if not self._closed:
            self._closed = True
            self._session.release(self)

    def _close(self) -> None:
        if self.offers("close"):
            self._driver.call(self._store.close)
        self._driver.leave()

    def leave(self) -> None:
        """Stop what drives a closed store."""
        self._driver.close()

    def _source(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        shown = [literal(arg) for arg in args] + [f"{key}={literal(value)}" for key, value in kwargs.items()]
        return f"{self._name}.{method}({', '.join(shown)})"

    def _listed(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        source = self._source(method, args, kwargs)
        found: list[Any] = self._recorder.record(
            source, self._driver.items, getattr(self._store, method), *args, **kwargs
        )
        return found

    def _call(self, source: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._recorder.record(source, self._invoke, method, args, kwargs)

    def _invoke(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._driver.call(getattr(self._store, method), *args, **kwargs)

    def _contains(self, key: Any) -> Any:
        if hasattr(self._store, "__contains__"):
            return self._driver.call(self._store.__contains__, key)
        return key in self._driver.items(getattr(self._store, "__aiter__", None) or self._store.__iter__)


class Session:
    """One place and the stores opened in it.

    Args:
        backend: What is opened.
        contract: The contract that is opened, e.g. `state`.
        where: The place; its clock is the session's.
    """

    def __init__(self, backend: Backend, contract: str, where: Where) -> None:
        self.backend = backend
        self.contract = contract
        self.where = where
        self.recorder = Recorder()
        #: The token of each job's newest claim: an engine completes with it what another step has claimed.
        self.tokens: dict[str, int] = {}
        self._handles: list[Handle] = []
        self._left: list[Handle] = []

    @classmethod
    def at(cls, address: str, contract: str, *, namespace: str = "conformance") -> Session:
        """Return a session on the backend at `address`, in a new temporary directory that is left behind.

        Args:
            address: Where the backend is found.
            contract: The contract that is opened.
            namespace: That of the place; a store may name its files after it.
        """
        backend = load(address)
        if backend.server is not None:
            serve_until_exit(backend.server)
        where = place_of(backend, Path(tempfile.mkdtemp(prefix="conformance-")), namespace=namespace)
        return cls(backend, contract, where)

    def open(self) -> Handle:
        """Open the store; a second call while the first store is open gives a second handle on the same place."""
        name = next(n for n in _NAMES if all(handle._name != n for handle in self._handles))
        driver = Driver()
        opener = getattr(self.backend, self.contract)
        try:
            store = self.recorder.record(f"{name} = session.open()", driver.open, opener, self.where)
        except BaseException:
            driver.close()
            raise
        self.recorder.settle(len(self.recorder.calls) - 1, f"-> {type(store).__name__}")
        handle = Handle(store, name, self, driver)
        self._handles.append(handle)
        return handle

    def reopen(self, handle: Handle) -> Handle:
        """Close the store and open it again at the same place."""
        handle.acknowledge()
        handle.close()
        return self.open()

    def advance(self, seconds: float) -> None:
        """Move the clock of the place, forward or back."""
        clock = self.where.clock
        assert isinstance(clock, ManualClock)
        self.recorder.record(f"session.advance({seconds!r})", setattr, clock, "now", clock.now + seconds)

    def read_in_new_process(self) -> Any:
        """Open the store in a new process and return all that it holds, in the form of its contract."""
        return self.recorder.record(
            "session.read_in_new_process()",
            in_new_process,
            read_all,
            self.backend.address or self.backend,
            self.contract,
            self.where,
        )

    def release(self, handle: Handle) -> None:
        """Forget a closed handle; its name is free again."""
        self._handles.remove(handle)
        self._left.append(handle)

    def close(self) -> None:
        """Close what is still open."""
        try:
            for handle in list(self._handles):
                handle.close()
        finally:
            for handle in self._left + self._handles:
                handle.leave()
            self._left.clear()

    def abandon(self) -> None:
        """Close what is still open after a failure; what goes wrong now is of no interest any more."""
        for handle in list(self._handles):
            try:
                handle.close()
            except Exception:  # noqa: BLE001 - the failure that led here is the one to show
                self._handles.remove(handle) if handle in self._handles else None
                self._left.append(handle)
        for handle in self._left:
            try:
                handle.leave()
            except Exception:  # noqa: BLE001 - as above
                continue
        self._left.clear()


def read_all(backend: Backend | str, contract: str, where: Where) -> Any:
    """Open the store at `where` and return all that it holds; runs in a child process."""
    session = Session(load(backend) if isinstance(backend, str) else backend, contract, where)
    store = session.open()
    try:
        return _READERS[contract](store)
    finally:
        session.close()


#: All that a store holds: a dict of a state, the list of what the others list.
_READERS: Mapping[str, Callable[[Handle], Any]] = {
    "state": lambda store: {key: store[key] for key in store},
    "log": lambda store: store.read(),
    "runs": lambda store: [store.get_run(listed["id"]) for listed in store.list_runs()],
    "jobs": lambda store: [store.get_job(listed["id"]) for listed in store.list_jobs()],
    "layers": lambda store: [list(pair) for pair in store.entries()],
    "vectors": len,
}
