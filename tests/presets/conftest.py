"""The engine of the test process."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.engine import shared_engine


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> Engine:
    return shared_engine(pytestconfig)
