"""A nursery: a new interpreter that opens no store, and that workers are forked from.

A new interpreter with an engine in it takes a quarter of a second, and a run has dozens of workers: one for each core,
contract and engine. A worker must be a process that never had a store and has one thread; a fork of such a process is
one too, and takes a hundredth of that.

Workers of a nursery share its hash seed. Where that, or another variable of the environment, must differ, there is
another nursery.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from multiprocessing import reduction
from multiprocessing.connection import Connection, Pipe
from typing import Any

#: The nurseries of this process, by process and environment; of many environments, as tests have them, the newest.
_OPEN: dict[Any, Nursery] = {}
_MOST = 4
#: Pytest sets variables for each test. A worker is given its own; interpreters don't look at them.
_PASSING = "PYTEST_"
_PATIENCE_S = 5.0


class WorkerError(Exception):
    """A worker could not do what it was asked, or could not be made; the text says why."""


class Nursery:
    """A process that forks workers.

    Args:
        environment: Its variables, from its start.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._line, there = Pipe()
        command = [sys.executable, "-m", "conformance.workers", str(there.fileno())]
        process = subprocess.Popen(command, env=environment, pass_fds=(there.fileno(),))
        there.close()
        self._one_at_a_time = threading.Lock()
        #: Threads in the midst of a question, and workers that are let go and not yet waited for.
        self._asking: set[int] = set()
        self._gone: list[int] = []
        self.pid = process.pid
        #: Modules of the kit that workers were asked to do something of: the next ones find them imported.
        self.modules: dict[str, None] = {}
        self.close = weakref.finalize(self, _end, self._line, process)
        self.close.atexit = False

    def worker(self, line: Connection, environment: Mapping[str, str]) -> int:
        """Return the number of a new worker, which takes its requests from a line.

        Args:
            line: Its end of it.
            environment: Its variables.

        Raises:
            WorkerError: There is none.
        """
        worker = self._asked((dict(environment), list(sys.path), os.getcwd(), tuple(self.modules)), line)
        self._wait_for_all()
        return int(worker)

    def wait(self, worker: int) -> None:
        """Return when a worker is gone, which has been let go; it is killed if it takes long.

        Garbage that is collected in the midst of a question may hold the worker; then it is waited for after that.
        """
        self._gone.append(worker)
        if threading.get_ident() not in self._asking:
            self._wait_for_all()

    def _wait_for_all(self) -> None:
        with contextlib.suppress(WorkerError):  # then it is not known, and has nobody to talk to
            while self._gone:
                self._asked(self._gone.pop())

    def _asked(self, what: Any, line: Connection | None = None) -> Any:
        here = threading.get_ident()
        self._asking.add(here)
        try:
            with self._one_at_a_time:
                answer = self._answer(what, line)
        finally:
            self._asking.discard(here)
        if isinstance(answer, str):
            raise WorkerError(answer)
        return answer

    def _answer(self, what: Any, line: Connection | None) -> Any:
        try:
            self._line.send(what)
            if line is not None:
                reduction.send_handle(self._line, line.fileno(), self.pid)
            elif not self._line.poll(_PATIENCE_S):
                os.kill(what, 9)  # it is the nursery's child, which waits for it: nobody else has this number yet
            return self._line.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise WorkerError("a worker process died") from error


def _end_all(nurseries: dict[Any, Nursery]) -> None:
    for nursery in nurseries.values():
        nursery.close()


# What is finalized at exit is so in the opposite order of its making: crews, which are made later, go before this.
weakref.finalize(Nursery, _end_all, _OPEN)


def _end(line: Connection, process: subprocess.Popen[bytes]) -> None:
    line.close()
    try:
        process.wait(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def nursery_of(environment: Mapping[str, str]) -> Nursery:
    """Return a nursery with these variables; it is started when it is first asked for, and ends with this process."""
    lasting = {name: value for name, value in environment.items() if not name.startswith(_PASSING)}
    # The path is that of its workers, each of which is told its own.
    lasting.pop("PYTHONPATH", None)
    key = (os.getpid(), sys.executable, tuple(sorted(lasting.items())))
    found = _OPEN.pop(key, None)
    if found is None or not found.close.alive:
        found = Nursery(environment)
    _OPEN[key] = found  # the newest is last; one that is forgotten ends when no crew has workers of it
    while len(_OPEN) > _MOST:
        del _OPEN[next(iter(_OPEN))]
    return found


def raise_workers(orders: Connection) -> Connection | None:
    """Fork workers as they are ordered, until the other side is gone; return the line of one, in that worker."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            order = orders.recv()
            if isinstance(order, int):
                os.waitpid(order, 0)
                orders.send(None)
                continue
            environment, path, folder, modules = order
            with Connection(reduction.recv_handle(orders)) as line:
                _import(modules)
                try:
                    worker = os.fork()
                except OSError as error:
                    orders.send(f"no process could be made: {error}")
                    continue
                if worker == 0:
                    orders.close()
                    _move(environment, path, folder)
                    return Connection(os.dup(line.fileno()))
                orders.send(worker)
    return None


def _import(modules: tuple[str, ...]) -> None:
    new = [module for module in modules if module not in sys.modules]
    for module in new:
        with contextlib.suppress(Exception):  # the worker tells, when it needs it
            importlib.import_module(module)
    if new:
        gc.collect()
        gc.freeze()  # what all workers have is not looked through, and so not copied, by any


def _move(environment: Mapping[str, str], path: list[str], folder: str) -> None:
    """Make a worker what an interpreter would be that was started just now."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = [folder, *path]
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
