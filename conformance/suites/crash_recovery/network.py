"""Judging a store whose network fails, or whose server does."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from conformance.crash.errors import places
from conformance.crash.subjects import Step
from conformance.hosting import embedded
from conformance.network.address import AddressUnknown, address_in
from conformance.network.calls import READS, steps_of
from conformance.network.fault import CUTS, Fault, Kind
from conformance.network.judge import MEANING, Finding, Wrong, judge
from conformance.network.players import Programme, play_all
from conformance.network.scenario import Played, Plot, Scenario
from conformance.network.show import story
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.serving import served
from conformance.workers import Crew, WorkerError
from conformance.workers.crew import cores

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.trial import Trial

#: A write that is acknowledged must have reached the server.
_KEPT = ("power-loss", "prefix", "process-crash")
#: Scenarios that wait for a client to give up, and are played at the same time.
_AT_ONCE = 24
#: What a sweep of faults may take, in times of what one exploration of crash states may.
_SHARE = 16
#: Requests that each kind of cut is tried on, for each place of a sweep.
_PLACES = 8
#: Faults that last until the client gives up: no reply comes at all, or one that is late.
_LOST: tuple[Kind, ...] = ("lost requests", "lost reply")
_LATE: tuple[Kind, ...] = ("late reply", "late reply, with the next")
#: What is wrong with a store, and not only with its client.
_HARM: tuple[Wrong, ...] = (
    "hung",
    "died",
    "wrong answer",
    "acknowledged in vain",
    "cannot read",
    "half done",
    "torn",
    "lost",
    "twice",
    "another order",
)
#: What goes wrong in a scenario that has no single fault.
_PLOTS = {
    "slow": "replies come in parts",
    "leaks": "one request after the other is cut",
    "refused": "for some calls no connection can be made",
    "killed": "the server is killed and started again",
    "stopped": "the server stands still for longer than the client waits",
}


@dataclass
class Laboratory:
    """The crew of one backend and contract, and what it has played so far."""

    crew: Crew
    steps: tuple[Step, ...]
    played: dict[Scenario, Played] = field(default_factory=dict)


def _laboratory(trial: Trial) -> Laboratory:
    backend, contract = trial.backend, trial.check.contract
    assert backend.server is not None  # the checks say that they need one
    try:
        address_in(served(backend.server).url)
    except AddressUnknown as why:
        raise Inconclusive(str(why)) from why
    verbs = trial.bench.profile.methods[contract]
    steps = steps_of(contract, domain=backend.values, seed=trial.bench.seed, verbs=verbs)
    try:
        return trial.bench.room(("network", contract), lambda: _room(backend, contract, steps))
    except WorkerError as why:
        raise Inconclusive(str(why)) from why


@contextmanager
def _room(backend: Backend, contract: str, steps: tuple[Step, ...]) -> Iterator[Laboratory]:
    with closing(Crew(backend, contract, 1)) as crew:
        yield Laboratory(crew, steps)


def _play(trial: Trial, scenarios: Sequence[Scenario], *, waiting: bool = False) -> list[Played]:
    """Return what came of scenarios; what another check has played is not played again.

    Raises:
        Inconclusive: One could not be carried out.
    """
    lab = _laboratory(trial)
    new = tuple(scenario for scenario in dict.fromkeys(scenarios) if scenario not in lab.played)
    if new:
        trial.bench.progress(f"{trial.check.code}: {len(new)} faults")
        width = _AT_ONCE if waiting else cores()
        runs = 1 if waiting else -(-len(new) // width)
        try:
            seconds = inf if waiting else _SHARE * trial.effort.crash_seconds
            found = lab.crew.call(play_all, Programme(new, width, runs, seconds))
        except WorkerError as why:
            raise Inconclusive(str(why)) from why
        lab.played.update(zip(new, found, strict=True))
    played = [lab.played[scenario] for scenario in scenarios]
    for one in played:
        if one.ended == "failed":
            raise Inconclusive(f"a scenario could not be played:\n{one.detail}")
    return played


def survives_cuts(trial: Trial) -> None:
    """Require that nothing is lost, done twice or made up when the connection of any request is cut."""
    _require(trial, _play(trial, _cuts(trial)), _HARM)


def works_again(trial: Trial) -> None:
    """Require that the handle whose connection was cut works again."""
    _require(trial, _play(trial, _cuts(trial)), ("gave up",))


def gives_up(trial: Trial) -> None:
    """Require that a call ends when no reply comes."""
    played = _waiting(trial, _LOST)
    waits = [max((call.seconds for call in one.calls if call.raised), default=0.0) for one in played]
    trial.conditions["longest wait"] = f"{max(waits, default=0.0):.1f} s"
    _require(trial, played, ("hung", "died"))


def drops_late_replies(trial: Trial) -> None:
    """Require that no harm is done when a call has given up: by a reply that comes late, or by one that never does."""
    _require(trial, _waiting(trial, (*_LOST, *_LATE)), (*_HARM, "gave up"))


def leaks_no_connection(trial: Trial) -> None:
    """Require that connections don't become more with the faults, and that none is left after closing."""
    _sound(trial)
    times = min(max(trial.effort.faults, 12), 60)
    _require(trial, _play(trial, [_scenario(trial, "leaks", times=times)]), ("hung", "died", "leaked", "left open"))
    _require(trial, _waiting(trial, (*_LOST, *_LATE)), ("left open",))


def survives_refusals(trial: Trial) -> None:
    """Require that calls raise while no connection can be made, and that nothing is wrong afterwards."""
    _sound(trial)
    _require(trial, _play(trial, _at_writes(trial, "refused")), (*_HARM, "gave up"))


def survives_slow_replies(trial: Trial) -> None:
    """Require that replies in parts are put together again."""
    _sound(trial)
    _require(trial, _play(trial, [_scenario(trial, "slow")]), (*_HARM, "raised"))


def survives_kills_of_the_server(trial: Trial) -> None:
    """Require that a handle outlives its server, and finds what was acknowledged."""
    embedded(trial.backend)
    _require(trial, _waiting(trial, plot="killed"), (*_HARM, "gave up"))


def survives_a_stopped_server(trial: Trial) -> None:
    """Require that a server that stands still for longer than a client waits does no harm when it goes on."""
    embedded(trial.backend)
    _require(trial, _waiting(trial, plot="stopped"), (*_HARM, "gave up"))


def _scenario(trial: Trial, plot: Plot, **more: Any) -> Scenario:
    return Scenario(plot, _laboratory(trial).steps, trial.effort.patience_s, **more)


def _sound(trial: Trial) -> Played:
    """Return what came of the workload without any fault.

    Raises:
        Inconclusive: Something was wrong even so.
    """
    played = _play(trial, [_scenario(trial, "sound")])[0]
    findings = judge(trial.check.contract, played).findings
    if findings and findings[0].wrong != "left open":
        one = findings[0]
        raise Inconclusive(
            f"through a proxy, and with no fault at all, {MEANING[one.wrong]}: expected {one.expected}, got {one.got}"
        )
    return played


def _cuts(trial: Trial) -> list[Scenario]:
    sound = _sound(trial)
    total = sound.requests - sound.calls[0].requests
    numbers = places(total, _PLACES * trial.effort.faults)
    return [_scenario(trial, "fault", fault=Fault(kind, number)) for kind in CUTS for number in numbers]


def _waiting(trial: Trial, kinds: tuple[Kind, ...] = (), *, plot: Plot = "give up") -> list[Played]:
    """Return what came of some of the scenarios in which a client waits.

    All are played at once, whoever asks first: they take no longer than one.

    Args:
        trial: The trial.
        kinds: Of faults, where they are what the scenario has.
        plot: Of the scenarios.
    """
    _sound(trial)
    groups = [*([verb] for verb in _verbs(trial, reads=False)), _verbs(trial, reads=True)]
    steps = [step for verbs in groups for step in _drawn(trial, verbs)]
    scenarios = [
        _scenario(trial, "give up", fault=Fault(kind), step=step) for kind in (*_LOST, *_LATE) for step in steps
    ]
    with suppress(NotApplicable):
        embedded(trial.backend)
        scenarios += _at_writes(trial, "stopped")
        if trial.backend.durability in _KEPT:
            scenarios += _at_writes(trial, "killed")
    played = _play(trial, scenarios, waiting=True)
    own = [one for one in played if one.scenario.plot == plot]
    return [one for one in own if one.scenario.fault is None or one.scenario.fault.kind in kinds]


def _at_writes(trial: Trial, plot: Plot) -> list[Scenario]:
    return [_scenario(trial, plot, step=step) for step in _drawn(trial, _verbs(trial, reads=False))]


def _verbs(trial: Trial, *, reads: bool) -> list[str]:
    return list(dict.fromkeys(s.verb for s in _laboratory(trial).steps if (s.verb in READS) == reads))


def _drawn(trial: Trial, verbs: Collection[str]) -> list[int]:
    """Return some steps with one of some verbs; neither the first nor the last of the workload."""
    steps = _laboratory(trial).steps
    fitting = [number for number in range(1, len(steps) - 1) if steps[number].verb in verbs]
    return sorted(random.Random(trial.bench.seed).sample(fitting, min(len(fitting), max(1, trial.effort.faults // 4))))


def _require(trial: Trial, played: Sequence[Played], wrong: tuple[Wrong, ...]) -> None:
    """Require that nothing of some kinds is wrong with what was played.

    Raises:
        Violation: Something is; the worst is shown.
        Inconclusive: There was no fault.
    """
    durable = trial.backend.durability in _KEPT
    found: list[tuple[Played, Finding]] = []
    for one in played:
        judged = judge(trial.check.contract, one, durable=durable)
        found += [(one, finding) for finding in judged.findings if finding.wrong in wrong]
        if one.fired:
            trial.count("faults", one.fired)
            trial.count("calls", len(one.calls))
            trial.count("calls that raised", sum(bool(call.raised) for call in one.calls))
            trial.count("comparisons", judged.comparisons)
    if left := sum(one.ended == "left out" for one in played):
        trial.count("faults left out", left)
    if found:
        order = list(MEANING)
        worst = min(found, key=lambda pair: (order.index(pair[1].wrong), len(pair[0].events)))
        raise _violation(trial, *worst, len(found))
    if not trial.evidence.get("faults"):
        raise Inconclusive(f"in {len(played)} runs of the workload no request met the fault")


def _violation(trial: Trial, played: Played, finding: Finding, count: int) -> Violation:
    scenario = played.scenario
    if scenario.fault is None:
        where = _PLOTS[scenario.plot]
    else:
        where = scenario.fault.told(f"request {scenario.fault.request}" if scenario.plot == "fault" else "a request")
    more = f" ({count} cases are wrong; this is the worst)" if count > 1 else ""
    return Violation(
        f"{where}: {MEANING[finding.wrong]}{more}",
        expected=finding.expected,
        got=finding.got,
        story=story(trial.check.contract, played),
        frame=finding.frame,
    )
