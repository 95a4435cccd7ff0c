"""A process with one thread that records: the one that runs the tests may have several, and must not fork then."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


class Server:
    """Calls functions in a process of its own, one after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a function of a module there, and return what it returned, or raise what it raised."""
        self._connection.send((function, arguments, options))
        succeeded, result = self._connection.recv()
        if succeeded:
            return result
        raise result

    def record(self, workload: Callable[..., Any], root: Any, *arguments: Any, **options: Any) -> Any:
        """Record `workload(root, mark, *arguments)`; the options are those of `record`."""
        return self.call(record, workload, str(root), arguments, **options)

    def close(self) -> None:
        self._connection.close()
        self._process.join()


def record(workload: Callable[..., Any], root: str, arguments: tuple[Any, ...], **options: Any) -> Any:
    """Record in this process."""
    from conformance.crash.recorder import record as really

    return really(functools.partial(_started, workload, root, arguments), root, **options)


def _started(workload: Callable[..., Any], root: str, arguments: tuple[Any, ...], mark: Any) -> Any:
    return workload(root, mark, *arguments)


def _serve(connection: Connection) -> None:
    while True:
        try:
            function, arguments, options = connection.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*arguments, **options))
        except Exception as error:  # noqa: BLE001 (it is raised over there)
            answer = (False, error)
        connection.send(answer)
