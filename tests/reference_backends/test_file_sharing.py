"""The `file` backend: several handles, threads and processes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reference_backends import _files
from reference_backends.file import FileState
from tests.reference_backends.test_file import start_python


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the place of a store that is not made yet."""
    return tmp_path / "state"


@pytest.fixture
def store(directory: Path) -> FileState:
    """Return an empty store."""
    return FileState(directory)


COUNTING_WRITER = """
import sys
from pathlib import Path
from reference_backends.file import ConflictError, FileState

store, done = FileState(Path(sys.argv[1])), 0
while done < 20:
    version = store.version("n")
    value = store["n"]
    try:
        store.compare_and_set("n", value + 1, version)
        done += 1
    except ConflictError:
        pass
store.setdefault("first", sys.argv[2])
print(store["first"])
"""


class TestSharing:
    """Several handles, threads and processes."""

    def test_handles_see_each_other_at_once(self, directory: Path) -> None:
        """What one handle has written is what the other reads; nothing is cached."""
        one, other = FileState(directory), FileState(directory)
        one["a"] = 1
        assert (other["a"], list(other)) == (1, ["a"])
        other["a"] = 2
        assert one["a"] == 2
        del one["a"]
        assert "a" not in other

    def test_processes_lose_no_increment(self, store: FileState, directory: Path) -> None:
        """Processes that count by compare-and-set count every step, and agree on who was first."""
        store["n"] = 0
        processes = [start_python(COUNTING_WRITER, str(directory), str(number)) for number in range(3)]
        outcomes = [process.communicate() for process in processes]
        assert [stderr for _, stderr in outcomes] == ["", "", ""]
        assert store["n"] == 60
        assert {stdout.strip() for stdout, _ in outcomes} == {store["first"]}

    def test_threads_lose_no_increment(self, directory: Path) -> None:
        """Threads of one handle and of another keep out of each other's way."""
        handles = [FileState(directory), FileState(directory)]
        handles[0]["n"] = 0

        def increment(handle: FileState) -> None:
            for _ in range(10):
                with handle._writing():
                    handle["n"] += 1

        threads = [threading.Thread(target=increment, args=(handle,)) for handle in handles * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert handles[0]["n"] == 40

    def test_readers_do_not_wait_for_readers(self, directory: Path) -> None:
        """Two handles read at the same time."""
        one, other = FileState(directory), FileState(directory)
        one["a"] = 1
        with one._reading():
            assert other["a"] == 1
            assert one["a"] == 1

    def test_a_reader_does_not_become_a_writer(self, store: FileState) -> None:
        """Two readers that both waited to write would wait for ever: it is refused."""
        with store._reading(), pytest.raises(AssertionError, match="shared lock"):
            store["a"] = 1
        store["a"] = 1
        assert store["a"] == 1

    def test_opening_leaves_the_files_of_a_living_writer(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The temporary file of a writer at work stays; opening waits until the writer is done."""
        store = FileState(directory)
        living = directory / "shard-0-of-1" / f"{'a' * 32}.tmp"
        about_to_lock = threading.Event()
        real = _files._lock

        def lock(descriptor: int, *, exclusive: bool) -> None:
            about_to_lock.set()
            real(descriptor, exclusive=exclusive)

        opener = threading.Thread(target=FileState, args=(directory,))
        with store._writing():
            living.write_text("half a docu")
            monkeypatch.setattr(_files, "_lock", lock)
            opener.start()
            assert about_to_lock.wait(60)
            assert living.exists()
            assert (list(store), len(store)) == ([], 0)
        opener.join()
        assert not living.exists()  # no writer has it any more

    def test_a_lock_is_free_when_its_holder_is_killed(self, store: FileState, directory: Path) -> None:
        """The operating system takes the lock from a dead process."""
        code = (
            "import sys\nfrom pathlib import Path\nfrom reference_backends.file import FileState\n"
            "with FileState(Path(sys.argv[1]))._writing():\n    print('held', flush=True)\n    sys.stdin.read()\n"
        )
        process = start_python(code, str(directory))
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.communicate()
        store["a"] = 1
        assert store["a"] == 1
