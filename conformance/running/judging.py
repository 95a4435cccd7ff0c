"""Carrying out the checks as test items: the fixture, the call, and the report of each."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace

import pytest

from conformance.check import FIXTURE, Check, check_of
from conformance.effort import EFFORTS
from conformance.options import Gap, Options
from conformance.report.failure import failure_text
from conformance.report.script import write_script
from conformance.result import RED, Result
from conformance.running.keys import ALIASES_TAKEN, RUN, cache_folder
from conformance.trial import Bench

RESULT = pytest.StashKey[Result]()


class CheckFailed(Exception):
    """Tells pytest that a check is red where no exception did; what is shown is made from the `Result`."""


@pytest.fixture(scope="session", name=FIXTURE)
def _bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    run = request.config.stash[RUN]
    folder = re.sub(r"\W+", "-", request.param)
    return Bench(
        profile=run.profiles[request.param],
        effort=EFFORTS[run.options.effort],
        seed=run.options.seed,
        root=tmp_path_factory.mktemp(f"conformance-{folder}"),
        database=request.config.rootpath / ".hypothesis" / "conformance" / folder,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Carry out a check; leave every other test to pytest."""
    check = check_of(pyfuncitem.function)
    if check is None:
        return None
    run = pyfuncitem.config.stash[RUN]
    bench = pyfuncitem.funcargs[FIXTURE]
    assert isinstance(bench, Bench)
    result = weighed(bench.judge(check), run.options.gaps.get(check.code))
    pyfuncitem.stash[RESULT] = result
    pyfuncitem.user_properties.append(("conformance_outcome", result.outcome))
    pyfuncitem.user_properties += [(f"conformance_{kind}", count) for kind, count in result.evidence.items()]
    if is_red(result):
        # The exception itself, so that --pdb stops where it was raised.
        raise bench.errors.get(check.code) or CheckFailed(result.code)
    if result.outcome != "pass":
        pytest.skip(f"{result.outcome}: {result.reason or check.sentence}")
    return True


def weighed(result: Result, gap: Gap | None) -> Result:
    """Return the result in the light of a known gap: a failure is known, a pass is stale."""
    if gap is None:
        return result
    if result.outcome == "fail":
        return replace(result, outcome="known gap", reason=gap.reason)
    if result.outcome == "pass":
        reason = f"{result.code} is listed in known-gaps ({gap.reason}) but passes now: delete the entry"
        return replace(result, outcome="stale gap", reason=reason)
    return result


def is_red(result: Result) -> bool:
    """Tell whether a result fails the run: a broken `should` is shown, but does not."""
    return result.outcome in RED and (result.level == "must" or result.outcome != "fail")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the result on the report, which takes it from a worker to the controller, and show it in its own words."""
    report = yield
    result = item.stash.get(RESULT, None)
    if result is None or call.when != "call":
        return report
    report.conformance = result.to_dict()  # type: ignore[attr-defined]
    if report.failed:
        report.longrepr = _explained(item, result)
    return report


def _explained(item: pytest.Item, result: Result) -> str:
    run = item.config.stash[RUN]
    folder = cache_folder(item.config)
    script = None
    if folder is not None and result.counterexample is not None and result.counterexample.calls:
        script = write_script(folder, result, run.profiles[result.backend].backend.address)
    check: Check | None = check_of(getattr(item, "function", None))
    assert check is not None
    return failure_text(
        result, check, rerun=rerun_command(item.config, result), script=script, base=item.config.invocation_params.dir
    )


def rerun_command(config: pytest.Config, result: Result) -> str:
    """Return the command that runs one check again."""
    taken = config.stash.get(ALIASES_TAKEN, [])
    options = config.stash[RUN].options

    def option(name: str) -> str:
        return f"--conformance-{name}" if name in taken else f"--{name}"

    words = [f"pytest {option('backend')}={_spec(options, result.backend, config)}", f"-k {result.code}"]
    if options.effort != "normal":
        words.append(f"{option('effort')}={options.effort}")
    if options.seed:
        words.append(f"--conformance-seed={options.seed}")
    return " ".join(words)


def _spec(options: Options, name: str, config: pytest.Config) -> str:
    names = list(config.stash[RUN].profiles)
    return options.backends[names.index(name)] if name in names else name
