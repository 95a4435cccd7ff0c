"""SQLAlchemy's suite for dialects, wired as its README.dialects.rst asks for."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import registry

registry.register("sqlite.planted", "planted_dialect", "PlantedDialect")
pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: F403
