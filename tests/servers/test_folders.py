"""Folders for servers: one for a process and its children, where a server's user gets to, gone in the end."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from conformance.servers import folders
from conformance.servers.users import unprivileged
from tests.servers.engines import LIMIT_S, script

TELL = "from conformance.servers import folders\nprint(folders.shared(), flush=True)\n"


def test_one_folder_for_all_processes() -> None:
    """A child process has that of its parent, and leaves it there; the process that made it removes it."""
    with script(f"{TELL}print(folders.shared(), folders.made_here())\ninput()") as parent:
        assert parent.stdout
        folder = parent.stdout.readline().strip()
        assert parent.stdout.readline().strip() == f"{folder} [{Path(folder)!r}]"
        assert os.stat(folder).st_mode & 0o777 == 0o711
        with script(f"{TELL}print(folders.made_here())", **{folders.VARIABLE: folder}) as child:
            assert child.communicate(timeout=LIMIT_S)[0] == f"{folder}\n[]\n"
        assert Path(folder).is_dir()
        parent.communicate("\n", timeout=LIMIT_S)
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("x" * 70, 0o755),
        pytest.param(
            "closed", 0o700, marks=pytest.mark.skipif(unprivileged() is None, reason="no server has another user")
        ),
    ],
    ids=["long", "closed"],
)
def test_a_folder_for_temporary_files_that_will_not_do(
    name: str, mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is too deep for a socket, or closed to the server's user, is passed over."""
    (tmp_path / name).mkdir()
    (tmp_path / name).chmod(mode)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / name))
    assert folders._base() in ("/tmp", "/var/tmp")


def test_copies(tmp_path: Path) -> None:
    """Content, rights and links are the same; what is there is not overwritten."""
    old = tmp_path / "old"
    (old / "in" / "in").mkdir(parents=True, mode=0o700)
    (old / "in" / "file").write_bytes(b"x" * (3 << 20))
    (old / "in" / "file").chmod(0o640)
    (old / "link").symlink_to("in/file")
    folders.copy(old, tmp_path / "new")
    found = sorted((path.relative_to(tmp_path / "new"), path.lstat().st_mode) for path in (tmp_path / "new").rglob("*"))
    assert found == sorted((path.relative_to(old), path.lstat().st_mode) for path in old.rglob("*"))
    assert (tmp_path / "new" / "link").read_bytes() == b"x" * (3 << 20)
    with pytest.raises(FileExistsError):
        folders.copy(old, tmp_path / "new")
