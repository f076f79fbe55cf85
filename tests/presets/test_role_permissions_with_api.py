"""The roles of the presets with an API: no right can be left out, and nothing is called without one."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.presets.pipelines import Pipeline
from tests.presets.role_permissions import (
    Creating,
    Way,
    never_called,
    not_covered,
    processors_ways,
    reporters_way,
    retrievals_ways,
    without,
)

WAYS: dict[str, dict[tuple[str, str], Way]] = {
    "media-library": {
        **processors_ways("ImageProcessorRole", "ThumbnailBucket"),
        **retrievals_ways("ImageRetrievalRole", "ImageApiRole"),
    },
    "production": {
        **processors_ways("ImageProcessorPolicy", "ThumbnailBucket"),
        **reporters_way("ImageProcessorPolicy"),
        **retrievals_ways("ImageRetrievalPolicy", "ImageApiPolicy"),
        ("UploadQueueReceivePolicy", "ReceiveFromUploadQueue"): Creating("UploadQueueMapping", "ReceiveMessage on SQS"),
    },
}
CASES = [(preset, *statement) for preset, ways in WAYS.items() for statement in ways]


@pytest.fixture(scope="module")
def pipelines(engine: Engine) -> dict[str, Pipeline]:
    deployed = {preset: Pipeline(engine, preset, "rights") for preset in WAYS}
    for pipeline in deployed.values():
        pipeline.deploy()
        pipeline.process("shown.jpg")
    return deployed


@pytest.mark.line("002-07")
@pytest.mark.parametrize(("preset", "holder", "sid"), CASES)
def test_a_call_is_denied_without_the_statement(pipelines: dict[str, Pipeline], preset: str, holder: str, sid: str):
    WAYS[preset][holder, sid].is_denied(pipelines[preset], without(holder, sid))


@pytest.mark.parametrize("preset", WAYS)
def test_every_statement_is_tried_or_excused(pipelines: dict[str, Pipeline], preset: str):
    assert not_covered(pipelines[preset], WAYS[preset]) == (set(), set())


@pytest.mark.parametrize("preset", WAYS)
def test_every_right_is_used(pipelines: dict[str, Pipeline], preset: str):
    assert never_called(pipelines[preset]) == set()
