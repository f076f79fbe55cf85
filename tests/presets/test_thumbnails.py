"""The preset `thumbnails` on the engine, and its change from trigger to trigger."""

from __future__ import annotations

from tests.presets.lifecycle import Lifecycle
from tests.presets.pipelines import Pipeline


class TestThumbnails(Lifecycle):
    preset = "thumbnails"
    added = ("StatusIndex", (), ('metadata.indexes=["upload-timestamp", "status"]',))

    def test_the_trigger_is_changed_to_a_queue_that_s3_feeds_and_to_a_custom_resource(self, pipeline: Pipeline):
        for number, way in enumerate((("trigger=queue", "queue.fed_by=s3"), ("trigger=custom-resource",), ())):
            pipeline.deploy(*way)
            assert pipeline.process(f"way-{number}.jpg")["Status"] == "processed"

        assert pipeline.denied() == set()
