"""Processes that carry out jobs."""

from __future__ import annotations

import sys

import pytest

from tests.proof import crew
from tests.proof.crew import Process, carried_out
from tests.proof.plan import ODD, Job
from tests.test_odd import odd_backends


def test_a_process_judges_mutants_and_stores() -> None:
    """A mutant is failed by the check that must kill it; an odd store and a reference pass, in the same process."""
    odd = next(one.name for one in odd_backends() if one.contracts == ("state",))
    batch = [
        Job("alias_on_get", "STATE-ALIAS-02", 0, long=True),
        Job(f"{ODD}{odd}", "STATE-BASIC-01", 3, long=False),
        Job("reference_backends.memory:backend", "STATE-BASIC-01", 3, long=False),
        Job("alias_on_get", "STATE-ALIAS-02", 1, long=False),
    ]
    answers = list(carried_out(iter([batch]), 1, lambda: True))
    assert [job for job, _ in answers] == batch
    assert [answer["outcome"] for _, answer in answers] == ["fail", "pass", "pass", "fail"]


def test_nothing_is_begun_when_time_is_up() -> None:
    """No batch is begun after the time, and the end is reached."""
    assert list(carried_out(iter([[Job("alias_on_get", "STATE-ALIAS-02", 0, long=True)]]), 1, lambda: False)) == []


@pytest.mark.parametrize("program", ["import sys; sys.stdin.read()", "pass"], ids=["hangs", "ends"])
def test_a_process_that_does_not_answer_is_replaced(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that takes too long, or whose process ends, is late, and the next one gets a new process."""
    monkeypatch.setattr(crew, "SHORT", 0.1)
    monkeypatch.setattr(crew, "FIRST", 0.0)
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    one = Process()
    assert one.judge(Job("alias_on_get", "STATE-ALIAS-02", 0, long=False))["outcome"] == "late"
    echo = 'import sys\nfor line in sys.stdin: print(\'{"outcome": "pass"}\', flush=True)'
    monkeypatch.setattr(crew, "SHORT", 60.0)
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", echo))
    assert one.judge(Job("alias_on_get", "STATE-ALIAS-02", 0, long=False)) == {"outcome": "pass"}
    one.close()
