"""Running a function in a new process, with a limit on its time."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

#: Long enough for a slow machine to start Python and open a store; what takes longer hangs.
TIMEOUT_S = 60.0


class ChildError(Exception):
    """The function raised in the child process, the process died, or it hung; the text says which."""


def in_new_process(function: Callable[..., Any], *args: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """Call `function(*args)` in a new process and return its result.

    The process is spawned, not forked: a store must be found and opened from nothing but its address.

    Args:
        function: Importable by its name; the arguments and the result are pickled.
        *args: Given to the function.
        timeout_s: The process is killed after so many seconds.

    Raises:
        ChildError: The function raised, the process died, or the time was over.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, function, args), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(timeout_s):
            raise ChildError(f"the new process gave no answer within {timeout_s:.0f} s and was killed")
        kind, result = ours.recv()
    except EOFError:
        process.join()
        raise ChildError(f"the new process died with exit code {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
        ours.close()
    if kind == "raised":
        raise ChildError(f"in a new process: {result}")
    return result


def _serve(pipe: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        answer = ("returned", function(*args))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        answer = ("raised", "".join(traceback.format_exception_only(type(error), error)).strip())
    pipe.send(answer)
    pipe.close()
