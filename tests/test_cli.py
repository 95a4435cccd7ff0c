"""The command `conformance`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

from conformance.backend import PROMISES
from conformance.check import DIFFERENTIAL, catalogue
from conformance.cli import COMMANDS, main
from conformance.commands.explain import applies_to
from conformance.contracts import contracts

SCRIPT = Path(sysconfig.get_path("scripts")) / ("conformance.exe" if sys.platform == "win32" else "conformance")


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def words(text: str) -> str:
    """Return a text with every run of white space as one space, so that it does not matter where lines are broken."""
    return " ".join(text.split())


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, require exit code 2 and no output, and return what it said."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return words(err)


@pytest.mark.parametrize("code", catalogue())
def test_explain_tells_all_about_a_check(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`explain` prints every part of the check, the example line by line."""
    check = catalogue()[code]
    assert main(["explain", code]) == 0
    out = capsys.readouterr().out
    for part in (code, check.sentence, check.why, check.sources, *check.needs, *applies_to(check), check.since):
        assert words(part) in words(out)
    for line in check.breaks.splitlines():
        assert line.strip() in out
    assert f"level {check.level.upper()}   suite {check.contract}/{check.suite}" in out
    backends = "--backend=NAME --backend=OTHER" if check.suite == DIFFERENTIAL else "--backend=NAME"
    assert f"pytest {backends} -k {code}\n" in out


def test_explain_takes_a_code_in_lower_case(capsys: pytest.CaptureFixture[str]) -> None:
    """Codes are accepted as they are easiest to type."""
    assert main(["explain", "state-basic-01"]) == 0
    assert capsys.readouterr().out.startswith("STATE-BASIC-01  ")


def test_explain_does_not_cut_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal lines are broken between words only: codes can be copied."""
    monkeypatch.setenv("COLUMNS", "40")
    for code, check in catalogue().items():
        main(["explain", code])
        out = capsys.readouterr().out
        assert all(word in out for word in words(f"{check.sentence} {check.why} {' '.join(check.needs)}").split())


def test_unknown_code_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped code ends in exit code 2 and a suggestion."""
    text = refusal(capsys, "explain", "STATE-BASIK-01")
    assert "unknown check 'STATE-BASIK-01'. Did you mean 'STATE-BASIC-01'?" in text
    assert "Traceback" not in text


def test_half_a_code_is_answered_with_its_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """The beginning of codes ends in exit code 2 and the list of those that begin so, cut to a bearable length."""
    cas = [code for code in catalogue() if code.startswith("STATE-CAS")]
    assert f"{len(cas)} begin so: {', '.join(cas[:12])}" in refusal(capsys, "explain", "state-cas")
    assert len(refusal(capsys, "explain", "")) < 500


def test_list_has_every_check_once_in_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    """`list` gives each check a line with code, level and sentence, under its contract and suite, and counts them."""
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    group, found = "", {}
    for line in lines[:-1]:
        if line.startswith("  "):
            code, level, sentence = line.split(maxsplit=2)
            found[code] = (group, level, sentence)
        elif line:
            group = line.split()[0]
    assert found == {c.code: (f"{c.contract}/{c.suite}", c.level, c.sentence) for c in catalogue().values()}
    musts = sum(check.level == "must" for check in catalogue().values())
    assert lines[-1] == f"{len(found)} checks: {musts} must, {len(found) - musts} should; of edition 2026.1"


@pytest.mark.parametrize(
    ("option", "value"),
    [("suite", "open"), ("suite", "round-trip"), ("contract", "log"), ("contract", "state"), ("level", "should")],
)
def test_list_is_narrowed_by_options(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option leaves the checks that have that value, and all of them."""
    assert main(["list", "--json", f"--{option}", value]) == 0
    codes = [record["code"] for record in json.loads(capsys.readouterr().out)["checks"]]
    assert codes == [check.code for check in catalogue().values() if getattr(check, option) == value]
    assert codes


def test_list_json_holds_what_explain_tells(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON has the schema's number, the kit's version, and every field of every check."""
    assert main(["list", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == 1
    assert record["kit"] == {"name": "pytest-backend-conformance", "version": version("pytest-backend-conformance")}
    one = next(check for check in record["checks"] if check["code"] == "STATE-BASIC-01")
    check = catalogue()["STATE-BASIC-01"]
    assert one == {
        "code": check.code,
        "level": check.level,
        "suite": check.suite,
        "contract": check.contract,
        "sentence": check.sentence,
        "why": check.why,
        "breaks": check.breaks,
        "sources": check.sources,
        "capability": check.capability,
        "methods": list(check.methods),
        "promise": check.promise,
        "needs": list(check.needs),
        "since": check.since,
        "file": check.file,
    }


def test_unknown_filter_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped suite or contract does not list nothing: it ends in exit code 2 and a suggestion."""
    assert "unknown suite 'roundtrip'. Did you mean 'round-trip'?" in refusal(capsys, "list", "--suite=roundtrip")
    assert "unknown contract 'stat'. Did you mean 'state'?" in refusal(capsys, "list", "--contract=stat")


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """`conformance` alone ends in exit code 2 and the usage."""
    assert "usage: conformance" in refusal(capsys)


def test_applies_to_names_each_condition() -> None:
    """Capability, methods and promise are told; a check without any applies to every store of its contract."""
    for check in catalogue().values():
        told = " ".join(applies_to(check))
        if check.contract not in contracts():
            assert told == "every backend"
            continue
        levels = [level for level in check.promises.values() if level]
        for condition in (check.capability, *check.methods, *levels):
            assert f"`{condition}`" in told or not condition
        weaker = any(PROMISES[promise].index(level) for promise, level in check.promises.items() if level)
        assert ("stricter" in told) == weaker
        if check.suite == DIFFERENTIAL:
            assert told == f"two backends of one run that both have a `{check.contract}` store"
        elif not (check.capability or check.methods or levels):
            assert told == f"every `{check.contract}` store"


def test_output_survives_a_terminal_that_knows_only_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal can't show is escaped, instead of ending in a traceback."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    for code in catalogue():
        assert main(["explain", code]) == 0
    assert b"STATE-BASIC-01" in raw.getvalue()


def test_script_is_installed_and_tells_its_version() -> None:
    """The script `conformance` that an installation makes runs."""
    done = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"conformance {version('pytest-backend-conformance')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`conformance --help` tells each command in a line, and `conformance COMMAND --help` its arguments."""
    for words in (["--help"], [command, "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
        out = capsys.readouterr().out
        assert command in out
    assert out.startswith(f"usage: conformance {command} [-h] ")


def test_only_the_command_that_is_named_is_imported() -> None:
    """`conformance --version` pays for none of the commands, and `explain` for none of the others."""
    code = "import sys; from conformance.cli import COMMANDS, main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print([name for name, (module, _) in COMMANDS.items() if module in sys.modules])"
    for words, loaded in ((["--version"], []), (["explain", "STATE-BASIC-01"], ["explain"])):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == str(loaded)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipe")
def test_script_stops_quietly_when_its_reader_has_enough() -> None:
    """`conformance list --json | head -c 1` ends with exit code 0 and says nothing on standard error."""
    # Without a buffer, Python itself loses the rest of a write that a pipe takes in part, and never tells.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command, pipe = [str(SCRIPT), "list", "--json"], subprocess.PIPE
    with subprocess.Popen(command, env=buffered, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
