"""Judging what came of a scenario: is anything lost, or there twice, or answered to the wrong question?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.crash.subjects import SUBJECTS, Step, canonical
from conformance.crash.subjects.subject import brief
from conformance.network.account import Account
from conformance.network.calls import MISSING, READS, Call
from conformance.network.scenario import Look, Played
from conformance.network.show import called, listed, parts_told

Wrong = Literal[
    "hung",
    "died",
    "wrong answer",
    "acknowledged in vain",
    "cannot read",
    "half done",
    "torn",
    "lost",
    "twice",
    "another order",
    "gave up",
    "raised",
    "leaked",
    "left open",
]

#: What each comes to, worst first.
MEANING: dict[Wrong, str] = {
    "hung": "the store hung",
    "died": "the process died",
    "wrong answer": "a call was given an answer that can't be its own",
    "acknowledged in vain": "a write was acknowledged that could not reach the server",
    "cannot read": "the store cannot be read any more",
    "half done": "a call that raised has left half of what it was to do",
    "torn": "the store holds something that nobody wrote",
    "lost": "an acknowledged call has lost its effect",
    "twice": "something was done twice, or undone",
    "another order": "the store holds what was written in another order",
    "gave up": "the handle does not work again",
    "raised": "a call raised although nothing was lost",
    "leaked": "each fault leaves a connection open",
    "left open": "connections are open after closing",
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Args:
        wrong: What kind of it.
        expected: What is allowed.
        got: What there was.
        frame: Where in the store's own code, where that is known.
    """

    wrong: Wrong
    expected: str
    got: str
    frame: str = ""


@dataclass(frozen=True)
class Judged:
    """What was found in a scenario.

    Args:
        findings: What is wrong.
        comparisons: How many answers and contents were judged.
    """

    findings: tuple[Finding, ...]
    comparisons: int


def judge(contract: str, played: Played, *, durable: bool = True) -> Judged:
    """Judge what came of a scenario.

    Args:
        contract: `state` or `log`.
        played: What came of it.
        durable: Whether a write that is acknowledged must have reached the server.
    """
    account = Account(contract, played.scenario.steps, late=played.scenario.plot == "stopped")
    findings: list[Finding] = []
    comparisons = 0
    for event in played.events:
        if isinstance(event, str):
            continue
        comparisons += isinstance(event, Look) or not event.ambiguous
        found = _of_look(account, event) if isinstance(event, Look) else _of_call(account, event, durable=durable)
        if found is not None:
            findings.append(found)
            break  # what comes behind follows from it
    if played.found is not None and not findings:
        comparisons += 1
        found = _of_content(account, played.found)
        findings += [found] if found is not None else []
    findings += [*_of_end(played), *_of_raised(contract, played), *_of_connections(played)]
    return Judged(tuple(findings), comparisons)


def _of_call(account: Account, call: Call, *, durable: bool) -> Finding | None:
    step = account.steps[call.step]
    answers = account.answers(step)
    source = called(account.contract, step)
    if not account.take(call):
        wanted = " or ".join(_answer(step, answer) for answer in answers)
        return Finding("wrong answer", f"{source} to give {wanted}", _answer(step, call.answer))
    written = not call.ambiguous and step.verb not in READS and call.answer != MISSING
    if durable and call.cut_off and written:
        return Finding("acknowledged in vain", "an exception", f"{source} returned")
    return None


def _of_look(account: Account, look: Look) -> Finding | None:
    found = _of_content(account, look)
    if found is None or found.wrong == "cannot read":
        return found
    return Finding("half done", f"all of it or nothing; {found.expected}", found.got)


def _of_content(account: Account, look: Look) -> Finding | None:
    if look.unread:
        return Finding("cannot read", "a store that a fresh handle can read", look.unread, look.frame)
    if account.allows(look.content):
        return None
    subject, written = SUBJECTS[account.contract], account.written()
    torn = [part for part in subject.parts(look.content) if canonical(part) not in written]
    missing, extra = account.difference(look.content)
    if not torn and not missing and not extra:
        due = parts_told(account.contract, account.nearest(look.content))
        return Finding("another order", due, parts_told(account.contract, look.content))
    wrong: Wrong = "torn" if torn else "lost" if missing else "twice"
    expected = _list(account.contract, missing) or "nothing more than was asked for"
    return Finding(wrong, expected, _list(account.contract, torn or extra) or "nothing in its place")


def _of_end(played: Played) -> Iterator[Finding]:
    match played.ended:
        case "hung":
            expected = f"an answer or an exception within {played.scenario.patience_s:g} s"
            yield Finding("hung", expected, played.detail, played.frame)
        case "died":
            yield Finding("died", "a process that lives", played.detail)
        case "gave up":
            got = f"{played.detail}: {played.calls[-1].raised}"
            yield Finding("gave up", "a call that works, now that the network does", got, played.frame)


def _of_raised(contract: str, played: Played) -> Iterator[Finding]:
    if played.scenario.plot in ("sound", "slow"):
        for call in played.calls:
            if call.raised:
                source = called(contract, played.scenario.steps[call.step])
                yield Finding("raised", f"{source} to return", call.raised, played.frame)


def _of_connections(played: Played) -> Iterator[Finding]:
    if not played.held or played.ended != "well":
        return
    times, before = played.scenario.times, played.held[0]
    if times and played.held[1] > before + times // 2:
        yield Finding("leaked", f"about {before} open after {times} faults, as before them", f"{played.held[1]} open")
    if played.held[-1]:
        yield Finding("left open", "none open", f"{played.held[-1]} open")


def _answer(step: Step, answer: Any) -> str:
    if answer == MISSING:
        return "KeyError"
    return "an acknowledgement" if answer is None and step.verb not in READS else brief(answer)


def _list(contract: str, parts: Sequence[Any]) -> str:
    return listed(SUBJECTS[contract].tell, parts)
