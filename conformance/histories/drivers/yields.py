"""Points in the coroutines of a store: before each await, each step of `async for` and each entry of `async with`.

An await is where others may run, and what is awaited often doesn't suspend, least of all in a test; a race that needs
it to is then never met. So the store's modules are compiled with points where the coroutine may really yield to the
event loop, as a seeded generator has it. What is awaited has been evaluated by then: code without an await in it stays
undivided. Outside a run the points do nothing.
"""

from __future__ import annotations

import ast
import asyncio
import sys
import threading
import types
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from random import Random
from typing import Any, TypeVar

Operand = TypeVar("Operand")

#: Under these names `point` and `steps` are known in the modules that have points.
POINT = "_conformance_point"
STEPS = "_conformance_steps"


@dataclass
class Points:
    """What happens at the points of one run.

    Args:
        random: Decides where to yield.
        rate: How many of the points yield.
        meet: Asked at each point, with what is awaited and whether to yield there; its answer counts.
        passed: How many points were passed; none, if the run saw none of the store's code.
        made: How many of them yielded.
    """

    random: Random
    rate: float
    meet: Callable[[Any, bool], bool] = lambda _, yields: yields
    passed: int = 0
    made: int = 0
    thread: int = field(default_factory=threading.get_ident)

    def yields(self, operand: Any) -> bool:
        """Pass a point; tell whether to yield there."""
        self.passed += 1
        yields = self.meet(operand, self.random.random() < self.rate)
        self.made += yields
        return yields


_run: Points | None = None


@contextmanager
def points(
    seed: int, rate: float = 0.3, meet: Callable[[Any, bool], bool] = lambda _, yields: yields
) -> Iterator[Points]:
    """Let the points that this thread passes meanwhile yield.

    Args:
        seed: The same seed yields at the same points.
        rate: How many of the points yield: 0 for none, 1 for all.
        meet: Asked at each point, with what is awaited and whether to yield there; its answer counts.

    Raises:
        RuntimeError: If a run is under way already.
    """
    global _run
    if _run is not None:
        raise RuntimeError("points are on already")
    _run = Points(Random(seed), rate, meet)
    try:
        yield _run
    finally:
        _run = None


async def point(operand: Operand) -> Operand:
    """Perhaps yield to the event loop, then return what is to be awaited or entered."""
    run = _run
    if run is not None and run.thread == threading.get_ident() and run.yields(operand):
        try:
            await _once()
        except BaseException:  # the task is cancelled here: whatever it was about to await won't be
            _drop(operand)
            raise
    return operand


def steps(iterable: AsyncIterable[Any]) -> AsyncIterable[Any]:
    """Return what `async for` goes through, with a point before each step if a run is under way."""
    return iterable if _run is None else _Steps(aiter(iterable))


def has_points(operand: Any) -> bool:
    """Tell whether what is awaited is a coroutine or an asynchronous generator with points of its own."""
    code = getattr(operand, "cr_code", None) or getattr(operand, "ag_code", None)
    return code is not None and (POINT in code.co_names or STEPS in code.co_names)


@dataclass(frozen=True)
class _Steps:
    source: AsyncIterator[Any]

    def __aiter__(self) -> _Steps:
        return self

    async def __anext__(self) -> Any:
        await point(self.source)
        return await anext(self.source)


@types.coroutine
def _once() -> Generator[None, None, None]:
    yield


def _drop(operand: Any) -> None:
    if isinstance(operand, Coroutine):
        operand.close()  # else Python warns that it was never awaited
    elif asyncio.isfuture(operand):
        operand.cancel()  # as happens to a future when the task that awaits it is cancelled


def with_points(source: bytes | str, path: str) -> types.CodeType:
    """Compile a module with points; line numbers are those of the source."""
    with warnings.catch_warnings():  # what Python has to say of the source it says when it compiles the source
        warnings.simplefilter("ignore")
        tree = ast.parse(source, path)
        for node in list(ast.walk(tree)):  # before any is added
            match node:
                case ast.Await():
                    node.value = _pointed(node.value)
                case ast.AsyncWith():
                    for item in node.items:
                        item.context_expr = _pointed(item.context_expr)
                case ast.AsyncFor() | ast.comprehension(is_async=1):
                    node.iter = _call(STEPS, node.iter)
                case _:
                    pass
        return compile(tree, path, "exec", dont_inherit=True)


def _pointed(operand: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Await(_call(POINT, operand)), operand)


def _call(name: str, operand: ast.expr) -> ast.expr:
    function = ast.copy_location(ast.Name(name, ast.Load()), operand)
    return ast.copy_location(ast.Call(function, [operand], []), operand)


@contextmanager
def yielding(belongs: Callable[[str], bool]) -> Iterator[list[str]]:
    """Give points to the modules that are imported meanwhile; a module that was imported before has none.

    What has no source file of its own (C, frozen, in a zip file), or a loader of its own kind, is left alone. No
    bytecode is read or written, so that no later run meets a module with points.

    Args:
        belongs: Whether a module belongs to the store, by the path of its file.

    Yields:
        The names of the modules that have got points.
    """
    finder = _Finder(belongs)
    sys.meta_path.insert(0, finder)
    try:
        yield finder.found
    finally:
        sys.meta_path.remove(finder)


@dataclass(eq=False)
class _Finder:
    """Asks the other finders, and has a source file of the store loaded with points."""

    belongs: Callable[[str], bool]
    found: list[str] = field(default_factory=list)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, as the next finder that knows it says."""
        later = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else []
        specs = (finder.find_spec(name, path, target) for finder in later)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and type(spec.loader) is SourceFileLoader and self.belongs(spec.loader.path):
            spec.loader = _Loader(name, spec.loader.path)
            self.found.append(name)
        return spec


class _Loader(SourceFileLoader):  # importlib has no other way to change how a module is compiled
    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return with_points(self.get_data(path), path)

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module).update({POINT: point, STEPS: steps})
        super().exec_module(module)
