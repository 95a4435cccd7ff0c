"""Reporting: gathers the results on the controller, prints the summary, writes the record, sets the exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from conformance.baseline import updated, write_baseline
from conformance.check import check_at
from conformance.options import Options
from conformance.report.benchmark import benchmark_lines
from conformance.report.failure import shown_path
from conformance.report.folder import PAGE, write_folder
from conformance.report.gate import baseline_lines
from conformance.report.record import is_red, make_report
from conformance.report.tally import WORDS, word
from conformance.report.terminal import header_lines, summary_lines
from conformance.result import Result
from conformance.running.keys import ALIASES_TAKEN, REPORT, RUN, is_worker
from conformance.versions import kit_version

#: Outcome words: category in pytest's last line, letter, word with -v, colour.
_STATUS: Mapping[str, tuple[str, str, str, str]] = {
    "known gap": ("known gap", "g", "KNOWN GAP", "yellow"),
    "not applicable": ("not applicable", "-", "N/A", "yellow"),
    "blocked": ("blocked", "b", "BLOCKED", "yellow"),
    "fail": ("should", "w", "SHOULD", "yellow"),  # a red one is left to pytest; this is a broken should
}
#: Why the report could not be written.
UNWRITTEN = pytest.StashKey[str]()
#: Why the record could not.
UNRECORDED = pytest.StashKey[str]()
#: Why the baseline could not.
UNACCEPTED = pytest.StashKey[str]()


class FailureText:
    """A failure's text as pytest wants it: printable, with a line for its short summary."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reprcrash = _Crash(text.splitlines()[0])

    def toterminal(self, terminal: Any) -> None:
        """Print the text."""
        terminal.line(self.text)

    def __str__(self) -> str:
        return self.text


class _Crash:
    def __init__(self, message: str) -> None:
        self.message = message


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print the effective values, and where each came from."""
    run = config.stash[RUN]
    lines = []
    for name, profile in run.profiles.items():
        backend = profile.backend
        opened = ", ".join(f"{c}[{' '.join(profile.offered(c)) or 'no capabilities'}]" for c in profile.missing)
        lines.append(f"  backend {name} ({run.options.origins['backend']}): {opened or profile.error}")
        if backend.address and backend.address != name:
            lines.append(f"    at {backend.address}")
        if profile.server:
            lines.append(f"    on {profile.server}")
    suites = f"  suites {', '.join(run.options.suites)} ({run.options.origins['suite']})"
    taken = config.stash.get(ALIASES_TAKEN, [])
    owned = [f"  --{name} belongs to your conftest; use --conformance-{name}" for name in taken]
    options = run.options
    lines.append(suites)
    if options.disks:
        lines.append(f"  power loss also by {', '.join(options.disks)} ({options.origins['disk']})")
    lines += _gate_lines(options)
    if options.shard is not None:
        lines.append(f"  shard {options.shard} ({options.origins['shard']}): the other checks are left out")
    if run.case is not None:
        what = f"case of {run.case.code} alone: {options.case}" if options.case else f"one round alone: {run.case}"
        lines.append(f"  {what}")
    return header_lines(options.origins, options.effort, options.seed, kit_version(), [*lines, *owned])


def _gate_lines(options: Options) -> list[str]:
    gate, origins = options.gate, options.origins
    lines = [f"  edition {gate.edition} ({origins['edition']})"]
    if gate.require:
        lines.append(f"  requires {', '.join(gate.require)} ({origins['require']})")
    if gate.strict:
        lines.append(f"  a broken should fails the run ({origins['strict']})")
    if gate.baseline is not None:
        does = "is written" if gate.updates else f"accepts {len(gate.baseline.gaps)}"
        lines.append(f"  baseline {gate.baseline.source} ({origins['baseline']}) {does}")
    return lines


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """Show the outcomes that pytest has no word for."""
    record = getattr(report, "conformance", None)
    if record is None or report.when != "call" or not report.skipped:
        return None
    shown = _STATUS.get(record["outcome"])
    if record["provisional"]:
        shown = "provisional", "p", f"PROVISIONAL {record['outcome'].upper()}", "yellow"
    assert shown is not None
    category, letter, word, colour = shown
    reason = f" ({record['reason']})" if record["reason"] else ""
    return category, letter, (word + reason, {colour: True})


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Give a failure's text the form that pytest's reporters print it in."""
    if getattr(report, "conformance", None) is not None and isinstance(report.longrepr, str):
        report.longrepr = FailureText(report.longrepr)  # type: ignore[assignment]


class Gatherer:
    """Collects results from reports, which come from workers or from this process."""

    def __init__(self, config: pytest.Config) -> None:
        self.run = config.stash[RUN]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result of a check; a check that ended without one is inconclusive."""
        record = getattr(report, "conformance", None)
        if record is not None:
            self._keep(Result.from_dict(record))
            return
        if report.passed:
            return
        check = check_at(report.nodeid)
        backend = report.nodeid.partition("[")[2].rstrip("]")
        if check is None or backend not in self.run.profiles:
            return
        # A worker of pytest-xdist that died is reported by its controller, at no phase of a test.
        phase = f"{report.when} {report.outcome}: " if report.when in ("setup", "call", "teardown") else ""
        reason = phase + " ".join(_text(report.longrepr).split())
        result = Result(
            backend, check.contract, check.suite, check.code, check.level, check.sentence, "inconclusive", reason
        )
        self._keep(self.run.options.gate.placed(result, check))

    def _keep(self, result: Result) -> None:
        # A check may be told of twice, as where it passed and could not be torn down. It is one check all the same:
        # what is counted twice, or is two things at once, no other shard agrees with.
        for place, known in enumerate(self.run.results):
            if (known.backend, known.code) == (result.backend, result.code):
                self.run.results[place] = min(known, result, key=_goodness)
                return
        self.run.results.append(result)


def _text(longrepr: object) -> str:
    if isinstance(longrepr, tuple):  # of a skip: file, line, reason
        return str(longrepr[-1]).removeprefix("Skipped: ")
    crash = getattr(longrepr, "reprcrash", None)
    return crash.message if crash is not None else str(longrepr).strip()


def _goodness(result: Result) -> int:
    return WORDS.index(word(result.to_dict()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to gather, in the process that reports."""
    if not is_worker(session.config):
        session.config.pluginmanager.register(Gatherer(session.config))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Make the record, write it, and let the exit code follow the verdict."""
    config = session.config
    if is_worker(config):
        return
    stopped = exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR) or bool(
        session.shouldstop or session.shouldfail
    )
    if config.option.collectonly:
        return
    report = make_report(config.stash[RUN], interrupted=stopped)
    config.hook.pytest_conformance_report(config=config, report=report)
    config.stash[REPORT] = report
    _update_baseline(config, report)
    path = config.stash[RUN].options.json
    if path is not None:
        text = json.dumps(report, indent=2, ensure_ascii=True) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            config.stash[UNRECORDED] = str(error)
    folder = config.stash[RUN].options.report
    if folder is not None:
        try:
            write_folder(folder, report)
        except OSError as error:  # as of a full disk: the verdict must be seen all the same
            config.stash[UNWRITTEN] = str(error)
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and (
        any(key in config.stash for key in (UNWRITTEN, UNRECORDED, UNACCEPTED)) or is_red(report["verdict"])
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _update_baseline(config: pytest.Config, report: Mapping[str, Any]) -> None:
    gate = config.stash[RUN].options.gate
    told = report["baseline"]
    if (
        gate.baseline is None
        or not gate.updates
        or (gate.baseline.exists and not told["added"] and not told["removed"])
    ):
        return
    try:
        write_baseline(updated(gate.baseline, told, gate.today), gate.edition)
    except OSError as error:
        config.stash[UNACCEPTED] = str(error)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the summary of every backend."""
    report = config.stash.get(REPORT, None)
    if report is None:
        return
    for backend in report["backends"]:
        terminalreporter.section(f"conformance: {backend['name']}")
        terminalreporter.ensure_newline()
        for line in summary_lines(backend, shutil.get_terminal_size().columns):
            for text, colour in line:
                terminalreporter.write(text, **({colour: True} if colour else {}))
            terminalreporter.line("")
    if report["benchmarks"]:
        terminalreporter.section("benchmark")
        terminalreporter.ensure_newline()
        for text, colour in benchmark_lines(report):
            terminalreporter.line(text, **({colour: True} if colour else {}))
    for text, colour in baseline_lines(report, config.stash.get(UNACCEPTED, "")):
        terminalreporter.line(text, **({colour: True} if colour else {}))
    if UNRECORDED in config.stash:
        terminalreporter.line(f"  the record could not be written: {config.stash[UNRECORDED]}", red=True)
    folder = config.stash[RUN].options.report
    if UNWRITTEN in config.stash:
        terminalreporter.line(f"  the report could not be written: {config.stash[UNWRITTEN]}", red=True)
    elif folder is not None:
        terminalreporter.line(f"  report {shown_path(folder / PAGE, config.invocation_params.dir)}")
