"""Lines about long work: on a terminal only, not too often, and gone when the work ends."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from conformance.running.transient import EVERY_S, TransientLine, transient_line

CONTROL = re.compile(r"\x1b([DM78]|\[\d*[KJ]|\[[\d;?]*[A-Za-z])|([\r\n\b])|([^\x1b\r\n\b]+)")


class Screen:
    """As much of a VT100 as is needed: a few lines that scroll."""

    def __init__(self, height: int = 5) -> None:
        self.height = height
        self.lines = [""] * height
        self.row = self.column = 0
        self.saved = (0, 0)
        self.gone: list[str] = []
        self.seen: set[str] = set()

    def write(self, text: str) -> None:
        for escape, control, plain in (found.groups() for found in CONTROL.finditer(text)):
            if escape == "D" or control == "\n":
                self.down()
                self.column = self.column if escape else 0
            elif escape == "M":
                assert self.row > 0
                self.row -= 1
            elif escape == "7":
                self.saved = (self.row, self.column)
            elif escape == "8":
                self.row, self.column = self.saved
            elif escape in ("[K", "[J"):
                self.lines[self.row] = self.lines[self.row][: self.column]
                if escape == "[J":
                    self.lines[self.row + 1 :] = [""] * (self.height - self.row - 1)
            elif control == "\r":
                self.column = 0
            elif plain:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + plain + line[self.column + len(plain) :]
                self.column += len(plain)
            self.seen.update(self.lines)

    def down(self) -> None:
        if self.row == self.height - 1:
            self.gone.append(self.lines.pop(0))
            self.lines.append("")
        else:
            self.row += 1

    def flush(self) -> None:
        pass

    def shown(self) -> list[str]:
        """Return all lines, those that scrolled away first."""
        return [*self.gone, *self.lines]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("above", [0, 4, 9], ids=["top", "bottom", "scrolled"])
def test_the_line_is_below_and_leaves_nothing(above: int) -> None:
    """Wherever pytest is, its line stays as it is, and it goes on where it was."""
    screen, clock = Screen(), Clock()
    line = TransientLine(screen, lambda: 20, clock)  # type: ignore[arg-type]
    screen.write("old\n" * above + "state.py ..")
    for text in ("1 state", "2 states", "n" * 50, "\x1b[31mred\n"):
        clock.now += 1
        line.show(text)
        assert screen.lines[screen.row] == "state.py .."
        assert screen.lines[screen.row + 1] == ("  " + text.replace("\x1b", "?").replace("\n", "?"))[:19]
    line.erase()
    screen.write("F  [10%]\nlog.py .")
    assert [one for one in screen.shown() if one] == ["old"] * above + ["state.py ..F  [10%]", "log.py ."]


def test_updates_are_few() -> None:
    """Work that is done at once shows nothing; of many texts ten a second are shown."""
    file, clock = io.StringIO(), Clock()
    line = TransientLine(file, lambda: 80, clock)
    line.begin()
    line.show("at once")
    line.erase()
    assert file.getvalue() == ""
    for _ in range(1000):
        clock.now += EVERY_S / 100
        line.show("again")
    assert 9 <= file.getvalue().count("again") <= 10
    line.erase()
    written = file.getvalue()
    line.erase()
    assert file.getvalue() == written


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    """What can't be written is left."""
    clock = Clock()
    file = io.StringIO()
    line = TransientLine(file, lambda: 80, clock)
    line.close()
    clock.now += 1
    line.show("a")
    line.erase()
    assert file.closed


def test_only_a_terminal_gets_one(tmp_path: Path) -> None:
    """Not a file, a stream without one, a closed one, a dumb terminal, or a CI service that looks like one."""
    closed = io.StringIO()
    closed.close()
    with open(tmp_path / "file", "w") as file:
        for stream in (io.StringIO(), file, closed):
            assert transient_line(stream, {"TERM": "xterm"}) is None
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with open(theirs, "w") as terminal:
        for environment in ({}, {"TERM": "dumb"}, {"TERM": "xterm", "CI": "true"}):
            assert transient_line(terminal, environment) is None
        line = transient_line(terminal, {"TERM": "xterm"})
        assert line is not None
        line.close()
        terminal.write("still open")
    os.close(ours)


SLOW = """
from conformance.running import transient
from conformance.trial import Trial

judge = Trial.judge
transient.EVERY_S = 0.0  # every text is shown, however soon it comes

def slow(trial):
    if trial.check.code == "STATE-BASIC-01":
        print("printed by the store")
        for number in range(4):
            trial.bench.progress(f"{trial.check.code}: {number} crash states")
    return judge(trial)

Trial.judge = slow
"""


def run_on_a_terminal(project: pytest.Pytester, *args: str) -> str:
    """Run pytest on a pseudo-terminal, and return what came."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "slow", "--backend=mystore:Store", "--color=no", *args]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=project.path) as process:
        os.close(theirs)
        came = b""
        with suppress(OSError):  # Linux says EIO when the other side is gone
            while some := os.read(ours, 4096):
                came += some
    os.close(ours)
    assert process.returncode == 0, came.decode()
    return came.decode()


@pytest.mark.parametrize(
    ("args", "shown"), [((), True), (("-v",), True), (("-q", "-q"), False), (("-s",), False), (("-n", "1"), False)]
)
def test_a_run_on_a_terminal_shows_long_work(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], *, shown: bool
) -> None:
    """The text comes and goes; what stays on the screen is what pytest prints, and nothing is printed twice."""
    project.makepyfile(slow=SLOW)
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    text = run_on_a_terminal(project, *args, "-k", "STATE-BASIC-01 or STATE-WRITE-01")
    assert ("crash states" in text) == shown
    screen = Screen(60)
    screen.write(text)
    assert not [line for line in screen.shown() if "crash states" in line]
    if not args:
        letters = [line for line in screen.shown() if line.startswith("conformance/round_trip/")]
        assert [re.split(r"\s+", line)[1] for line in letters] == [".", "."]
        assert "printed by the store" not in text
