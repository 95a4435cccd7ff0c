"""Rounds of processes that are killed in the midst of their calls, and followed by others: one history over all lives.

Each process writes down what came of a call as soon as it returned, so that who is killed takes no answer along. The
call that it was in may have taken effect, or may do so later, or never. Source: Jepsen's nemesis, and its processes
that are retired.
"""

from __future__ import annotations

import os
import pickle
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from conformance.backend import Backend
from conformance.frames import is_of_store
from conformance.histories.drivers.processes import MemberError, Team, calls_in, kill, kill_at_call, ranked
from conformance.histories.operation import NEVER, Operation
from conformance.histories.perform import Client, Raised
from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.rounds.round import LIMIT_S, CarryOut, Round, closed, opened

#: `killed`: one process is, and the others go on. `all killed`: all are, in the same moment.
KillWay = Literal["killed", "all killed"]

#: C calls that the store's code makes for one call, as long as none was measured.
_CALLS = 30
#: A kill may come so many times later than one call takes: also right after its end, and in a longer one.
_LATER = 1.25
#: Kills in one round; each comes early in a life, so that there is much left to go on with.
_KILLS = 3
#: So many asks of a life at most go before the one in which its end may come.
_SOON = 2
#: Asks of the last life of who was killed: enough to see that it goes on.
_TO_GO_ON = 6
#: A worker whose call raised goes on under another number; the call in which it is killed has one of its own, then.
_LAST_CALL = 500


class Doom(NamedTuple):
    """When processes are killed by one of them.

    Args:
        place: Of the ask of the killer from which on its C calls are counted.
        call: Before which of them it kills; at the end of its asks, should it not come so far.
        processes: In the order in which they are killed; its own comes last.
    """

    place: int
    call: int
    processes: Sequence[int]


@dataclass(frozen=True)
class Life:
    """One process, from its opening of the store to its end.

    Args:
        number: Of its worker.
        asks: What it is asked.
        report: The file in which it writes what came of each ask.
        begun: A time before it was asked anything.
    """

    number: int
    asks: Sequence[Ask]
    report: Path
    begun: int

    def heard(self) -> tuple[list[Operation], list[Raised]]:
        """Return what it reported, and the call in which it was killed."""
        history: list[Operation] = []
        raised: list[Raised] = []
        reports = _reports(self.report)
        for operations, errors in reports:
            history += operations
            raised += errors
        if len(reports) < len(self.asks):
            ask = self.asks[len(reports)]
            if ask.verb not in ("get", "read"):  # an answer that nobody heard tells nothing
                # When it was called nobody knows, but surely not before the last return.
                call = max((one.end for one in history if one.end < NEVER), default=self.begun)
                worker = self.number + (_LAST_CALL if raised else 0)
                value = None if ask.verb == "delete" else ask.number or None
                history.append(Operation(call, NEVER, worker, ask.verb, ask.key, value, outcome="info"))
        return history, raised

    def left(self) -> Sequence[Ask]:
        """Return what nobody has done of what it was asked, without the call in which it was killed."""
        return self.asks[len(_reports(self.report)) + 1 :]


def _reports(path: Path) -> list[tuple[list[Operation], list[Raised]]]:
    found: list[tuple[list[Operation], list[Raised]]] = []
    if path.exists():
        with path.open("rb") as file:
            try:
                while True:
                    found.append(pickle.load(file))
            except (EOFError, pickle.UnpicklingError):  # it was killed while it wrote the last one
                pass
    return found


@contextmanager
def killed(way: KillWay, backend: Backend, contract: str, workers: int) -> Iterator[CarryOut]:
    """Have a process for each worker; who is killed gets a successor, who is killed too, some times."""
    calls = _CALLS
    with closing(Team(workers, {"backend": backend, "contract": contract})) as team:

        def carry_out(folder: Path, plan: Plan, seed: int) -> Round:
            nonlocal calls
            lives = Lives(team, folder, plan)
            try:
                calls = lives.prepare() or calls
                lives.kill_and_go_on(way, calls, random.Random(seed))
                lives.read_all()
            except MemberError as error:
                return Round([], (), str(error))
            heard = [life.heard() for life in lives.lives]
            history = ranked([one for operations, _ in heard for one in operations])
            return Round(history, [one for _, raised in heard for one in raised])

        yield carry_out


class Lives:
    """The lives of one round.

    Args:
        team: Of as many members as there are workers.
        folder: Empty; the store and the reports are put there.
        plan: What the workers are asked.
    """

    def __init__(self, team: Team, folder: Path, plan: Plan) -> None:
        self.lives: list[Life] = []
        self._team = team
        self._folder = folder
        self._store = str(folder / "store")
        self._plan = plan

    def prepare(self) -> int:
        """Have the first member age the store, and all open it; return how many calls one ask takes, 0 if unknown."""
        team, before = self._team, self._plan.before
        Path(self._store).mkdir()
        self._open([0])
        self._ask(0, before, function=_age)
        calls: int = team.members[0].answer(LIMIT_S)
        self._open(range(1, len(team.members)))
        return calls // len(before) if before else 0

    def kill_and_go_on(self, way: KillWay, calls: int, draw: random.Random) -> None:
        """Have the workers asked, and one or all of them killed some times; the last successors come to their end."""
        members = range(len(self._team.members))
        killer = draw.randrange(len(members))
        left = dict(enumerate(self._plan.workers))
        dead = [killer] if way == "killed" else [*(member for member in members if member != killer), killer]
        for member in members:
            if member not in dead:
                self._ask(member, left[member])
        for number in range(_KILLS + 1):
            pids = [self._team.members[member].pid for member in dead]
            for member in dead:  # the killer is the last one to be asked
                doom = Doom(draw.randrange(_SOON), draw.randint(1, max(1, int(calls * _LATER))), pids)
                asks = left[member] if number < _KILLS else left[member][:_TO_GO_ON]
                self._ask(member, asks, doom if member == killer and number < _KILLS else None)
            if number < _KILLS:
                for member in dead:
                    self._team.members[member].wait_dead(LIMIT_S)
                for member, life in zip(dead, self.lives[-len(dead) :], strict=True):
                    left[member] = life.left()
                    self._team.replace(member)
                self._open(dead)
        for member in members:
            self._team.members[member].answer(LIMIT_S)

    def read_all(self) -> None:
        """Have everybody close the store, and a new handle read all of it."""
        self._team.ask_all(_close, [()] * len(self._team.members), LIMIT_S)
        self._open([0])
        self._ask(0, self._plan.after)
        first = self._team.members[0]
        first.answer(LIMIT_S)
        first.tell(_close)
        first.answer(LIMIT_S)

    def _open(self, members: Sequence[int]) -> None:
        for member in members:
            self._team.members[member].tell(_open, self._store)
        try:
            for member in members:
                self._team.members[member].answer(LIMIT_S)
        except MemberError as error:
            raise MemberError(f"the store did not open: {error}") from error

    def _ask(
        self, member: int, asks: Sequence[Ask], doom: Doom | None = None, function: Callable[..., Any] | None = None
    ) -> None:
        number = len(self.lives)
        life = Life(number, asks, self._folder / f"life-{number}", time.monotonic_ns())
        self.lives.append(life)
        self._team.members[member].tell(function or _live, number, self._plan.times, asks, str(life.report), doom)


# What members of a team are asked. Their state has the backend and the contract, and the open store.


def _open(state: dict[str, Any], folder: str) -> None:
    state["open"] = opened(state["backend"], state["contract"], Path(folder))


def _close(state: dict[str, Any]) -> None:
    closed(*state.pop("open"))


def _age(state: dict[str, Any], *arguments: Any) -> int:
    return calls_in(lambda: _live(state, *arguments), is_of_store)


def _live(
    state: dict[str, Any], number: int, times: int, asks: Sequence[Ask], report: str, doom: Doom | None = None
) -> None:
    driver, store = state["open"]
    client = Client(number, state["backend"], driver, store, time.monotonic_ns, times)
    file = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for place, ask in enumerate(asks):
            if doom is not None and place == doom.place:
                kill_at_call(doom.call, doom.processes, is_of_store)
            client.history, client.raised = [], []
            client.ask_all([ask])
            os.write(file, pickle.dumps((client.history, client.raised)))
    finally:
        os.close(file)
    if doom is not None:
        kill(doom.processes)
