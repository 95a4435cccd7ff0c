"""The plots: what goes wrong in a scenario, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from conformance.network.calls import READS
from conformance.network.fault import CUTS, Fault
from conformance.network.stage import Stage

if TYPE_CHECKING:
    from conformance.servers import Running

#: Seconds after which a client gives up quickly.
_QUICK_S = 1.0


def sound(stage: Stage, _: Running | None) -> None:
    """Let nothing go wrong."""
    for number in range(len(stage.scenario.steps)):
        stage.call(number)


def slow(stage: Stage, _: Running | None) -> None:
    """Let all replies come slowly, in parts."""
    stage.strike("from here on each reply comes in parts")
    stage.proxy.slow()
    sound(stage, None)


def fault(stage: Stage, _: Running | None) -> None:
    """Let a request meet a fault, which does not last."""
    assert stage.scenario.fault is not None
    stage.arm(stage.scenario.fault)
    _rest(stage, 0)


def give_up(stage: Stage, _: Running | None) -> None:
    """Let a request meet a fault that lasts until the client has given up, and see what comes of it then."""
    scenario = stage.scenario
    assert scenario.fault is not None
    _until(stage, scenario.step)
    stage.count()
    stage.arm(scenario.fault)
    stage.call(scenario.step)
    if scenario.fault.kind == "late reply":
        stage.note("the reply comes")
        stage.proxy.release()
    if scenario.fault.kind == "lost requests":
        stage.note("the network works again, for new connections")
        stage.proxy.heal()
    for number in _questions(stage):  # a late reply does not show when it is given to the same question again
        stage.call(number)
    _rest(stage, scenario.step)
    stage.count(stage.held[0])


def refused(stage: Stage, _: Running | None) -> None:
    """Let no connection be possible for some calls."""
    scenario = stage.scenario
    _until(stage, scenario.step)
    stage.strike("all connections are reset, and none can be made")
    stage.proxy.refuse()
    # The first call is told of the reset; those behind it meet the refusal.
    for number in (scenario.step, *_writes(stage), *_questions(stage)):
        stage.call(number, cut_off=True)
    stage.note("connections can be made again")
    stage.proxy.heal()
    _rest(stage, scenario.step)


def leaks(stage: Stage, _: Running | None) -> None:
    """Let many requests be cut, and count the connections."""
    scenario, steps = stage.scenario, len(stage.scenario.steps)
    sound(stage, None)
    stage.count()
    for number in range(scenario.times):
        stage.arm(Fault(CUTS[number % len(CUTS)]))
        stage.until_done(number % steps)
    stage.count(stage.held[0])


def killed(stage: Stage, server: Running | None) -> None:
    """Let the server be killed between two calls, and in one, and start again when a call has failed."""
    assert server is not None
    scenario, half = stage.scenario, (stage.scenario.step + len(stage.scenario.steps)) // 2
    _until(stage, scenario.step)
    stage.strike("the server is killed")
    server.kill()
    stage.call(scenario.step, cut_off=True)
    _restart(stage, server)
    for number in range(scenario.step, half):
        stage.until_done(number)
    stage.note("the server is killed as soon as it has been sent a request of the next call")
    stage.arm(Fault("nothing"), server.kill)
    stage.call(half)
    stage.proxy.heal()
    _restart(stage, server)
    _rest(stage, half)


def stopped(stage: Stage, server: Running | None) -> None:
    """Let the server stand still until calls have given up, and then go on."""
    assert server is not None
    scenario = stage.scenario
    _until(stage, scenario.step)
    stage.strike("the server is stopped, as by SIGSTOP")
    server.pause()
    call = stage.call(scenario.step)
    if call.seconds < _QUICK_S:  # a second one, on a new connection
        stage.call(scenario.step + 1)
    stage.note("the server goes on")
    server.resume()
    for number in _questions(stage):  # as above
        stage.call(number)
    _rest(stage, scenario.step)


def _questions(stage: Stage) -> list[int]:
    """Return the steps that read, each once."""
    steps = stage.scenario.steps
    return [number for number, step in enumerate(steps) if step.verb in READS and step not in steps[:number]]


def _writes(stage: Stage) -> list[int]:
    """Return a step of each kind that writes."""
    verbs = [step.verb for step in stage.scenario.steps]
    return [number for number, verb in enumerate(verbs) if verb not in READS and verb not in verbs[:number]]


def _restart(stage: Stage, server: Running) -> None:
    if server.pid is None:
        server.restart()
        stage.note("the server is started again, on its files")


def _until(stage: Stage, step: int) -> None:
    for number in range(step):
        stage.call(number)


def _rest(stage: Stage, step: int) -> None:
    for number in range(step, len(stage.scenario.steps)):
        stage.until_done(number)


PLOTS: Mapping[str, Callable[[Stage, Running | None], None]] = {
    "sound": sound,
    "slow": slow,
    "fault": fault,
    "give up": give_up,
    "refused": refused,
    "leaks": leaks,
    "killed": killed,
    "stopped": stopped,
}
