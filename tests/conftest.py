"""Fixtures and markers of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgpipe_templates import load_preset
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.local.engine import Engine
from tests.engine import clients_of, shared_engine
from tests.templates import rendered

# Folders whose tests run without an engine, a package index or images.
QUICK = ("configuration", "core", "patterns", "render", "requirements", "subsystems", "typing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the quick folders."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in QUICK:
            item.add_marker(pytest.mark.quick)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Separate the tests' cache from the user's cache."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # one cache for all workers of a run
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMGPIPE_CACHE_DIR", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def thumbnails() -> dict[str, Any]:
    """The template of the preset `thumbnails`."""
    return rendered(load_preset("thumbnails"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> Engine:
    """The engine of the test process, started by the first test that uses it."""
    return shared_engine(pytestconfig)


@pytest.fixture
def clients(engine: Engine) -> Clients:
    """Clients of the engine's root."""
    return clients_of(engine)
