"""A finding of scheduled threads is met again by the printed command, every time."""

from __future__ import annotations

import json
import os
import shlex

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
CODE = "STATE-CONC-01"
#: A store of which a put copies all, and puts the copy in the place of all; and the same under a lock.
STORES = """
import threading
from collections.abc import MutableMapping
from conformance import Backend

class Copied(MutableMapping):
    def __init__(self):
        self.data = {}

    def __getitem__(self, key):
        return self.data[key]

    def __setitem__(self, key, value):
        copy = dict(self.data)
        copy[key] = value
        self.data = copy

    def __delitem__(self, key):
        copy = dict(self.data)
        del copy[key]
        self.data = copy

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)

    def close(self):
        pass

class Locked(Copied):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def __setitem__(self, key, value):
        with self.lock:
            super().__setitem__(key, value)

    def __delitem__(self, key):
        with self.lock:
            super().__delitem__(key)

def opener(kind):
    opened = {}
    return lambda where: opened.setdefault(where.path, kind())

backend = Backend("copied", state=opener(Copied), sharing="threads")
locked = Backend("copied", state=opener(Locked), sharing="threads")
"""


def run(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Run pytest without what would change the order, or share the work."""
    return pytester.runpytest("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", *words)


def finding(result: pytest.RunResult) -> list[str]:
    """Return the failure's lines, from what was done on to the command."""
    lines = result.outlines
    start = next(i for i, line in enumerate(lines) if "that can't be" in line)
    end = next(i for i, line in enumerate(lines) if line.strip().startswith("rerun"))
    return lines[start : end + 1]


def test_the_printed_command_finds_it_again(pytester: pytest.Pytester) -> None:
    """Three times of three, with the same text, whose switches name lines of the store; a repaired store passes."""
    pytester.makepyfile(store=STORES)
    first = run(pytester, "--backend=./store.py:backend", "--effort=normal", "-k", CODE)
    shown = finding(first)
    command = shown[-1].partition("rerun")[2].split()
    assert command[0] == "pytest"
    assert any(word.startswith(f"--conformance-round={CODE}:scheduled:") for word in command)
    assert any("store.py:" in line and "⇢ w" in line for line in shown)
    words = shlex.split(" ".join(command[1:]))
    for _ in range(3):
        again = run(pytester, *words, "--conformance-json=record.json")
        again.assert_outcomes(failed=1)
        assert finding(again) == shown
    backend = json.loads((pytester.path / "record.json").read_text())["backends"][0]
    assert backend["case"] == CODE
    assert "--conformance-round=" + backend["round"] in words
    check = backend["contracts"][0]["suites"][0]["checks"][0]
    assert check["counterexample"]["repeat"] == backend["round"]
    assert any(one["witness"] for one in check["counterexample"]["history"]["operations"])
    repaired = run(pytester, *(word.replace(":backend", ":locked") for word in words))
    repaired.stdout.fnmatch_lines([f"  CONFORMANT in the one round of {CODE}, and nothing else was tried"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("17", "*'17' names no round. Write CODE:scheduled:ROUND:SWITCHES, such as *"),
        (f"{CODE}:free:3:", "*only rounds of scheduled threads can be repeated. Write *"),
        (f"{CODE}:scheduled:3:0w0", "*a switch that is none: '40w1' lets worker 1 go on at step 40.*"),
        (f"{CODE}:scheduled:x:", "*has no number of a round*"),
        ("STATE-CONC-1:scheduled:3:", "*no check of the suite concurrency is called 'STATE-CONC-1'. Did you mean *"),
        ("LOG-CONC-01:scheduled:3:", "*LOG-CONC-01 is of the contract 'log'; copied is judged by state.*"),
    ],
)
def test_what_names_no_round_is_an_error(given: str, told: str, pytester: pytest.Pytester) -> None:
    """Nothing is judged; the text says what to write."""
    pytester.makepyfile(store=STORES)
    result = pytester.runpytest("--backend=./store.py:backend", f"--conformance-round={given}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])
