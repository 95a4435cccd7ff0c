"""No server outlives what started it, whatever ends that."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from conformance.servers import folders
from tests.servers.engines import EACH_WAY, LIMIT_S, await_gone, await_true, found, processes_of, script

START = """
import os, sys, tempfile
from pathlib import Path
from conformance.servers import start, serve, folders
from conformance.servers.postgres import PostgresServer
from conformance.servers.redis import RedisServer
server = {"redis": RedisServer, "postgres": PostgresServer}[sys.argv[1]]()
running = start(server, Path(sys.argv[2] or tempfile.mkdtemp(dir=folders.shared())))
def answers():
    from tests.servers.engines import ENGINES
    ENGINES[sys.argv[1]].put(running.url, "name-1", "a text")
    return ENGINES[sys.argv[1]].got(running.url, "name-1") == "a text"
print(running.pid, running.held._launch.run, flush=True)
"""


def shared() -> dict[str, str]:
    """Return the environment of a script that needs no folder of its own: what takes a second to make is made once."""
    return {folders.VARIABLE: str(folders.shared())}


def begun(child: subprocess.Popen[str]) -> tuple[list[int], Path]:
    """Return all processes of the server that a child started, and the server's private folder."""
    assert child.stdout
    pid, _, folder = child.stdout.readline().strip().partition(" ")
    return processes_of(int(pid)), Path(folder)


def ended(child: subprocess.Popen[str], text: str = "") -> int:
    """Give a child its last words, and return its exit code."""
    child.communicate(text, timeout=LIMIT_S)
    return child.returncode


def gone(pids: list[int], folder: Path) -> None:
    """Wait until nothing is left of a server."""
    assert len(pids) >= 1
    await_gone(*pids)
    await_true(f"{folder} is removed", lambda: not folder.exists())


@EACH_WAY
@pytest.mark.parametrize("act", ["", "running.pause()"], ids=["running", "paused"])
def test_the_parent_is_killed(name: str, way: str, act: str, tmp_path: Path) -> None:
    """The server dies with it, with all its processes, also when it was paused, and its folder is removed."""
    code = f"{START}\n{act}\nprint('now', flush=True)\ninput()"
    with script(code, name, str(tmp_path), CONFORMANCE_SERVERS=way) as child:
        pids, folder = begun(child)
        assert child.stdout
        assert child.stdout.readline() == "now\n"
        assert folder.is_dir()
        assert folder.parent != folders.shared()  # that of this process; the child has its own
        child.kill()
        gone(pids, folder.parent)


@EACH_WAY
def test_the_parent_just_ends(name: str, way: str, tmp_path: Path) -> None:
    """A server that nobody stopped is stopped in good order when Python ends, and no warning is given."""
    code = f"import warnings; warnings.simplefilter('error')\n{START}\ninput()"
    with script(code, name, str(tmp_path), CONFORMANCE_SERVERS=way, **shared()) as child:
        pids, folder = begun(child)
        assert ended(child, "\n") == 0
    gone(pids, folder)
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "ready to exit" in log or "database system is shut down" in log


@EACH_WAY
def test_ctrl_c_is_not_for_the_server(name: str, way: str, tmp_path: Path) -> None:
    """It works on while the interrupted program cleans up, and is stopped with it."""
    # Where the tests run in the background of a shell, a child has the signal ignored.
    code = START + "\nimport signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code += "\ntry:\n    print('now', flush=True)\n    input()\n"
    code += "except KeyboardInterrupt:\n    sys.exit(42 if answers() else 1)"
    with script(code, name, str(tmp_path), CONFORMANCE_SERVERS=way, **shared()) as child:
        pids, folder = begun(child)
        assert child.stdout
        assert child.stdout.readline() == "now\n"
        os.killpg(child.pid, signal.SIGINT)
        assert ended(child) == 42
    gone(pids, folder)


@EACH_WAY
def test_a_forked_child_leaves_it_alone(name: str, way: str, tmp_path: Path) -> None:
    """Neither the end of a forked child stops the server, nor does a child that lives on keep it alive."""
    fork = """
import os
reading, writing = os.pipe()
other = os.fork()
if other == 0:
    os.read(reading, 1)  # nobody writes: it lives until it is killed
    sys.exit()
child = os.fork()
if child == 0:
    running.stop()
    try:
        running.kill()
    except ValueError:
        sys.exit(42)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
print(answers(), other, flush=True)
input()
"""
    with script(START + fork, name, str(tmp_path), CONFORMANCE_SERVERS=way, **shared()) as child:
        pids, folder = begun(child)
        assert child.stdout
        answered, other = child.stdout.readline().split()
        assert answered == "True"
        child.kill()
        gone(pids, folder)
        os.kill(int(other), signal.SIGKILL)


@EACH_WAY
def test_a_thread_that_ends_leaves_it_alone(name: str, way: str, tmp_path: Path) -> None:
    """A server lives as long as the process, not as the thread that started it."""
    code = "import threading\ndef begin():\n    global running, answers\n" + "\n".join(
        f"    {line}" for line in START.strip().splitlines()
    )
    code += "\none = threading.Thread(target=begin); one.start(); one.join()\nsys = __import__('sys')\n"
    code += "sys.exit(42 if input() == '' and answers() else 1)"
    with script(code, name, str(tmp_path), CONFORMANCE_SERVERS=way, **shared()) as child:
        pids, folder = begun(child)
        assert ended(child, "\n") == 42
    gone(pids, folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="all the other tests run as an ordinary user here")
@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_an_ordinary_user(name: str) -> None:
    """Who is not root starts a server as well, in a folder of his own."""
    if not found(name, "binary"):
        pytest.fail(f"no {name} is installed where every user may run it")
    code = f"""
{START}
assert answers()
running.stop()  # all that is imported is, which this user may not read
del os.environ[folders.VARIABLE]
os.setgroups([]); os.setgid(65534); os.setuid(65534)
running = start(server, Path(tempfile.mkdtemp(dir=folders.shared())))
print(running.pid, running.held._launch.run, flush=True)
sys.exit(42 if answers() and os.stat(f'/proc/{{running.pid}}').st_uid == 65534 else 1)
"""
    with script(code, name, "", CONFORMANCE_SERVERS="binary", **shared()) as child:
        gone(*begun(child))
        pids, folder = begun(child)
        assert ended(child) == 42
    gone(pids, folder)
