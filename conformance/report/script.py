"""A standalone script that repeats the calls of a counterexample."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from conformance.backend import Backend
from conformance.recording import Call
from conformance.report.files import file_for, written
from conformance.result import Result

#: Characters of a script that is kept in the record.
LONGEST = 20_000
#: How a script finds what does not fit into it: in a file beside it, of its own name.
BESIDE = 'Path(__file__).with_suffix(".case.json")'

_HEAD = '''"""{code}  {sentence}

Backend {backend}. Run it with python; it repeats the calls that led to the failure.
expected {expected}
got      {got}
"""

from conformance.session import Session

session = Session.at({address!r}, {contract!r})


def show(number, source, *outcome):
    print(f"{{number:>4}}. {{source}}", *(f"-> {{one!r}}" for one in outcome))
    return outcome[0] if outcome else None


'''

#: Methods that give a version, and those that are given one. Stores make their versions as they like, at random for
#: example: a script must use the one that it gets, not the one that the check got.
_GIVES = ("version", "compare_and_set")
_TAKES = ("compare_and_set", "get_version")


def script_text(result: Result, address: str) -> str:
    """Return the script for a failed check of the backend at `address`."""
    example = result.counterexample
    assert example is not None
    head = _HEAD.format(
        code=result.code,
        sentence=result.sentence,
        backend=result.backend,
        address=address,
        contract=result.contract,
        expected=_quoted(example.expected),
        got=_quoted(example.got),
    )
    return head + "\n".join(_lines(_steps(example.calls), "")) + "\n"


def write_script(folder: Path, result: Result, address: str) -> Path | None:
    """Write the script into `folder` and return its path; None where a call can't be written out as Python."""
    text = repeating(result, address)
    return written(file_for(folder, result, ".py"), text) if text else None


def repeating(result: Result, address: str) -> str:
    """Return the script for a failed check; empty where a call can't be written out as Python."""
    example = result.counterexample
    if example is None or any("…" in call.source for call in example.calls):
        return ""
    text = script_text(result, address)
    try:
        compile(text, result.code, "exec")  # a value may have a form that is no source: `<object at 0x7f...>`
    except (SyntaxError, ValueError):
        return ""
    return text


def standalone(result: Result, backend: Backend) -> str:
    """Return a script for a failed check that needs no other file; empty where there is none of bearable length."""
    example = result.counterexample
    if example is None or not backend.address:
        return ""
    if example.case is not None:
        from conformance.report.case_script import case_script_text  # here, as it needs the crash engine

        text = case_script_text(result, backend, LONGEST // 100)
        return "" if BESIDE in text or len(text) > LONGEST else text
    text = repeating(result, backend.address) if example.calls else ""
    return text if len(text) <= LONGEST else ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


@dataclass(frozen=True)
class _Step:
    """A call as it stands in the script; `name` is that of its result, where a later call needs it."""

    call: Call
    source: str
    name: str = ""


def _lines(steps: Sequence[_Step], indent: str, left_by: str = "") -> Iterator[str]:
    """Write steps, with the blocks that they open; `left_by` is the outcome of the block that they stand in."""
    place = 0
    while place < len(steps):
        call, source, name = steps[place].call, steps[place].source, steps[place].name
        inside = list(takewhile(lambda step: step.call.depth > call.depth, steps[place + 1 :]))  # noqa: B023 - used at once
        place += 1 + len(inside)
        if source.startswith("with "):
            yield from _block(call, inside, indent)
        elif source.startswith("raise "):
            yield f"{indent}{source}"
        elif call.raised and not (call.outcome == left_by and place == len(steps)):
            # Caught, so that the script goes on as the check did; but what ended a block must end it again.
            yield f"{indent}try:"
            yield f"{indent}    {source}"
            yield from _caught(call, indent)
        elif call.is_statement or call.raised:
            yield f"{indent}{source}"
            yield f"{indent}show({call.number}, {call.source!r})"
        else:
            yield f"{indent}{name and name + ' = '}show({call.number}, {call.source!r}, {source})"


def _block(call: Call, inside: Sequence[_Step], indent: str) -> Iterator[str]:
    yield f"{indent}try:"
    yield f"{indent}    {call.source}"
    yield from _lines(inside, indent + " " * 8, call.outcome) if inside else [f"{indent}        pass"]
    yield f"{indent}    show({call.number}, {'end of ' + call.source[:-1]!r}, 'no exception')"
    yield from _caught(call, indent)


def _caught(call: Call, indent: str) -> Iterator[str]:
    # Not Exception alone: a block may be left by one that is none, as by a cancellation.
    yield f"{indent}except BaseException as error:"
    yield f"{indent}    show({call.number}, {call.source!r}, error)"


def _steps(calls: Sequence[Call]) -> list[_Step]:
    """Give each call its source, in which a version that an earlier call gave is the result of that call."""
    sources = [_with_result(call, calls[:place]) for place, call in enumerate(calls)]
    used = set(re.findall(r"\bresult_\d+\b", "\n".join(sources)))
    names = [f"result_{call.number}" for call in calls]
    return [
        _Step(call, source, name if name in used else "")
        for call, source, name in zip(calls, sources, names, strict=True)
    ]


def _with_result(call: Call, earlier: Sequence[Call]) -> str:
    given = _last_argument(call.source) if _method(call) in _TAKES else ""
    for one in reversed(earlier) if given not in ("", "None") else ():
        found = _result_of(one, given)
        if found:
            head, _, tail = call.source.rpartition(given)
            return f"{head}{found}{tail}"
    return call.source


def _last_argument(source: str) -> str:
    try:
        call = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    return (ast.get_source_segment(source, call.args[-1]) or "") if isinstance(call, ast.Call) and call.args else ""


def _result_of(call: Call, given: str) -> str:
    """Return how a script reaches the version `given` in the result of a call; empty when it is not there."""
    outcome = call.outcome.removeprefix("-> ")
    if _method(call) in _GIVES and outcome == given:
        return f"result_{call.number}"
    if _method(call) == "versions":
        try:
            listed = ast.parse(outcome, mode="eval").body
        except (SyntaxError, ValueError):
            return ""
        if isinstance(listed, (ast.List, ast.Tuple)):
            for place, item in enumerate(listed.elts):
                if ast.get_source_segment(outcome, item) == given:
                    return f"result_{call.number}[{place}]"
    return ""


def _method(call: Call) -> str:
    """Return the method that a call is of; empty for one that is written in another way."""
    found = re.match(r"\w+\.(\w+)\(", call.source)
    return found[1] if found else ""
