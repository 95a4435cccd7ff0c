"""Names that installed distributions register: whose counts, and what hinders whom."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.address import AddressError
from conformance.registered import named_backends


def install(folder: Path, name: str, **backends: str) -> None:
    """Put a distribution that registers backends where Python finds it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{backend} = {address}" for backend, address in backends.items()]
    info.joinpath("entry_points.txt").write_text("\n".join(["[conformance.backends]", *lines, ""]))


def test_an_installed_store_counts_before_one_of_the_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package may call its store `redis`: it is meant then, whoever is asked first."""
    shipped = named_backends()
    install(tmp_path, "theirs", redis="theirs:backend")
    for place in (0, len(sys.path)):
        with monkeypatch.context() as patch:
            patch.setattr("sys.path", [*sys.path[:place], str(tmp_path), *sys.path[place:]])
            assert named_backends() == {**shipped, "redis": "theirs:backend"}


def test_what_is_registered_twice_hinders_only_who_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages with one name are told of, with both addresses, to a run that asks for it."""
    install(tmp_path, "one", mine="one:backend", same="both:backend")
    install(tmp_path, "other", mine="other:backend", same="both:backend")
    monkeypatch.syspath_prepend(tmp_path)
    assert named_backends(["memory", "same"])["same"] == "both:backend"
    for wanted in (["mine"], None):
        with pytest.raises(AddressError, match=r"'mine' is registered twice .* as one:backend and as other:backend"):
            named_backends(wanted)
