"""The profile: which contracts and capabilities a backend has, and what is said of one that can't be used."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.address import AddressError, load
from conformance.backend import Backend, Where
from conformance.profile import Profile, probe
from tests.mutants.capable_base import HONEST as CAPABLE


class State(dict[str, Any]):
    """A mapping; that is all that a state store needs."""

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self.path = path


class Log:
    """What a log needs, with one capability."""

    head = 0

    def __init__(self, path: str = "") -> None:
        self.path = path

    def append(self, event: Any, expected: int | None = None) -> int:
        """Append."""
        raise NotImplementedError

    def read(self, start: int = 1, stop: int | None = None) -> list[Any]:
        """Read."""
        raise NotImplementedError


class Both(State, Log):
    """Both in one object."""


class HalfState:
    """Not enough for a state store, and nothing of a log."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    __len__ = None


def address(name: str) -> str:
    """Return the address of something in this module."""
    return f"{__name__}:{name}"


def open_both(_where: Where) -> Both:
    """Open both contracts in one object."""
    return Both()


def give_none(_path: str) -> None:
    """Forget to return the store."""


NOT_CALLABLE = State()


def test_contract_is_recognised_by_its_verbs() -> None:
    """A bare callable is judged by the contracts that what it opens has the verbs of."""
    assert tuple(probe(load(address("State"))).missing) == ("state",)
    assert tuple(probe(load(address("Log"))).missing) == ("log",)
    assert tuple(probe(load(address("Both"))).missing) == ("state", "log")


def test_backend_keeps_what_it_really_opens() -> None:
    """The profile's backend opens the recognised contracts and no other."""
    assert probe(load(address("State"))).backend.contracts == ("state",)
    assert probe(load(address("Log"))).backend.contracts == ("log",)
    both = Backend("both", state=open_both, log=open_both)
    assert probe(both).backend.contracts == ("state", "log")


def test_one_contract_may_be_asked_for() -> None:
    """With `only`, the other contracts are left out."""
    profile = probe(load(address("Both")), only="log")
    assert tuple(profile.missing) == ("log",)
    assert profile.backend.contracts == ("log",)


def test_contract_that_the_backend_does_not_open() -> None:
    """Asking for a contract without an opener is an error that names what there is."""
    with pytest.raises(AddressError, match="backend 'x' does not open the contract 'log'; it opens state"):
        probe(Backend("x", state=lambda _where: State()), only="log")


def test_capabilities_are_detected() -> None:
    """A capability is offered when its methods are there; else the profile tells what is missing."""
    plain = probe(load(address("State")))
    assert plain.offered("state") == []
    assert plain.offered("log") == []
    assert plain.missing["state"]["cas"] == ("version", "compare_and_set")
    assert plain.missing["state"]["ttl"] == ("expires_at", "set(..., ttl=)")
    assert plain.missing["state"]["maintenance"] == ("flush or compact or verify",)
    assert probe(load(address("Log"))).offered("log") == ["expected"]
    capable = probe(CAPABLE)
    assert capable.offered("state") == list(capable.missing["state"])
    assert {"close", "compact", "versions"} <= capable.methods["state"]
    assert "close" not in plain.methods["state"]


def test_disclaimed_capability_is_not_offered_but_reported() -> None:
    """A lack whose methods exist is not judged, and is reported as a contradiction; other lacks are not."""
    lacks = {"ttl": "unused", "power-loss": "a cache", "expected": "of another contract"}
    profile = probe(Backend("x", state=CAPABLE.state, lacks=lacks))
    assert "ttl" not in profile.offered("state")
    assert "cas" in profile.offered("state")
    assert profile.contradictions() == ["ttl"]


def test_store_is_closed_again() -> None:
    """What was opened for a look is closed, and the block that lent it is left."""
    seen: list[str] = []

    class Closed(State):
        def close(self) -> None:
            """Close."""
            seen.append("closed")

    @contextmanager
    def lend(_where: Where) -> Iterator[State]:
        yield Closed()
        seen.append("left")

    probe(Backend("x", state=lend))
    assert seen == ["closed", "left"]


def test_stores_are_opened_in_places_of_their_own() -> None:
    """Each contract is looked at in a directory of its own, which is removed afterwards."""
    places: list[Path] = []

    def opener(where: Where) -> Both:
        assert list(where.path.iterdir()) == []
        (where.path / "file").touch()
        places.append(where.path)
        return Both()

    probe(Backend("x", state=opener, log=opener))
    assert len(set(places)) == 2
    assert not any(place.exists() for place in places)


def test_what_is_not_callable_is_refused() -> None:
    """An address that leads to an open store is refused, with the address."""
    with pytest.raises(
        AddressError, match=r"'tests\.test_profile:NOT_CALLABLE' is a State object, which is not callable"
    ):
        load(address("NOT_CALLABLE"))


def test_none_is_no_store() -> None:
    """An opener that forgets to return the store is told so."""
    with pytest.raises(AddressError, match=r"'tests\.test_profile:give_none': opening it gave None: the function must"):
        probe(load(address("give_none")))


def test_missing_verbs_are_named() -> None:
    """What is neither contract is refused with the address and each missing verb, a verb that is None included."""
    with pytest.raises(AddressError) as raised:
        probe(load(address("HalfState")))
    text = str(raised.value)
    assert "backend 'tests.test_profile:HalfState': what it opened, <tests.test_profile.HalfState object at" in text
    assert "of type HalfState, is no state store: it has no __setitem__, __delitem__, __len__;" in text
    assert "is no log store: it has no append, read, head." in text
    assert "conformance.adapt(store, get=..., set=..., delete=..., keys=...)" in text


def test_declared_contract_must_have_its_verbs() -> None:
    """A Backend record that opens a log which is none is refused, though its state is sound."""
    backend = Backend("mixed", state=lambda _where: State(), log=lambda _where: State())
    with pytest.raises(
        AddressError, match=r"backend 'mixed': what it opened, \{\} of type State, is no log store: it has no"
    ):
        probe(backend)


class Unwilling(State):
    """A store that can't even be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name}: not connected")


class Stuck(State):
    """A store that can't be closed."""

    def close(self) -> None:
        """Fail."""
        raise OSError("disk full")


def fail(_where: Where) -> None:
    """Fail to open."""
    raise OSError("no such server")


async def fail_later(_where: Where) -> None:
    """Fail to open, in an event loop."""
    raise OSError("no such server")


async def open_stuck(_where: Where) -> Stuck:
    """Open, in an event loop."""
    return Stuck()


@asynccontextmanager
async def lend_once(_where: Where) -> AsyncIterator[State]:
    """Fail to end."""
    yield State()
    raise OSError("disk full")


@pytest.mark.parametrize(
    ("opener", "error"),
    [
        (fail, "opening x raised OSError: no such server"),
        (fail_later, "opening x raised OSError: no such server"),
        (lambda _where: Unwilling(), "looking at x raised RuntimeError: version: not connected"),
        (lambda _where: Stuck(), "closing x raised OSError: disk full"),
        (open_stuck, "closing x raised OSError: disk full"),
        (lend_once, "closing x raised OSError: disk full"),
    ],
    ids=["open", "open async", "look", "close", "close async", "leave"],
)
def test_store_that_raises_is_told(opener: Callable[[Where], Any], error: str) -> None:
    """A store that raises when it is opened or closed makes a profile with the reason, and leaves no event loop."""
    assert probe(Backend("x", state=opener)) == Profile(Backend("x", state=opener), {}, {}, error)
    assert not [thread for thread in threading.enumerate() if "portal" in thread.name]


def test_error_names_the_address() -> None:
    """Where the backend has an address, that is what the error names."""
    backend = Backend("x", state=fail, address="mystore:backend")
    assert probe(backend).error == "opening mystore:backend raised OSError: no such server"


def test_async_contracts_are_recognised() -> None:
    """An async store has `__aiter__` in place of `__iter__`."""

    class Async:
        async def __getitem__(self, key: str) -> Any: ...

        async def __setitem__(self, key: str, value: Any) -> None: ...

        async def __delitem__(self, key: str) -> None: ...

        async def __len__(self) -> int: ...

        async def __aiter__(self) -> AsyncIterator[str]:
            yield ""

    assert tuple(probe(Backend("x", state=lambda _where: Async())).missing) == ("state",)
