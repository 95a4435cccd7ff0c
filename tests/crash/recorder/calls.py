"""What the workloads call: functions of the C library, and calls that must fail."""

from __future__ import annotations

import ctypes
import os
import sys

LIBRARY = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def c_call(name: str, *arguments: object) -> int:
    """Call a function of the C library, and raise OSError as it says."""
    assert LIBRARY is not None
    result: int = getattr(LIBRARY, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def fails_with(number: int, call: object, *arguments: object) -> None:
    """Make a call that must fail so."""
    try:
        call(*arguments)  # type: ignore[operator]
    except OSError as error:
        if error.errno != number:
            raise
    else:
        raise AssertionError("it did not fail")
