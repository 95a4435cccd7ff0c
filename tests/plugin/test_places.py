"""Where the places of a run are: in memory, unless there is little of it or the user has named a directory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.workers.crew import quick_folder

#: Prints where it is opened.
TELLING = """
from mystore import Store

def telling(path):
    print(f"opened at {path}.")
    return Store(path)
"""
#: Free bytes without which places are on the disk.
ROOM = 1 << 30
CHECK = ("-p", "no:randomly", "-rP", "-k", "STATE-BASIC-01")


@pytest.mark.parametrize("more", [(), ("-n", "1")], ids=["here", "xdist"])
def test_places_are_in_memory(project: pytest.Pytester, more: tuple[str, ...]) -> None:
    """There a sync costs nothing; nothing is left there. Workers of pytest-xdist do so too."""
    memory = quick_folder(ROOM)
    if memory is None:
        pytest.skip("there is no memory that looks like a disk, or too little")
    project.makepyfile(telling=TELLING)
    # Not by `runpytest`, which names a directory.
    result = project.run(sys.executable, "-m", "pytest", "--backend=telling:telling", *CHECK, *more)
    assert result.ret == 0
    place = next(line for line in reversed(result.outlines) if line.startswith("opened at ")).split()[2]
    assert place.startswith(f"{memory}/conformance-telling")
    assert not Path(place).parents[1].exists()


def test_a_directory_that_is_named(project: pytest.Pytester) -> None:
    """`--basetemp` says where the places are, for whoever wants the disk."""
    project.makepyfile(telling=TELLING)
    result = project.runpytest("--backend=telling:telling", *CHECK, f"--basetemp={project.path / 'base'}")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"opened at {project.path / 'base'}*"])
