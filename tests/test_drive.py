"""The driver: sync and async stores, openers, context managers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import anyio
import pytest

from conformance.address import PathOpener
from conformance.backend import Where
from conformance.drive import Driver, is_async


class SyncStore(dict[str, Any]):
    """A sync store that remembers the thread of each read."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def __getitem__(self, key: str) -> Any:
        self.threads.add(threading.get_ident())
        return key.upper()


class AsyncStore:
    """An async store that belongs to the event loop that it was made in."""

    def __init__(self, *_args: Any) -> None:
        self.loop = asyncio.get_running_loop()

    async def __getitem__(self, key: str) -> str:
        assert asyncio.get_running_loop() is self.loop
        if key == "missing":
            raise KeyError(key)
        return key.upper()

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "a"
        yield "b"


async def open_later() -> AsyncStore:
    """Open an async store."""
    await anyio.lowlevel.checkpoint()
    return AsyncStore()


def loops() -> int:
    """Return how many event loops run in threads of their own."""
    return sum("portal" in thread.name for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def _every_loop_ends() -> Iterator[None]:
    """Require that no test leaves an event loop behind: it would keep the process from ending."""
    before = loops()
    yield
    assert loops() == before


async def _coroutine() -> None: ...


async def _generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("thing", [_coroutine, _generator, AsyncStore, AsyncStore.__new__(AsyncStore)])
def test_async_things_are_told(thing: Any) -> None:
    """Async functions, async stores and their classes are async."""
    assert is_async(thing)


@pytest.mark.parametrize("thing", [len, SyncStore, SyncStore(), None])
def test_sync_things_are_told(thing: Any) -> None:
    """Sync functions, sync stores and their classes are not."""
    assert not is_async(thing)


@pytest.mark.parametrize("verb", ["append", "read", "get", "close", "__setitem__"])
def test_one_async_verb_makes_a_store_async(verb: str) -> None:
    """Any verb that is `async def` tells."""
    assert is_async(type("Store", (), {verb: _coroutine})())
    assert is_async(type("Store", (), {verb: _generator})())


def test_sync_store_stays_in_the_calling_thread() -> None:
    """A sync store is opened and called where the caller is, and no event loop is started."""
    before = loops()
    with closing(Driver()) as driver:
        store = driver.open(SyncStore)
        assert driver.call(store.__getitem__, "a") == "A"
        assert store.threads == {threading.get_ident()}
        assert driver.items(lambda: iter("ab")) == ["a", "b"]
        assert not driver.lends
        assert loops() == before


@pytest.mark.parametrize(
    "opener",
    [open_later, AsyncStore, lambda: open_later()],
    ids=["function", "class", "lambda"],
)
def test_async_store_lives_in_one_loop(opener: Callable[[], Any]) -> None:
    """An async store is opened and called in one event loop, however it is opened."""
    with closing(Driver()) as driver:
        store = driver.open(opener)
        assert driver.call(store.__getitem__, "a") == "A"
        assert driver.items(store.__aiter__) == ["a", "b"]


def test_bare_async_class_is_opened_in_the_loop(tmp_path: Any) -> None:
    """The class of an async store, given as an address, is called in the event loop too."""
    with closing(Driver()) as driver:
        store = driver.open(PathOpener(AsyncStore), Where(tmp_path))
        assert driver.call(store.__getitem__, "a") == "A"


def test_exception_of_an_async_store_is_its_own() -> None:
    """What an async verb raises arrives as it was raised."""
    with closing(Driver()) as driver:
        store = driver.open(open_later)
        with pytest.raises(KeyError, match="missing"):
            driver.call(store.__getitem__, "missing")


def test_awaitables_of_a_sync_store_are_awaited() -> None:
    """A store whose verbs are plain functions that give awaitables is driven too."""

    async def answer(thing: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return thing

    with closing(Driver()) as driver:
        driver.open(SyncStore)
        assert driver.call(lambda: answer(1)) == 1
        assert driver.items(lambda: answer(["a"])) == ["a"]
        assert driver.items(_generator) == [1]


@pytest.mark.parametrize(
    "listing", [lambda: ["a"], lambda: iter("a"), _generator], ids=["list", "iterator", "async generator"]
)
def test_listings_of_an_async_store(listing: Callable[[], Any]) -> None:
    """An async store may list synchronously."""
    with closing(Driver()) as driver:
        driver.open(open_later)
        assert len(driver.items(listing)) == 1


async def _three(_self: Any) -> int:
    return 3


@pytest.mark.parametrize("opener", [SyncStore, open_later], ids=["sync", "async"])
@pytest.mark.parametrize(
    "head",
    [3, property(lambda _self: 3), lambda _self: 3, property(_three), _three],
    ids=["attribute", "property", "method", "async property", "async method"],
)
def test_what_a_store_tells_is_an_attribute_or_a_method(opener: Callable[[], Any], head: Any) -> None:
    """The head of a log is read, called or awaited, whatever it is."""
    with closing(Driver()) as driver:
        driver.open(opener)
        told = type("Log", (), {"head": head})()
        assert driver.attribute(told, "head") == 3
        with pytest.raises(AttributeError, match="first"):
            driver.attribute(told, "first")


def test_context_manager_is_entered_and_left_once() -> None:
    """A context manager that is no store is entered; `leave` leaves it, and a second time does nothing."""
    seen: list[str] = []

    @contextmanager
    def lend() -> Iterator[SyncStore]:
        seen.append("entered")
        yield SyncStore()
        seen.append("left")

    driver = Driver()
    store = driver.open(lend)
    assert driver.lends
    assert driver.call(store.__getitem__, "a") == "A"
    assert seen == ["entered"]
    driver.leave()
    assert seen == ["entered", "left"]
    driver.leave()
    driver.close()
    assert seen == ["entered", "left"]


def test_async_context_manager_is_one_task() -> None:
    """An async context manager is entered and left by one task, so that it may hold a task group."""
    seen: list[str] = []

    @asynccontextmanager
    async def lend() -> AsyncIterator[AsyncStore]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield AsyncStore()
            seen.append("left")
            tasks.cancel_scope.cancel()

    driver = Driver()
    store = driver.open(lend)
    assert driver.lends
    assert driver.call(store.__getitem__, "a") == "A"
    driver.leave()
    assert seen == ["left"]
    # What the store does after it was closed can still be looked at.
    assert driver.call(store.__getitem__, "b") == "B"
    driver.close()


@pytest.mark.parametrize("verb", ["__getitem__", "append"])
def test_store_that_is_a_context_manager_is_open_already(verb: str) -> None:
    """A store with `__enter__` of its own, such as a shelf, is not entered: it is open."""

    def entered(_self: Any) -> Any:
        raise AssertionError

    store = type("Store", (), {verb: len, "__enter__": entered, "__exit__": entered, "__aenter__": entered})()
    with closing(Driver()) as driver:
        assert driver.open(lambda: store) is store
        assert not driver.lends


def test_failing_exit_still_ends_the_loop() -> None:
    """What a context manager raises when it is left arrives, and the event loop ends all the same."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[AsyncStore]:
        yield AsyncStore()
        raise OSError("disk full")

    driver = Driver()
    driver.open(lend)
    with pytest.raises(OSError, match="disk full"):
        driver.close()


def test_failing_opener_starts_nothing_that_stays() -> None:
    """An async opener that raises leaves no event loop once the driver is closed."""

    async def fail() -> None:
        raise OSError("no server")

    with pytest.raises(OSError, match="no server"), closing(Driver()) as driver:
        driver.open(fail)


def test_any_awaitable_will_do() -> None:
    """Not only coroutines are awaited."""

    class Answer(Awaitable[int]):
        def __await__(self) -> Any:
            return anyio.lowlevel.checkpoint().__await__()

    with closing(Driver()) as driver:
        assert driver.call(Answer) is None
