"""The lock that the references on files share."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from reference_backends._files import FileLock
from tests.reference_backends.test_file import start_python

if TYPE_CHECKING:
    from pathlib import Path

FORKS_AND_LOCKS = """
import os, sys
from pathlib import Path
from reference_backends._files import FileLock

lock = FileLock(Path(sys.argv[1]))
with lock.held(exclusive=True):
    pass
living, lives = os.pipe()
child = os.fork()
if child == 0:
    os.write(lives, b"x")
    sys.stdin.read()
    os._exit(0)
os.read(living, 1)
with lock.held(exclusive=True):
    print(child, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the lock is."""
    return tmp_path / "lock"


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the lock."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def times_open(path: Path) -> int:
    """Return how often this process has the file open."""
    count = 0
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # what listed them is gone
            count += os.path.samestat(os.fstat(int(name)), path.stat())
    return count


def test_a_block_inside_a_block(path: Path) -> None:
    """The lock is held until the outermost block ends, whatever raises inside."""
    lock = FileLock(path)
    with lock.held(exclusive=True):
        with pytest.raises(KeyError), lock.held(exclusive=False):
            raise KeyError
        with lock.held(exclusive=True):
            assert not is_free(path)
        assert not is_free(path)
    assert is_free(path)
    with lock.held(exclusive=False), pytest.raises(AssertionError, match="shared lock"), lock.held(exclusive=True):
        pass
    assert is_free(path)


def test_the_file_is_open_between_blocks_and_not_after_closing(path: Path) -> None:
    """One file for all blocks; none after `close`, or when nobody has the lock any more; a block opens it again."""
    lock = FileLock(path)
    for _ in range(3):
        with lock.held(exclusive=True):
            assert times_open(path) == 1
    assert times_open(path) == 1
    lock.close()
    assert times_open(path) == 0
    with lock.held(exclusive=False):
        assert not is_free(path)
    assert times_open(path) == 1
    del lock
    assert times_open(path) == 0


def test_a_child_that_was_forked_does_not_keep_the_lock(path: Path) -> None:
    """It has the lock's file open, from before its parent took the lock; the parent dies, the child lives on."""
    parent = start_python(FORKS_AND_LOCKS, str(path))
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not is_free(path)
    parent.kill()
    parent.wait()
    try:
        os.kill(child, 0)
        assert is_free(path)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate()


def test_a_child_that_was_forked_inside_a_block_leaves_the_lock_to_its_parent(path: Path) -> None:
    """The end of the child's block does not unlock what the parent holds."""
    lock = FileLock(path)
    with lock.held(exclusive=True):
        child = os.fork()
        if child == 0:
            try:
                lock.give_back()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert not is_free(path)
    assert is_free(path)
