"""C calls: a callback fires before each C function that chosen code calls, itself or by way of other code.

Between two system calls of a store are C calls, and many of them are made by `pathlib` or `json` on its behalf.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: The shares of C calls at which there may be a pause, and the longest pause. Many hold a short window open; few leave
#: calls close together, which a race with a clock needs.
PAUSE_SHARES, PAUSE_S_MAX = (0.02, 0.1), 0.0005


@contextmanager
def at_calls(at: Callable[[FrameType], None] | None, belongs: Callable[[str], bool]) -> Iterator[None]:
    """Have this thread call `at`, with the calling frame of chosen code, before C calls; with None, do nothing.

    Args:
        at: What it raises is raised there.
        belongs: Tells whether the file of a piece of code is chosen. It is not asked of who opens this context, nor of
            those who called that.
    """
    if at is None:
        yield
        return
    here = sys._getframe(2)  # past contextlib

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "c_call":
            while frame is not None and frame is not here:
                if belongs(frame.f_code.co_filename):
                    at(frame)
                    return
                frame = frame.f_back

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def pauses(seed: int) -> Callable[[FrameType], None]:
    """Return what pauses now and then, for a short time; both drawn from a seed."""
    draw = random.Random(seed)
    share = draw.choice(PAUSE_SHARES)

    def at(_: FrameType) -> None:
        if draw.random() < share:
            time.sleep(draw.random() * PAUSE_S_MAX)

    return at
