"""A worker: a process of its own that carries out workloads and reopens stores in forked children.

It never opens a store itself: what a store leaves in a process (threads, locks, handles) must not reach the next child.
It is a new interpreter, so it has one thread and may fork.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NoReturn

from conformance.address import load
from conformance.backend import Backend
from conformance.crash.observe import Observation, observe
from conformance.crash.tree import Tree, write_tree

#: A store that has not been opened, read, written and reopened after so long hangs. Quick ones take a millisecond.
HANG_S = 10.0


@dataclass(frozen=True)
class Bay:
    """What a worker works with.

    Args:
        backend: The backend, as found at its address.
        contract: `state` or `log`.
        folder: A directory of this worker alone.
    """

    backend: Backend
    contract: str
    folder: Path

    @property
    def place(self) -> Path:
        """Where every store is opened: always the same path, for stores that write down where they are."""
        return self.folder / "place"

    def cleared(self) -> Path:
        """Return the place, with nothing there."""
        shutil.rmtree(self.place, ignore_errors=True)
        return self.place


def observe_all(bay: Bay, batch: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Reopen the store on each tree of a batch and return what it shows, by the same names.

    One forked child does many; where it dies or hangs, that tree is tried again alone, and what happens then is the
    observation: a tree must not be blamed for what an earlier one left in the process. After one that hangs the rest
    of the batch is left out, since each may take as long.
    """
    trees = list(batch.values())
    found: list[Observation] = []
    while len(found) < len(trees):
        some, _ = _in_child(bay, trees[len(found) :])
        found += some
        if len(found) < len(trees):
            alone, ended = _in_child(bay, [trees[len(found)]])
            found += alone or [ended]
            if found[-1].usable == "hung":
                break
    return dict(zip(batch, found, strict=False))


def observe_place(bay: Bay) -> Observation:
    """Reopen the store on the files that are there, in a forked child, and return what it shows."""
    found, ended = _in_child(bay, [None])
    return found[0] if found else ended


def _in_child(bay: Bay, trees: Sequence[Tree | None]) -> tuple[list[Observation], Observation]:
    """Observe trees in a forked child; return what came, and what to say of the one at which it died or hung."""
    here, there = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        _observe_here(bay, trees, there)
    there.close()
    found: list[Observation] = []
    with here:
        try:
            while len(found) < len(trees) and here.poll(HANG_S):
                found.append(here.recv())
            hung = len(found) < len(trees)
        except EOFError:
            hung = False
    if hung:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if hung:
        return found, Observation("hung", detail=f"no answer within {HANG_S:.0f} s")
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
    return found, Observation("died", detail=f"the process {how}")


def _observe_here(bay: Bay, trees: Sequence[Tree | None], answers: Connection) -> NoReturn:
    # Nothing that the store makes lives on after the child, so there is nothing to collect.
    gc.disable()
    for tree in trees:
        if tree is not None:
            write_tree(tree, bay.cleared())
        place = bay.place
        answers.send(observe(bay.backend, bay.contract, place))
    os._exit(0)


def serve(requests: Connection) -> None:
    """Carry out requests, `(function, arguments)`, until the other side is gone; answer `(ok, result or text)`."""
    address, contract, folder = requests.recv()
    try:
        bay = Bay(load(address) if isinstance(address, str) else address, contract, Path(folder))
    except Exception:  # noqa: BLE001 - told to the other side
        requests.send((False, traceback.format_exc()))
        return
    requests.send((True, None))
    while True:
        try:
            function, arguments = requests.recv()
        except EOFError:
            return
        try:
            answer = (True, _called(function, bay, arguments))
        except Exception:  # noqa: BLE001 - as above
            answer = (False, traceback.format_exc())
        requests.send(answer)


def _called(function: Callable[..., Any], bay: Bay, arguments: tuple[Any, ...]) -> Any:
    return function(bay, *arguments)


if __name__ == "__main__":
    # What stores print must not reach the terminal of the run.
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    gc.freeze()
    # The module of that name, not this one, which is called `__main__`: results are pickled by the name of their class.
    from conformance.crash import worker

    worker.serve(Connection(int(sys.argv[1])))
