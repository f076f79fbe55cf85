"""The template that a requirement is read off."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from imgpipe_templates import load_preset
from tests.templates import allowed, of_type, rendered


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


@pytest.fixture
def bucket(resources: dict[str, Any]) -> dict[str, Any]:
    """The properties of the bucket that takes the uploads."""
    return dict(resources["SourceBucket"]["Properties"])


@pytest.fixture
def table(resources: dict[str, Any]) -> dict[str, Any]:
    """The properties of the table."""
    return dict(resources["ImageMetadataTable"]["Properties"])


@pytest.fixture
def function(resources: dict[str, Any]) -> dict[str, Any]:
    """The properties of the processor."""
    return dict(resources["ImageProcessorFunction"]["Properties"])


@pytest.fixture
def alarms(template: dict[str, Any]) -> dict[str, Any]:
    """The properties of every alarm by its logical id."""
    return of_type(template, "AWS::CloudWatch::Alarm")


@pytest.fixture
def granted(template: dict[str, Any]) -> set[tuple[str, str]]:
    """What the processor may do, and with what."""
    return allowed(template, "ImageProcessorRole")
