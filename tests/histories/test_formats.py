"""Histories as text: each format, and what is wrong with a line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.histories.formats import FormatError, read_jepsen, read_jsonl, read_porcupine_kv, write_jsonl
from conformance.histories.operation import NEVER, History, Operation

JEPSEN = """\
INFO  jepsen.util - 0\t:invoke\t:write\t1
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:read\tnil
INFO  jepsen.core - nothing of ours
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 0\t:ok\t:write\t1
INFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 2\t:invoke\t:cas\t[3 4]
INFO  jepsen.util - 2\t:fail\t:cas\t[3 4]
INFO  jepsen.util - 1\t:info\t:cas\t:timed-out
INFO  jepsen.util - 2\t:invoke\t:write\t1

INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 0\t:fail\t:read\t:timed-out
INFO  jepsen.util - 0\t:invoke\t:cas\t[2 5]
INFO  jepsen.util - 0\t:ok\t:cas\t[2 5]
INFO  jepsen.util - 3\t:invoke\t:read\tnil
INFO  jepsen.util - 3\t:ok\t:read\t5
"""
PORCUPINE = """\
{:process 0, :type :invoke, :f :append, :key "k", :value "x 0 0 y"}
{:process 1, :type :invoke, :f :get, :key "k", :value nil}
{:process 1, :type :ok, :f :get, :key "k", :value ""}
{:process 0, :type :ok, :f :append, :key "k", :value "x 0 0 y"}
{:process 0, :type :invoke, :f :put, :key "k", :value "z"}
{:process 1, :type :invoke, :f :get, :key "k", :value nil}
{:process 1, :type :ok, :f :get, :key "k", :value "z"}
"""


def test_jepsen() -> None:
    """Calls and ends are put together; a write or cas that timed out, or never ended, stays open."""
    assert read_jepsen(JEPSEN) == [
        Operation(1, 4, 0, "put", value=1),
        Operation(2, 3, 1, "get"),
        Operation(5, NEVER, 1, "cas", value=2, expected=1, outcome="info"),
        Operation(6, 7, 2, "cas", value=4, expected=3, answer=False),
        Operation(8, NEVER, 2, "put", value=1, outcome="info"),
        Operation(9, 10, 0, "get", outcome="fail"),
        Operation(11, 12, 0, "cas", value=5, expected=2, answer=True),
        Operation(13, 14, 3, "get", answer=5),
    ]


def test_jepsen_windows_line_ends() -> None:
    """A log that was copied through Windows is the same."""
    assert read_jepsen(JEPSEN.replace("\n", "\r\n")) == read_jepsen(JEPSEN)


def test_jepsen_what_surely_failed_did_nothing() -> None:
    """A write that failed, and a cas whose failure does not tell what it saw, have the outcome `fail`."""
    steps = (":invoke\t:write\t1", ":fail\t:write\t:refused", ":invoke\t:cas\t[1 2]", ":fail\t:cas\t:refused")
    assert read_jepsen("".join(f"INFO  jepsen.util - 0\t{step}\n" for step in steps)) == [
        Operation(1, 2, 0, "put", value=1, outcome="fail"),
        Operation(3, 4, 0, "cas", value=2, expected=1, outcome="fail"),
    ]


def test_porcupine_kv() -> None:
    """Keys and texts are kept as they stand; what never ended stays open."""
    assert read_porcupine_kv(PORCUPINE) == [
        Operation(1, 4, 0, "append", "k", "x 0 0 y"),
        Operation(2, 3, 1, "get", "k", answer=""),
        Operation(5, NEVER, 0, "put", "k", "z", outcome="info"),
        Operation(6, 7, 1, "get", "k", answer="z"),
    ]


def test_jsonl() -> None:
    """Absent fields have their defaults, lists become tuples, and operations are in the order of their calls."""
    text = """\
{"call": 3, "end": null, "worker": 1, "verb": "put", "key": "a", "value": [1, [2]], "outcome": "info"}

{"call": 1, "end": 2, "worker": 0, "verb": "get", "key": "a"}
{"call": 4, "worker": 2, "verb": "cas", "key": 7, "value": 1.5, "expected": true, "outcome": "info"}
{"call": 5, "end": 6, "worker": 3, "verb": "transaction", "answer": [["append", "x", 1], ["read", "y", [1, 2]]]}
"""
    assert read_jsonl(text) == [
        Operation(1, 2, 0, "get", "a"),
        Operation(3, NEVER, 1, "put", "a", (1, (2,)), outcome="info"),
        Operation(4, NEVER, 2, "cas", 7, 1.5, expected=True, outcome="info"),
        Operation(5, 6, 3, "transaction", answer=(("append", "x", 1), ("read", "y", (1, 2)))),
    ]


def test_jsonl_is_short_and_has_a_null_for_never() -> None:
    """What has its default is left out, except the end."""
    history = [
        Operation(1, NEVER, 0, "put", "a", (1, "\u2028"), outcome="info"),
        Operation(2, 3, 1, "get", "a", answer=0),
    ]
    assert write_jsonl(history).splitlines() == [
        '{"call": 1, "end": null, "worker": 0, "verb": "put", "key": "a", "value": [1, "\\u2028"], "outcome": "info"}',
        '{"call": 2, "end": 3, "worker": 1, "verb": "get", "key": "a", "answer": 0}',
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3).map(tuple),
    max_leaves=5,
)
OPERATIONS = st.builds(
    Operation,
    call=st.integers(0, 100),
    end=st.integers(100, 200),
    worker=st.integers(0, 9),
    verb=st.sampled_from(["get", "put", "delete", "cas", "increment", "append", "read"]),
    key=VALUES,
    value=VALUES,
    expected=VALUES,
    answer=VALUES,
    outcome=st.sampled_from(["ok", "fail", "info"]),
)
#: In a fresh clone Hypothesis makes its tables of Unicode first, which takes seconds on a busy machine.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Some never returned.
OPERATIONS |= OPERATIONS.map(lambda operation: operation._replace(end=NEVER, outcome="info"))


@UNHURRIED
@given(st.lists(OPERATIONS, max_size=5))
def test_jsonl_reads_what_it_writes(history: list[Operation]) -> None:
    """Nothing is lost or changed, not even between 1, 1.0 and True."""
    history.sort(key=lambda operation: operation.call)
    assert repr(read_jsonl(write_jsonl(history))) == repr(history)


@UNHURRIED
@given(st.text() | st.text(alphabet='{}[]":,0 calendworkvb'))
def test_no_text_makes_a_reader_fail_otherwise(text: str) -> None:
    """A reader returns a history or raises FormatError, whatever it is given."""
    for read in (read_jsonl, read_jepsen, read_porcupine_kv):
        with suppress(FormatError):
            read(text)


@pytest.mark.parametrize("value", [b"bytes", frozenset({1}), float("nan"), {"a": 1}])
def test_jsonl_refuses_to_write_what_could_not_be_read(value: object) -> None:
    """A value that JSON does not have is refused, with the number of the operation."""
    history = [Operation(1, 2, 0, "get", "a"), Operation(3, 4, 0, "put", "a", value)]
    with pytest.raises(FormatError, match="line 2: its values must be JSON's, or tuples"):
        write_jsonl(history)


PUT = '{"call": 1, "end": 2, "worker": 0, "verb": "put"'


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("nonsense", "an operation is a JSON object (Expecting value, column 1)"),
        ("[1, 2]", "an operation is a JSON object"),
        ("[" * 100_000, "an operation is a JSON object"),
        (f'{PUT}, "colour": 1, "age": 2}}', "an operation has no `age, colour`; it has call, end, worker, "),
        ('{"call": 1, "end": 2, "verb": "put"}', "an operation has the field `worker`"),
        (f'{PUT}, "call": "1"}}', "`call` is a whole number"),
        (f'{PUT}, "end": 2.5}}', "`end` is a whole number"),
        (f'{PUT}, "worker": true}}', "`worker` is a whole number"),
        (f'{PUT}, "end": 0}}', "an operation does not end before its call"),
        (f'{PUT}, "verb": "push"}}', "`verb` is one of get, put, delete, "),
        (f'{PUT}, "verb": []}}', "`verb` is one of get, put, delete, "),
        (f'{PUT}, "outcome": "maybe"}}', "`outcome` is one of ok, fail, info"),
        (f'{PUT}, "end": null}}', "only an operation with the outcome info has no end"),
        (f'{PUT}, "value": [{{}}]}}', "a value is a number, a text, true, false, null, or a list of these"),
        (f'{PUT}, "value": NaN}}', "NaN is no JSON"),
        (f'{PUT}, "verb": "transaction", "value": 3}}', "a transaction is a list of "),
        (f'{PUT}, "verb": "transaction", "answer": [["append", 1]]}}', "a transaction is a list of "),
    ],
)
def test_jsonl_that_is_malformed(line: str, rule: str) -> None:
    """The line and the rule that it breaks are told."""
    refused(read_jsonl, f"{PUT}}}\n\n{line}\n", 3, line, rule)


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        ("0\t:invoke\t:write\tx", "a write has a whole number"),
        ("0\t:invoke\t:cas\t[1]", "a cas has two whole numbers as `[1 2]`"),
        ("0\t:invoke\t:push\t1", "a step is a process, "),
        ("0\t:invoke\t:write", "a step is a process, "),
        ("9\t:ok\t:read\tx", "a read answers a whole number or nil"),
        ("9\t:ok\t:write\t1", "process 9 ends what it called before"),
        ("8\t:ok\t:read\t1", "process 8 ends what it called before"),
        ("9\t:invoke\t:read\tnil", "process 9 calls one operation at a time"),
    ],
)
def test_a_log_of_jepsen_that_is_malformed(step: str, rule: str) -> None:
    """A step that can't be read, or does not follow, is refused."""
    line = f"INFO  jepsen.util - {step}"
    refused(read_jepsen, f"INFO  jepsen.util - 9\t:invoke\t:read\tnil\n{line}\n", 2, line, rule)


def test_what_is_no_log_of_jepsen() -> None:
    """A line that no logger wrote is refused: a file of another format is not an empty history."""
    refused(read_jepsen, f"{PUT}}}\n", 1, f"{PUT}}}", "a line of the log begins as")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("nonsense", "a step is `{:process 0, "),
        ('{:process 0, :type :invoke, :f :push, :key "k", :value nil}', "a step is `{:process 0, "),
        ('{:process 0, :type :invoke, :f :put, :key "k", :value nil}', "a put has a text"),
        ('{:process 0, :type :ok, :f :get, :key "k", :value "x"}', "process 0 ends what it called before"),
        ('{:process 1, :type :ok, :f :get, :key "other", :value "x"}', "process 1 ends what it called before"),
        ('{:process 1, :type :invoke, :f :get, :key "k", :value nil}', "process 1 calls one operation at a time"),
    ],
)
def test_a_log_of_porcupine_that_is_malformed(line: str, rule: str) -> None:
    """A step that can't be read, or does not follow, is refused."""
    first = '{:process 1, :type :invoke, :f :get, :key "k", :value nil}\n'
    refused(read_porcupine_kv, f"{first}{line}\n", 2, line, rule)


def refused(read: Callable[[str], History], text: str, number: int, line: str, rule: str) -> None:
    """Require that a text is refused because of a line and a rule."""
    with pytest.raises(FormatError) as refusal:
        read(text)
    error = refusal.value
    assert isinstance(error, ValueError)
    assert (error.number, error.text) == (number, line)
    assert error.rule.startswith(rule)
    assert str(error).startswith(f"line {number}: {rule}")
    assert len(str(error)) < 400
