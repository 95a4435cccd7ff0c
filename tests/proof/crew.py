"""Processes that carry out jobs, each with an end to how long it may take."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.proof.plan import Job

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "tests.proof.judge")
#: Seconds after which a trial is given up, with a long effort and with a quick one; and what a new one needs
#: before.
LONG, SHORT, FIRST = 150.0, 60.0, 60.0
#: A process that stores were opened in holds more and more; after so many trials there is a new one.
OLD = 3_000


class Process:
    """A process that carries out jobs, one after the other; if one takes too long, it is killed with all it began."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True)
        self._done = 0

    def judge(self, job: Job) -> dict[str, Any]:
        """Return what came of a job; its outcome is `late` when it took too long, or the process ended."""
        if self._done >= OLD:
            self._end()
        limit = LONG if job.long else SHORT
        if self._process is None:
            self._process, self._done = self._start(), 0
            limit += FIRST
        self._done += 1
        start = time.monotonic()
        line = self._asked(json.dumps(asdict(job)), limit)
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._kill()
        return {"outcome": "late", "seconds": round(time.monotonic() - start, 3), "draws": False}

    def close(self) -> None:
        """Let the process end, and remove what it left."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> None:
        if self._process is None:
            return
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)  # its servers end with it
        self._kill()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": self._folder.name},
            start_new_session=True,
        )

    def _asked(self, line: str, limit: float) -> bytes:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return b""
        # An answer is written at once, so that its first byte is as good as all.
        ready, _, _ = select.select([process.stdout], [], [], limit)
        return process.stdout.readline() if ready else b""

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


def carried_out(
    batches: Iterator[list[Job]], processes: int, going_on: Callable[[], bool]
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Give each job with what came of it, as it comes; the jobs of a batch stay in one process.

    Args:
        batches: Asked for only when somebody is free.
        processes: So many at a time.
        going_on: Asked before each batch; when it says no, what was begun is finished.
    """
    lock, ready, found = threading.Lock(), threading.Condition(), list[tuple[Job, dict[str, Any]]]()
    working = processes

    def work() -> None:
        nonlocal working
        one = Process()
        try:
            while going_on():
                with lock:
                    batch = next(batches, None)
                if batch is None:
                    break
                for job in batch:
                    answer = one.judge(job)
                    with ready:
                        found.append((job, answer))
                        ready.notify()
        finally:
            one.close()
            with ready:
                working -= 1
                ready.notify()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(processes)]
    for thread in threads:
        thread.start()
    while True:
        with ready:
            while not found and working:
                ready.wait()
            taken = list(found)
            found.clear()
            over = not working
        yield from taken
        if over:
            break
    for thread in threads:
        thread.join()
