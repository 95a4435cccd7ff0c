"""Collecting the shipped suites: the same node ids from everywhere, whatever the user's ini says about test files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.check import FIXTURE, SUITES, check_of
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
        """Give the suites of this run, and in a suite the modules of the contracts that some backend opens."""
        run = self.config.stash[RUN]
        for path in sorted(self.path.iterdir()):
            nodeid = f"{self.nodeid}/{path.name}"
            if path.is_dir() and path.name != "__pycache__" and path.name.replace("_", "-") in run.options.suites:
                yield SuiteDirectory.from_parent(self, path=path, nodeid=nodeid)
            elif path.suffix == ".py" and path.name != "__init__.py" and self._concerns(path):
                yield SuiteModule.from_parent(self, path=path, nodeid=nodeid)

    def _concerns(self, path: Path) -> bool:
        contract = path.stem.split("_")[0]
        profiles = self.config.stash[RUN].profiles.values()
        return path.parent.name == "open" or any(contract in p.missing and not p.error for p in profiles)


class SuiteModule(pytest.Module):
    """A module of checks: plain functions, under the names that they have here and not in the user's ini."""

    def funcnamefilter(self, name: str) -> bool:
        """Take functions named test_..."""
        return name.startswith("test_")

    def classnamefilter(self, name: str) -> bool:  # noqa: ARG002 - pytest's signature
        """Take no classes."""
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each backend that a check concerns."""
    check = check_of(metafunc.function)
    if check is None:
        return
    run = metafunc.config.stash[RUN]
    names = [name for name, profile in run.profiles.items() if run.applies(check, profile)]
    metafunc.parametrize(FIXTURE, names, ids=names, indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make `-k CODE` find a check, and put its code into JUnit and other reports."""
    check = check_of(getattr(item, "function", None))
    if check is not None:
        item.extra_keyword_matches.add(check.code)
        item.user_properties.append(("conformance_code", check.code))
        item.user_properties.append(("conformance_level", check.level))
