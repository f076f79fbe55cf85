"""The same promises with the real clients, against a table and buckets that answer for themselves."""

import io
import itertools
import json
import uuid
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from imgpipe_processor.aws import CLIENT_CONFIG
from imgpipe_processor.invocation import handle
from imgpipe_processor.processing import Processor
from imgpipe_processor.settings import Settings, ThumbnailSettings
from tests.lambda_processor.deliveries import event, record
from tests.lambda_processor.fakes import SETTINGS, Crash, decoded, encoded, photo, ticking_clock


@dataclass
class World:
    """A bucket, a table, and the clients of a function that works on them."""

    s3: Any
    dynamodb: Any
    settings: Settings

    def put(self, width, *, version=False):
        """Upload a photo of this width as cat.jpg: its event, still to be delivered."""
        data = encoded(photo(width, 20))
        answer = self.s3.put_object(Bucket=self.settings.source_bucket, Key="cat.jpg", Body=data)
        version_id = answer["VersionId"] if version else None
        told = record(version_id=version_id, etag=answer["ETag"].strip('"'), sequencer=f"{next(COUNT):018X}")
        told["s3"]["bucket"]["name"] = self.settings.source_bucket
        return told

    def deliver(self, *told):
        """One invocation: its answer, and the sum of one of its metrics."""
        out = io.StringIO()
        processor = Processor(self.settings, self.s3, self.dynamodb, ticking_clock(), lambda: str(uuid.uuid4()))
        with redirect_stdout(out):
            answer = handle(event(*told), processor, None, request_id="r-1", remaining_ms=lambda: 60_000)
        return answer, sum(json.loads(line).get("ProcessedImages", 0) for line in out.getvalue().splitlines())

    def items(self):
        found = self.dynamodb.scan(TableName=self.settings.metadata_table)["Items"]
        return [{name: value for name, value in item.items() if name != "AttemptId"} for item in found]

    def check_thumbnails(self):
        """What items name is there and is theirs; and nothing else is."""
        named = {}
        for item in self.items():
            for each in item.get("Thumbnails", {"L": []})["L"]:
                key, size = each["M"]["Key"]["S"], int(each["M"]["Bytes"]["N"])
                data = self.s3.get_object(Bucket=self.settings.thumbnails.bucket, Key=key)["Body"].read()
                assert (len(data), decoded(data).width) == (size, min(128, int(item["Width"]["N"])))
                named[key] = size
        listed = self.s3.list_objects_v2(Bucket=self.settings.thumbnails.bucket, Prefix="thumbnails/")
        assert named == {each["Key"]: each["Size"] for each in listed.get("Contents", [])}


COUNT = itertools.count(1)


@pytest.fixture
def world(engine):
    name = f"exactly-once-{uuid.uuid4()}"
    config = CLIENT_CONFIG.merge(Config(parameter_validation=True))  # which the function itself does without
    session, more = engine.session(), {"endpoint_url": engine.endpoint_url, "config": config}
    clients = [session.client(service, **more) for service in ("s3", "dynamodb")]
    clients[0].create_bucket(Bucket=name)
    clients[1].create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "ImageId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ImageId", "AttributeType": "S"}],
    )
    settings = SETTINGS._replace(
        metadata_table=name,
        source_bucket=name,
        upload_prefix="",
        thumbnails=ThumbnailSettings(name, "thumbnails/", (128,)),
    )
    return World(*clients, settings)


@pytest.mark.parametrize("call", ["dynamodb.PutItem", "dynamodb.UpdateItem", "s3.PutObject"])
def test_a_call_whose_answer_is_lost_is_sent_again_and_the_image_is_counted_once(world, call):
    told = world.put(200)
    sent = []

    def lose(request, **_more):
        sent.append(request.url)
        if len(sent) == 1:
            URLLib3Session().send(request)
            raise ConnectionClosedError(endpoint_url=request.url)

    client = world.dynamodb if call.startswith("dynamodb") else world.s3
    client.meta.events.register(f"before-send.{call}", lose)

    assert world.deliver(told) == ({"processed": 1}, 1)

    assert len(sent) == (
        3 if call == "dynamodb.PutItem" else 2
    )  # what was sent again finds an item, and that unfinished
    assert [item["Status"] for item in world.items()] == [{"S": "processed"}]
    world.check_thumbnails()
    assert world.deliver(told) == ({"duplicate": 1}, 0)


@pytest.mark.parametrize("moment", ["before-send", "after-call"])
@pytest.mark.parametrize("number", range(4))
def test_a_crash_at_any_call_is_made_good_by_the_next_delivery(world, number, moment):
    told = world.put(200)
    left = itertools.count()

    def crash(**_more):
        if next(left) == number:
            raise Crash

    for client in (world.s3, world.dynamodb):
        client.meta.events.register(moment, crash)
    with pytest.raises(Crash):
        world.deliver(told)

    done = (moment, number) == ("after-call", 3)
    assert world.deliver(told) == (({"duplicate": 1}, 0) if done else ({"processed": 1}, 1))

    (item,) = world.items()
    assert (item["Status"], item["Sequencer"]["S"]) == ({"S": "processed"}, told["s3"]["object"]["sequencer"])
    world.check_thumbnails()


def test_of_uploads_over_each_other_the_last_is_seen_and_content_that_comes_back_is_seen_again(world):
    first, second, again = world.put(20), world.put(30), world.put(20)
    third = world.put(40)

    assert world.deliver(third) == ({"processed": 1}, 1)
    assert world.deliver(again) == ({"failed": 1}, 0)
    assert world.deliver(first, second) == ({"duplicate": 1, "failed": 1}, 0)
    assert {item["ErrorCategory"]["S"] for item in world.items() if "ErrorCategory" in item} == {"missing"}

    back = world.put(20)
    assert world.deliver(back, first, again, third) == ({"processed": 1, "duplicate": 3}, 1)
    assert sorted(int(item["Width"]["N"]) for item in world.items() if "Width" in item) == [20, 40]
    world.check_thumbnails()


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_versions_are_images_of_their_own_in_any_order(world, order):
    enabled = {"Status": "Enabled"}
    world.s3.put_bucket_versioning(Bucket=world.settings.source_bucket, VersioningConfiguration=enabled)
    told = [world.put(width, version=True) for width in (20, 30, 40)]

    for number in order:
        assert world.deliver(told[number], told[number]) == ({"processed": 1, "duplicate": 1}, 1)

    assert sorted(int(item["Width"]["N"]) for item in world.items()) == [20, 30, 40]
    world.check_thumbnails()
