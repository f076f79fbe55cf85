"""The roles of the presets without an API: no right can be left out, and nothing is called without one."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.presets.pipelines import Pipeline, Template
from tests.presets.role_permissions import (
    Creating,
    Way,
    never_called,
    not_covered,
    processors_ways,
    reporters_way,
    without,
)


def impatient(template: Template) -> None:
    """Have the helper give up after 1 s: it waits for rights to reach S3, but not in the last 25 s of its time."""
    template["Resources"]["S3NotificationLambda"]["Properties"]["Timeout"] = 26


ROLE = "ImageProcessorRole"
WAYS: dict[str, dict[tuple[str, str], Way]] = {
    "single-bucket": processors_ways(ROLE, "SourceBucket"),
    "thumbnails": processors_ways(ROLE, "ThumbnailBucket"),
    "reporting": {
        **processors_ways(ROLE, None),
        **reporters_way(ROLE),
        ("S3NotificationRole", "ConfigureSourceBucketNotifications"): Creating(
            "S3BucketNotification", "s3:GetBucketNotification", impatient
        ),
        ("S3NotificationRole", "LockSourceBucketNotifications"): Creating(
            "S3BucketNotification", "ssm:PutParameter", impatient
        ),
        ("S3NotificationRole", "SendToProcessorDeadLetterQueue"): Creating(
            "S3NotificationLambda", "SendMessage on SQS"
        ),
    },
}
CASES = [(preset, *statement) for preset, ways in WAYS.items() for statement in ways]


@pytest.fixture(scope="module")
def pipelines(engine: Engine) -> dict[str, Pipeline]:
    deployed = {preset: Pipeline(engine, preset, "rights") for preset in WAYS}
    for pipeline in deployed.values():
        pipeline.deploy()
    return deployed


@pytest.mark.line("000-17")
@pytest.mark.parametrize(("preset", "holder", "sid"), CASES)
def test_a_call_is_denied_without_the_statement(pipelines: dict[str, Pipeline], preset: str, holder: str, sid: str):
    WAYS[preset][holder, sid].is_denied(pipelines[preset], without(holder, sid))


@pytest.mark.parametrize("preset", WAYS)
def test_every_statement_is_tried_or_excused(pipelines: dict[str, Pipeline], preset: str):
    assert not_covered(pipelines[preset], WAYS[preset]) == (set(), set())


@pytest.mark.line("000-17")
@pytest.mark.parametrize("preset", WAYS)
def test_every_right_is_used(pipelines: dict[str, Pipeline], preset: str):
    assert never_called(pipelines[preset]) == set()
