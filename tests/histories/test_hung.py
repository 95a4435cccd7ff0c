"""Who hangs is read from stacks."""

from __future__ import annotations

import threading

import pytest

from conformance.histories import hung, search
from conformance.histories.hung import culprit

KIT = f'  File "{search.__file__}", line 12 in search'
PYTHON = f'  File "{threading.__file__}", line 629 in wait'
STORE = '  File "/somewhere/store.py", line 7 in put'


@pytest.mark.parametrize(
    ("threads", "named"),
    [
        ([[KIT], [STORE, KIT]], "/somewhere/store.py:7 in put"),
        ([[PYTHON, KIT], [PYTHON, STORE, KIT]], "/somewhere/store.py:7 in put"),
        ([[PYTHON, KIT], [KIT, STORE, KIT]], ""),
        ([[PYTHON]], ""),
        ([], ""),
    ],
    ids=["in a call", "in a wait of Python for it", "a worker that waits for its turn", "nobody's", "none"],
)
def test_the_innermost_call_decides(threads: list[list[str]], named: str) -> None:
    """But Python waits on behalf of who called it."""
    stacks = [
        "\n".join([f"Thread 0x{number:016x} (most recent call first):", *frames])
        for number, frames in enumerate(threads)
    ]
    assert culprit("Timeout (0:02:00)!\n" + "\n\n".join(stacks) + "\n") == named


def test_the_kit_is_known() -> None:
    """Its folder is that of the whole package."""
    assert hung.__file__.startswith(hung._KIT)
    assert hung._KIT.endswith("conformance")
