"""Several stacks at once: other suffixes in one account, and another account in another Region."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.presets.pipelines import Pipeline, image

PRESETS = ["single-bucket", "reporting", "media-library", "thumbnails", "production"]


@pytest.mark.parametrize("preset", PRESETS)
def test_two_suffixes_and_another_account_and_region_do_not_collide(engine: Engine, preset: str):
    pipelines = [
        Pipeline(engine, preset, "blue"),
        Pipeline(engine, preset, "green"),
        Pipeline(engine, preset, "blue", account="210987654321", region="eu-central-1"),
    ]
    for pipeline in pipelines:
        pipeline.deploy()

    uploads = [pipeline.upload(f"{preset}.jpg", image()) for pipeline in pipelines]
    ends = [pipeline.end_of(upload)[f"{preset}.jpg"] for pipeline, upload in zip(pipelines, uploads, strict=True)]

    for pipeline, upload, end in zip(pipelines, uploads, ends, strict=True):
        assert end.item is not None, end.reason
        assert end.item["Status"] == "processed"
        assert list(pipeline.items()) == [upload.version]
        assert pipeline.denied() == set()
        for thumbnail in end.item.get("Thumbnails", []):
            assert thumbnail["Bucket"] in pipeline.ids().values()
            assert pipeline.download(thumbnail["Bucket"], thumbnail["Key"])
    blue, green, elsewhere = ({*pipeline.ids().values()} for pipeline in pipelines)
    assert blue & green <= {"$default"}  # the stage of each one's own API
    assert all(":210987654321:" in one for one in elsewhere if one.startswith("arn:"))
    assert all(":eu-central-1:" in one for one in elsewhere if one.startswith("arn:aws:sns:"))
