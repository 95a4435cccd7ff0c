"""The pytest hooks that a project may implement in its conftest.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


@pytest.hookspec
def pytest_conformance_backends(config: pytest.Config) -> Mapping[str, str] | None:
    """Return more backends, as addresses by name, for sets that are worked out at run time.

    Addresses, not records: engines open a backend again in other processes.

    Example, in conftest.py::

        def pytest_conformance_backends(config):
            return {f"mystore-{engine}": f"mystore.testing:{engine}_backend" for engine in ("disk", "memory")}
    """


@pytest.hookspec
def pytest_conformance_report(config: pytest.Config, report: dict[str, Any]) -> None:
    """Look at the result record, or add to it, before it is written and shown.

    Example, in conftest.py::

        def pytest_conformance_report(config, report):
            report["machine"]["rack"] = os.environ["RACK"]
    """
