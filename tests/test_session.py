"""Sessions: names of handles, recorded calls, reopening, other processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.backend import Backend, Where
from conformance.child import ChildError, in_new_process
from conformance.session import ManualClock, Session
from tests.mutants.base import HONEST


def session(root: Path, backend: Backend = HONEST, contract: str = "state") -> Session:
    """Return a session on a backend."""
    return Session(backend, contract, Where(root, clock=ManualClock()))


def sources(one: Session) -> list[str]:
    """Return the recorded calls as text."""
    return [f"{call.source} {call.outcome}".strip() for call in one.recorder.calls]


def test_calls_are_numbered_and_written_as_python(tmp_path: Path) -> None:
    """Every verb is recorded as the line that a person would type, with what came of it."""
    one = session(tmp_path)
    store = one.open()
    store["a"] = [1]
    assert store["a"] == [1]
    assert "a" in store
    assert store.keys() == ["a"]
    assert len(store) == 1
    del store["a"]
    with pytest.raises(KeyError):
        store["a"]
    one.close()
    assert sources(one) == [
        "store = session.open() -> PlainState",
        "store['a'] = [1] -> None",
        "store['a'] -> [1]",
        "'a' in store -> True",
        "list(store) -> ['a']",
        "len(store) -> 1",
        "del store['a'] -> None",
        "store['a'] raised KeyError: 'a'",
        "store.close() -> None",
    ]
    assert [call.number for call in one.recorder.calls] == list(range(1, 10))


def test_handles_have_names_of_their_own(tmp_path: Path) -> None:
    """A second handle has a name of its own; a reopened one takes the first name again."""
    one = session(tmp_path)
    store, second = one.open(), one.open()
    store["a"] = 1
    assert second["a"] == 1
    store = one.reopen(store)
    assert store["a"] == 1
    one.close()
    assert [source.partition(" ")[0] for source in sources(one)] == [
        "store",
        "second",
        "store['a']",
        "second['a']",
        "store.close()",
        "store",
        "store['a']",
        "second.close()",
        "store.close()",
    ]


def test_another_process_reads_what_was_written(tmp_path: Path) -> None:
    """A new process opens the store by its address and returns everything in it."""
    one = session(tmp_path)
    store = one.open()
    store["a"] = {"x": [1, None]}
    store.close()
    assert one.read_in_new_process() == {"a": {"x": [1, None]}}


def test_an_error_in_another_process_is_told(tmp_path: Path) -> None:
    """What the store raises in a new process comes back as text."""
    one = session(tmp_path, Backend("gone", state=HONEST.state, address="tests.mutants.base:NOTHING"))
    with pytest.raises(ChildError, match="NOTHING"):
        one.read_in_new_process()


def test_a_process_that_dies_or_hangs_is_told() -> None:
    """A new process that exits, or takes too long, is an error that says so."""
    import os
    import signal

    with pytest.raises(ChildError, match="died with exit code 7"):
        in_new_process(os._exit, 7)
    with pytest.raises(ChildError, match="no answer within 1 s"):
        in_new_process(signal.pause, timeout_s=1)


def test_the_clock_is_moved_by_hand(tmp_path: Path) -> None:
    """The clock of a place stands still until the session moves it."""
    one = session(tmp_path)
    start = one.where.clock()
    one.advance(10.5)
    assert one.where.clock() == start + 10.5
    assert sources(one) == ["session.advance(10.5) -> None"]


def test_a_flush_acknowledges(tmp_path: Path) -> None:
    """Where the backend names a flush, it is called and recorded."""
    flushed: list[object] = []
    one = session(tmp_path, Backend("flushing", state=HONEST.state, flush=flushed.append))
    store = one.open()
    store.acknowledge()
    one.close()
    assert len(flushed) == 1
    assert "store.acknowledge() -> None" in sources(one)


def test_a_failed_close_does_not_hide_what_led_to_it(tmp_path: Path) -> None:
    """Abandoning a session closes what can be closed, and raises nothing."""
    one = session(tmp_path)
    store = one.open()
    store.close()

    class Sticky:
        def close(self) -> None:
            raise OSError

        __getitem__ = __setitem__ = None

    other = session(tmp_path, Backend("sticky", state=lambda _: Sticky()))
    other.open()
    other.abandon()


def test_a_session_can_be_had_from_an_address() -> None:
    """A script gets a session from an address alone."""
    one = Session.at("tests.mutants.base:HONEST", "state")
    store = one.open()
    store["a"] = 1
    one.close()
    assert one.read_in_new_process() == {"a": 1}
