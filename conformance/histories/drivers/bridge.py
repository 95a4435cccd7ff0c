"""Plain code that asks an async store, in a task: what it asks for is awaited by the task.

The code runs in a thread of its own, but never at the same time as the event loop: one of the two waits for the other.
So it is as if it were a part of the task, and no line of it has to be written again with `await`.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.adapt import gathered
from conformance.histories.drivers.loops import WAITS


@dataclass(eq=False)
class Bridge:
    """What the code calls the store with; its methods are those of `conformance.drive.Driver`."""

    _asked: Callable[[], Any] | None = None
    _answer: Any = None
    _error: BaseException | None = None
    _over: bool = False
    _code: threading.Lock = field(default_factory=threading.Lock)
    _task: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._code.acquire()  # both are held, and each is released by the other side when it is its turn
        self._task.acquire()

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Have the task call `function`, and return its result, awaited if need be."""
        if self._over:
            raise RuntimeError("the task has ended")
        self._asked = lambda: function(*args, **kwargs)
        self._task.release()
        self._code.acquire()
        if self._error is not None:
            raise self._error
        return self._answer

    def items(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Have the task call `function`, and return the items of the iterable, sync or async, that it gives."""
        found: list[Any] = self.call(lambda: gathered(function(*args, **kwargs)))
        return found

    def _run(self, code: Code, errors: list[BaseException]) -> None:
        try:
            code(self)
        except BaseException as error:  # noqa: BLE001 - the task raises it
            errors.append(error)
        finally:
            self._asked = None
            self._task.release()

    def _give(self, answer: Any, error: BaseException | None) -> None:
        self._answer, self._error = answer, error
        self._code.release()


#: Plain code that calls a store through a bridge.
Code = Callable[[Bridge], None]


async def run_plain(code: Code) -> None:
    """Run plain code as a part of this task; it is given a bridge. What it raises is raised."""
    bridge = Bridge()
    errors: list[BaseException] = []
    # A daemon: a store that hangs must not keep the process alive.
    thread = threading.Thread(target=bridge._run, args=(code, errors), name=WAITS, daemon=True)
    thread.start()
    while True:
        bridge._task.acquire()
        if bridge._asked is None:
            break
        try:
            answer = bridge._asked()
            if inspect.isawaitable(answer):
                answer = await answer
        except GeneratorExit as error:  # the loop is closed, and this task will never go on
            bridge._over = True
            bridge._give(None, error)
            raise
        except BaseException as error:  # noqa: BLE001 - it is the answer; a cancellation too
            bridge._give(None, error)
        else:
            bridge._give(answer, None)
    thread.join()
    if errors:
        raise errors[0]
