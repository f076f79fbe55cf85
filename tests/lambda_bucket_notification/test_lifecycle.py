"""Create, Update and Delete: what becomes of the bucket, and which physical id CloudFormation is told."""

import pytest

from tests.lambda_bucket_notification.fakes import (
    BUCKET,
    FOREIGN,
    GET,
    PROCESSOR,
    PUT,
    QUEUE,
    STACK,
    Fault,
    filtered,
    jpg,
    log_lines,
    properties,
)

PHYSICAL_ID = f"{BUCKET}/S3BucketNotification"
OTHER_BUCKET = "another-bucket"
OTHER_STACK = STACK.replace("6d1f0e40", "00000000")


@pytest.mark.line("001-14", "001-15")
def test_create_puts_one_entry_for_each_suffix(bench):
    answer = bench.create(properties(jpg(".jpg"), jpg(".jpeg"), jpg(".png")))

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert bench.s3.suffixes() == [".jpg", ".jpeg", ".png"]
    assert {("s3:ObjectCreated:*",)} == {tuple(entry["Events"]) for entry in bench.s3.entries()}


@pytest.mark.line("001-17", "004-19")
def test_every_other_entry_stays_as_it_was(bench):
    before = bench.s3.have(FOREIGN)

    bench.create()
    shown = bench.s3.shown()
    theirs = [entry for entry in shown["LambdaFunctionConfigurations"] if entry["LambdaFunctionArn"] != PROCESSOR]
    assert before == {**shown, "LambdaFunctionConfigurations": theirs}

    assert bench.delete(PHYSICAL_ID)["Status"] == "SUCCESS"
    assert bench.s3.shown() == before


def test_eventbridge_stays_switched_on(bench):
    # aws/aws-cdk issue 29653: an empty element that is easily taken for nothing
    bench.s3.have({"EventBridgeConfiguration": {}})

    bench.create()
    assert bench.s3.shown()["EventBridgeConfiguration"] == {}

    bench.delete(PHYSICAL_ID)
    assert bench.s3.shown() == {"EventBridgeConfiguration": {}}


def test_update_replaces_former_entries(bench):
    bench.s3.have(FOREIGN)
    bench.create()

    answer = bench.update(properties(jpg(".png"), jpg(".gif")), properties(), PHYSICAL_ID)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", PHYSICAL_ID)
    assert bench.s3.suffixes() == [".png", ".gif"]
    assert len(bench.s3.shown()["QueueConfigurations"]) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"Events": ["s3:ObjectCreated:Put"]},
        {"LambdaFunctionArn": f"{PROCESSOR}:live"},
        {"Filter": filtered(prefix="uploads/", suffix=".jpg")},
    ],
)
def test_update_sees_every_difference(bench, changed):
    bench.create(properties(jpg()))
    bench.s3.calls.clear()

    bench.update(properties(jpg(**changed)), properties(jpg()), PHYSICAL_ID)

    assert bench.s3.writes() == 1


def test_an_event_that_lambda_delivers_twice_writes_once(bench):
    # Lambda may deliver an asynchronous event more than once; S3 shows filter names capitalised (aws/aws-sdk issue 389)
    bench.create()
    assert bench.create()["Status"] == "SUCCESS"

    assert bench.s3.writes() == 1
    assert bench.s3.suffixes() == [".jpg", ".png"]


def test_delete_without_anything_of_ours_writes_nothing(bench):
    bench.s3.have(FOREIGN)

    assert bench.delete(PHYSICAL_ID)["Status"] == "SUCCESS"
    assert bench.s3.calls == [(GET, BUCKET)]


def test_each_stack_and_each_logical_id_owns_its_own(bench):
    # aws/aws-cdk issues 21036 and 30607: renamed resources and second stacks emptied the bucket
    bench.create()
    bench.create(properties(jpg(".gif")), StackId=OTHER_STACK)
    bench.create(properties(jpg(".bmp")), LogicalResourceId="Second")
    assert bench.s3.suffixes() == [".jpg", ".png", ".gif", ".bmp"]

    bench.delete(PHYSICAL_ID)
    assert bench.s3.suffixes() == [".gif", ".bmp"]

    bench.delete(f"{BUCKET}/Second", LogicalResourceId="Second")
    assert bench.s3.suffixes() == [".gif"]


def test_ids_tell_a_reader_of_the_console_whose_they_are_and_fit(bench):
    # S3 itself refuses an id of more than 255 characters; stack names have up to 128, logical ids up to 255
    stack = f"arn:aws:cloudformation:ap-southeast-1:111122223333:stack/{'s' * 128}/6d1f0e40-c0de-11f0-8de9-0242ac120002"
    bench.create(properties(jpg(Id="i" * 64)), StackId=stack, LogicalResourceId="L" * 255)
    bench.create(properties(jpg(".png")))

    long, short = (entry["Id"] for entry in bench.s3.entries())
    assert long.startswith("s" * 64 + "." + "L" * 64 + ".")
    assert len(long) <= 255
    assert short.startswith("pipeline.S3BucketNotification.")
    assert short.endswith(".created.png")


def test_an_id_that_leaves_no_room_is_refused(bench):
    answer = bench.create(properties(jpg(Id="i" * 250)))

    assert "has 250 characters; expected at most 208" in answer["Reason"]
    assert bench.s3.writes() == 0


@pytest.mark.parametrize("spelling", ["s3:ObjectCreated:*", "s3:ObjectCreated:Put"])
@pytest.mark.parametrize("kind", ["Queue", "Topic", "LambdaFunction"])
def test_an_overlap_with_somebody_elses_entry_is_told_with_its_id(bench, kind, spelling):
    their_arn = QUEUE.replace("sqs", {"Queue": "sqs", "Topic": "sns", "LambdaFunction": "lambda"}[kind])
    theirs = {"Id": "the-other", f"{kind}Arn": their_arn, "Events": [spelling], "Filter": filtered(prefix="a/")}
    before = bench.s3.have({f"{kind}Configurations": [theirs]})

    answer = bench.create()

    assert answer["Status"] == "FAILED"
    assert f"{kind}Configurations: 'the-other' is already on the bucket" in answer["Reason"]
    assert "'created.jpg'" in answer["Reason"]
    assert their_arn in answer["Reason"]
    assert bench.s3.writes() == 0
    assert bench.s3.shown() == before


def test_two_filters_that_overlap_in_only_one_end_go_together(bench):
    theirs = {"Id": "x", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": filtered(suffix=".jpeg")}
    bench.s3.have({"QueueConfigurations": [theirs]})

    assert bench.create(properties(jpg(Filter=filtered(prefix="up/", suffix=".jpg"))))["Status"] == "SUCCESS"


@pytest.mark.parametrize(("theirs", "ours"), [("my%20photos/", "my+photos/2026/"), ("photos/", "photos%2F2026/")])
def test_encoded_prefixes_are_compared_as_the_keys_that_they_mean(bench, theirs, ours):
    entry = {"Id": "x", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": filtered(prefix=theirs)}
    bench.s3.have({"QueueConfigurations": [entry]})

    assert "'x' is already on the bucket" in bench.create(properties(jpg(Filter=filtered(prefix=ours))))["Reason"]


def test_encoded_suffixes_are_compared_as_the_keys_that_they_mean(bench):
    entry = {"Id": "x", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": filtered(suffix="%20copy.jpg")}
    bench.s3.have({"QueueConfigurations": [entry]})

    answer = bench.create(properties(jpg(Filter=filtered(suffix="a+copy.jpg"))))

    assert "'x' is already on the bucket" in answer["Reason"]


@pytest.mark.line("001-17")
@pytest.mark.parametrize("gone", [Fault(404, "NoSuchBucket"), Fault(404, "404")])
def test_delete_succeeds_for_a_bucket_that_is_gone(bench, gone, capsys):
    # aws/aws-cdk issue 38167: the stack could not be deleted any more
    bench.s3.faults[GET] = [gone]

    assert bench.delete(PHYSICAL_ID) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": PHYSICAL_ID,
        "StackId": STACK,
        "RequestId": "cfn-1",
        "LogicalResourceId": "S3BucketNotification",
    }
    assert bench.context.slept == []
    assert log_lines(capsys)[0]["notes"] == [f"{BUCKET}: there is no such bucket"]


@pytest.mark.parametrize("gone_at", [GET, PUT])
def test_delete_succeeds_for_a_bucket_that_goes_meanwhile(bench, gone_at):
    # aws/aws-cdk issue 23656: the bucket is being deleted at the same time
    bench.create()
    aborted = Fault(409, "OperationAborted")
    bench.s3.faults[gone_at] = [aborted, Fault(404, "NoSuchBucket")]

    assert bench.delete(PHYSICAL_ID)["Status"] == "SUCCESS"


def test_delete_is_not_held_up_by_somebody_elses_dead_destination(bench):
    # matt-filion/serverless-external-s3-event issue 88: S3 validates every entry of a write, not just the new ones
    before = bench.s3.have(FOREIGN)
    bench.create()
    bench.s3.dead.add(QUEUE)

    assert bench.delete(PHYSICAL_ID)["Status"] == "SUCCESS"
    assert bench.s3.shown() == before
    assert bench.s3.skipped_validation == [False, True]


def test_somebody_elses_bucket_is_never_touched(bench):
    bench.s3.owner = "999999999999"

    answer = bench.create()

    assert "AccessDenied" in answer["Reason"]
    assert {(GET, BUCKET)} == set(bench.s3.calls)


class TestOfAChangedBucket:
    """The physical id changes with the bucket, so CloudFormation itself has the old one cleaned, when that is due."""

    old = properties()
    new = properties(bucket=OTHER_BUCKET)
    new_id = f"{OTHER_BUCKET}/S3BucketNotification"

    @pytest.fixture
    def created(self, bench):
        bench.s3.have({}, OTHER_BUCKET)
        self.foreign = bench.s3.have(FOREIGN)
        bench.create(self.old)
        return bench

    def test_update_and_the_delete_that_follows_it(self, created):
        answer = created.update(self.new, self.old, PHYSICAL_ID)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", self.new_id)
        assert created.s3.suffixes() == created.s3.suffixes(OTHER_BUCKET) == [".jpg", ".png"]

        created.delete(PHYSICAL_ID, self.old)
        assert created.s3.shown() == self.foreign
        assert created.s3.suffixes(OTHER_BUCKET) == [".jpg", ".png"]

    def test_rollback_after_it_finds_the_old_entries_in_place(self, created):
        # aws/aws-cdk pull request 29581: what Update has removed itself would be missing, or late
        created.update(self.new, self.old, PHYSICAL_ID)

        answer = created.update(self.old, self.new, self.new_id)
        assert answer["PhysicalResourceId"] == PHYSICAL_ID
        created.delete(self.new_id, self.new)

        assert created.s3.suffixes() == [".jpg", ".png"]
        assert created.s3.shown(OTHER_BUCKET) == {}

    def test_rollback_of_a_failed_one_tidies_the_new_bucket(self, created):
        # no Delete follows a failed Update, so what it has left is removed when the old properties come back
        created.s3.after_write = lambda: created.s3.faults[GET].append(Fault(400, "Broken"))
        answer = created.update(self.new, self.old, PHYSICAL_ID)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
        assert created.s3.suffixes(OTHER_BUCKET) == [".jpg", ".png"]

        assert created.update(self.old, self.new, PHYSICAL_ID)["Status"] == "SUCCESS"
        assert created.s3.suffixes() == [".jpg", ".png"]
        assert created.s3.shown(OTHER_BUCKET) == {}

    @pytest.mark.parametrize("broken", [None, "No Bucket"])
    def test_rollback_does_not_fail_for_what_cannot_be_tidied(self, created, capsys, broken):
        del created.s3.buckets[OTHER_BUCKET]
        new = {**self.new, "BucketName": broken or OTHER_BUCKET}

        assert created.update(self.old, new, PHYSICAL_ID)["Status"] == "SUCCESS"
        assert log_lines(capsys)[-1]["notes"][0].startswith("not tidied: ")


class TestOfAFailedCreate:
    """CloudFormation sends a Delete after it; that must not fail for the same reason."""

    def test_delete_does_nothing_where_nothing_was_written(self, bench):
        bench.s3.faults[GET] = [Fault(403, "AccessDenied")] * 10
        answer = bench.create()
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "not-created")
        bench.s3.calls.clear()

        assert bench.delete("not-created")["Status"] == "SUCCESS"
        assert bench.s3.calls == []

    def test_delete_removes_what_was_written(self, bench):
        bench.s3.after_write = lambda: bench.s3.faults[GET].append(Fault(400, "Broken"))
        answer = bench.create()
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", PHYSICAL_ID)
        assert bench.s3.entries()

        assert bench.delete(PHYSICAL_ID)["Status"] == "SUCCESS"
        assert bench.s3.shown() == {}

    @pytest.mark.parametrize("wanted", [{}, {"BucketName": "Not A Bucket"}, {"BucketName": ["x"]}])
    def test_delete_accepts_the_properties_that_create_did_not(self, bench, wanted):
        answer = bench.create(wanted)
        assert answer["Status"] == "FAILED"

        assert bench.delete(answer["PhysicalResourceId"], wanted)["Status"] == "SUCCESS"
        assert bench.delete(PHYSICAL_ID, wanted)["Status"] == "SUCCESS"
        assert bench.s3.calls == []
