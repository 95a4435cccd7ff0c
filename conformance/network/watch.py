"""Noticing that something does not end, by a thread that does nothing else."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from conformance.frames import is_of_store, shown_path

Doing = TypeVar("Doing")


class Watch(Generic[Doing]):
    """Watches one thing after the other; a context manager, which ends its thread.

    Args:
        patience_s: Seconds that each thing may take.
        hang: Called, by the thread of the watch, with the thing that has taken longer. What is watched is not ended
            before it returns.
    """

    def __init__(self, patience_s: float, hang: Callable[[Doing], None]) -> None:
        self._patience_s = patience_s
        self._hang = hang
        self._doing: tuple[Doing, float] | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch[Doing]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def over(self, doing: Doing) -> Iterator[None]:
        """Watch the block."""
        self._doing = doing, time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._doing = None

    def _run(self) -> None:
        left_s = self._patience_s
        while not self._over.wait(left_s):
            with self._lock:
                left_s = self._patience_s
                if self._doing is not None:
                    doing, begun = self._doing
                    left_s += begun - time.monotonic()
                    if left_s <= 0:
                        self._hang(doing)
                        return


def standing_frame() -> str:
    """Return `file:line in function` for the innermost frame of a store in any thread but this one; empty for none."""
    for thread, stack in sys._current_frames().items():
        if thread == threading.get_ident():
            continue
        for frame in reversed(traceback.extract_stack(stack)):
            if is_of_store(frame.filename):
                return f"{shown_path(frame.filename)}:{frame.lineno} in {frame.name}: {(frame.line or '').strip()}"
    return ""
