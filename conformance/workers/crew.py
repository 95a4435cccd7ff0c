"""A crew of workers, one for each core."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any, TypeVar

from conformance.backend import Backend
from conformance.hosting import finding, furnished
from conformance.workers.nursery import Nursery, WorkerError, nursery_of
from conformance.workers.shelf import Shelf

Job = TypeVar("Job")

#: Free bytes that memory must have for places to be kept there: a small Docker container has 64 MiB.
_ROOM = 32 << 20
#: The kit's own modules may be in the process that workers are forked from; a store's, and a test's, must not.
_KIT = "conformance."
#: Bytes of a job that a busy worker is sent: they fit into the buffer of a pipe.
_AT_HAND = 32 << 10


class Crew:
    """Workers of one backend and contract; close it at the end.

    Args:
        backend: What they open; found again at its address, in each of them.
        contract: The contract that is opened, e.g. `state`.
        size: How many; None for one for each core that this process may use.
        environments: Variables that are set for each worker, one worker for each of them; the size does not count then.

    Raises:
        WorkerError: The backend is not found there.
    """

    def __init__(
        self,
        backend: Backend,
        contract: str,
        size: int | None = None,
        *,
        environments: Sequence[Mapping[str, str]] = (),
    ) -> None:
        if not hasattr(os, "fork"):
            raise WorkerError("this can't be measured on a platform without fork(2), such as Windows")
        self.backend = backend
        self.contract = contract
        self._shelf = _shelf(backend, contract)
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-workers-", dir=quick_folder()))
        self._processes: list[tuple[Nursery, int]] = []
        self._lines: list[Any] = []
        try:
            for variables in environments or [{}] * (size or cores()):
                self._start(variables)
            for number, line in enumerate(self._lines):  # a large shelf is taken by a worker that is up only
                self._introduce(line, number)
            for line in self._lines:
                self._answer(line)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._lines)

    def call(self, function: Callable[..., Any], *arguments: Any, worker: int = 0) -> Any:
        """Return `function(bay, *arguments)` of a worker; the function is importable, all else is pickled.

        Raises:
            WorkerError: It raised there, or the worker died.
        """
        self._tell(self._lines[worker], self._order(function, *arguments))
        return self._answer(self._lines[worker])

    def each(self, function: Callable[..., Any], arguments: Sequence[Any]) -> list[Any]:
        """Return `function(bay, argument)` of each worker, with an argument of its own, all at the same time.

        Raises:
            WorkerError: As above.
        """
        for line, argument in zip(self._lines, arguments, strict=True):
            self._tell(line, self._order(function, argument))
        answers: list[Any] = []
        errors: list[WorkerError] = []
        for line in self._lines:  # all of them, so that none is left with an answer that nobody took
            try:
                answers.append(self._answer(line))
            except WorkerError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return answers

    def spread(self, function: Callable[..., Any], jobs: Iterable[Job], *, ahead: int = 0) -> Iterator[tuple[Job, Any]]:
        """Give each job with `function(bay, job)` of some worker, as they come; jobs are taken when one is wanted.

        Args:
            function: As for `call`.
            jobs: Its arguments.
            ahead: Jobs that a worker has at hand beside the one it does: then it need not wait until this process,
                which shares the cores with it, makes another. They are done too when the caller stops early.

        Raises:
            WorkerError: As above.
        """
        made = ((job, self._order(function, job)) for job in jobs)
        given: dict[Any, deque[Job]] = {line: deque() for line in self._lines}
        try:
            waiting = next(made, None)
            while waiting or any(given.values()):
                least = min(self._lines, key=lambda line: len(given[line]))
                # A worker that cannot put its answer down because we are not listening takes no large job from us.
                if waiting and (not given[least] or (len(given[least]) <= ahead and len(waiting[1]) <= _AT_HAND)):
                    self._tell(least, waiting[1])
                    given[least].append(waiting[0])
                    waiting = next(made, None)
                    continue
                for line in wait([line for line in self._lines if given[line]]):
                    yield given[line].popleft(), self._answer(line)
        finally:
            for line, left in given.items():  # the caller has seen enough
                for _ in left:
                    self._answer(line)

    def close(self) -> None:
        """Let the workers go."""
        for line in self._lines:
            line.close()
        for nursery, process in self._processes:
            nursery.wait(process)
        self._lines.clear()
        self._processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, variables: Mapping[str, str]) -> None:
        path = os.pathsep.join(path or os.getcwd() for path in sys.path)
        environment = {**os.environ, **variables, "PYTHONPATH": path}
        nursery = nursery_of(environment)
        here, there = Pipe()
        with there:
            self._processes.append((nursery, nursery.worker(there, environment)))
        self._lines.append(here)

    def _order(self, function: Callable[..., Any], *arguments: Any) -> bytes:
        if function.__module__.startswith(_KIT):
            for nursery, _ in self._processes:
                nursery.modules[function.__module__] = None
        return self._shelf.dumps((function, arguments))

    def _introduce(self, line: Any, number: int) -> None:
        folder = self.folder / str(number)
        folder.mkdir()
        try:
            introduction = pickle.dumps((finding(self.backend), self.contract, str(folder), self._shelf))
        except (pickle.PicklingError, AttributeError) as error:
            raise WorkerError(
                f"backend {self.backend.name!r} can't be opened in another process: it has no address, and {error}"
            ) from error
        self._tell(line, introduction)

    def _tell(self, line: Any, request: bytes) -> None:
        try:
            line.send_bytes(request)
        except OSError as error:
            raise WorkerError("a worker process died") from error

    def _answer(self, line: Any) -> Any:
        try:
            fine, answer = self._shelf.loads(line.recv_bytes())
        except (EOFError, OSError) as error:
            raise WorkerError("a worker process died") from error
        if not fine:
            raise WorkerError(str(answer))
        return answer


def _shelf(backend: Backend, contract: str) -> Shelf:
    """Return a shelf with what a server of the store's own begins with."""
    from conformance.servers import NoServer, StartError

    with tempfile.TemporaryDirectory(prefix="conformance-shelf-", dir=quick_folder()) as folder:
        try:
            furnished(backend, contract, Path(folder))
        except (NoServer, StartError) as error:
            raise WorkerError(str(error)) from error
        return Shelf(path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file())


def cores() -> int:
    """Return how many processes are worth running at once; the workers of pytest-xdist share the machine."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(ValueError):
        count //= max(1, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    return max(1, min(count, 16))


def quick_folder(room: int = _ROOM) -> str | None:
    """Return memory that looks like a disk, where there is enough of it: there a sync costs nothing.

    Args:
        room: Free bytes that are enough.
    """
    memory = "/dev/shm"
    try:
        if os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free > room:
            return memory
    except OSError:
        pass
    return None
