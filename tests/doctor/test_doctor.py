"""`conformance doctor`: what it says follows from what it tried, with the consequence and the remedy on one line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.address import AddressError
from conformance.backend import PROMISES
from conformance.cli import main
from conformance.crash.recorder import Choice
from conformance.doctor import machine, packages, project
from conformance.doctor.finding import Finding
from conformance.plugin import OPTIONS


def lines(findings: Iterable[Finding]) -> list[str]:
    """Return the lines of findings, runs of spaces as one."""
    return [" ".join(finding.line().split()) for finding in findings]


def test_a_finding_is_one_line() -> None:
    """State, name, what was found, what follows, and what to do; line breaks of what was found are gone."""
    found = Finding("recorder", "missing", "no\n  seccomp", "nothing is measured", "run it on Linux")
    assert found.line() == "missing recorder           no seccomp; nothing is measured; run it on Linux"


def test_a_fork_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is forked in a process of its own; where that fails, all that is measured in children is named."""
    assert machine.fork().state == "ok"
    monkeypatch.setattr(machine, "_FORK", "import os\nos.no_such_fork()")
    found = machine.fork()
    assert found.state == "missing"
    assert "no_such_fork" in found.found
    levels = {level for name in ("durability", "sharing", "corruption") for level in PROMISES[name]}
    assert set(found.levels) == levels - {"clean-close", "volatile", "threads", "single", "silent"}
    assert not [line for line in lines(machine.machine_findings()) if "recorder" in line]


@pytest.mark.parametrize(
    ("choice", "state", "told"),
    [
        (Choice("seccomp"), "ok", "seccomp: sees every call"),
        (
            Choice("strace", ("seccomp: refused.",)),
            "weak",
            "strace, because seccomp: refused.; it can make no call fail",
        ),
        (Choice("python", ("seccomp: no.", "strace: no.")), "weak", "what C extensions write is not seen"),
        (Choice("none", ("No recorder.",)), "missing", "No recorder.; power loss can't be measured; run it on Linux"),
    ],
)
def test_the_recorder_is_the_one_that_passes_its_trial(
    monkeypatch: pytest.MonkeyPatch, choice: Choice, state: str, told: str
) -> None:
    """A weaker one is named with what refused the better ones."""
    monkeypatch.setattr(machine, "choose", lambda: choice)
    found = machine.recorder()
    assert found.state == state
    assert told in found.line()
    assert found.levels == (("power-loss", "prefix") if state == "missing" else ())


def test_one_processor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several are fine; one makes a run longer and less thorough."""
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert machine.processors().state == "weak"
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert machine.processors().found == "3: -n 3 uses them all"


def test_the_disk_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its kind, its room, and how long a sync takes; too little room, memory, and a missing folder are told."""
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(machine, "file_system", lambda _: "ext4")
    room = shutil.disk_usage(tmp_path)._replace(free=5 << 30)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: room)
    assert lines(machine.directories())[0].startswith(
        f"ok temporary files {tmp_path}: ext4, 5.0 GiB free, a MiB synced in"
    )
    monkeypatch.setattr(machine, "file_system", lambda _: "tmpfs")
    assert "benchmarks measure memory and no disk" in lines(machine.directories())[0]
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: room._replace(free=1))
    assert lines(machine.directories())[0].endswith("a long run may fill it; set TMPDIR, or --basetemp=DIR")
    monkeypatch.setattr(machine, "quick_folder", lambda: None)
    assert lines(machine.directories())[1].startswith("weak memory files no memory that looks like a disk;")
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path / "gone"))
    assert lines(machine.directories()) == [
        f"missing temporary files {tmp_path}/gone: No such file or directory; no store can be opened; set TMPDIR"
    ]


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="only Linux tells its mounts there")
def test_the_kind_of_a_file_system_is_that_of_its_mount() -> None:
    """A folder has the kind of the nearest mount above it."""
    assert machine.file_system(Path("/proc/self")) == "proc"
    assert machine.file_system(Path("/"))


def test_packages_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be imported is told with its version; what can't, with the reason and the extra that brings it."""
    wanted = {
        "pytest": ("pytest", "", "nothing"),
        "no_such_module": ("no-such-distribution", "clock", "no clocks"),
    }
    monkeypatch.setattr(packages, "_OPTIONAL", wanted)
    found, missing = lines(packages.package_findings())
    assert found == f"ok pytest {pytest.__version__}"
    why = "ModuleNotFoundError: No module named 'no_such_module'; no clocks"
    fix = "pip install 'pytest-backend-conformance[clock]'"
    assert missing == f"missing no-such-distribution {why}; {fix}"
    monkeypatch.setattr(packages, "_IMPORT", "import os; os._exit(3)")
    assert "importing it ended Python with 3" in lines(packages.package_findings())[0]


def test_servers_that_can_not_be_had_are_told_with_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way is named with why it failed; and no variable is left behind."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "url")
    for name in ("CONFORMANCE_REDIS_URL", "CONFORMANCE_POSTGRES_URL"):
        monkeypatch.delenv(name, raising=False)
    found = lines(packages.server_findings())
    assert found[0].startswith("missing redis CONFORMANCE_REDIS_URL: not set, local redis-server: left out by")
    assert found[1].startswith("missing postgres CONFORMANCE_POSTGRES_URL: not set, ")
    assert found[2].split()[1] == "containers"
    monkeypatch.setenv("CONFORMANCE_SERVERS", "magic")
    assert "names 'magic', which is no way to a server" in lines(packages.server_findings())[0]


def test_short_options_are_asked_of_pytest(tmp_path: Path) -> None:
    """A conftest that owns one is told so, with what to write; one that fails is shown."""
    (tmp_path / "conftest.py").write_text("def pytest_addoption(parser): parser.addoption('--effort')")
    owner = "--effort belongs to the project's conftest, or to another plugin"
    told = f"weak short options {owner}; it does not reach the kit; write --conformance-effort"
    assert lines(project.short_options(tmp_path)) == [told]
    (tmp_path / "conftest.py").write_text("raise RuntimeError('broken')")
    told = f"missing short options {tmp_path}/conftest.py can't be imported; no run begins; see `pytest --collect-only`"
    assert lines(project.short_options(tmp_path)) == [f"{told}, and mend it"]
    (tmp_path / "conftest.py").unlink()
    assert lines(project.short_options(tmp_path)) == [
        "ok short options --backend, --suite, --contract, --effort, --require are the kit's"
    ]


def test_the_short_options_are_those_of_the_plugin() -> None:
    """What is asked for is what there is."""
    assert [name for name, *_ in OPTIONS] == list(project._SHORT)


def test_backends_that_can_not_be_imported_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its name, with why; the others are counted."""
    named = {"good": "reference_backends.memory:backend", "bad": "nowhere:backend"}
    monkeypatch.setattr(project, "named_backends", lambda: named)
    found = lines(project.registered())
    assert found[0].startswith("weak backends bad: backend 'nowhere:backend': there is no module 'nowhere'")
    assert found[1] == "ok backends 1 registered ones can be imported: good"

    def twice() -> dict[str, str]:
        raise AddressError("backend 'a' is registered twice")

    monkeypatch.setattr(project, "named_backends", twice)
    assert lines(project.registered()) == ["missing backends backend 'a' is registered twice; no backend can be named"]


def test_options_that_clash_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would end a run before it begins is told as it would be said then."""
    monkeypatch.setattr(project, "short_options", lambda base: [])
    monkeypatch.setattr(project, "registered", list)
    (tmp_path / "pyproject.toml").write_text('[tool.conformance]\nefort = "quick"')
    assert "has no key 'efort'. Did you mean 'effort'?" in lines(project.project_findings(tmp_path))[0]
    (tmp_path / "pyproject.toml").write_text('[tool.conformance]\nbackends = ["a"]')
    assert "pyproject.toml: backends = ['a'] is no table." in lines(project.project_findings(tmp_path))[0]
    for much in ("9" * 5_000, "[" * 5_000):  # more than Python takes for a number, and deeper than it reads
        (tmp_path / "pyproject.toml").write_text(f"[tool.conformance]\nseed = {much}")
        assert "pyproject.toml is not valid TOML: " in lines(project.project_findings(tmp_path))[0]
    (tmp_path / "pyproject.toml").unlink()
    assert lines(project.project_findings(tmp_path)) == ["ok options environment and pyproject.toml can be used"]
    (tmp_path / "pyproject.toml").mkdir()
    assert "pyproject.toml can't be read: Is a directory." in lines(project.project_findings(tmp_path))[0]


def test_a_project_that_can_not_be_used_names_no_backend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, with what is wrong, and where."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.toml").write_text("[tool]\nconformance = 5")
    with pytest.raises(SystemExit) as stop:
        main(["doctor", "--backend=other.toml:mine"])
    assert stop.value.code == 2
    assert "other.toml: conformance = 5 is no table. Write [tool.conformance]" in capsys.readouterr().err


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out what takes long, which other tests try, and stand in an empty directory."""
    for module, name in (
        (packages, "package_findings"),
        (packages, "server_findings"),
        (project, "short_options"),
        (project, "registered"),
    ):
        monkeypatch.setattr(module, name, lambda *_: [])
    monkeypatch.chdir(tmp_path)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Run the command, and return its exit code and its lines, runs of spaces as one."""
    exit_code = main(["doctor", *arguments])
    return exit_code, [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("quick")
def test_a_backend_is_opened_and_held_against_the_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contracts, capabilities and claims are told, and which levels would not be measured here, and why."""
    exit_code, told = doctor(capsys, "--backend=memory")
    assert exit_code == 0
    assert any(line.startswith("ok backend memory opens layers[precedence scopes]: ") for line in told)
    assert "ok sharing claims threads" in told
    monkeypatch.setattr(machine, "choose", lambda: Choice("none", ("No recorder works here.",)))
    exit_code, told = doctor(capsys, "--backend=sqlite")
    assert exit_code == 0
    measured = (
        "missing durability claims power-loss; not measured here: power-loss, prefix; recorder: No recorder works here."
    )
    assert measured in told


@pytest.mark.usefixtures("quick")
def test_what_is_required_sets_the_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 where the machine can't measure a word, or the backend does not claim it; 0 for what can be measured."""
    assert doctor(capsys, "--require=power-loss,log")[0] == 0
    exit_code, told = doctor(capsys, "--backend=memory", "--require=threads,power-loss", "--require=log")
    assert exit_code == 1
    assert told[-3:] == [
        "ok required threads can be measured here",
        "missing required power-loss will not be observed: memory claims volatile",
        "ok required log can be measured here",
    ]
    monkeypatch.setattr(machine, "choose", lambda: Choice("none", ("No recorder works here.",)))
    exit_code, told = doctor(capsys, "--require=power-loss")
    assert exit_code == 1
    assert told[-1] == "missing required power-loss can't be measured here: recorder: No recorder works here."


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--require=power-los", "Did you mean 'power-loss'?"),
        ("--backend=memroy", "unknown backend 'memroy'. Did you mean 'memory'?"),
    ],
)
def test_unknown_words_are_refused(capsys: pytest.CaptureFixture[str], argument: str, message: str) -> None:
    """Exit code 2, and the nearest known word."""
    with pytest.raises(SystemExit) as stop:
        main(["doctor", argument])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_backend_that_does_not_open_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is told, and nothing is said of its promises; no requirement will be met."""
    (tmp_path / "closed_store.py").write_text("def closed(path): raise OSError('no disk')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with ExitStack() as stack:
        profile: Any = project.profile_of("closed_store:closed", tmp_path, stack)
    sys.modules.pop("closed_store", None)
    why = "opening closed_store:closed raised OSError: no disk"
    told = f"missing backend closed_store:closed: {why}; its verdict is INCONCLUSIVE"
    assert lines(project.backend_findings(profile, {})) == [told]
    assert project.against("log", profile).startswith("closed_store:closed does not open: opening")
