"""Points fire in chosen code, in the threads that asked, and nowhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.histories.drivers import points as module
from conformance.histories.drivers.points import At, Points, self_test, watching

SOURCE = """\
def twice(n):
    more = n
    more += n
    return more

def numbers():
    yield 1
    yield 2
"""


def compiled(name: str = "<store>") -> dict[str, Any]:
    """Return the names of the source, compiled under a file name."""
    names: dict[str, Any] = {}
    exec(compile(SOURCE, name, "exec"), names)
    return names


def lines(points: Points, run: Callable[[], object]) -> list[int]:
    """Return the lines of the points that a call passes."""
    seen: list[int] = []
    with watching(points) as here, here(lambda: seen.append(points.place(sys._getframe(1))[1])):
        run()
    return seen


def test_points_fire() -> None:
    """On this Python no points are lost."""
    self_test()


def test_lost_points_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no point fires the self-test says so."""

    @contextmanager
    def deaf(at: At) -> Iterator[None]:
        yield

    @contextmanager
    def watching_nothing(points: Points) -> Iterator[Callable[[At], AbstractContextManager[None]]]:
        yield deaf

    monkeypatch.setattr(module, "watching", watching_nothing)
    with pytest.raises(RuntimeError, match="points are lost"):
        self_test()


def test_a_line_is_one_point_and_many_opcodes() -> None:
    """Each line has a point; opcodes have more of them, on the same lines."""
    twice = compiled()["twice"]
    assert lines(Points(("<store>",), "line"), lambda: twice(1)) == [2, 3, 4]
    opcodes = lines(Points(("<store>",)), lambda: twice(1))
    assert [line for line in (2, 3, 4) if opcodes.count(line) >= 2] == [2, 3, 4]


def test_a_generator_has_points_when_it_goes_on() -> None:
    """Code that was entered before it was watched has points too."""
    numbers = compiled()["numbers"]()
    next(numbers)
    assert lines(Points(("<store>",), "line"), lambda: next(numbers)) == [8]


@pytest.mark.parametrize("unit", ["opcode", "line"])
def test_other_code_has_no_points(unit: Any) -> None:
    """What is not chosen is passed without a call."""
    other = compiled("<other>")["twice"]
    assert lines(Points(("<store>",), unit), lambda: other(1)) == []


def test_files_and_folders(tmp_path: Path) -> None:
    """A file is chosen by its path or by that of a folder around it, not by a path that only begins alike."""
    inside, beside = tmp_path / "store" / "log.py", tmp_path / "storeroom.py"
    assert Points((str(tmp_path / "store"),)).covers(str(inside))
    assert Points((str(inside),)).covers(str(inside))
    assert not Points((str(tmp_path / "store"),)).covers(str(beside))
    assert not Points(()).covers(str(inside))


def test_other_threads_have_no_points() -> None:
    """Only the thread that asked has points."""
    twice = compiled()["twice"]

    def elsewhere() -> None:
        thread = threading.Thread(target=twice, args=(1,))
        thread.start()
        thread.join()

    assert lines(Points(("<store>",)), elsewhere) == []


def test_what_a_point_raises_is_raised_by_the_code() -> None:
    """A point can end the code that is at it."""

    def stop() -> None:
        raise KeyError("here")

    twice = compiled()["twice"]
    with watching(Points(("<store>",))) as here, here(stop), pytest.raises(KeyError, match="here"):
        twice(1)


def test_nothing_is_left_behind() -> None:
    """The trace function is that of before, also after an error; later calls pass no points; a watch can follow."""

    def trace(*_: object) -> None:
        return None

    twice = compiled()["twice"]
    points = Points(("<store>",))
    seen: list[int] = []
    before = sys.gettrace()
    try:
        sys.settrace(trace)
        with pytest.raises(TypeError), watching(points) as here, here(lambda: seen.append(1)):
            twice(None)
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    passed = len(seen)
    twice(1)
    assert after is trace
    assert len(seen) == passed > 0
    assert len(lines(points, lambda: twice(1))) > passed


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no sys.monitoring")
def test_places_of_monitoring_are_given_back() -> None:
    """A watch takes one place and frees it; when all are taken it says so."""
    monitoring: Any = vars(sys)["monitoring"]

    def free() -> list[int]:
        return [tool for tool in range(6) if monitoring.get_tool(tool) is None]

    before = free()
    with watching(Points(())):
        assert len(free()) == len(before) - 1
    assert free() == before
    for tool in before:
        monitoring.use_tool_id(tool, "test")
    try:
        with pytest.raises(RuntimeError, match="taken"), watching(Points(())):
            pass
    finally:
        for tool in before:
            monitoring.free_tool_id(tool)


def test_place_is_the_innermost_frame_of_chosen_code() -> None:
    """Without a frame of chosen code there is no place."""
    points = Points((__file__,))
    frame = sys._getframe()
    assert points.place(frame) == (__file__, frame.f_lineno)
    assert Points(()).place(frame) == ("", 0)
    assert points.place(None) == ("", 0)
