"""What happened in a scenario, in lines that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.crash.subjects import SUBJECTS, Content, Step
from conformance.crash.subjects.subject import brief
from conformance.network.calls import MISSING, Call, source
from conformance.network.scenario import Look, Played

#: Lines that are shown in the end, characters of a call, and parts of a content.
_LINES, _CALL, _PARTS = 40, 70, 3


def story(contract: str, played: Played) -> tuple[str, ...]:
    """Return the calls, and what went wrong where, and what was found afterwards."""
    lines = []
    for event in played.events:
        match event:
            case str():
                lines.append(f"********* {event}")
            case Look():
                lines.append(f"          found then by a fresh handle, without the proxy: {_found(contract, event)}")
            case Call():
                lines.append(f"-- {called(contract, played.scenario.steps[event.step])}  {_ending(event)}")
    hidden = len(lines) - _LINES
    if hidden > 1:
        lines = [f"   … {hidden:,} earlier lines …", *lines[hidden:]]
    if played.found is not None:
        lines.append(f"found in the end by a fresh handle, without the proxy: {_found(contract, played.found)}")
    return tuple(lines)


def called(contract: str, step: Step) -> str:
    """Return a step as source of bearable length."""
    return _cut(source(contract, step))


def parts_told(contract: str, content: Content) -> str:
    """Return a content in a few words."""
    subject = SUBJECTS[contract]
    parts = list(subject.parts(content))
    count = f"{len(parts)} entr{'y' if len(parts) == 1 else 'ies'}"
    return f"{count}: {listed(subject.tell, parts)}" if parts else "nothing"


def listed(tell: Callable[[Any], str], parts: Sequence[Any]) -> str:
    """Return the first of some parts of a content, and how many more there are."""
    return ", ".join(map(tell, parts[:_PARTS])) + (f" and {len(parts) - _PARTS} more" if len(parts) > _PARTS else "")


def _found(contract: str, look: Look) -> str:
    return look.unread or parts_told(contract, look.content)


def _ending(call: Call) -> str:
    if call.hung:
        return "DOES NOT END"
    if call.raised:
        return f"raised {_cut(call.raised)} after {call.seconds:.2f} s"
    if call.answer is None:
        return "ACKNOWLEDGED"
    return "raised KeyError" if call.answer == MISSING else f"-> {brief(call.answer)}"


def _cut(text: str) -> str:
    return text if len(text) <= _CALL else f"{text[:_CALL]}…"
