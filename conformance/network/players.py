"""Playing scenarios, each in a child that a worker forks, several at the same time: most of what they do is waiting."""

from __future__ import annotations

import gc
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from math import inf
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from conformance.backend import Where
from conformance.network.plots import PLOTS
from conformance.network.proxy import Proxy
from conformance.network.scenario import OWN_SERVER, Played, Scenario
from conformance.network.stage import GaveUp, Stage
from conformance.place import ManualClock, place_of
from conformance.workers.worker import Bay

if TYPE_CHECKING:
    from conformance.servers import Running

#: A child of which nothing is heard for so many times the patience with one call, and so many seconds, is killed.
_CALLS, _SECONDS = 8, 60.0


@dataclass(frozen=True)
class Programme:
    """Scenarios to be played.

    Args:
        scenarios: Which.
        width: At most so many at the same time.
        runs: How many a child plays, one after the other; what a new process has to import costs more than a scenario.
        seconds: No further one is begun after so long.
    """

    scenarios: tuple[Scenario, ...]
    width: int
    runs: int
    seconds: float = inf


def play_all(bay: Bay, programme: Programme) -> list[Played]:
    """Play scenarios, and return what came of each; runs in a worker.

    When one has ended badly, or the time is over, no further one is begun: each may take as long.
    """
    return _Troupe(bay, programme).play()


@dataclass
class _Child:
    """A child, what it still has to play, and when it is given up."""

    process: int
    left: deque[int]
    end_s: float


class _Troupe:
    """The children that play a programme."""

    def __init__(self, bay: Bay, programme: Programme) -> None:
        self.bay = bay
        self.scenarios = programme.scenarios
        self.width = programme.width
        numbers = range(len(self.scenarios))
        batches = -(-len(numbers) // programme.runs)
        # Each child has some of the first scenarios, and some of the last, which may be left out.
        self.waiting = deque(deque(numbers[at::batches]) for at in range(batches))
        self.end_s = time.monotonic() + programme.seconds
        self.children: dict[Connection, _Child] = {}
        self.found: dict[int, Played] = {}

    def play(self) -> list[Played]:
        """Return what came of each scenario."""
        while self.waiting or self.children:
            while self.waiting and len(self.children) < self.width:
                self.begin(self.waiting.popleft())
            first = min(child.end_s for child in self.children.values())
            ready = wait(list(self.children), timeout=max(0.0, first - time.monotonic()))
            for line, child in list(self.children.items()):
                if line in ready:
                    self.hear(line, child)
                elif child.end_s <= time.monotonic():
                    self.end(line, child)
                    self.settle(child, "hung", f"nothing was heard of it for {self.silence_s(child):.0f} s")
        return [self.found.get(number, Played(one, ended="left out")) for number, one in enumerate(self.scenarios)]

    def begin(self, numbers: deque[int]) -> None:
        """Have a new child play some scenarios."""
        here, there = Pipe(duplex=False)
        process = os.fork()
        if process == 0:
            here.close()
            _serve(self.bay, self.scenarios, numbers, there)
        there.close()
        self.children[here] = child = _Child(process, numbers, 0.0)
        child.end_s = time.monotonic() + self.silence_s(child)

    def hear(self, line: Connection, child: _Child) -> None:
        """Take what a child tells, or that it is dead."""
        try:
            played: Played = line.recv()
        except (EOFError, OSError):
            self.settle(child, "died", self.end(line, child))
            return
        self.found[child.left.popleft()] = played
        enough = played.ended in ("hung", "gave up") or time.monotonic() > self.end_s
        if enough:
            self.waiting.clear()
        if enough or not child.left:
            self.end(line, child)
        else:
            child.end_s = time.monotonic() + self.silence_s(child)

    def settle(self, child: _Child, ended: Literal["hung", "died"], detail: str) -> None:
        """Note how a child ended that gave no answer, and begin no more."""
        number = child.left.popleft()
        self.found[number] = Played(self.scenarios[number], ended=ended, detail=detail)
        self.waiting.clear()

    def silence_s(self, child: _Child) -> float:
        """Return the seconds after which a child of which nothing is heard is given up."""
        return _CALLS * self.scenarios[child.left[0]].patience_s + _SECONDS

    def end(self, line: Connection, child: _Child) -> str:
        """Let a child go, or kill it, and return how it ended."""
        del self.children[line]
        line.close()
        with suppress(ProcessLookupError):
            os.kill(child.process, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child.process, 0)[1])
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
        return f"the process {how}"


def _serve(bay: Bay, scenarios: Sequence[Scenario], numbers: Sequence[int], line: Connection) -> NoReturn:
    def tell(played: Played) -> None:
        line.send(played)

    gc.freeze()  # what the worker had is not looked through again
    try:
        for number in numbers:
            folder = bay.folder / f"scene-{os.getpid()}-{number}"
            folder.mkdir()
            tell(_played(bay, scenarios[number], folder, tell))
    except (EOFError, OSError):  # the worker is gone
        pass
    finally:
        os._exit(0)


def _played(bay: Bay, scenario: Scenario, folder: Path, tell: Callable[[Played], None]) -> Played:
    """Play a scenario in this process; what went wrong with the kit is told too."""
    with ExitStack() as lasting:
        try:
            server: Running | None = None
            if scenario.plot in OWN_SERVER:
                from conformance.servers import serve

                assert bay.backend.server is not None
                server = lasting.enter_context(serve(bay.backend.server, folder / "data"))
                where = Where(folder, "network", ManualClock(), server.url)
            else:
                where = place_of(bay.backend, folder)
            proxy = lasting.enter_context(Proxy(where.url))

            def hang(played: Played) -> None:
                with suppress(Exception):  # what the call makes of it has no time to show: its watch holds it
                    lasting.close()
                tell(played)
                os._exit(0)

            stage = Stage(bay.backend, bay.contract, scenario, where, proxy, hang)
            with stage.watch:
                return _through(stage, server)
        except Exception:  # noqa: BLE001 - told to whoever asked
            return Played(scenario, ended="failed", detail=traceback.format_exc())


def _through(stage: Stage, server: Running | None) -> Played:
    stage.open()
    gave_up = ""
    try:
        PLOTS[stage.scenario.plot](stage, server)
    except GaveUp as why:
        gave_up = str(why)
    finally:
        stage.close()
    if stage.held:
        stage.count(0)
    played = stage.told(found=stage.look())
    return replace(played, ended="gave up", detail=gave_up) if gave_up else played
