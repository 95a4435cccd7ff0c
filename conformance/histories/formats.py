"""Recorded histories as text: our own JSON lines, Jepsen's log of a register, and Porcupine's log of a key-value store.

Sources: jepsen.io (lines of `jepsen.util`); the test data of anishathalye/porcupine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, get_args

from conformance.histories.operation import NEVER, History, Operation, Outcome, Verb

_TEXT_MOST = 120
_REQUIRED = ("call", "worker", "verb")
_DEFAULTS: Mapping[str, Any] = Operation._field_defaults

_LOG_LINE = re.compile(r"[A-Z]+\s+[\w.$-]+ - ")
_JEPSEN_STEP = re.compile(r"[A-Z]+\s+jepsen\.util - \d")
_JEPSEN = re.compile(r"[A-Z]+\s+jepsen\.util - (\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(\S.*)")
_JEPSEN_VALUE = re.compile(r"-?\d+")
_JEPSEN_CAS = re.compile(r"\[(-?\d+) (-?\d+)\]")
_JEPSEN_VERBS: Mapping[str, Verb] = {"read": "get", "write": "put", "cas": "cas"}
_PORCUPINE = re.compile(
    r"\{:process (\d+), :type :(invoke|ok|fail|info), :f :(get|put|append), :key \"(.*?)\", :value (?:nil|\"(.*)\")\}"
)
_PORCUPINE_VERBS: Mapping[str, Verb] = {"get": "get", "put": "put", "append": "append"}
_OUTCOMES: Mapping[str, Outcome] = {"ok": "ok", "fail": "fail", "info": "info"}


class FormatError(ValueError):
    """A line that breaks a rule of its format.

    Args:
        number: Of the line, from 1.
        text: The line.
        rule: What it should have been.
    """

    def __init__(self, number: int, text: str, rule: str) -> None:
        self.number, self.text, self.rule = number, text, rule
        shown = text if len(text) <= _TEXT_MOST else text[:_TEXT_MOST] + "..."
        super().__init__(f"line {number}: {rule}: {shown}")


def read_jsonl(text: str) -> History:
    """Return the history in JSON lines: each an object with the fields of `Operation` by name.

    `end` is null or absent for what never returned; other fields that are absent have their defaults; lists are tuples.

    Raises:
        FormatError: A line is not such an object.
    """
    found: list[Operation] = []
    _each_line(text, lambda line: found.append(_operation(line)))
    return sorted(found, key=lambda operation: operation.call)


def write_jsonl(history: History) -> str:
    """Return a history as JSON lines, without the fields that have their defaults.

    Raises:
        FormatError: A value is neither of JSON's nor a tuple.
    """
    lines: list[str] = []
    for number, operation in enumerate(history, start=1):
        fields = {name: value for name, value in operation._asdict().items() if name not in _DEFAULTS}
        fields["end"] = None if operation.end == NEVER else operation.end
        fields |= {name: value for name in _DEFAULTS if (value := getattr(operation, name)) != _DEFAULTS[name]}
        try:
            lines.append(json.dumps(_each_hashable(fields), allow_nan=False) + "\n")
        except (TypeError, ValueError) as error:
            raise FormatError(number, repr(operation), f"its values must be JSON's, or tuples: {error}") from None
    return "".join(lines)


def _operation(line: str) -> Operation:
    try:
        fields = json.loads(line, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"an operation is a JSON object ({error.msg}, column {error.colno})") from None
    except RecursionError:
        raise ValueError("an operation is a JSON object, not so deep a list") from None
    _require(isinstance(fields, dict), "an operation is a JSON object")
    known, strangers = ", ".join(Operation._fields), ", ".join(sorted(fields.keys() - set(Operation._fields)))
    _require(not strangers, f"an operation has no `{strangers}`; it has {known}")
    for name in _REQUIRED:
        _require(name in fields, f"an operation has the field `{name}`")
    fields = _each_hashable(fields)
    operation = Operation(**{**fields, "end": NEVER if fields.get("end") is None else fields["end"]})
    for name in ("call", "end", "worker"):
        _require(type(getattr(operation, name)) is int, f"`{name}` is a whole number")
    _require(operation.call <= operation.end <= NEVER, "an operation does not end before its call")
    _require(operation.verb in get_args(Verb), f"`verb` is one of {', '.join(get_args(Verb))}")
    _require(operation.outcome in get_args(Outcome), f"`outcome` is one of {', '.join(get_args(Outcome))}")
    _require(operation.outcome == "info" or operation.end < NEVER, "only an operation with the outcome info has no end")
    if operation.verb == "transaction":
        for steps in (operation.value, operation.answer):
            _require(steps is None or _are_steps(steps), 'a transaction is a list of ["append" or "read", key, value]')
    return operation


def _are_steps(steps: Any) -> bool:
    return isinstance(steps, tuple) and all(
        isinstance(step, tuple) and len(step) == 3 and step[0] in ("append", "read") for step in steps
    )


def _each_hashable(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _hashable(value) for name, value in fields.items()}


def _hashable(value: Any) -> Any:
    _require(not isinstance(value, dict), "a value is a number, a text, true, false, null, or a list of these")
    return tuple(map(_hashable, value)) if isinstance(value, (list, tuple)) else value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def read_jepsen(text: str) -> History:
    """Return the history in a log of Jepsen's with reads, writes and cas on one register.

    A read that timed out tells nothing. A write or cas that did may take effect at any later time. Lines of other
    loggers are passed over.

    Raises:
        FormatError: A line is none of a log, or a step of a process can't be read or does not follow the one before.
    """
    recorder = _Recorder()
    _each_line(text, lambda line: _take_jepsen(recorder, line))
    return recorder.history()


def _take_jepsen(recorder: _Recorder, line: str) -> None:
    if not _JEPSEN_STEP.match(line):
        _require(bool(_LOG_LINE.match(line)), "a line of the log begins as `INFO  jepsen.util - `")
        return
    found = _JEPSEN.fullmatch(line)
    if found is None:
        raise ValueError("a step is a process, :invoke, :ok, :fail or :info, :read, :write or :cas, and a value")
    worker, kind, verb, rest = int(found[1]), found[2], _JEPSEN_VERBS[found[3]], found[4]
    value, pair = _JEPSEN_VALUE.fullmatch(rest), _JEPSEN_CAS.fullmatch(rest)
    if kind == "invoke":
        if verb == "put":
            _require(value is not None, "a write has a whole number")
        if verb == "cas":
            _require(pair is not None, "a cas has two whole numbers as `[1 2]`")
        expected, new = (int(pair[1]), int(pair[2])) if pair else (None, int(rest) if value else None)
        recorder.call(Operation(0, NEVER, worker, verb, value=new, expected=expected))
    elif verb == "get":
        _require(kind != "ok" or value is not None or rest == "nil", "a read answers a whole number or nil")
        recorder.end(worker, verb, _OUTCOMES[kind], int(rest) if value and kind == "ok" else None)
    elif verb == "cas" and kind == "fail" and pair:
        recorder.end(worker, verb, "ok", answer=False)
    else:
        recorder.end(worker, verb, _OUTCOMES[kind], True if verb == "cas" and kind == "ok" else None)


def read_porcupine_kv(text: str) -> History:
    """Return the history in a log of Porcupine's test data, with gets, puts and appends of texts.

    Raises:
        FormatError: A line is no step of a process, or does not follow the one before.
    """
    recorder = _Recorder()
    _each_line(text, lambda line: _take_porcupine(recorder, line))
    return recorder.history()


def _take_porcupine(recorder: _Recorder, line: str) -> None:
    found = _PORCUPINE.fullmatch(line)
    if found is None:
        raise ValueError('a step is `{:process 0, :type :invoke, :f :get, :key "a", :value nil}`')
    worker, kind, verb, key, value = int(found[1]), found[2], _PORCUPINE_VERBS[found[3]], found[4], found[5]
    if kind == "invoke":
        _require(verb == "get" or value is not None, f"a {verb} has a text")
        recorder.call(Operation(0, NEVER, worker, verb, key, None if verb == "get" else value))
    else:
        recorder.end(worker, verb, _OUTCOMES[kind], value if verb == "get" and kind == "ok" else None, key)


class _Recorder:
    """Puts the two lines of each operation together; the time is the number of steps so far."""

    def __init__(self) -> None:
        self._steps = 0
        self._open: dict[int, Operation] = {}
        self._ended: list[Operation] = []

    def call(self, operation: Operation) -> None:
        """Take in a call."""
        worker = operation.worker
        _require(worker not in self._open, f"process {worker} calls one operation at a time")
        self._open[worker] = operation._replace(call=self._tick())

    def end(self, worker: int, verb: Verb, outcome: Outcome, answer: Any, key: Any = None) -> None:
        """Take in what came of the call of a worker."""
        operation = self._open.pop(worker, None)
        if operation is None or (operation.verb, operation.key) != (verb, key):
            raise ValueError(f"process {worker} ends what it called before")
        end = NEVER if outcome == "info" else self._tick()
        self._ended.append(operation._replace(end=end, answer=answer, outcome=outcome))

    def history(self) -> History:
        """Return all operations in the order of their calls; those that are still open never return."""
        still_open = [operation._replace(outcome="info") for operation in self._open.values()]
        return sorted([*self._ended, *still_open], key=lambda operation: operation.call)

    def _tick(self) -> int:
        self._steps += 1
        return self._steps


def _each_line(text: str, take: Callable[[str], None]) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if stripped := line.strip():
            try:
                take(stripped)
            except ValueError as error:
                raise FormatError(number, stripped, str(error)) from None


def _require(holds: bool, rule: str) -> None:  # noqa: FBT001  # it is what is required
    if not holds:
        raise ValueError(rule)
