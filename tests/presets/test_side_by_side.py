"""Several stacks at once: other suffixes in one account, and another account in another Region."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.presets.pipelines import Pipeline, image

PRESETS = ["single-bucket", "reporting", "media-library", "thumbnails", "production"]


def three(engine: Engine, preset: str) -> list[Pipeline]:
    """Two in one account, and one in another account and Region that is called like the first."""
    pipelines = [
        Pipeline(engine, preset, "blue"),
        Pipeline(engine, preset, "green"),
        Pipeline(engine, preset, "blue", account="210987654321", region="eu-north-1"),
    ]
    for pipeline in pipelines:
        pipeline.deploy()
    return pipelines


@pytest.mark.line("001-36", "004-04", "004-25", "004-40")
@pytest.mark.parametrize("preset", PRESETS)
def test_two_suffixes_and_another_account_and_region_do_not_collide(engine: Engine, preset: str):
    blue, green, elsewhere = ({*pipeline.ids().values()} for pipeline in three(engine, preset))

    assert blue & green <= {"$default"}  # the stage of each one's own API
    arns = [one for one in elsewhere if one.startswith("arn:")]
    assert all(":210987654321:" in arn for arn in arns)
    assert all(":eu-north-1:" in arn for arn in arns if not arn.startswith("arn:aws:iam:"))


def test_stack_has_no_budget_in_region_without_budgets(engine: Engine):
    blue, _, elsewhere = three(engine, "production")

    assert "ProjectBudget" in blue.ids()
    assert "ProjectBudget" not in elsewhere.ids()


@pytest.mark.line("004-25")
def test_each_processes_its_own_images(engine: Engine):
    pipelines = three(engine, "production")

    uploads = [pipeline.upload("same-name.jpg", image()) for pipeline in pipelines]

    for pipeline, upload in zip(pipelines, uploads, strict=True):
        item = pipeline.end_of(upload)["same-name.jpg"].item
        assert item is not None
        assert item["Status"] == "processed"
        assert list(pipeline.items()) == [upload.version]
        (thumbnail,) = item["Thumbnails"]
        assert thumbnail["Bucket"] == pipeline.id_of("ThumbnailBucket")
        assert pipeline.download(thumbnail["Bucket"], thumbnail["Key"])
        assert pipeline.denied() == set()
