"""The engine of the test process."""

from __future__ import annotations

import pytest

from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.local.engine import Engine
from tests.engine import clients_of, shared_engine


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> Engine:
    return shared_engine(pytestconfig)


@pytest.fixture
def clients(engine: Engine) -> Clients:
    return clients_of(engine)
