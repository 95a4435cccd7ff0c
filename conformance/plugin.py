"""The pytest plugin: options, and the switch. Everything else is loaded only in a run that asks for conformance.

This module is imported in every pytest run of an environment that has the kit installed, so it imports nothing heavy;
its start-up cost is held under 15 ms by a test.
"""

from __future__ import annotations

import os

import pytest

from conformance.running.keys import ALIASES_TAKEN

GROUP = "conformance"
#: Canonical name, short name, metavar, whether it may be repeated, help.
OPTIONS = (
    (
        "backend",
        "SPEC",
        True,
        "Judge this storage backend: a registered name, module:attribute or ./file.py:attribute. Repeatable.",
    ),
    ("suite", "NAME", True, "Run this conformance suite. Repeatable. Default: all but benchmark, which measures."),
    ("contract", "NAME", False, "Judge the backend by this contract only. Default: all that it opens."),
    ("effort", "quick|normal|thorough", False, "How much to try. Default: normal."),
    (
        "require",
        "WORD,...",
        True,
        "Fail unless these were observed: levels of promises, such as power-loss, and contracts. Repeatable.",
    ),
)
#: The same, without a short name.
LONG_ONLY = (
    ("seed", "N", False, "All randomness of the conformance run comes from this number. Default: 0."),
    ("json", "FILE", False, "Write the result record of the conformance run to FILE. Default: nowhere."),
    (
        "report",
        "DIR",
        False,
        "Write report.html, summary.md, badge.svg, junit.xml and result.json into DIR. Default: nowhere.",
    ),
    (
        "disk",
        "MODEL",
        True,
        "Judge power loss also by this disk model: posix or paranoid. Repeatable. Default: usual disks only.",
    ),
    ("case", "FILE", False, "Reopen only the crash state that a failed check saved in FILE. Default: search."),
    ("edition", "YEAR.N", False, "Gate on the checks of this edition; newer ones are shown. Default: the newest."),
    ("baseline", "FILE", False, "Accept the failures that FILE lists, and no others. Default: none."),
    ("shard", "I/N", False, "Judge only part I of N of the checks, such as 2/5. Default: all."),
    (
        "round",
        "CODE:scheduled:ROUND:SWITCHES",
        False,
        "Carry out only the round of threads that a failed check printed. Default: search.",
    ),
)
#: Those that take no value.
FLAGS = (
    ("strict", "A broken `should` fails the run too."),
    ("update-baseline", "Write the baseline: add what fails now, delete what passes now."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options under their canonical names, which no other plugin has."""
    group = parser.getgroup(GROUP, "conformance of storage backends")
    for name, metavar, repeatable, text in (*OPTIONS, *LONG_ONLY):
        group.addoption(
            f"--conformance-{name}",
            dest=f"conformance_{name}",
            action="append" if repeatable else "store",
            default=None,
            metavar=metavar,
            help=text,
        )
    for name, text in FLAGS:
        group.addoption(
            f"--conformance-{name}", dest=f"conformance_{name}", action="store_true", default=None, help=text
        )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that a user's conftest may implement."""
    from conformance import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> object:
    """Add the short names late, when the conftests have added theirs: a project's own `--backend` stays its own.

    Only those that are used: a conftest in a folder that pytest loads later may own one too.
    """
    result = yield
    group = parser.getgroup(GROUP)
    taken = early_config.stash.setdefault(ALIASES_TAKEN, [])
    free = _free(parser, [name for name, *_ in OPTIONS])
    for name, metavar, repeatable, text in OPTIONS:
        if name not in free:
            taken.append(name)
            continue
        if not _uses(args, name):
            continue
        group.addoption(
            f"--{name}",
            dest=f"conformance_{name}",
            action="append" if repeatable else "store",
            default=None,
            metavar=metavar,
            help=f"Short for --conformance-{name}. {text}",
        )
    return result


def _uses(args: list[str], name: str) -> bool:
    """Tell whether a command line may use a short name, or asks for all: `@file` is more of a command line."""
    return any(arg.partition("=")[0] in (f"--{name}", "--help", "-h") or arg.startswith("@") for arg in args)


def _free(parser: pytest.Parser, names: list[str]) -> set[str]:
    """Return those of the short names that nobody has taken.

    Before pytest 9 a clash is noticed only when the command line is parsed, too late to give way; so the parser is
    asked.
    """
    try:
        unknown = parser.parse_known_and_unknown_args([f"--{name}=x" for name in names])[1]
    except pytest.UsageError:  # one is known, and has no use for an x: which, is found by asking one at a time
        return set() if len(names) == 1 else {free for name in names for free in _free(parser, [name])}
    return {name for name in names if f"--{name}=x" in unknown}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest of the plugin if this run asks for conformance."""
    if _asked_for(config):
        from conformance.running.activate import activate

        activate(config)


def _asked_for(config: pytest.Config) -> bool:
    names = [name for name, *_ in (*OPTIONS, *LONG_ONLY, *FLAGS)]
    if os.environ.get("CONFORMANCE_BACKEND") or any(config.getoption(f"conformance_{name}") for name in names):
        return True
    # `pytest conformance`, in a project that has nothing of that name itself.
    return any(
        arg.split("::")[0].split("/")[0] == GROUP and not (config.invocation_params.dir / arg.split("::")[0]).exists()
        for arg in config.args
    )
