"""Running a function in a new process, with a limit on its time."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Long enough for a slow machine to start Python and open a store; what takes longer hangs.
TIMEOUT_S = 60.0


class ChildError(Exception):
    """The function raised in the child process, the process died, or it hung; the text says which."""


def in_new_process(function: Callable[..., Any], *args: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """Call `function(*args)` in a new process and return its result.

    The process is a new interpreter, not a fork: a store must be found and opened from nothing but its address. It is
    not multiprocessing's spawn either, which runs the main module again: here that may be a reproduction script.

    Args:
        function: Importable by its name; the arguments and the result are pickled.
        *args: Given to the function.
        timeout_s: The process is killed after so many seconds.

    Raises:
        ChildError: The function raised, the process died, or the time was over.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        question, answer = Path(folder, "question"), Path(folder, "answer")
        question.write_bytes(pickle.dumps((function, args)))
        command = [sys.executable, "-m", "conformance.child", str(question), str(answer)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise ChildError(f"the new process gave no answer within {timeout_s:.0f} s and was killed") from None
        if not answer.exists():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise ChildError(f"the new process died with exit code {done.returncode}: {''.join(last)}")
        kind, result = pickle.loads(answer.read_bytes())
    if kind == "raised":
        raise ChildError(f"in a new process: {result}")
    return result


def _serve(question: Path, answer: Path) -> None:
    function, args = pickle.loads(question.read_bytes())
    try:
        told = ("returned", function(*args))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        told = ("raised", "".join(traceback.format_exception_only(type(error), error)).strip())
    answer.write_bytes(pickle.dumps(told))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), Path(sys.argv[2]))
