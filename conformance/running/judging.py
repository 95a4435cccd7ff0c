"""Carrying out the checks as test items: the fixture, the call, and the report of each."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.baseline import UPDATE
from conformance.bench import Bench
from conformance.check import DIFFERENTIAL, FIXTURE, Check, catalogue, check_of
from conformance.effort import EFFORTS
from conformance.options import Options
from conformance.report.case import write_case
from conformance.report.failure import failure_text, shown_path
from conformance.report.script import standalone, write_script
from conformance.result import Result
from conformance.running.keys import ALIASES_TAKEN, RUN, cache_folder, is_worker
from conformance.running.transient import TransientLine, transient_line
from conformance.trial import Trial
from conformance.workers.crew import quick_folder

RESULT = pytest.StashKey[Result]()
#: Where long work is shown; None for nowhere.
LINE = pytest.StashKey[TransientLine | None]()
#: Free bytes that memory must have for the places of the checks: a store of ten thousand keys may be a file for each.
_ROOM = 1 << 30


class CheckFailed(Exception):
    """Tells pytest that a check is red where no exception did; what is shown is made from the `Result`."""


def pytest_configure(config: pytest.Config) -> None:
    """Take hold of the terminal for lines about long work, before what is printed is captured."""
    quiet = is_worker(config) or config.get_verbosity() < -1 or config.pluginmanager.is_blocked("terminal")
    # With -s the store prints too, wherever the cursor is.
    shown = not quiet and config.getoption("capture") != "no"
    config.stash[LINE] = transient_line(sys.stdout, os.environ) if shown else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the terminal."""
    line = config.stash.get(LINE, None)
    if line is not None:
        line.close()


@pytest.fixture(scope="session", name=FIXTURE)
def _bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    run = request.config.stash[RUN]
    folder = re.sub(r"\W+", "-", request.param)
    line = request.config.stash[LINE]
    bench = Bench(
        profile=run.profiles[request.param],
        effort=EFFORTS[run.options.effort],
        seed=run.options.seed,
        root=_root(request.config, tmp_path_factory, f"conformance-{folder}"),
        database=request.config.rootpath / ".hypothesis" / "conformance" / folder,
        disks=run.options.disks,
        case=run.case,
        replay=_replay(run.case),
        against=run.against(run.profiles[request.param]),
        progress=line.show if line is not None else lambda _: None,
    )
    yield bench
    bench.close()


def _root(config: pytest.Config, factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a new directory for places, which are removed one by one; it goes with the run.

    It is in memory where there is enough of it, unless the user has named another: what a disk may lose is tried by
    engines that don't wait for one, and every other check would wait for thousands of syncs.
    """
    # As it was typed: pytest-xdist names one for each of its workers.
    memory = None if config.known_args_namespace.basetemp else quick_folder(_ROOM)
    if memory is None:
        return factory.mktemp(name)
    block = tempfile.TemporaryDirectory(prefix=f"{name}-", dir=memory, ignore_cleanup_errors=True)
    config.add_cleanup(block.cleanup)
    return Path(block.name)


def _replay(case: object) -> Callable[[Trial], None] | None:
    if case is None:
        return None
    from conformance.crash.case import Case
    from conformance.suites.crash_recovery.meeting import meet_again

    # A round is met again by its check, which asks the bench for it.
    return meet_again if isinstance(case, Case) else lambda trial: trial.check.function(trial)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Carry out a check; leave every other test to pytest."""
    check = check_of(pyfuncitem.function)
    if check is None:
        return None
    bench = pyfuncitem.funcargs[FIXTURE]
    assert isinstance(bench, Bench)
    result = _judged(pyfuncitem.config, bench, check)
    result = _weighed(pyfuncitem, bench, result)
    pyfuncitem.stash[RESULT] = result
    pyfuncitem.user_properties.append(("conformance_outcome", result.outcome))
    pyfuncitem.user_properties += [(f"conformance_{kind}", count) for kind, count in result.evidence.items()]
    if result.is_red:
        # The exception itself, so that --pdb stops where it was raised.
        raise bench.errors.get(check.code) or CheckFailed(result.code)
    if result.outcome != "pass":
        pytest.skip(f"{'provisional ' * result.provisional}{result.outcome}: {result.reason or check.sentence}")
    return True


def _judged(config: pytest.Config, bench: Bench, check: Check) -> Result:
    line = config.stash[LINE]
    if line is None:
        return bench.judge(check)
    line.begin()
    try:
        return bench.judge(check)
    finally:
        line.erase()  # before pytest prints the outcome


def _weighed(item: pytest.Function, bench: Bench, result: Result) -> Result:
    """Return the result in the light of what gates, and of what is accepted."""
    run = item.config.stash[RUN]
    gate, check = run.options.gate, catalogue()[result.code]
    result = gate.placed(result, check)
    # A saved state that is no failure any more does not say that the gap is closed.
    if run.case is not None and result.outcome != "fail":
        return result
    blocker = bench.results.get(result.reason.removeprefix("blocked by ")) if result.outcome == "blocked" else None
    return gate.weighed(
        result,
        blocker=gate.placed(blocker, catalogue()[blocker.code]) if blocker is not None else None,
        whole=gate.updates and _is_whole(item, result.backend),
        update=_update_command(item.config, result),
    )


def _is_whole(item: pytest.Function, backend: str) -> bool:
    """Tell whether the run carries out every check of a backend."""
    run = item.config.stash[RUN]
    chosen = [i for i in item.session.items if isinstance(i, pytest.Function) and check_of(i.function) is not None]
    mine = sum(one.callspec.params[FIXTURE] == backend for one in chosen)
    return mine == len(run.expected(run.profiles[backend]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the result on the report, which takes it from a worker to the controller, and show it in its own words."""
    report = yield
    result = item.stash.get(RESULT, None)
    if result is None or call.when != "call":
        return report
    report.conformance = _repeatable(item.config, result).to_dict()  # type: ignore[attr-defined]
    if report.failed:
        report.longrepr = _explained(item, result)
    return report


def _repeatable(config: pytest.Config, result: Result) -> Result:
    """Return a result whose counterexample tells how it is met again."""
    example = result.counterexample
    if example is None:
        return result
    script = standalone(result, config.stash[RUN].profiles[result.backend].backend)
    return replace(result, counterexample=replace(example, rerun=rerun_command(config, result), script=script))


def _explained(item: pytest.Item, result: Result) -> str:
    config = item.config
    backend = config.stash[RUN].profiles[result.backend].backend
    folder, base = cache_folder(config), config.invocation_params.dir
    script = case = None
    if folder is not None and result.counterexample is not None:
        case = write_case(folder, result)
        if case is not None:
            from conformance.report.case_script import write_case_script  # here, as it needs the crash engine

            script = write_case_script(folder, result, backend)
        elif result.counterexample.calls:
            script = write_script(folder, result, backend.address)
    check: Check | None = check_of(getattr(item, "function", None))
    assert check is not None
    return failure_text(
        result,
        check,
        rerun=rerun_command(config, result),
        script=script,
        base=base,
        case=case_command(config, result, shown_path(case, base)) if case is not None else "",
    )


def rerun_command(config: pytest.Config, result: Result) -> str:
    """Return the command that runs one check again."""
    options = config.stash[RUN].options
    repeat = result.counterexample.repeat if result.counterexample is not None else ""
    words = [*_begun(config, result), f"--conformance-round={repeat}" if repeat else f"-k {result.code}"]
    if options.effort != "normal":
        words.append(f"{_option(config, 'effort')}={options.effort}")
    if options.seed:
        words.append(f"--conformance-seed={options.seed}")
    words += [f"--conformance-disk={disk}" for disk in options.disks]
    return " ".join(words)


def _update_command(config: pytest.Config, result: Result) -> str:
    options = config.stash[RUN].options
    given = options.origins.get("baseline") == "command line" and options.gate.baseline
    named = [f"--conformance-baseline={shown_path(given.path, config.invocation_params.dir)}"] if given else []
    return " ".join([*_begun(config, result), *named, UPDATE])


def case_command(config: pytest.Config, result: Result, path: str) -> str:
    """Return the command that meets the case in the file at `path` again."""
    return " ".join([*_begun(config, result), f"--conformance-case={path}"])


def _begun(config: pytest.Config, result: Result) -> list[str]:
    run = config.stash[RUN]
    # What was compared needs what it was compared with.
    other = run.against(run.profiles[result.backend]) if result.suite == DIFFERENTIAL else None
    names = [result.backend] + ([other.backend.name] if other else [])
    return ["pytest", *(f"{_option(config, 'backend')}={_spec(run.options, name, config)}" for name in names)]


def _option(config: pytest.Config, name: str) -> str:
    return f"--conformance-{name}" if name in config.stash.get(ALIASES_TAKEN, []) else f"--{name}"


def _spec(options: Options, name: str, config: pytest.Config) -> str:
    names = list(config.stash[RUN].profiles)
    return options.backends[names.index(name)] if name in names else name
