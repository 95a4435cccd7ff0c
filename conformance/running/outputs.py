"""What a run says to the CI that it runs in: the summary of the step, and annotations; nothing elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.running.keys import REPORT, is_worker

#: The file that GitHub shows as the summary of a step; what is there is from earlier steps, and stays.
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
#: Bytes that all that is written to it may have; above, GitHub shows nothing of it.
_ALL_MOST, _LEAST = 1_000_000, 2_000
#: Why the summary of the step could not be written.
UNSAID = pytest.StashKey[str]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Append the report to the summary of the step; workers have none."""
    report = session.config.stash.get(REPORT, None)
    file = os.environ.get(STEP_SUMMARY)
    if report is None or not file or is_worker(session.config):
        return
    from conformance.report.markdown import SIZE_MOST, markdown

    try:
        with open(file, "a", encoding="utf-8", newline="\n") as summary:
            room = _ALL_MOST - summary.tell() - 1
            if room < _LEAST:
                session.config.stash[UNSAID] = f"{file} is full"
                return
            summary.write(f"{markdown(report, min(SIZE_MOST, room))}\n")
    except OSError as error:  # the verdict must be seen all the same
        session.config.stash[UNSAID] = f"{file}: {error.strerror}"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the commands that make GitHub annotate the change."""
    report = config.stash.get(REPORT, None)
    if UNSAID in config.stash:
        terminalreporter.line(f"  the summary of the step could not be written: {config.stash[UNSAID]}", yellow=True)
    if report is None or os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from conformance.report.annotations import workflow_commands

    root = _root(config, os.environ)
    terminalreporter.ensure_newline()
    for line in workflow_commands(report, root, config.invocation_params.dir):
        terminalreporter.line(line)


def _root(config: pytest.Config, environ: Mapping[str, str]) -> Path:
    """Return what GitHub takes names of files relative to, where the project is inside it; else the project."""
    workspace = environ.get("GITHUB_WORKSPACE")
    if workspace and config.rootpath.is_relative_to(Path(workspace).resolve()):
        return Path(workspace)
    return config.rootpath
