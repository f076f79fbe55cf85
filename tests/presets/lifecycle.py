"""What holds for every preset: from its creation through processing and changes to its deletion."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.local.engine import Engine
from tests.presets.pipelines import USER, Pipeline, Template, image

MANY_PIXELS, FEW_PIXELS = "49000000", "4096"


def break_lifecycle(template: Template) -> None:
    """Give the source bucket a lifetime that S3 refuses."""
    rules = template["Resources"]["SourceBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    rules[0]["ExpirationInDays"] = 0


class Lifecycle:
    """Tests of one preset on one stack; each leaves it as it was.

    Attributes:
        overrides: Of the preset.
        added: The index that the preset is given in an update, and the overrides before and after.
        deletable: What makes a deletion leave nothing.
        kept: Logical ids of what a deletion leaves.
    """

    preset: ClassVar[str]
    overrides: ClassVar[tuple[str, ...]] = ()
    added: ClassVar[tuple[str, tuple[str, ...], tuple[str, ...]]]
    deletable: ClassVar[tuple[str, ...]] = ("deletion_policy=delete",)
    kept: ClassVar[set[str]] = {"SourceBucket", "ThumbnailBucket", "ImageMetadataTable"}
    thumbnails: ClassVar[bool] = True

    @pytest.fixture(scope="class")
    @classmethod
    def pipeline(cls, engine: Engine) -> Pipeline:
        pipeline = Pipeline(engine, cls.preset, "life", cls.overrides)
        pipeline.deploy(*cls.added[1])
        return pipeline

    @pytest.mark.line("000-03", "000-33", "001-39", "002-02", "003-07", "004-22")
    def test_images_reach_their_end_through_the_pipelines_own_trigger(self, pipeline: Pipeline):
        uploads = [
            pipeline.upload("photo.jpg", image()),
            pipeline.upload("screen + 1.PNG", image("PNG", (90, 200))),
            pipeline.upload("broken.jpeg", b"no image"),
        ]

        ends = {name: end.item for name, end in pipeline.end_of(*uploads).items()}

        assert all(ends.values()), ends
        assert {name: item["Status"] for name, item in ends.items()} == {
            "photo.jpg": "processed",
            "screen + 1.PNG": "processed",
            "broken.jpeg": "failed",
        }
        assert (ends["screen + 1.PNG"]["Width"], ends["screen + 1.PNG"]["Height"]) == (90, 200)
        assert ends["broken.jpeg"]["ErrorCategory"] == "unsupported"
        made = ends["screen + 1.PNG"].get("Thumbnails", [])
        assert len(made) == (1 if self.thumbnails else 0)
        for thumbnail in made:
            content = pipeline.download(thumbnail["Bucket"], thumbnail["Key"])
            with Image.open(io.BytesIO(content)) as opened:
                assert opened.size == (thumbnail["Width"], thumbnail["Height"]) == (58, 128)

    @pytest.mark.line("003-46")
    def test_a_parameter_is_changed_in_place_and_a_failing_change_is_undone(self, pipeline: Pipeline):
        before = pipeline.ids()

        pipeline.deploy(*self.added[1], MaxSourcePixels=FEW_PIXELS)
        too_large = pipeline.process("large.jpg")
        with pytest.raises(DeploymentError, match=rf"^{pipeline.name}: SourceBucket: UPDATE_FAILED: "):
            pipeline.deploy(*self.added[1], change=break_lifecycle, MaxSourcePixels=MANY_PIXELS)
        status, still_too_large = pipeline.status(), pipeline.process("still-large.jpg")

        assert pipeline.ids() == before
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        for item in (too_large, still_too_large):
            assert (item["Status"], item["ErrorCategory"]) == ("failed", "too-large")
        pipeline.deploy(*self.added[1], MaxSourcePixels=MANY_PIXELS)

    def test_an_index_is_added_in_place(self, pipeline: Pipeline):
        index, without, with_index = self.added
        old, before = pipeline.process("before-index.jpg"), pipeline.ids()

        pipeline.deploy(*with_index)

        new, after = pipeline.process("after-index.jpg"), pipeline.ids()
        assert before.items() <= after.items()
        found: list[dict[str, Any]] = []
        for page in (
            pipeline.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=pipeline.id_of("ImageMetadataTable"), IndexName=index)
        ):
            found += page["Items"]
        assert {old["ImageId"], new["ImageId"]} <= {item["ImageId"]["S"] for item in found}
        pipeline.deploy(*without)

    @pytest.mark.line("000-17", "001-29")
    def test_nothing_outside_of_its_rights_is_called(self, pipeline: Pipeline):
        pipeline.process("within-rights.jpg")

        assert pipeline.denied() == set()

    @pytest.mark.line("004-33")
    def test_keeps_images_and_metadata_when_it_is_deleted(self, engine: Engine):
        other = Pipeline(engine, self.preset, "kept", self.overrides)
        other.deploy()
        source = other.id_of("SourceBucket")
        table = other.id_of("ImageMetadataTable")
        other.clients.s3.put_object(Bucket=source, Key=f"{USER}/notes.txt", Body=b"kept")

        retained = other.delete(empty_buckets=True)

        assert {one.logical_id for one in retained} == self.kept
        assert other.download(source, f"{USER}/notes.txt") == b"kept"
        assert other.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"

    @pytest.mark.line("004-27")
    def test_leaves_nothing_when_that_is_wanted(self, engine: Engine):
        other = Pipeline(engine, self.preset, "gone", (*self.overrides, *self.deletable))
        other.deploy()
        source = other.id_of("SourceBucket")
        other.clients.s3.put_object(Bucket=source, Key=f"{USER}/notes.txt", Body=b"in the way")

        with pytest.raises(DeploymentError, match=r"SourceBucket: DELETE_FAILED: .*not empty"):
            other.delete(empty_buckets=False)
        retained = other.delete(empty_buckets=True)

        assert retained == ()
        with pytest.raises(ClientError, match="404"):
            other.clients.s3.head_bucket(Bucket=source)
