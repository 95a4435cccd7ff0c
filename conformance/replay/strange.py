"""New processes that differ in what a store must not depend on: the hash seed, the time zone, the working directory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from conformance.child import TIMEOUT_S, ChildError

#: Environments, by what is said of them. POSIX time zones need no database.
_ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "PYTHONHASHSEED=1 and TZ=LINT-14": {"PYTHONHASHSEED": "1", "TZ": "LINT-14"},
    "PYTHONHASHSEED=2 and TZ=NST+3:30": {"PYTHONHASHSEED": "2", "TZ": "NST+3:30"},
}


def in_strange_processes(function: Callable[..., Any], *args: Any, at_once: bool = True) -> list[tuple[str, Any]]:
    """Call `function(elsewhere, *args)` in new processes with other environments, and return what each gave.

    Args:
        function: Importable by its name. `elsewhere` is a directory to go to once the backend has been found: its
            address may be found from the working directory only.
        *args: Given to the function.
        at_once: Whether they may run side by side.

    Raises:
        ChildError: The function raised there, a process died, or the time was over.
    """
    found: list[tuple[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder, ExitStack() as processes:
        started: deque[tuple[str, Path, subprocess.Popen[bytes]]] = deque()
        for number, (how, environment) in enumerate(_ENVIRONMENTS.items()):
            one = Path(folder, str(number))
            process = _start(one, {**os.environ, **environment}, function, args)
            processes.callback(_end, process)
            started.append((how, one, process))
            if not at_once:
                found.append((how, _answer(*started.popleft())))
        found += [(how, _answer(how, one, process)) for how, one, process in started]
    return found


def _start(
    folder: Path, environment: Mapping[str, str], function: Callable[..., Any], args: tuple[Any, ...]
) -> subprocess.Popen[bytes]:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(parents=True)
    (folder / "question").write_bytes(pickle.dumps((function, (elsewhere, *args))))
    command = [sys.executable, "-m", "conformance.child", str(folder / "question"), str(folder / "answer")]
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    return subprocess.Popen(
        command, env={**environment, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _answer(how: str, folder: Path, process: subprocess.Popen[bytes]) -> Any:
    try:
        _, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise ChildError(f"the new process with {how} gave no answer within {TIMEOUT_S:.0f} s") from None
    answer = folder / "answer"
    if not answer.exists():
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise ChildError(f"the new process with {how} died with exit code {process.returncode}: {''.join(last)}")
    kind, result = pickle.loads(answer.read_bytes())
    if kind == "raised":
        raise ChildError(f"in a new process with {how}: {result}")
    return result
