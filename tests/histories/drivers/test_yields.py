"""Points in the coroutines of a store: where they are, and that nothing else changes."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
import py_compile
import sys
import threading
import traceback
import warnings
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.histories.drivers.yields import has_points, point, points, yielding

Load = Callable[[str], ModuleType]
NUMBERS = itertools.count()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a source text as a new module with points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def loaded(source: str) -> ModuleType:
        name = f"pointed_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        with yielding(lambda path: Path(path).parent == tmp_path):
            return importlib.import_module(name)

    yield loaded
    for name in set(sys.modules) - before:
        del sys.modules[name]


def run(coroutine: Coroutine[Any, Any, Any], rate: float = 1.0, seed: int = 1) -> tuple[Any, int, int]:
    """Run a coroutine with points on; return its answer, the points passed, and the yields made."""

    async def main() -> tuple[Any, int, int]:
        with points(seed, rate) as passed:
            answer = await coroutine
        return answer, passed.passed, passed.made

    return asyncio.run(main())


PARTS = '''"""The parts that sources lean on."""
from __future__ import annotations
import asyncio
class Room:
    async def __aenter__(self): return 5
    async def __aexit__(self, *error): return None
async def ten(): return 10
async def some():
    for number in (1, 2, 3): yield number
'''


@pytest.mark.parametrize(
    ("body", "answer", "passed"),
    [
        ("return await ten()", 10, 1),
        ("return await ten() + await ten()", 20, 2),
        ("return [await ten() for _ in range(3)]", [10, 10, 10], 3),
        ("return {n: await ten() for n in range(2) if await ten()}", {0: 10, 1: 10}, 4),
        ("return f'{await ten()}'", "10", 1),
        ("async with Room() as five: return five", 5, 1),
        ("async with Room() as five, Room(): return five", 5, 2),
        ("async with await asyncio.sleep(0, Room()) as five: return five", 5, 2),
        ("return [n async for n in some()]", [1, 2, 3], 4),
        ("return [n async for n in (await ten() + n async for n in some())]", [11, 12, 13], 11),
        ("""
    found = []
    async for n in some():
        if n == 2: continue
        found.append(n)
    else: found.append('end')
    return found""", [1, 3, "end"], 4),
        ("""
    async for n in some():
        if n == 2: break
    else: n = 0
    return n""", 2, 2),
        ("return await asyncio.gather(ten(), ten())", [10, 10], 1),
        ("return await asyncio.create_task(ten())", 10, 1),
        ("return await asyncio.wait_for(ten(), 5)", 10, 1),
        ("return await (await asyncio.sleep(0, ten()))", 10, 2),
        ("return 3", 3, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_each_await_step_and_entry_has_a_point(body: str, answer: Any, passed: int, rate: float, load: Load) -> None:
    """Whether the points yield or not, a coroutine answers as ever, and has passed as many points as it should."""
    module = load(f"{PARTS}async def main():\n    {body}\n")
    assert run(module.main(), rate) == (answer, passed, passed if rate else 0)


def test_future_imports_and_docstrings_stay(load: Load) -> None:
    """The module's docstring and its `from __future__` imports work as before, and no other module's are inherited."""
    module = load(PARTS + "def typed(n: nobody): pass\n")
    assert module.__doc__ == "The parts that sources lean on."
    assert module.typed.__annotations__ == {"n": "nobody"}
    with pytest.raises(NameError, match="nobody"):
        load("def typed(n: nobody): pass\ntyped.__annotations__\n")


BROKEN = """
async def some():
    yield 1
    raise OSError("at the second step")

async def inner():
    raise OSError(
        "deep"
    )

async def outer():
    first = 1
    return first + await inner()

async def steps():
    async for one in some():
        pass
"""


def lines(error: BaseException, path: str) -> list[int | None]:
    """Return the lines of a file in a traceback."""
    return [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]


def test_tracebacks_are_those_of_the_source(load: Load) -> None:
    """An error that passes an await shows the source's own lines and nothing else; a step of `async for` adds one."""
    module = load(BROKEN)
    path = str(module.__file__)
    with pytest.raises(OSError, match="deep") as caught:
        run(module.outer())
    assert lines(caught.value, path) == [13, 7]
    assert [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == [path, path]
    with pytest.raises(OSError, match="second") as caught:
        run(module.steps())
    assert lines(caught.value, path) == [16, 4]
    assert inspect.getsource(module.outer) in BROKEN


@pytest.mark.skipif(sys.version_info < (3, 11), reason="columns are there from Python 3.11 on")
def test_columns_are_those_of_the_source(load: Load) -> None:
    """A traceback underlines what it would underline without points."""
    module = load(BROKEN)
    with pytest.raises(OSError, match="deep") as caught:
        run(module.outer())
    found = next(frame for frame in traceback.extract_tb(caught.value.__traceback__) if frame.name == "outer")
    line = "    return first + await inner()"
    assert line[found.colno : found.end_colno] == "await inner()"


def test_points_do_nothing_outside_a_run(load: Load) -> None:
    """A coroutine that suspends nowhere ends at its first step, so that even code without an event loop is well."""
    module = load(PARTS + "async def main():\n    async for n in some(): await ten()\n    return n\n")
    with pytest.raises(StopIteration) as ended:
        module.main().send(None)
    assert ended.value.value == 3


def test_what_is_awaited_is_evaluated_before_the_point(load: Load) -> None:
    """Code without an await in it stays undivided: nobody gets between a check and the arguments of a call."""
    module = load(
        "seen = []\nnow = 0\nasync def note(n): seen.append(n)\n"
        "async def main():\n    global now\n    now += 1\n    await note(now)\n"
    )

    async def both() -> None:
        await asyncio.gather(module.main(), module.main())

    run(both())
    assert module.seen == [1, 2]


def test_only_what_belongs_has_points(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module elsewhere, one that was imported before, one in a zip file and the built-in ones are left alone."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "other_place.py").write_text("async def main(): return await second()\nasync def second(): return 1\n")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.writestr("in_a_zip.py", "async def main(): return await second()\nasync def second(): return 1\n")
    monkeypatch.syspath_prepend(str(away))
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    module = load(PARTS + "import other_place, in_a_zip, _socket, zipimport\n")
    with yielding(lambda path: True) as found:
        zipped = importlib.reload(module.in_a_zip)
        importlib.import_module("other_place")
    assert found == []
    assert run(module.other_place.main()) == run(zipped.main()) == (1, 0, 0)


def test_a_package_has_points_too(tmp_path: Path, load: Load) -> None:
    """A package, its submodules and their relative imports work; the names of what got points are told."""
    package = tmp_path / "kept"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import ten\nfrom . import inner\n")
    (package / "inner.py").write_text("async def five(): return 5\nasync def ten(): return 2 * await five()\n")
    load("")
    with yielding(lambda path: path.startswith(str(package))) as found:
        module = importlib.import_module("kept")
    assert found == ["kept", "kept.inner"]
    assert run(module.ten()) == (10, 1, 1)


def test_bytecode_is_neither_read_nor_written(tmp_path: Path, load: Load) -> None:
    """Compiled files of plain runs are not taken, and none with points is left for them."""
    path = tmp_path / "compiled.py"
    path.write_text(PARTS + "async def main(): return await ten()\n")
    plain = Path(py_compile.compile(str(path)) or "")
    before = plain.read_bytes()
    load("")
    with yielding(lambda path: True):
        assert run(importlib.import_module("compiled").main()) == (10, 1, 1)
    assert plain.read_bytes() == before
    del sys.modules["compiled"]
    assert run(importlib.import_module("compiled").main()) == (10, 0, 0)


def test_an_invalid_source_says_so(load: Load) -> None:
    """A syntax error names the file and the line; what Python would only warn of is no error."""
    with pytest.raises(SyntaxError) as caught:
        load("a = 1\nb = = 2\n")
    assert caught.value.lineno == 2
    assert "pointed_" in str(caught.value.filename)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load("odd = '\\d'\n").odd == "\\d"


def test_another_encoding_is_read(tmp_path: Path, load: Load) -> None:
    """The encoding that a source declares counts."""
    (tmp_path / "western.py").write_bytes("# coding: latin-1\nname = 'Zoë'\n".encode("latin-1"))
    load("")
    with yielding(lambda path: True):
        assert importlib.import_module("western").name == "Zoë"


def test_the_import_hook_goes_away(load: Load) -> None:
    """After the block, also one that fails, `sys.meta_path` is as before; within several, a module has points once."""
    before = list(sys.meta_path)
    found: list[list[str]] = []
    modules: list[ModuleType] = []

    def fails() -> None:
        with yielding(lambda path: True) as outer, yielding(lambda path: True) as inner:
            found.extend([outer, inner])
            modules.append(load(PARTS + "async def main(): return await ten()\n"))
            raise OSError("inside")

    with pytest.raises(OSError, match="inside"):
        fails()
    assert sys.meta_path == before
    assert found == [[modules[0].__name__], []]
    assert run(modules[0].main()) == (10, 1, 1)


def test_a_run_is_drawn_from_its_seed(load: Load) -> None:
    """The same seed yields at the same points, about as many as the rate says; another seed at others."""
    module = load(
        "import asyncio\norder = []\nasync def nothing(): pass\n"
        "async def body(n):\n    for _ in range(100):\n        order.append(n)\n        await nothing()\n"
        "async def main():\n    order.clear()\n    await asyncio.gather(*map(body, range(3)))\n    return list(order)\n"
    )
    found = [run(module.main(), 0.3, seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert found[0][1] == 301
    assert 60 < found[0][2] < 130


def test_one_run_at_a_time() -> None:
    """A second run within a first is refused; after a run, also one that failed, the next may begin."""
    with points(1), pytest.raises(RuntimeError, match="on already"), points(2):
        pass
    with pytest.raises(OSError, match="inside"), points(1):
        raise OSError("inside")
    with points(1) as passed:
        pass
    assert (passed.passed, passed.made) == (0, 0)


def test_another_threads_points_do_nothing(load: Load) -> None:
    """A loop in another thread, as a store may have one, neither yields nor counts."""
    module = load(PARTS + "async def main(): return await ten()\n")
    answers: list[Any] = []
    with points(1, 1.0) as passed:
        thread = threading.Thread(target=lambda: answers.append(asyncio.run(module.main())))
        thread.start()
        thread.join()
    assert (answers, passed.passed) == ([10], 0)


async def cancelled_at_a_point(operand: Any) -> None:
    """Cancel a task while it is at the point before an operand."""

    async def main() -> None:
        await (await point(operand))

    with points(1, 1.0):
        task = asyncio.create_task(main())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_a_task_that_is_cancelled_at_a_point_leaves_nothing() -> None:
    """A coroutine that will not be awaited any more is closed, without a warning; a future is cancelled."""

    async def never() -> None:
        pytest.fail("was awaited")

    async def main() -> None:
        coroutine = never()
        await cancelled_at_a_point(coroutine)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
        future = asyncio.get_running_loop().create_future()
        await cancelled_at_a_point(future)
        assert future.cancelled()

    asyncio.run(main())


def test_it_can_be_told_whether_a_call_has_points(load: Load) -> None:
    """Coroutines and asynchronous generators of the store have points if they await; others have none."""
    module = load(
        PARTS + "async def twenty(): return 2 * await ten()\nasync def all():\n    async for n in some(): yield n\n"
    )
    coroutines = [module.twenty(), module.ten(), asyncio.sleep(0)]
    assert [has_points(one) for one in coroutines] == [True, False, False]
    for one in coroutines:
        one.close()
    assert [has_points(one) for one in (module.all(), module.some(), 5, None)] == [True, False, False, False]
