"""The suite `benchmark` in a pytest run: its items, what pytest-benchmark is told, and what the record gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from conformance.benchmarks.items import (
    ENTRANT,
    FIXTURE,
    LABORATORY,
    Findings,
    Measurement,
    measurement_of,
    measurements,
)
from conformance.benchmarks.laboratory import Laboratory
from conformance.benchmarks.machine import fingerprint
from conformance.benchmarks.measured import Measured, NotMeasuredError, failed_record, left_out_record, tried_record
from conformance.benchmarks.plan import ONCE, PLANS
from conformance.benchmarks.servers import servers_on_disk
from conformance.options import Options
from conformance.recording import raised
from conformance.registered import DISTRIBUTION
from conformance.running.judging import LINE
from conformance.running.keys import RUN

#: What is known of the operations so far, by function: the first item of one measures it for all backends in turns.
FINDINGS = pytest.StashKey[dict[Callable[..., Any], Findings]]()
#: The backends that an operation is measured of, by function: those with an item that was selected.
SELECTED = pytest.StashKey[dict[Callable[..., Any], list[str]]]()
#: The clock that tells pytest-benchmark the times of an item.
REPLAY = pytest.StashKey["Replay"]()


class Replay:
    """A clock for pytest-benchmark that goes on by what was measured: `benchmark.pedantic` asks it before and after.

    The samples were taken in turns with those of the other backends, which the fixture alone cannot do.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._rounds: Iterator[float] = iter(())
        self._began = False
        self.__name__ = "conformance_rounds"

    def load(self, rounds: list[float]) -> None:
        """Have the rounds take so many seconds, one after the other."""
        self._rounds = iter(rounds)

    def __call__(self) -> float:
        """Return the time: that at which a round begins, and then that at which it ended."""
        if self._began:
            self._now += next(self._rounds)
        self._began = not self._began
        return self._now


def unable(config: pytest.Config, options: Options) -> str:
    """Return why nothing can be measured in this run, as a sentence that says what to do; empty where it can."""
    if config.getoption("benchmark_disable", None) is None:
        return (
            f"the suite benchmark needs pytest-benchmark, which is not loaded. Install the extra: "
            f"pip install '{DISTRIBUTION}[benchmark]'; where it is installed, leave out -p no:benchmark."
        )
    if config.getoption("dist", "no") != "no":
        return "the suite benchmark measures one thing at a time, and -n would run several: leave out -n for it."
    if options.shard is not None:
        return f"a shard is a part of the checks, and benchmarks are not divided: leave out the shard {options.shard}."
    return ""


def is_measured(config: pytest.Config, function: object) -> bool:
    """Tell whether a function is collected: one that measures nothing of any backend of this run is not."""
    measurement = measurement_of(function)
    return measurement is None or bool(_names(config, measurement))


def files_measured(config: pytest.Config) -> set[str]:
    """Return the files with what this run measures, as in `Measurement.file`."""
    return {one.file for one in measurements() if _names(config, one)}


def _names(config: pytest.Config, measurement: Measurement) -> list[str]:
    """Return the backends that something is measured of."""
    return [
        name
        for name, profile in config.stash[RUN].profiles.items()
        if measurement.contract in profile.missing
        and (not measurement.capability or measurement.capability in profile.offered(measurement.contract))
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each backend that something is measured of."""
    measurement = measurement_of(metafunc.function)
    if measurement is not None:
        names = _names(metafunc.config, measurement)
        metafunc.parametrize(ENTRANT, names, ids=names)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give pytest-benchmark the clock and the group of an item."""
    measurement = measurement_of(getattr(item, "function", None))
    if measurement is not None and measurement.timed:
        item.stash[REPLAY] = replay = Replay()
        group = f"{measurement.contract} {measurement.operation}"
        item.add_marker(pytest.mark.benchmark(timer=replay, group=group))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which backends each operation is measured of."""
    session.config.stash[FINDINGS] = {}
    selected = session.config.stash[SELECTED] = {}
    for item in session.items:
        if isinstance(item, pytest.Function) and measurement_of(item.function) is not None:
            selected.setdefault(item.function, []).append(str(item.callspec.params[ENTRANT]))


@pytest.fixture(scope="session", name=LABORATORY)
def _laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    run, line = request.config.stash[RUN], request.config.stash[LINE]
    options, folder = run.options, tmp_path_factory.mktemp("conformance-benchmark")
    run.machine.update(fingerprint(folder))
    laboratory = Laboratory(
        folder,
        ONCE if _is_disabled(request.config) else PLANS[options.effort],
        options.seed,
        line.show if line is not None else lambda _: None,
    )
    with servers_on_disk([profile.backend for profile in run.profiles.values()], folder) as laboratory.elsewhere:
        yield laboratory
        laboratory.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Measure an operation of all backends, if no item has yet, and take what came of one of them."""
    measurement = measurement_of(pyfuncitem.function)
    if measurement is None:
        return None
    name = str(pyfuncitem.funcargs[ENTRANT])
    records = pyfuncitem.config.stash[RUN].benchmarks
    found = _findings(pyfuncitem, measurement)[name]
    if isinstance(found, NotMeasuredError):
        records.append(left_out_record(name, measurement.contract, measurement.operation, str(found)))
        pytest.skip(f"not measured: {found}")
    if isinstance(found, Exception):
        records.append(failed_record(name, measurement.contract, measurement.operation, raised(found)))
        if measurement.timed:
            _tell_of_none(pyfuncitem.funcargs[FIXTURE])
        raise found
    if _is_disabled(pyfuncitem.config):
        if measurement.timed:
            fixture: Any = pyfuncitem.funcargs[FIXTURE]
            fixture.pedantic(_nothing)
        records.append(tried_record(name, measurement.contract, measurement.operation, "--benchmark-disable"))
        return True
    record = found.record() if isinstance(found, Measured) else found
    records.append(record)
    if isinstance(found, Measured):
        _tell(pyfuncitem, found, record)
    return True


def _findings(item: pytest.Function, measurement: Measurement) -> Findings:
    known, line, run = item.config.stash[FINDINGS], item.config.stash[LINE], item.config.stash[RUN]
    if measurement.function not in known:
        selected = item.config.stash[SELECTED][measurement.function]
        # In the order of the command line, whatever that of the items is: the first one is the reference.
        backends = [profile.backend for name, profile in run.profiles.items() if name in selected]
        laboratory = item.funcargs[LABORATORY]
        assert isinstance(laboratory, Laboratory)
        if line is not None:
            line.begin()
        try:
            known[measurement.function] = measurement.function(laboratory, backends)
        finally:
            if line is not None:
                line.erase()  # before pytest prints the outcome
    return known[measurement.function]


def _is_disabled(config: pytest.Config) -> bool:
    return bool(config.getoption("benchmark_disable")) and not config.getoption("benchmark_enable")


def _tell(item: pytest.Function, found: Measured, record: dict[str, Any]) -> None:
    """Give pytest-benchmark the samples of an item, and what they are compared with."""
    fixture: Any = item.funcargs[FIXTURE]
    inner = found.batch * found.parts
    item.stash[REPLAY].load([sample * inner for sample in found.samples])
    fixture.extra_info.update(
        {name: record[name] for name in ("backend", "ratio_to_limit", "limit", "ratio_to_reference", "reference")}
    )
    fixture.extra_info["durability"] = f"claims {found.durability}"
    fixture.pedantic(_nothing, rounds=len(found.samples), iterations=inner)


def _tell_of_none(fixture: Any) -> None:
    """Tell pytest-benchmark that an item has no times: it warns of a fixture that nobody asked for anything."""

    def fail() -> None:
        raise _NoTimesError

    with suppress(_NoTimesError):
        fixture.pedantic(fail)


class _NoTimesError(Exception):
    pass


def _nothing() -> None:
    """Stand for an operation whose time is known already."""
