"""What is installed beside the kit: optional packages, servers, and an engine for containers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from conformance.doctor.finding import Finding
from conformance.servers import NoServer, Server, StartError, start
from conformance.servers.containers import reachable
from conformance.servers.postgres import PostgresServer
from conformance.servers.redis import RedisServer
from conformance.servers.server import Absent
from conformance.servers.ways import VARIABLE

#: Modules, the distribution of each, the extra that brings it, and what is not measured without it.
_OPTIONAL: Mapping[str, tuple[str, str, str]] = {
    "pytest": ("pytest", "", "nothing can be judged"),
    "xdist": ("pytest-xdist", "", "checks run one after the other: no -n"),
    "pyfakefs": ("pyfakefs", "fakefs", "two checks of each contract about full and read-only disks do not apply"),
    "time_machine": ("time-machine", "clock", "wrong and stepping clocks are not tried: LOG-REPLAY-05 does not apply"),
    "jinja2": ("jinja2", "report", "no HTML report: --conformance-report is refused"),
    "pytest_benchmark": ("pytest-benchmark", "benchmark", "the suite benchmark is refused"),
    "distributed": ("distributed", "campaign", "a campaign has no cluster"),
}
#: Imports each module by itself, in one process that is thrown away.
_IMPORT = """
import importlib, json, sys
from importlib.metadata import version
found = {}
for module, distribution in json.loads(sys.argv[1]).items():
    try:
        importlib.import_module(module)
        found[module] = [True, version(distribution)]
    except BaseException as error:
        found[module] = [False, f"{type(error).__name__}: {error}"]
print(json.dumps(found))
"""


def package_findings() -> Iterator[Finding]:
    """Give what was found of each optional package: it is imported, not looked for."""
    wanted = json.dumps({module: distribution for module, (distribution, _, _) in _OPTIONAL.items()})
    command = [sys.executable, "-W", "ignore", "-c", _IMPORT, wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else {}
    for module, (distribution, extra, so) in _OPTIONAL.items():
        works, told = found.get(module, [False, f"importing it ended Python with {done.returncode}"])
        fix = f"pip install 'pytest-backend-conformance[{extra}]'" if extra else f"pip install {distribution}"
        yield Finding(distribution, "ok", told) if works else Finding(distribution, "missing", told, so, fix)


def server_findings() -> Iterator[Finding]:
    """Give what was found of each server: one is started, asked, and stopped; no image is fetched."""
    for server in (RedisServer(), PostgresServer()):
        yield _server(server)
    try:
        reachable()
        yield Finding("containers", "ok", "a Docker engine answers")
    except (Absent, StartError) as error:
        so = "servers come from an address, a binary or a wheel only"
        yield Finding("containers", "missing", str(error), so, "pip install testcontainers, and start Docker")


def _server(server: Server) -> Finding:
    before = os.environ.get(VARIABLE)
    if before is None:
        os.environ[VARIABLE] = "url,binary,wheel"
    try:
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            running = start(server, Path(folder) / "server")
            running.stop()
            return Finding(
                server.name, "ok", f"{running.how}: started, answered, stopped" if running.private else running.how
            )
    except NoServer as error:
        tried = ", ".join(f"{what}: {why}" for what, why in error.tried)
        so = "stores that talk to one are not judged, unless a container can be started"
        fix = f"set {server.variable}, or install a server or pytest-backend-conformance[servers]"
        return Finding(server.name, "missing", tried, so, fix)
    except ValueError as error:
        return Finding(server.name, "missing", str(error), "no server is started", f"unset {VARIABLE}")
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
