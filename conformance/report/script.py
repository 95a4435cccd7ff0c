"""A standalone script that repeats the calls of a counterexample."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from conformance.recording import Call
from conformance.result import Result

_HEAD = '''"""{code}  {sentence}

Backend {backend}. Run it with python; it repeats the calls that led to the failure.
expected {expected}
got      {got}
"""

from conformance.session import Session

session = Session.at({address!r}, {contract!r})


def show(number, source, outcome):
    print(f"{{number:>4}}. {{source}} -> {{outcome}}")

'''


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
    return head + "\n".join(line for call in example.calls for line in _lines(call, example.calls)) + "\n"


def write_script(folder: Path, result: Result, address: str) -> Path | None:
    """Write the script into `folder` and return its path; None where a call is too long to be written out."""
    example = result.counterexample
    if example is None or any("…" in call.source for call in example.calls):
        return None
    path = folder / re.sub(r"\W+", "-", result.backend) / f"{result.code}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script_text(result, address), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None  # the script is a service, not a result
    return path


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _lines(call: Call, calls: tuple[Call, ...]) -> Iterator[str]:
    # A call that raised is caught, so that the script goes on as the check did; a block takes its lines along.
    outer = sum(1 for one in calls if one.number < call.number and _guards(one) and _holds(one, call, calls))
    indent = "    " * (call.depth + outer)
    if _guards(call):
        yield f"{indent}try:"
        yield f"{indent}    {call.source}"
        if not call.source.endswith(":"):
            yield from _caught(call, indent)
    elif call.is_statement:
        yield f"{indent}{call.source}"
        if not call.source.endswith(":") and not call.source.startswith("raise "):
            yield f"{indent}show({call.number}, {call.source!r}, None)"
    else:
        yield f"{indent}show({call.number}, {call.source!r}, {call.source})"
    yield from _closing(call, calls)


def _guards(call: Call) -> bool:
    return call.raised


def _caught(call: Call, indent: str) -> Iterator[str]:
    yield f"{indent}except Exception as error:"
    yield f"{indent}    show({call.number}, {call.source!r}, repr(error))"


def _holds(block: Call, call: Call, calls: tuple[Call, ...]) -> bool:
    """Tell whether `call` stands in the `with` block that `block` opens."""
    if not block.source.endswith(":") or call.depth <= block.depth:
        return False
    between = [one for one in calls if block.number < one.number < call.number]
    return all(one.depth > block.depth for one in between)


def _closing(call: Call, calls: tuple[Call, ...]) -> Iterator[str]:
    """Close the guarded blocks that end with `call`."""
    following = next((one for one in calls if one.number == call.number + 1), None)
    for block in reversed([one for one in calls if one.number <= call.number and one.source.endswith(":")]):
        inside = block is call or _holds(block, call, calls)
        ends = following is None or following.depth <= block.depth
        if not (inside and ends):
            continue
        outer = sum(1 for one in calls if one.number < block.number and _guards(one) and _holds(one, block, calls))
        indent = "    " * (block.depth + outer)
        if block is call:
            yield f"{indent}{'        ' if _guards(block) else '    '}pass"
        if _guards(block):
            yield from _caught(block, indent)
