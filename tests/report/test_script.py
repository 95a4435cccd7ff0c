"""Reproduction scripts repeat what the check did, blocks and versions included."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.recording import Call
from conformance.report.script import LONGEST, script_text, standalone, write_script
from conformance.result import Counterexample, Result, Violation
from conformance.session import Handle, Session
from tests.mutants.capable_base import CapableState, capable
from tests.odd.capabilities import AbsentError, LogState

ADDRESS = "tests.report.test_script"
honest = capable("honest", CapableState)
odd = capable("odd", LogState, errors={"missing": AbsentError})


class SwallowingState(CapableState):
    """Goes on after an exception."""

    def transaction(self) -> Any:
        """Return a context manager that swallows."""
        return _Swallowing(self)


class _Swallowing:
    def __init__(self, store: CapableState) -> None:
        self._draft = store.draft()

    def __enter__(self) -> Any:
        return self._draft

    def __exit__(self, *error: object) -> bool:
        return True


swallowing = capable("swallowing", SwallowingState)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Return a function that makes calls to a store, then runs the script of them, and returns what it prints."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def carry_out(name: str, body: Callable[[Session, Handle], None]) -> list[str]:
        session = Session.at(f"{ADDRESS}:{name}", "state")
        with suppress(Violation):
            body(session, session.open())
        exec(compile(script_text(failure(session.recorder.calls), f"{ADDRESS}:{name}"), "script.py", "exec"), {})
        return capsys.readouterr().out.splitlines()

    return carry_out


def failure(calls: list[Call]) -> Result:
    """Return a failed result with these calls."""
    example = Counterexample("reading", '"""1"""', "2\\n", tuple(calls))
    return Result("b", "state", "round-trip", "STATE-X-01", "must", "A rule.", "fail", counterexample=example)


def test_calls_are_repeated_with_what_comes_of_them(run: Callable[..., list[str]]) -> None:
    """Each call is printed with its number and its result; one that raised is caught."""

    def body(session: Session, store: Handle) -> None:
        store["a"] = {"n": 1}
        assert store["a"]
        with pytest.raises(KeyError):
            assert store["b"]
        store.set("c", None, ttl=5)
        session.advance(5)
        assert store.get_version("c", store.versions("c")[0]) is None
        assert "c" not in store

    assert run("honest", body) == [
        "   1. store = session.open()",
        "   2. store['a'] = {'n': 1}",
        "   3. store['a'] -> {'n': 1}",
        "   4. store['b'] -> KeyError('b')",
        "   5. store.set('c', None, ttl=5) -> None",
        "   6. session.advance(5) -> None",
        "   7. store.versions('c') -> [2]",
        "   8. store.get_version('c', 2) -> None",
        "   9. 'c' in store -> False",
    ]


def test_blocks_end_as_they_ended_in_the_check(run: Callable[..., list[str]]) -> None:
    """A transaction is committed, or left by what left it: its own exception, a refused value, a cancellation."""

    def body(session: Session, store: Handle) -> None:
        with store.transaction() as t:
            t["a"] = 1
            with pytest.raises(KeyError):
                del t["missing"]
        with suppress(RuntimeError), store.transaction() as t:
            t["b"] = 1
            raise RuntimeError("stop")
        with suppress(TypeError), store.transaction() as t:
            t["c"] = 1
            t["d"] = {1}
        with suppress(BaseException), store.transaction():
            raise BaseException("cancelled")
        with store.transaction():
            pass
        assert list(store.keys()) == ["a"]

    printed = [line.partition("('value")[0] for line in run("honest", body)]
    assert [line for line in printed if "with" in line] == [
        "   2. end of with store.transaction() as t -> 'no exception'",
        "   5. with store.transaction() as t: -> RuntimeError('stop')",
        "   8. with store.transaction() as t: -> TypeError",
        "  11. with store.transaction() as t: -> BaseException('cancelled')",
        "  13. end of with store.transaction() as t -> 'no exception'",
    ]
    assert printed[-1] == "  14. list(store) -> ['a']"


def test_swallowed_exception_shows(run: Callable[..., list[str]]) -> None:
    """A block whose exception the store swallowed is seen to end without one."""

    def body(session: Session, store: Handle) -> None:
        with store.transaction():
            raise RuntimeError("stop")

    assert run("swallowing", body)[-1] == "   2. end of with store.transaction() as t -> 'no exception'"


def test_rule_broken_inside_a_block_is_no_call(run: Callable[..., list[str]]) -> None:
    """What the check raises when it finds the rule broken is not repeated."""

    def body(session: Session, store: Handle) -> None:
        with store.transaction() as t:
            t["a"] = 1
            raise Violation("reading", expected="2", got="1")

    assert run("honest", body) == [
        "   1. store = session.open()",
        "   3. t['a'] = 1",
        "   2. end of with store.transaction() as t -> 'no exception'",
    ]


def test_versions_are_those_of_the_run(run: Callable[..., list[str]]) -> None:
    """A version that the store made at random in the check is another one in the script, and used as such."""

    def body(session: Session, store: Handle) -> None:
        store["é"] = 1
        version = store.version("é")
        newer = store.compare_and_set("é", "é", version)
        store.compare_and_set("é", 3, newer)
        store.compare_and_set("é", 4, version)
        store.compare_and_set("new", 5, None)
        store.get_version("é", store.versions("é")[1])

    printed = [re.sub(r"'[0-9a-f]{16}'", "#", line) for line in run("odd", body)]
    assert printed[3:] == [
        "   4. store.compare_and_set('é', 'é', ('version', #)) -> ('version', #)",
        "   5. store.compare_and_set('é', 3, ('version', #)) -> ('version', #)",
        "   6. store.compare_and_set('é', 4, ('version', #)) -> False",
        "   7. store.compare_and_set('new', 5, None) -> ('version', #)",
        "   8. store.versions('é') -> [#, #, #]",
        "   9. store.get_version('é', #) -> 'é'",
    ]


def test_script_is_written_where_it_can_be(tmp_path: Path) -> None:
    """The script lies in a folder named after the backend; none is written that would not be Python."""
    good = failure([Call(1, "store = session.open()"), Call(2, "store['a'] = '\\ud800'")])
    path = write_script(tmp_path, good, "x:y")
    assert path == tmp_path / "b" / "STATE-X-01.py"
    assert "expected '''1'''" in path.read_text("utf-8")
    for source in ("store['a'] = 'aaa… (999 characters)'", "store['a'] = <object at 0x7f>"):
        assert write_script(tmp_path, failure([Call(1, source)]), "x:y") is None
    (tmp_path / "file").touch()
    assert write_script(tmp_path / "file", good, "x:y") is None


@pytest.mark.parametrize(
    ("source", "kept"),
    [("store['a'] = 1", True), ("store['a'] = '…'", False), (f"store['a'] = {'x' * LONGEST!r}", False)],
)
def test_a_script_in_the_record_is_whole_or_not_there(source: str, *, kept: bool) -> None:
    """One that can't be written out, or is too long, is not cut: nobody could run it."""
    backend: Backend = load(f"{ADDRESS}:honest")
    text = standalone(failure([Call(1, "store = session.open()"), Call(2, source)]), backend)
    assert bool(text) == kept
    assert standalone(failure([]), backend) == ""
    assert standalone(failure([Call(1, "store = session.open()")]), replace(backend, address="")) == ""
