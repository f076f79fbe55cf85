"""The properties: both spellings, and a reason for each that is wrong."""

import pytest
from botocore.session import get_session

from imgpipe_bucket_notification.entries import Entry
from imgpipe_bucket_notification.errors import RequestError
from imgpipe_bucket_notification.properties import EVENTS, read_bucket, read_entries
from tests.lambda_bucket_notification.fakes import PROCESSOR, filtered, jpg, properties

ENTRY = Entry("created.jpg", PROCESSOR, frozenset({"s3:ObjectCreated:*"}), "uploads/", ".jpg")
RULES = [{"Name": "prefix", "Value": "uploads/"}, {"Name": "suffix", "Value": ".jpg"}]
S3_SPELLING = {
    "Id": "created.jpg",
    "LambdaFunctionArn": PROCESSOR,
    "Events": ["s3:ObjectCreated:*"],
    "Filter": {"Key": {"FilterRules": RULES}},
}
CLOUDFORMATION_SPELLING = {
    "Id": "created.jpg",
    "Function": PROCESSOR,
    "Event": "s3:ObjectCreated:*",
    "Filter": {"S3Key": {"Rules": RULES}},
}
MIXED = {**S3_SPELLING, "Filter": {"Key": {"Rules": RULES}}}


@pytest.mark.line("001-14")
@pytest.mark.parametrize("entry", [S3_SPELLING, CLOUDFORMATION_SPELLING, MIXED])
@pytest.mark.parametrize("name", ["LambdaFunctionConfigurations", "LambdaConfigurations"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_both_spellings_mean_the_same(entry, name, wrapped):
    configured = {name: [entry]}

    wanted = {"BucketName": "photos", "ServiceToken": "t", "ServiceTimeout": "180"}
    wanted |= {"NotificationConfiguration": configured} if wrapped else configured
    assert read_entries(wanted) == (ENTRY,)


def test_the_entries_of_the_seed_document_need_only_a_function():
    # It mixes both spellings, gives no ids, and forgets the function.
    seed = [
        {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": suffix}]}}}
        for suffix in (".jpg", ".png")
    ]
    wrapped = {"BucketName": "photos", "NotificationConfiguration": {"LambdaConfigurations": seed}}
    with pytest.raises(RequestError, match=r"^NotificationConfiguration\.LambdaConfigurations\[0\]: has neither; "):
        read_entries(wrapped)

    wrapped["NotificationConfiguration"]["LambdaConfigurations"] = [{**entry, "Function": PROCESSOR} for entry in seed]
    assert [(entry.id, entry.suffix) for entry in read_entries(wrapped)] == [("1", ".jpg"), ("2", ".png")]


def test_a_filter_is_not_needed_and_its_names_may_be_capitalised():
    assert read_entries(properties({"LambdaFunctionArn": PROCESSOR, "Events": ["s3:ObjectCreated:*"]}))[0].suffix == ""
    assert read_entries(properties(jpg(Filter=filtered(Suffix=".gif"))))[0].suffix == ".gif"


def test_the_events_are_those_of_the_api():
    model = get_session().get_service_model("s3")

    assert set(model.shape_for("Event").enum) == EVENTS


@pytest.mark.parametrize(
    "name", [None, "", "ab", "A-Bucket", "a" * 64, "arn:aws:s3:::photos", 7, ["photos"], "-photos"]
)
def test_what_cannot_be_a_bucket_is_refused(name):
    with pytest.raises(RequestError, match=r"^BucketName: .* is no name of a bucket; expected 3 to 63 characters"):
        read_bucket({"BucketName": name})


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"BucketName": "photos"}, "properties: has neither; expected either LambdaFunctionConfigurations or Lambda"),
        (
            {**properties(), "LambdaConfigurations": [jpg()]},
            "has LambdaFunctionConfigurations and LambdaConfigurations",
        ),
        (
            {**properties(), "QueueConfigurations": []},
            "properties: 'QueueConfigurations' is unknown; expected BucketName",
        ),
        ({**properties(), "NotificationConfiguration": {}}, "'LambdaFunctionConfigurations' is unknown"),
        ({"NotificationConfiguration": "x"}, "NotificationConfiguration: is no mapping"),
        ({**properties(), "LambdaFunctionConfigurations": []}, "LambdaFunctionConfigurations: is empty or no list"),
        ({**properties(), "LambdaFunctionConfigurations": {}}, "LambdaFunctionConfigurations: is empty or no list"),
        ({**properties(), "LambdaFunctionConfigurations": "x"}, "LambdaFunctionConfigurations: is empty or no list"),
        ({**properties(), "LambdaFunctionConfigurations": ["x"]}, "LambdaFunctionConfigurations[0]: is no mapping"),
        (properties(jpg(Extra=1)), "LambdaFunctionConfigurations[0]: 'Extra' is unknown; expected Event, Events"),
        (properties(jpg(Id="")), "LambdaFunctionConfigurations[0].Id: is missing, empty or no text"),
        (properties(jpg(LambdaFunctionArn="f")), "[0].LambdaFunctionArn: 'f' is no function; expected its ARN"),
        (properties(jpg(Function=PROCESSOR)), "[0]: has LambdaFunctionArn and Function; expected either"),
        (properties(jpg(Event="s3:ObjectCreated:*")), "[0]: has Events and Event; expected either"),
        (properties(jpg(Events=[])), "[0].Events: is empty or no list; expected a list with at least one item"),
        (properties(jpg(Events=["s3:ObjectCreate:*"])), "'s3:ObjectCreate:*' is no event of S3; expected one such as"),
        (properties(jpg(Events=[{}])), "[0].Events: {} is no event of S3"),
        (properties(jpg(Filter=[])), "[0].Filter: is no mapping"),
        (properties(jpg(Filter={})), "[0].Filter: has neither; expected either Key or S3Key"),
        (properties(jpg(Filter={"Key": {}})), "[0].Filter.Key: has neither; expected either FilterRules or Rules"),
        (properties(jpg(Filter={"Key": {"Rules": []}})), "[0].Filter.Key.Rules: is empty or no list"),
        (properties(jpg(Filter={"Key": {"Rules": ["x"]}})), "[0].Filter.Key.Rules: is no mapping"),
        (properties(jpg(Filter={"Key": {"Rules": [{"Name": "infix", "Value": ""}]}})), "Name: 'infix' is unknown or"),
        (properties(jpg(Filter={"Key": {"Rules": [RULES[0], RULES[0]]}})), "Name: 'prefix' is unknown or used twice"),
        (properties(jpg(Filter={"Key": {"Rules": [{"Name": "suffix"}]}})), "Value: is no text that S3 takes"),
        (properties(jpg(Filter=filtered(suffix="x" * 1025))), "Value: is no text that S3 takes; expected up to 1024"),
        (properties(jpg(), jpg(Filter=filtered(suffix=".png"))), "[1]: Id: 'created.jpg' is that of"),
        (properties(jpg(".jpg"), jpg("g")), "[1]: s3:ObjectCreated:* with prefix '' and suffix 'g' overlaps"),
        (
            properties(
                jpg(Filter=filtered(prefix="up")), jpg(Id="2", Filter=filtered(prefix="uploads/", suffix=".jpg"))
            ),
            "expected no event of a key to be in two entries",
        ),
        (properties(jpg(), jpg(Id="2", Events=["s3:ObjectCreated:Put"])), "overlaps LambdaFunctionConfigurations[0]"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_called(bench, wanted, reason):
    answer = bench.create({"BucketName": "photos"} | wanted)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("pipeline: S3BucketNotification: ")
    assert reason in answer["Reason"]
    assert bench.s3.calls == []
