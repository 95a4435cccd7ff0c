"""The project: its options, the short options that its conftest took, what backends are registered, and one of them."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from conformance.address import AddressError, find, load
from conformance.backend import CONTRACTS, PROMISES
from conformance.check import catalogue
from conformance.doctor.finding import Finding
from conformance.options import OptionError, Options, settle
from conformance.profile import Profile, probe
from conformance.project import ProjectError
from conformance.registered import named_backends
from conformance.report.promises import concerns
from conformance.report.required import includes
from conformance.servers import NoServer
from conformance.serving import serving

_BROKEN = re.compile(r"could not load initial conftests: (.+)")
_SHORT = ("backend", "suite", "contract", "effort", "require")


def project_findings(base: Path) -> Iterator[Finding]:
    """Give what was found of the project in a directory."""
    try:
        settle({}, os.environ, base, datetime.date.today())
        yield Finding("options", "ok", "environment and pyproject.toml can be used")
    except OptionError as error:
        yield Finding("options", "missing", str(error), "no run begins")
    yield from short_options(base)
    yield from registered()


def short_options(base: Path) -> Iterator[Finding]:
    """Give which short options are there: pytest itself is asked, with the conftest and the plugins of the project."""
    command = [sys.executable, "-m", "pytest", "--help"]
    done = subprocess.run(command, cwd=base, capture_output=True, text=True, check=False)
    broken = _BROKEN.search(done.stdout + done.stderr)
    if broken is not None:  # with --help pytest goes on without it
        fix = "see `pytest --collect-only`, and mend it"
        yield Finding("short options", "missing", f"{broken[1]} can't be imported", "no run begins", fix)
        return
    if "--conformance-backend" not in done.stdout:
        why = ([*done.stderr.strip().splitlines(), *done.stdout.strip().splitlines()] or ["it said nothing"])[0]
        so = "pytest does not load the plugin here, or fails before that"
        yield Finding("pytest plugin", "missing", why, so, "install both into one environment, and mend the conftest")
        return
    help_text = " ".join(done.stdout.split())
    taken = [name for name in _SHORT if f"Short for --conformance-{name}." not in help_text]
    for name in taken:
        owner = f"--{name} belongs to the project's conftest, or to another plugin"
        yield Finding("short options", "weak", owner, "it does not reach the kit", f"write --conformance-{name}")
    if not taken:
        yield Finding("short options", "ok", f"{', '.join(f'--{name}' for name in _SHORT)} are the kit's")


def registered() -> Iterator[Finding]:
    """Give which registered backends can't be imported."""
    try:
        named = named_backends()
    except AddressError as error:
        yield Finding("backends", "missing", str(error), "no backend can be named")
        return
    good = []
    for name, address in named.items():
        try:
            load(address)
            good.append(name)
        except AddressError as error:
            fix = "install what it imports, or uninstall what registers it"
            yield Finding("backends", "weak", f"{name}: {error}", "it can't be judged", fix)
    yield Finding("backends", "ok", f"{len(good)} registered ones can be imported: {', '.join(good)}")


def profile_of(spec: str, base: Path, stack: ExitStack) -> Profile:
    """Return what a backend is found to be, opened once; its server, if it has one, runs until the stack is left.

    Raises:
        AddressError: There is no such backend, or what it opens is no store.
        OptionError: The project can't be used.
    """
    options: Options = settle({}, os.environ, base, datetime.date.today())
    try:
        backend = find(spec, base=base, named={**named_backends([spec]), **options.named})
    except ProjectError as error:
        raise AddressError(str(error)) from error
    try:
        if backend.server is not None:
            stack.enter_context(serving(backend.server, lambda _: None))
        return probe(backend)
    except NoServer as error:
        return Profile(backend, {}, {}, str(error))


def backend_findings(profile: Profile, lacking: Mapping[str, str]) -> Iterator[Finding]:
    """Give what was found of a backend, and which of its promises would not be measured here.

    Args:
        profile: What it was found to be.
        lacking: Why a level can't be measured on this machine, by level.
    """
    backend = profile.backend
    if profile.error:
        yield Finding("backend", "missing", f"{backend.name}: {profile.error}", "its verdict is INCONCLUSIVE")
        return
    for contract in profile.missing:
        offered = " ".join(profile.offered(contract)) or "no capabilities"
        checks = sum(check.contract == contract for check in catalogue().values())
        yield Finding(
            "backend", "ok", f"{backend.name} opens {contract}[{offered}]: {checks} checks are about that contract"
        )
    for name in profile.contradictions():
        fix = "take it out of lacks, or the methods out of the store"
        yield Finding("backend", "weak", f"lacks {name}, but its methods are there", "it is not tested", fix)
    for name, levels in PROMISES.items():
        if not concerns(name, profile):
            continue
        claimed = getattr(backend, name)
        gone = [level for level in levels if includes(name, claimed, level) and level in lacking]
        if gone:
            why = " ".join(dict.fromkeys(lacking[level] for level in gone))
            yield Finding(name, "missing", f"claims {claimed}", f"not measured here: {', '.join(gone)}", why)
        else:
            yield Finding(name, "ok", f"claims {claimed}")


def against(word: str, profile: Profile) -> str:
    """Return why a word that is required will not be observed of a backend; empty where it may be."""
    backend = profile.backend
    if profile.error:
        return f"{backend.name} does not open: {profile.error}"
    if word in CONTRACTS:
        return "" if word in profile.missing else f"{backend.name} opens {', '.join(profile.missing)}"
    name = next(name for name, levels in PROMISES.items() if word in levels)
    if not concerns(name, profile):
        return f"{backend.name} offers nothing that {name} is about"
    claimed = getattr(backend, name)
    return "" if includes(name, claimed, word) else f"{backend.name} claims {claimed}"
