"""The preset `media-library` on the engine, and the answers of its API."""

from __future__ import annotations

import pytest

from imgpipe_templates.local.engine import Engine
from tests.presets.api import Asker, fetch
from tests.presets.lifecycle import Lifecycle
from tests.presets.pipelines import USER, Pipeline, image


class TestMediaLibrary(Lifecycle):
    preset = "media-library"
    added = ("StatusIndex", (), ('metadata.indexes=["upload-timestamp", "user", "status"]',))

    @pytest.mark.line("002-23")
    def test_a_first_folder_says_whose_image_it_is(self, pipeline: Pipeline):
        assert pipeline.process("mine.jpg")["UserId"] == USER


class TestItsApi:
    @pytest.fixture(scope="class")
    @classmethod
    def pipeline(cls, engine: Engine) -> Pipeline:
        pipeline = Pipeline(engine, "media-library", "api")
        pipeline.deploy()
        for number in range(3):
            pipeline.process(f"{number}.jpg")
        return pipeline

    @pytest.fixture(scope="class")
    @classmethod
    def asker(cls, pipeline: Pipeline) -> Asker:
        return Asker.of(pipeline)

    @pytest.mark.line("002-14", "002-19")
    def test_answers_by_id_with_links_that_fetch_the_bytes(self, pipeline: Pipeline, asker: Asker):
        (item,) = [one for one in pipeline.items().values() if one["ObjectKey"].endswith("/1.jpg")]

        found = asker.get(f"/images/{item['ImageId']}")

        assert found.status == 200
        assert found.body["ObjectKey"] == item["ObjectKey"]
        (told,) = item["Thumbnails"]
        (thumbnail,) = found.body["Thumbnails"]
        fetched = fetch(thumbnail["Url"])
        assert (fetched.status, fetched.headers["content-type"]) == (200, "image/jpeg")
        assert fetched.content == pipeline.download(told["Bucket"], told["Key"])
        assert fetch(found.body["Original"]["Url"]).content == image()

    @pytest.mark.line("002-19")
    def test_a_link_to_something_else_is_worth_nothing(self, asker: Asker):
        newest = asker.get("/images", limit="1").body["images"][0]
        link = newest["Original"]["Url"]

        assert fetch(link.replace("/2.jpg", "/1.jpg")).status == 403
        assert fetch(link.partition("?")[0]).status == 403

    @pytest.mark.line("002-16", "002-17")
    def test_lists_newest_first_in_pages(self, asker: Asker):
        first = asker.get("/images", limit="2").body
        second = asker.get("/images", limit="2", next=first["next"]).body

        names = [one["ObjectKey"].rpartition("/")[2] for page in (first, second) for one in page["images"]]
        assert names == ["2.jpg", "1.jpg", "0.jpg"]

    @pytest.mark.line("002-15")
    def test_lists_the_images_of_one_user_in_pages(self, asker: Asker):
        first = asker.get("/images", user=USER, limit="2").body
        second = asker.get("/images", user=USER, limit="2", next=first["next"]).body

        names = [one["ObjectKey"].rpartition("/")[2] for page in (first, second) for one in page["images"]]
        assert names == ["2.jpg", "1.jpg", "0.jpg"]
        assert asker.get("/images", user="somebody-else").body["images"] == []

    @pytest.mark.line("002-18")
    def test_an_unknown_image_is_not_found(self, asker: Asker):
        assert asker.get("/images/00000000-0000-0000-0000-000000000000").status == 404

    def test_who_may_not_ask_is_refused(self, asker: Asker):
        assert fetch(f"{asker.url}/images").status == 403

    @pytest.mark.line("002-07")
    def test_nothing_outside_of_its_rights_is_called(self, pipeline: Pipeline):
        assert pipeline.denied() == set()
