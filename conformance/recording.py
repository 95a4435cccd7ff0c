"""The numbered calls to a store: what a failure shows, and what a reproduction script repeats."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance.literal import literal

_ASSIGNMENT = re.compile(r"\w+(\[.*\])? = ", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """One call to a store.

    Args:
        number: From 1, in the order in which the calls were made.
        source: The call as Python source.
        outcome: What came of it: `-> 1`, `raised KeyError('a')`.
        depth: How many `with` blocks the call stands in.
    """

    number: int
    source: str
    outcome: str = ""
    depth: int = 0

    @property
    def raised(self) -> bool:
        """Whether the call ended in an exception."""
        return self.outcome.startswith("raised")

    @property
    def is_statement(self) -> bool:
        """Whether the source is a statement, which has no value."""
        return self.source.startswith(("del ", "raise ", "with ")) or _ASSIGNMENT.match(self.source) is not None


class Recorder:
    """Numbers the calls to the stores of one session."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.depth = 0
        #: The exception that the latest failed call ended in; tells a store's exception from a bug of the kit.
        self.error: BaseException | None = None

    def record(self, source: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, note the call and what came of it, and return or raise the same."""
        index = self.note(source)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            self.error = error
            self.settle(index, f"raised {raised(error)}")
            raise
        self.settle(index, f"-> {literal(result)}")
        return result

    def note(self, source: str, outcome: str = "") -> int:
        """Add a call and return its index, for `settle`."""
        self.calls.append(Call(len(self.calls) + 1, source, outcome, self.depth))
        return len(self.calls) - 1

    def settle(self, index: int, outcome: str) -> None:
        """Fill in what came of the call at `index`."""
        self.calls[index] = replace(self.calls[index], outcome=outcome)


def raised(error: BaseException) -> str:
    """Return an exception as `Type: text`, on one line and of bearable length."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 200 else f"{text[:200]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
