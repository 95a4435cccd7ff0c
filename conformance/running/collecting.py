"""Collecting the shipped suites: the same node ids from everywhere, whatever the user's ini says about test files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from conformance.check import BENCHMARK, FIXTURE, SUITES, Check, catalogue, check_of
from conformance.running.keys import RUN

PREFIX = "conformance"


def point_at_suites(config: pytest.Config) -> None:
    """Turn `conformance/...` targets into paths; without targets, make the suites the only target."""
    if config.args_source is not config.ArgsSource.ARGS:
        config.args[:] = [str(SUITES)]
        return
    config.args[:] = [_target(config, arg) for arg in config.args]


def _target(config: pytest.Config, arg: str) -> str:
    path, separator, rest = arg.partition("::")
    first, *more = Path(path).parts or ("",)
    # A directory of the user's that is called conformance stays theirs, unless it is the kit's own source tree.
    theirs = (config.invocation_params.dir / path).exists() and not SUITES.is_relative_to(
        (config.invocation_params.dir / path).resolve()
    )
    if first != PREFIX or theirs:
        return arg
    return str(SUITES.joinpath(*more)) + separator + rest


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Collect the suites even when they lie in a virtual environment or in `norecursedirs`."""
    if collection_path == SUITES or SUITES in collection_path.parents:
        return collection_path.name in ("__pycache__", "__init__.py")
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Give the suites a collector of their own."""
    if path == SUITES:
        return SuiteDirectory.from_parent(parent, path=path, nodeid=PREFIX)
    return None


class SuiteDirectory(pytest.Directory):
    """A directory of suites."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Give the suites of this run, and in a suite the modules with a check that concerns some backend."""
        files = _files(self.config)
        folders = {file.split("/")[0] for file in files}
        for path in sorted(self.path.iterdir()):
            nodeid = f"{self.nodeid}/{path.name}"
            if path.is_dir() and path.name in folders:
                yield SuiteDirectory.from_parent(self, path=path, nodeid=nodeid)
            elif f"{self.path.name}/{path.name}" in files:
                yield SuiteModule.from_parent(self, path=path, nodeid=nodeid)


def _files(config: pytest.Config) -> set[str]:
    """Return the files with the checks that this run carries out, as in `Check.file`."""
    judged = {check.file for check in catalogue().values() if _judged(config, check)}
    if BENCHMARK not in config.stash[RUN].options.suites:
        return judged
    from conformance.running.benchmarking import files_measured

    return judged | files_measured(config)


class SuiteModule(pytest.Module):
    """A module of checks: plain functions, under the names that they have here and not in the user's ini."""

    def funcnamefilter(self, name: str) -> bool:
        """Take functions named test_..."""
        return name.startswith("test_")

    def classnamefilter(self, name: str) -> bool:  # noqa: ARG002 - pytest's signature
        """Take no classes."""
        return False

    def istestfunction(self, obj: object, name: str) -> bool:
        """Take the checks that this run carries out for some backend: of a saved case, that of the case alone."""
        check = check_of(obj)
        if not super().istestfunction(obj, name):
            return False
        if check is not None:
            return bool(_judged(self.config, check))
        if BENCHMARK not in self.config.stash[RUN].options.suites:
            return True
        from conformance.running.benchmarking import is_measured

        return is_measured(self.config, obj)


def _judged(config: pytest.Config, check: Check) -> list[str]:
    """Return the names of the backends that a check is carried out for."""
    run = config.stash[RUN]
    return [name for name, profile in run.profiles.items() if run.carries_out(check, profile)]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each backend that a check concerns."""
    check = check_of(metafunc.function)
    if check is None:
        return
    names = _judged(metafunc.config, check)
    metafunc.parametrize(FIXTURE, names, ids=names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks of other shards; a project's own tests are no part of any."""
    run = config.stash[RUN]
    if run.options.shard is None:
        return
    mine = {name: run.codes_of_shard(profile) for name, profile in run.profiles.items()}
    others = [item for item in items if not _is_of_shard(item, mine)]
    if others:
        config.hook.pytest_deselected(items=others)
        gone = set(map(id, others))
        items[:] = [item for item in items if id(item) not in gone]


def _is_of_shard(item: pytest.Item, mine: Mapping[str, AbstractSet[str]]) -> bool:
    if not isinstance(item, pytest.Function):
        return True
    check = check_of(item.function)
    return check is None or check.code in mine[str(item.callspec.params[FIXTURE])]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make `-k CODE` find a check, and put its code into JUnit and other reports."""
    check = check_of(getattr(item, "function", None))
    if check is not None:
        item.extra_keyword_matches.add(check.code)
        item.user_properties.append(("conformance_code", check.code))
        item.user_properties.append(("conformance_level", check.level))
