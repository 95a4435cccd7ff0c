"""A case: one crash state with all that is needed to meet it again, as a JSON file."""

from __future__ import annotations

import ast
import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conformance.crash.history import History, Moment, Verdict
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt
from conformance.crash.reopen import observe_all
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.tree import Tree, digest
from conformance.workers import Crew

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1
#: What reading a file raises that is no case. What is nested too deep is a RecursionError of JSON, and that or a
#: MemoryError of Python's own parser.
_UNFIT = (
    *(ValueError, KeyError, TypeError, AttributeError, SyntaxError),
    *(zlib.error, RecursionError, MemoryError),
)


class CaseError(Exception):
    """A file that is no case; the text says why, and what to give instead."""


@dataclass(frozen=True)
class Case:
    """One crash state, and what was done and acknowledged before it.

    Args:
        code: The check that found it.
        contract: `state` or `log`.
        model: The disk model that allows it.
        verdict: What was wrong.
        steps: The workload.
        attempts: How each step went.
        moment: How far the workload was.
        files: What the crash left.
        story: What happened, in lines, for whoever reads the file.
    """

    code: str
    contract: str
    model: str
    verdict: Verdict
    steps: tuple[Step, ...]
    attempts: tuple[Attempt, ...]
    moment: Moment
    files: Tree
    story: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "schema": SCHEMA,
            "kind": "crash state",
            "code": self.code,
            "contract": self.contract,
            "model": self.model,
            "verdict": self.verdict,
            # As Python source, since JSON has no bytes.
            "steps": [repr(_plain(step)) for step in self.steps],
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "moment": asdict(self.moment),
            "files": {path: None if data is None else packed(data) for path, data in sorted(self.files.items())},
            "story": list(self.story),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Case:
        """Return the case that `to_dict` made `record` of."""
        return cls(
            code=record["code"],
            contract=record["contract"],
            model=record["model"],
            verdict=record["verdict"],
            steps=tuple(_step(ast.literal_eval(text)) for text in record["steps"]),
            attempts=tuple(Attempt(**attempt) for attempt in record["attempts"]),
            moment=Moment(**record["moment"]),
            files={path: None if text is None else unpacked(text) for path, text in record["files"].items()},
            story=tuple(record["story"]),
        )


def read_case(path: Path) -> Case:
    """Return the case in a file.

    Raises:
        CaseError: The file can't be read, or is no case that this version of the kit can read.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise CaseError(
                f"{path}: the case has schema {record['schema']!r}; this version of the kit reads {SCHEMA}."
            )
        case = Case.from_dict(record)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}. Give a case file that a failed check wrote.") from None
    except _UNFIT as error:
        why = ": ".join(part for part in (type(error).__name__, str(error)) if part)
        raise CaseError(f"{path} is no case file ({why}). Give a file that a failed check wrote.") from None
    return case


def meet(crew: Crew, case: Case) -> tuple[Verdict, Observation]:
    """Open the store on the files of a case; return what is wrong now, or `fine`, and what it showed."""
    history = History(case.contract, case.steps, case.attempts, SUBJECTS[case.contract].empty)
    name = digest(case.files)
    observation: Observation = crew.call(observe_all, {name: case.files})[name]
    return history.judge(observation, case.moment), observation


def packed(data: bytes) -> str:
    """Return bytes as a short text."""
    return base64.b85encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> bytes:
    """Return the bytes that `packed` made a text of."""
    return zlib.decompress(base64.b85decode(text))


def _plain(step: Step) -> tuple[str, Sequence[Any]]:
    return (step.verb, tuple(_plain(arg) if isinstance(arg, Step) else arg for arg in step.args))


def _step(plain: tuple[str, Sequence[Any]]) -> Step:
    verb, args = plain
    return Step(verb, tuple(map(_step, args)) if verb == "transaction" else tuple(args))
