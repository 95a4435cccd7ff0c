"""Memory that a server's processes share does not outlive them."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.servers import folders, serve
from conformance.servers.memory import Segments, segments_of
from conformance.servers.postgres import PostgresServer
from tests.servers.engines import await_true, processes_of, script

#: System V segments, one a line behind the first; the second field is the number.
TABLE = Path("/proc/sysvipc/shm")

pytestmark = pytest.mark.skipif(not TABLE.exists(), reason="only Linux tells which memory processes share")


def left(segments: Segments) -> list[object]:
    """Return those of some segments that are there."""
    numbers = {int(line.split()[1]) for line in TABLE.read_text(encoding="ascii").splitlines()[1:]}
    return [*filter(lambda path: Path(path).exists(), segments.paths), *(segments.numbers & numbers)]


def test_a_kill_leaves_none(tmp_path: Path) -> None:
    """A server that is killed can't remove it, and is killed all the time."""
    with serve(PostgresServer(), tmp_path / "data") as running:
        assert running.pid is not None
        shared = segments_of(processes_of(running.pid))
        assert len(left(shared)) == len(shared.paths) + len(shared.numbers) >= 2
        running.kill()
        assert left(shared) == []
        running.restart()
        assert running.pid is not None
        again = segments_of(processes_of(running.pid))
        assert left(again)
    assert left(again) == []


def test_a_killed_parent_leaves_none(tmp_path: Path) -> None:
    """The watcher removes it."""
    code = """
import sys
from pathlib import Path
from conformance.servers import serve
from conformance.servers.postgres import PostgresServer
running = serve(PostgresServer(), Path(sys.argv[1]))
print(running.pid, flush=True)
input()
"""
    with script(code, str(tmp_path / "data"), **{folders.VARIABLE: str(folders.shared())}) as child:
        assert child.stdout
        shared = segments_of(processes_of(int(child.stdout.readline())))
        assert left(shared)
        child.kill()
        await_true("no memory is left", lambda: not left(shared))


def test_processes_that_are_gone_share_nothing() -> None:
    """Nothing is found, and nothing is removed again."""
    found = segments_of([2**22 + 1])
    assert found == Segments(frozenset(), frozenset())
    Segments(frozenset({"/dev/shm/PostgreSQL.0"}), frozenset()).remove()
