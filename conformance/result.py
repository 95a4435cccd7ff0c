"""What a check came to: the exceptions that it ends in, and the one `Result` record that reports are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from conformance.recording import Call

Level = Literal["must", "should"]
Outcome = Literal["pass", "fail", "known gap", "stale gap", "not applicable", "blocked", "inconclusive"]

#: Outcomes that a gate must not let through.
RED: tuple[Outcome, ...] = ("fail", "stale gap", "inconclusive")


class Violation(AssertionError):
    """A rule is broken; the arguments are those of `Counterexample`."""

    def __init__(
        self,
        what: str,
        *,
        expected: str,
        got: str,
        story: tuple[str, ...] = (),
        frame: str = "",
        case: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        repeat: str = "",
        picture: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")
        self.what = what
        self.expected = expected
        self.got = got
        self.story = story
        self.frame = frame
        self.case = case
        self.history = history
        self.repeat = repeat
        self.picture = picture


class NotApplicable(Exception):
    """The check does not concern this backend; the text says why."""


class Blocked(Exception):
    """A failed check makes this one meaningless."""

    def __init__(self, code: str) -> None:
        super().__init__(f"blocked by {code}")
        self.code = code


class Inconclusive(Exception):
    """The check could not be carried out, or tested nothing; the text says why."""


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found that breaks a rule.

    Args:
        what: What was being done.
        expected: What the rule asks for.
        got: What the store gave.
        calls: The calls that lead to it.
        frame: Where in the store's own code: `file:line in function`.
        note: Anything else that a reader must know.
        story: Lines that show what happened in another form than calls: a crash, with what it left on the disk.
        case: What is needed to meet this very state again; it is kept in a file of its own, not in the record.
        history: What a drawing of concurrent calls needs, as `histories.lanes.lane_data` gives it.
        repeat: What `--conformance-round` is given to carry out the round again in which it was found; empty where
            rounds differ by chance.
        picture: The story as plain data, to be drawn: as `crash.picture.drawn` or `damage.show.picture` gives it.
        rerun: The command that carries the check out again.
        script: The text of a script that repeats it, where there is one that needs no other file.
    """

    what: str
    expected: str
    got: str
    calls: tuple[Call, ...] = ()
    frame: str = ""
    note: str = ""
    story: tuple[str, ...] = ()
    case: Mapping[str, Any] | None = field(default=None, compare=False)
    history: Mapping[str, Any] | None = None
    repeat: str = ""
    picture: Mapping[str, Any] | None = None
    rerun: str = ""
    script: str = ""


@dataclass(frozen=True)
class Result:
    """One check on one backend.

    Args:
        backend: Its name.
        contract: e.g. `state`.
        suite: e.g. `round-trip`.
        code: The check's code.
        level: `must` or `should`.
        sentence: The rule.
        outcome: One of seven words.
        reason: Why it is not a plain pass: the blocker, the gap's reason, what is not offered.
        evidence: What was really done, by kind: `{"comparisons": 12, "calls": 40}`.
        duration_s: Wall-clock seconds.
        counterexample: For a failure.
        conditions: Under which the evidence was gathered, where that matters: the recorder, the disk models.
        gap: Of a known or stale gap, the entry: reason, expires, days_left, source.
        provisional: The check is newer than the edition that gates.
        strict: A broken `should` gates in this run.
    """

    backend: str
    contract: str
    suite: str
    code: str
    level: Level
    sentence: str
    outcome: Outcome
    reason: str = ""
    evidence: dict[str, int] = field(default_factory=dict)
    duration_s: float = 0.0
    counterexample: Counterexample | None = None
    conditions: dict[str, str] = field(default_factory=dict)
    gap: dict[str, Any] | None = None
    provisional: bool = False
    strict: bool = False

    @property
    def gates(self) -> bool:
        """Whether the run fails when the rule is broken."""
        return not self.provisional and (self.strict or self.level == "must")

    @property
    def is_red(self) -> bool:
        """Whether the run fails: a broken `should` is shown, but gates only where that was asked for."""
        return self.outcome in RED and not self.provisional and (self.gates or self.outcome != "fail")

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, for JSON and for the way between processes."""
        record: dict[str, Any] = {**asdict(self), "gates": self.gates}
        if self.counterexample is not None:
            record["counterexample"]["calls"] = [asdict(call) for call in self.counterexample.calls]
            record["counterexample"]["story"] = list(self.counterexample.story)
            del record["counterexample"]["case"]
        return record

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Result:
        """Return the `Result` that `to_dict` made `record` of."""
        example = record["counterexample"]
        if example is not None:
            calls, story = tuple(Call(**call) for call in example["calls"]), tuple(example["story"])
            example = Counterexample(**{**example, "calls": calls, "story": story})
        given = {name: value for name, value in record.items() if name != "gates"}
        return cls(**{**given, "counterexample": example})
