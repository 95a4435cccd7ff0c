"""Children of workers: how long a store may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.hosting import hosted
from conformance.workers import Bay
from conformance.workers.forked import HANG_S, Ended, alone, each, hangs_after
from tests.crash import stores as s


def test_a_store_that_starts_a_server_may_take_longer(tmp_path: Path) -> None:
    """Not for ever."""
    backend = load("reference_backends.postgres:backend")
    assert hangs_after(Bay(s.TRAPPED, "state", tmp_path)) == HANG_S
    assert hangs_after(Bay(backend, "state", tmp_path)) == HANG_S  # its server is there already
    assert HANG_S < hangs_after(Bay(hosted(backend), "log", tmp_path)) < 10 * HANG_S


def wait_for_ever(_bay: Bay, _thing: object) -> None:
    """Hang."""
    import signal

    signal.pause()


def test_a_limit_that_is_given_counts(tmp_path: Path) -> None:
    """Whatever the store."""
    bay = Bay(hosted(load("reference_backends.postgres:backend")), "state", tmp_path)
    ended = Ended("hung", "no answer within 0 s")
    assert alone(bay, wait_for_ever, 1, 0.05) == ended
    assert each(bay, wait_for_ever, [1, 2], 0.05) == [ended]


def raise_it(_bay: Bay, thing: BaseException | int) -> int:
    """Return a number, or raise an exception."""
    if isinstance(thing, BaseException):
        raise thing
    return thing


@pytest.mark.parametrize("error", [TypeError("no order"), EOFError("no end"), OSError("no file")])
def test_what_is_done_with_a_store_must_not_fail_itself(error: Exception, tmp_path: Path) -> None:
    """A fault of the kit is told as one: it does not look as if the store had ended the process."""
    bay = Bay(s.TRAPPED, "state", tmp_path)
    with pytest.raises(RuntimeError, match=f"{type(error).__name__}: {error}"):
        alone(bay, raise_it, error)
    with pytest.raises(RuntimeError, match="in raise_it"):
        each(bay, raise_it, [1, error, 2])
    assert each(bay, raise_it, [1, 2]) == [1, 2]


def give_what_cannot_be_sent(_bay: Bay, thing: int) -> object:
    """Return a number, or what has no pickle."""
    return (number for number in range(thing)) if thing else thing


def test_an_answer_that_can_not_be_sent_is_no_death(tmp_path: Path) -> None:
    """A store may give anything."""
    bay = Bay(s.TRAPPED, "state", tmp_path)
    with pytest.raises(RuntimeError, match="cannot pickle 'generator' object"):
        alone(bay, give_what_cannot_be_sent, 1)
    with pytest.raises(RuntimeError, match="cannot pickle 'generator' object"):
        each(bay, give_what_cannot_be_sent, [0, 1, 0])
    assert each(bay, give_what_cannot_be_sent, [0, 0]) == [0, 0]


class PanicError(BaseException):
    """What some extensions raise, so that nobody catches it."""


def test_what_no_handler_of_exceptions_catches_ends_the_process(tmp_path: Path) -> None:
    """It is told by which name; the other things are done."""
    bay = Bay(s.TRAPPED, "state", tmp_path)
    panic = Ended("died", "the process was ended by PanicError: no char boundary")
    assert each(bay, raise_it, [1, PanicError("no char boundary"), 2]) == [1, panic, 2]
    assert alone(bay, raise_it, SystemExit(3)) == Ended("died", "the process was ended by SystemExit: 3")
