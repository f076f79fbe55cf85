"""The template that a requirement is read off."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from imgpipe_templates import load_preset
from tests.templates import rendered


@cache
def _of_preset(name: str) -> dict[str, Any]:
    return rendered(load_preset(name))


@pytest.fixture
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The template of the preset that `reading.on` names; tests read it and never change it."""
    return _of_preset(request.param)


@pytest.fixture
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """Every resource of the template by its logical id."""
    return dict(template["Resources"])
