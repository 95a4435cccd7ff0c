"""Points: a callback fires before every opcode, or at every line, of chosen code, in the threads that ask for it.

`sys.monitoring` from Python 3.12 on, `sys.settrace` before: from 3.12 on, opcode events that are asked for when a
function is called are lost without a word (measured on 3.12.1 and 3.13.0; cpython #103615, #114480).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import CodeType, FrameType
from typing import Any, Literal

At = Callable[[], None]
Watch = Callable[[At], AbstractContextManager[None]]


@dataclass(frozen=True)
class Points:
    """Where a switch may happen.

    Args:
        code: Files and folders of the store; a name that is no path stands for code compiled under that name.
        unit: A one-line read-modify-write can't be split at lines; points at opcodes take more time.
    """

    code: tuple[str, ...]
    unit: Literal["opcode", "line"] = "opcode"
    #: What is known of file names so far, for all points of the same code: who asks, asks at every call.
    _known: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", _known_of(self.code))

    def covers(self, file: str) -> bool:
        """Return whether code of that file name is chosen."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = _is_covered(file, self.code)
        return known

    def place(self, frame: FrameType | None) -> tuple[str, int]:
        """Return the file and line of the innermost frame of chosen code; an empty name if there is none."""
        while frame is not None and not self.covers(frame.f_code.co_filename):
            frame = frame.f_back
        return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


@lru_cache(maxsize=100)
def _known_of(code: tuple[str, ...]) -> dict[str, bool]:  # noqa: ARG001 - the key
    return {}


def _is_covered(file: str, code: tuple[str, ...]) -> bool:
    real = os.path.realpath(file)
    return file in code or any(real == one or real.startswith(one.rstrip(os.sep) + os.sep) for one in _real(code))


@lru_cache(maxsize=100)
def _real(code: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(os.path.realpath(one) for one in code)


@contextmanager
def watching(points: Points) -> Iterator[Watch]:
    """Provide `here(at)`: a context in which the points of this thread call `at`; what it raises is raised there.

    Raises:
        RuntimeError: Other tools have taken all places of `sys.monitoring`.
    """
    if sys.version_info >= (3, 12):
        with _monitored(points) as here:
            yield here
    else:
        yield partial(_traced, points)


def self_test() -> None:
    """Prove that points fire on this Python, in a first watch and in a second.

    Raises:
        RuntimeError: They do not: a scheduler would see no race, and call every store fine.
    """
    for points in (Points(("<points>",)), Points(("<points>",), "line")):
        for _ in range(2):
            seen = _seen(points)
            # Three calls of two lines; nothing is said of the number of opcodes, because compilers differ.
            if {("<points>", 2), ("<points>", 3)} - set(seen) or len(seen) < (12 if points.unit == "opcode" else 6):
                raise RuntimeError(f"{points.unit} points are lost on Python {sys.version.split()[0]}")


def _seen(points: Points) -> list[tuple[str, int]]:
    names: dict[str, Any] = {}
    exec(compile("def step(n):\n    n += 1\n    return n\n", "<points>", "exec"), names)
    seen: list[tuple[str, int]] = []
    with watching(points) as here, here(lambda: seen.append(points.place(sys._getframe(1)))):
        for number in range(3):
            names["step"](number)
    return seen


@contextmanager
def _traced(points: Points, at: At) -> Iterator[None]:
    by_opcode = points.unit == "opcode"

    def inside(_: FrameType, event: str, __: Any) -> Any:
        if event == points.unit:
            at()
        return inside

    def outside(frame: FrameType, _: str, __: Any) -> Any:
        if not points.covers(frame.f_code.co_filename):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = by_opcode, not by_opcode
        return inside

    before = sys.gettrace()
    sys.settrace(outside)
    try:
        yield
    finally:
        sys.settrace(before)


if sys.version_info >= (3, 12):

    @contextmanager
    def _monitored(points: Points) -> Iterator[Watch]:
        monitoring = sys.monitoring
        events = monitoring.events
        unit = events.INSTRUCTION if points.unit == "opcode" else events.LINE
        entries = (events.PY_START, events.PY_RESUME, events.PY_THROW)
        asked: dict[int, At] = {}
        chosen: dict[CodeType, bool] = {}

        def enter(code: CodeType, *_: Any) -> None:
            if code not in chosen:
                chosen[code] = points.covers(code.co_filename)
                if chosen[code]:
                    monitoring.set_local_events(tool, code, unit)

        def fire(*_: Any) -> None:
            at = asked.get(threading.get_ident())
            if at is not None:
                at()

        @contextmanager
        def here(at: At) -> Iterator[None]:
            asked[threading.get_ident()] = at
            try:
                yield
            finally:
                del asked[threading.get_ident()]

        tool = _take_tool()
        for event in entries:
            monitoring.register_callback(tool, event, enter)
        monitoring.register_callback(tool, unit, fire)
        monitoring.set_events(tool, events.PY_START | events.PY_RESUME | events.PY_THROW)
        try:
            yield here
        finally:
            monitoring.set_events(tool, 0)
            for code in [code for code, is_chosen in chosen.items() if is_chosen]:
                monitoring.set_local_events(tool, code, 0)
            for event in (*entries, unit):
                monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

    def _take_tool() -> int:
        # The last places first: the first ones are those of debuggers, coverage and profilers.
        for tool in (4, 3, 5, 2, 1, 0):
            if sys.monitoring.get_tool(tool) is None:
                sys.monitoring.use_tool_id(tool, "conformance")
                return tool
        raise RuntimeError("other tools have taken all places of sys.monitoring")
