"""The preset `single-bucket` on the engine, and its change from trigger to trigger."""

from __future__ import annotations

import pytest

from tests.presets.lifecycle import Lifecycle
from tests.presets.pipelines import Pipeline


class TestSingleBucket(Lifecycle):
    preset = "single-bucket"
    added = ("UploadTimestampIndex", (), ('metadata.indexes=["status", "upload-timestamp"]',))
    kept = {"SourceBucket", "ImageMetadataTable"}  # noqa: RUF012 - a test's expectation

    @pytest.mark.line("000-27")
    def test_thumbnails_stand_beside_the_uploads_and_are_no_uploads(self, pipeline: Pipeline):
        item = pipeline.process("beside.jpg")

        (thumbnail,) = item["Thumbnails"]
        assert thumbnail["Bucket"] == item["BucketName"]
        assert thumbnail["Key"].startswith("thumbnails/")
        about = [one for one in pipeline.engine.deliveries() if any(obj.key == thumbnail["Key"] for obj in one.objects)]
        assert about == []

    @pytest.mark.line("000-03")
    def test_the_trigger_is_changed_from_s3_to_eventbridge_to_queues_and_back(self, pipeline: Pipeline):
        ways = ["eventbridge", "queue", "s3"]
        items = []
        for way in ways:
            pipeline.deploy(f"trigger={way}")
            items.append(pipeline.process(f"by-{way}.jpg"))

        assert [item["Status"] for item in items] == ["processed"] * len(ways)
        seen = [
            sum(obj.key.endswith(f"/by-{way}.jpg") for one in pipeline.engine.deliveries() for obj in one.objects)
            for way in ways
        ]
        assert seen == [1, 1, 1]
        assert pipeline.denied() == set()
