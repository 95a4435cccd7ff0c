"""`adapt`: verbs under other names, sync and async."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conformance import Backend, adapt
from conformance.address import AddressError
from conformance.contracts import contracts
from conformance.drive import Driver, is_async
from conformance.profile import probe
from conformance.session import Session


class Shelf:
    """A sync store with names of its own."""

    def __init__(self) -> None:
        self.books: dict[str, Any] = {}
        self.open = True

    def load(self, key: str) -> Any:
        """Return None for a missing key."""
        return self.books.get(key)

    def save(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        """Store, without looking at the ttl."""
        self.books[key] = value

    def remove(self, key: str) -> None:
        """Delete."""
        del self.books[key]

    def ids(self) -> Iterator[str]:
        """Give the keys."""
        yield from self.books

    def close(self) -> None:
        """Close."""
        self.open = False


class AsyncShelf:
    """The same with `async def`; listing comes in three forms."""

    def __init__(self) -> None:
        self.shelf = Shelf()

    async def load(self, key: str) -> Any:
        """Return None for a missing key."""
        return self.shelf.load(key)

    async def save(self, key: str, value: Any) -> None:
        """Store."""
        self.shelf.save(key, value)

    async def remove(self, key: str) -> None:
        """Delete."""
        self.shelf.remove(key)

    async def ids(self) -> list[str]:
        """Return the keys."""
        return list(self.shelf.books)

    async def scan(self) -> AsyncIterator[str]:
        """Give the keys one by one."""
        for key in self.shelf.books:
            yield key

    def later(self) -> AsyncIterator[str]:
        """Return what gives the keys one by one."""
        return self.scan()

    async def shutdown(self) -> None:
        """Close."""
        self.shelf.close()


class Journal:
    """A log with names of its own."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self.size = 0

    def add(self, event: Any, *, expected: int | None = None) -> int:
        """Append."""
        self.lines.append(event)
        self.size += 1
        return self.size

    def since(self, start: int = 1, stop: int | None = None) -> list[tuple[int, Any]]:
        """Read."""
        return list(enumerate(self.lines, 1))[start - 1 : None if stop is None else stop - 1]

    @property
    def end(self) -> int:
        """The head."""
        return self.size

    def newest(self) -> int:
        """Return the head."""
        return self.size


SHELF = {"get": "load", "set": "save", "delete": "remove", "keys": "ids", "missing": None}


def opened(make: Callable[[], Any], contract: str = "state") -> Any:
    """Return a handle on what `make` returns, driven as a check drives it."""
    return Session(Backend("adapted", **{contract: lambda _where: make()}), contract, None).open()  # type: ignore[arg-type]


def use(store: Any) -> None:
    """Require that a state store does what a mapping does."""
    with pytest.raises(KeyError):
        store["a"]
    store["a"] = 1
    store["b"] = 2
    assert (store["a"], store["b"]) == (1, 2)
    assert sorted(store.keys()) == ["a", "b"]
    assert len(store) == 2
    assert "a" in store
    assert "c" not in store
    del store["a"]
    with pytest.raises(KeyError):
        store["a"]
    assert store.keys() == ["b"]


def test_sync_store() -> None:
    """A sync store gets the verbs of a mapping, and its own `close` is kept."""
    shelf = Shelf()
    store = opened(lambda: adapt(shelf, **SHELF))
    use(store)
    store.close()
    assert not shelf.open


@pytest.mark.parametrize("keys", ["ids", "scan", "later"])
def test_async_store(keys: str) -> None:
    """An async store is adapted in the same way, however it lists its keys."""
    shelf = AsyncShelf()
    store = opened(lambda: adapt(shelf, **{**SHELF, "keys": keys}, close="shutdown"))
    use(store)
    store.close()
    assert not shelf.shelf.open
    store.leave()


def test_async_store_is_recognised() -> None:
    """What is adapted from `async def` methods is `async def` again, with `__aiter__`."""
    store = adapt(AsyncShelf(), **SHELF)
    assert is_async(store)
    assert hasattr(store, "__aiter__")
    assert not hasattr(store, "__iter__")
    assert not is_async(adapt(Shelf(), **SHELF))


def test_verbs_that_give_awaitables_without_being_async() -> None:
    """Lambdas and partials around `async def` methods work too, a missing key and worked-out verbs included."""
    shelf = AsyncShelf()
    store = opened(
        lambda: adapt(
            shelf,
            get=lambda key: shelf.load(key),
            set=functools.partial(shelf.save),
            delete=lambda key: shelf.remove(key),
            keys=lambda: shelf.ids(),
            missing=None,
        )
    )
    use(store)
    store.leave()


def test_def_and_async_def_mix() -> None:
    """Sync and async verbs mix in one store."""
    shelf = AsyncShelf()
    sync = shelf.shelf
    store = opened(lambda: adapt(shelf, get="load", set="save", delete=sync.remove, keys=sync.ids, missing=None))
    use(store)
    store.leave()


def test_length_and_contains_may_be_given() -> None:
    """Verbs that the store has are used instead of being worked out from the keys."""
    store = adapt(Shelf(), **SHELF, length=lambda: 42, contains=lambda key: key == "z")
    assert len(store) == 42
    assert "z" in store


@pytest.mark.parametrize("missing", [None, "", -1, {"found": False}])
def test_missing_becomes_a_key_error(missing: Any) -> None:
    """The value that stands for a missing key becomes a KeyError, and so does an equal one of its type only."""
    books = {"same": missing, "like": 0 if missing is None else (True if missing == -1 else [missing])}
    store = adapt(books, get=books.get, set="__setitem__", delete="__delitem__", keys="keys", missing=missing)
    with pytest.raises(KeyError, match="same"):
        store["same"]
    assert store["like"] == books["like"]


def test_without_missing_none_is_a_value() -> None:
    """Unless `missing=` is given, nothing that `get` returns is taken for a missing key."""
    assert adapt(Shelf(), **{**SHELF, "missing": ...})["a"] is None
    assert adapt(Shelf(), get="load", set="save", delete="remove", keys="ids")["a"] is None


def test_close_may_be_left_out() -> None:
    """`close=None` says that there is nothing to close; where the object has none, there is none."""
    assert not hasattr(adapt(Shelf(), **SHELF, close=None), "close")
    assert not hasattr(adapt({}, set="setdefault"), "close")


def test_verbs_that_the_object_has_need_no_name() -> None:
    """Of a mapping with one odd verb, only that one is named."""

    class Odd(dict[str, Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter(self.items())

    store = opened(lambda: adapt(Odd(), keys="keys"))
    store["b"] = 2
    assert store["b"] == 2
    assert store.keys() == ["b"]
    del store["b"]
    with pytest.raises(KeyError):
        store["b"]


def test_async_listing_that_the_object_has() -> None:
    """An object's own `__aiter__` is used where no `keys` is named."""

    class Listed(AsyncShelf):
        async def __aiter__(self) -> AsyncIterator[str]:
            for key in self.shelf.books:
                yield key

    store = opened(lambda: adapt(Listed(), get="load", set="save", delete="remove", missing=None))
    use(store)
    store.leave()


def test_verbs_of_a_log() -> None:
    """A log gets `append`, `read`, and `head` from a property, an attribute or a method."""
    for head in ("end", "size", "newest"):
        log = adapt(Journal(), append="add", read="since", head=head)
        assert log.head == 0
        assert log.append("x") == 1
        assert log.append("y") == 2
        assert (log.head, log.read(2)) == (2, [(2, "y")])


def test_async_head() -> None:
    """A head that must be awaited is awaited."""
    journal = Journal()

    async def head() -> int:
        return journal.size

    store = opened(lambda: adapt(journal, append="add", read="since", head=head), "log")
    assert store.append("x") == 1
    assert store.head == 1
    store.leave()


def test_capabilities_are_recognised() -> None:
    """A method keeps its parameters, by which capabilities are recognised; `ttl` writes with `set`."""
    state = adapt(Shelf(), **SHELF, expires_at=lambda _key: None, ping=lambda: True, stats=dict)
    offered = {c.name: c.missing_from(state) for c in contracts()["state"].capabilities}
    assert [name for name, absent in offered.items() if not absent] == ["ttl", "health"]
    state.set("a", 1, ttl=5)
    assert (state["a"], state.expires_at("a"), state.ping()) == (1, None, True)
    log = adapt(Journal(), append="add", read="since", head="end")
    assert {c.name: c.missing_from(log) for c in contracts()["log"].capabilities}["expected"] == []


def test_callable_without_a_signature() -> None:
    """A callable that hides its signature, as some C functions do, is called all the same."""

    class Hidden:
        __signature__ = "hidden"

        def __call__(self, key: str) -> str:
            return key.upper()

    hidden = Hidden()
    with pytest.raises((TypeError, ValueError)):
        inspect.signature(hidden)
    assert adapt({}, get=hidden)["a"] == "A"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("laod", r"adapt\(\.\.\., get='laod'\): Shelf has no attribute 'laod'"),
        (42, r"adapt\(\.\.\., get=42\): give the name of a method of Shelf, or a callable"),
    ],
)
def test_unusable_verb(target: Any, message: str) -> None:
    """A verb that leads to nothing is refused at once, by name."""
    with pytest.raises(TypeError, match=message):
        adapt(Shelf(), get=target)


def test_forgotten_verb_is_named() -> None:
    """A verb that nobody gave is missing from what comes out, and that one only."""
    backend = Backend("shelf", state=lambda _where: adapt(Shelf(), get="load", set="save", keys="ids"))
    with pytest.raises(AddressError, match=r"it has no __delitem__. Rename"):
        probe(backend)
    backend = Backend("shelf", state=lambda _where: adapt(Shelf(), get="load", set="save", delete="remove"))
    with pytest.raises(AddressError, match=r"it has no __iter__ or __aiter__, __len__. Rename"):
        probe(backend)


def test_repr_shows_what_is_adapted() -> None:
    """The representation leads to the object behind."""
    store = adapt({"a": 1}, get="get")
    assert repr(store) == "adapt({'a': 1})"
    assert type(store).__name__ == "Adapteddict"


def test_importable_from_the_package() -> None:
    """`from conformance import adapt` gives the function, whatever was imported before it."""
    import conformance.adapt  # noqa: F401 - the module of the same name
    from conformance import adapt as imported

    assert callable(imported)


def test_example_of_the_docstring() -> None:
    """The example in the docstring runs."""
    import doctest
    import sys

    failed, tried = doctest.testmod(sys.modules["conformance.adapt"])
    assert (failed, tried > 0) == (0, True)


def test_worked_out_verbs_of_an_async_store_wait() -> None:
    """Length and membership that are worked out from async keys are awaitable."""
    shelf = AsyncShelf()
    shelf.shelf.books = {"a": 1}
    store = adapt(shelf, **SHELF)
    driver = Driver()
    try:
        assert driver.call(store.__len__) == 1
        assert driver.call(store.__contains__, "a") is True
        assert driver.call(store.__contains__, "b") is False
    finally:
        driver.close()


class Memory:
    """A layered store with names of its own."""

    order = ("policy", "work")

    def __init__(self) -> None:
        self.facts: dict[tuple[str, str], Any] = {}

    def recall(self, key: str, layer: str | None = None) -> Any:
        """Return the value of the first layer that has the key, None where none has."""
        return next((self.facts[name, key] for name in (layer or "policy", "work") if (name, key) in self.facts), None)

    def learn(self, key: str, value: Any, layer: str = "policy") -> None:
        """Store."""
        self.facts[layer, key] = value

    def forget(self, key: str, layer: str = "policy") -> None:
        """Delete."""
        self.facts.pop((layer, key), None)

    def facts_of(self, layer: str | None = None) -> list[tuple[str, Any]]:
        """Return the entries."""
        return [(key, value) for (name, key), value in self.facts.items() if layer in (None, name)]


def test_layers_are_no_state() -> None:
    """What is given `entries` gets verbs of a layered store under their own names, and `precedence` as what it is."""

    def opened(_where: Any) -> Any:
        memory = Memory()
        return adapt(
            memory,
            get="recall",
            set="learn",
            delete="forget",
            entries="facts_of",
            clear=memory.facts.clear,
            precedence="order",
        )

    profile = probe(Backend("memory of facts", layers=opened))
    assert (profile.offered("layers"), profile.error) == (["precedence"], "")
    store = opened(None)
    store.set("a", 1, layer="work")
    assert (store.get("a"), store.get("b"), store.entries()) == (1, None, [("a", 1)])
    assert store.precedence == ("policy", "work")
    assert not hasattr(store, "__getitem__")


def test_vectors_are_no_state() -> None:
    """What is given `query` gets verbs of a vector store under their own names, and `length` as `len`."""
    rows: dict[str, Any] = {}

    def opened(_where: Any) -> Any:
        return adapt(
            rows,
            add=lambda ids, vectors, metadata: rows.update(zip(ids, vectors, strict=True)),
            query=lambda vector, k: list(rows.items())[:k],
            get=lambda ids: [rows.get(one) for one in ids],
            delete=lambda ids: [rows.pop(one, None) for one in ids],
            length="__len__",
            dimension=lambda: 2,
            metric=lambda: "l2",
        )

    assert probe(Backend("rows", vectors=opened)).error == ""
    store = opened(None)
    store.add(["a"], [[1.0, 2.0]], [{}])
    assert (len(store), store.dimension, store.get(["a", "b"])) == (1, 2, [[1.0, 2.0], None])
    assert not hasattr(store, "__getitem__")
