"""What a conformance run adds to pytest; loaded only when one is asked for."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from conformance.address import AddressError, find, named_backends
from conformance.check import Check, catalogue
from conformance.options import OptionError, Options, settle
from conformance.plugin import ALIASES_TAKEN
from conformance.profile import Profile, probe
from conformance.project import ProjectError
from conformance.result import Result


@dataclass
class Run:
    """The state of a conformance run.

    Args:
        options: The effective options.
        profiles: What each backend was found to be, by its name.
        results: What the checks came to, in the order in which they ended; filled in where reports are made.
    """

    options: Options
    profiles: dict[str, Profile]
    results: list[Result] = field(default_factory=list)

    def applies(self, check: Check, profile: Profile) -> bool:
        """Tell whether `check` is part of this run for a backend."""
        if check.suite == "open":
            return True
        return not profile.error and check.contract in profile.missing and check.suite in self.options.suites

    def expected(self, profile: Profile) -> list[Check]:
        """Return the checks that a full run of this selection of suites carries out for a backend."""
        return [check for check in catalogue().values() if self.applies(check, profile)]


RUN = pytest.StashKey[Run]()


def activate(config: pytest.Config) -> None:
    """Settle the options, open each backend once, and register the hooks of a conformance run.

    Raises:
        pytest.UsageError: An option can't be used, or an address leads to no store.
    """
    given = {
        name: config.getoption(f"conformance_{name}")
        for name in ("backend", "suite", "contract", "effort", "seed", "json")
    }
    if given["json"]:
        given["json"] = str(config.invocation_params.dir / given["json"])
    base = config.inipath.parent if config.inipath else config.rootpath
    try:
        options = settle(given, os.environ, base, datetime.date.today())
        profiles = _profiles(config, options)
    except (AddressError, OptionError, ProjectError) as error:
        raise pytest.UsageError(f"conformance: {error}") from error
    if not profiles:
        raise pytest.UsageError(_no_backend(config))
    config.stash[RUN] = Run(options, profiles)

    from conformance import collecting, judging
    from conformance.report import hooks as reporting

    for hooks in (collecting, judging, reporting):
        config.pluginmanager.register(hooks)
    collecting.point_at_suites(config)


def _profiles(config: pytest.Config, options: Options) -> dict[str, Profile]:
    named = named_backends()
    for more in config.hook.pytest_conformance_backends(config=config):
        if not isinstance(more, dict) or not all(isinstance(a, str) for pair in more.items() for a in pair):
            raise OptionError(
                f"the hook pytest_conformance_backends returned {more!r}: return a dict of name to address."
            )
        named.update(more)
    named.update(options.named)
    profiles: dict[str, Profile] = {}
    for spec in options.backends:
        # A typed address is relative to where it was typed; one in a file is relative to that file.
        typed = options.origins["backend"] != "pyproject.toml"
        backend = find(spec, base=config.invocation_params.dir if typed else options.base, named=named)
        if backend.name in profiles:
            raise OptionError(
                f"two backends are called {backend.name!r}, the second is {spec!r}: give them names of their own."
            )
        profiles[backend.name] = replace(probe(backend, only=options.contract))
    return profiles


def _no_backend(config: pytest.Config) -> str:
    if "backend" in config.stash.get(ALIASES_TAKEN, []):
        return (
            "conformance: no backend is named. --backend belongs to your conftest.py or to another plugin; write "
            "--conformance-backend=NAME."
        )
    return "conformance: no backend is named. Write --backend=NAME, for example --backend=memory."


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


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is a pytest-xdist worker: those don't report."""
    return hasattr(config, "workerinput")


def cache_folder(config: pytest.Config) -> Path | None:
    """Return pytest's cache directory for the kit; None when the cache is switched off."""
    cache = getattr(config, "cache", None)
    return Path(cache.mkdir("conformance")) if cache is not None else None
