"""Switching a conformance run on: options settled, each backend opened once, the hooks registered."""

from __future__ import annotations

import datetime
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from conformance.address import AddressError, find, nearest
from conformance.check import BENCHMARK, catalogue
from conformance.options import OptionError, Options, settle
from conformance.profile import Profile, probe
from conformance.project import ProjectError
from conformance.registered import named_backends
from conformance.run import Run
from conformance.running.keys import ALIASES_TAKEN, RUN, is_worker
from conformance.running.transient import transient_line
from conformance.serving import serving

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.crash.case import Case
    from conformance.histories.replay import Repeat
    from conformance.servers import Server


def activate(config: pytest.Config) -> None:
    """Settle the options, open each backend once, and register the hooks of a conformance run.

    Raises:
        pytest.UsageError: An option can't be used, or an address leads to no store.
    """
    given: dict[str, Any] = {
        name: config.getoption(f"conformance_{name}")
        for name in (
            *("backend", "suite", "contract", "effort", "seed", "json", "report", "disk", "case", "round", "shard"),
            *("edition", "require", "strict", "baseline", "update-baseline"),
        )
    }
    for name in ("json", "report", "case", "baseline"):
        if given[name]:
            given[name] = str(config.invocation_params.dir / given[name])
    base = config.inipath.parent if config.inipath else config.rootpath
    try:
        options = settle(given, os.environ, base, datetime.date.today())
        profiles = _profiles(config, options)
        if not profiles:
            raise OptionError(_no_backend(config))
        case = _case(options, profiles) or _round(options, profiles)
        _require_known(config, options, profiles)
        if case is not None and options.gate.updates:
            raise OptionError("a case or a round tells nothing about the other checks: it writes no baseline.")
        if case is not None and options.shard is not None:
            raise OptionError("a case or a round is of one check, and a shard of it is nothing: leave the shard out.")
    except (AddressError, OptionError, ProjectError) as error:
        raise pytest.UsageError(f"conformance: {error}") from error
    config.stash[RUN] = Run(options, profiles, case)

    from conformance.running import collecting, judging, outputs, reporting

    for hooks in (collecting, judging, reporting, outputs):
        config.pluginmanager.register(hooks)
    if BENCHMARK in options.suites:
        from conformance.running import benchmarking

        if reason := benchmarking.unable(config, options):
            raise pytest.UsageError(f"conformance: {reason}")
        config.pluginmanager.register(benchmarking)
    collecting.point_at_suites(config)


def _named(config: pytest.Config, options: Options) -> dict[str, str]:
    named: dict[str, str] = {}
    for more in config.hook.pytest_conformance_backends(config=config):
        if not isinstance(more, dict) or not all(isinstance(a, str) for pair in more.items() for a in pair):
            raise OptionError(
                f"the hook pytest_conformance_backends returned {more!r}: return a dict of name to address."
            )
        for name, address in more.items():
            if named.setdefault(name, address) != address:
                raise OptionError(
                    f"two hooks pytest_conformance_backends name a backend {name!r}: {named[name]} and {address}. Give "
                    "one of them another name."
                )
    # What is nearest to the command comes last, and counts: the project, its conftest, what is installed.
    named.update(options.named)
    return {**named_backends([spec for spec in options.backends if spec not in named]), **named}


def _profiles(config: pytest.Config, options: Options) -> dict[str, Profile]:
    named = _named(config, options)
    profiles: dict[str, Profile] = {}
    for spec in options.backends:
        # A typed address is relative to where it was typed; one in a file is relative to that file.
        typed = options.origins["backend"] != "pyproject.toml"
        backend = find(spec, base=config.invocation_params.dir if typed else options.base, named=named)
        if backend.name in profiles:
            raise OptionError(
                f"two backends are called {backend.name!r}, the second is {spec!r}: give them names of their own."
            )
        profiles[backend.name] = _profile(config, backend, options.contract)
    return profiles


def _profile(config: pytest.Config, backend: Backend, only: str) -> Profile:
    if backend.server is not None:
        from conformance.servers import NoServer

        try:
            _serve(config, backend.server)
        except NoServer as error:
            return Profile(backend, {}, {}, str(error))
    return probe(backend, only=only)


def _serve(config: pytest.Config, server: Server) -> None:
    """Have a server until the run ends, however it ends; a worker finds the one that its controller started."""
    line = None if is_worker(config) else transient_line(sys.stdout, os.environ)
    block = ExitStack()
    try:
        if line is not None:
            line.begin()
        block.enter_context(serving(server, line.show if line is not None else lambda _: None))
    finally:
        if line is not None:
            line.erase()
            line.close()
    config.add_cleanup(block.close)


def _require_known(config: pytest.Config, options: Options, profiles: dict[str, Profile]) -> None:
    """Require that each backend that a known gap names exists, so that a mistyped one does not accept nothing."""
    known = {*profiles, *_named(config, options)}
    for gap in options.gate.gaps:
        if gap.backend and gap.backend not in known and ":" not in gap.backend:
            raise OptionError(
                f"{gap.source}: {gap.check} is accepted of an unknown backend {gap.backend!r}."
                f"{nearest(gap.backend, known)} Known: {', '.join(sorted(known))}."
            )


def _case(options: Options, profiles: dict[str, Profile]) -> Case | None:
    if options.case is None:
        return None
    from conformance.crash.case import CaseError
    from conformance.suites.crash_recovery.meeting import case_at

    try:
        case = case_at(options.case)
    except CaseError as error:
        raise OptionError(f"case ({options.origins['case']}): {error}") from error
    for name, profile in profiles.items():
        if not profile.error and case.contract not in profile.missing:
            raise OptionError(
                f"{options.case}: the case is of the contract {case.contract!r}; {name} is judged by "
                f"{', '.join(profile.missing)}."
            )
    return case


def _round(options: Options, profiles: dict[str, Profile]) -> Repeat | None:
    if not options.round:
        return None
    from conformance.histories.replay import RepeatError, repeat_of

    try:
        found = repeat_of(options.round)
    except RepeatError as error:
        raise OptionError(f"round ({options.origins['round']}): {error}") from error
    if options.case is not None:
        raise OptionError("a case and a round can't be met in one run: give one of them.")
    codes = [check.code for check in catalogue().values() if check.suite == "concurrency"]
    if found.code not in codes:
        raise OptionError(
            f"round ({options.origins['round']}): no check of the suite concurrency is called {found.code!r}."
            f"{nearest(found.code, codes)}"
        )
    contract = catalogue()[found.code].contract
    for name, profile in profiles.items():
        if not profile.error and contract not in profile.missing:
            raise OptionError(
                f"round ({options.origins['round']}): {found.code} is of the contract {contract!r}; {name} is judged "
                f"by {', '.join(profile.missing)}."
            )
    return found


def _no_backend(config: pytest.Config) -> str:
    if "backend" in config.stash.get(ALIASES_TAKEN, []):
        return (
            "no backend is named. --backend belongs to your conftest.py or to another plugin; write "
            "--conformance-backend=NAME."
        )
    return "no backend is named. Write --backend=NAME, for example --backend=memory."
