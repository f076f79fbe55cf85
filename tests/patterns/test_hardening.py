"""What production must have and no scanner looks for, read off its template."""

from __future__ import annotations

import pytest

from imgpipe_templates import load_preset
from tests.templates import of_type, rendered, said, tags

# What a condition may name so that a service acts for this account alone.
OWN_ACCOUNT = ("aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn")


@pytest.fixture(scope="module")
def template():
    return rendered(load_preset("production"))


def properties(template, title):
    return template["Resources"][title]["Properties"]


def resource_policies(template):
    """Logical id and statement of every resource policy."""
    for kind, name in {
        "AWS::S3::BucketPolicy": "PolicyDocument",
        "AWS::SNS::TopicPolicy": "PolicyDocument",
        "AWS::SQS::QueuePolicy": "PolicyDocument",
        "AWS::KMS::Key": "KeyPolicy",
    }.items():
        for title, policy in of_type(template, kind).items():
            yield from ((title, statement) for statement in policy[name]["Statement"])


def test_every_service_that_a_resource_lets_in_acts_for_this_account(template):
    let_in = [
        (title, statement["Sid"], {key for test in statement.get("Condition", {}).values() for key in test})
        for title, statement in resource_policies(template)
        if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
    ]
    assert len(let_in) > 5
    assert [(title, sid) for title, sid, keys in let_in if not keys & set(OWN_ACCOUNT)] == []


def test_everybody_is_named_only_where_something_is_refused(template):
    everybody = [s for _, s in resource_policies(template) if s["Principal"] in ("*", {"AWS": ["*"]})]
    assert everybody
    assert {statement["Effect"] for statement in everybody} == {"Deny"}


@pytest.mark.parametrize("kind", ["AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"])
def test_buckets_topics_and_queues_refuse_plain_http_each_by_a_policy_of_its_own(template, kind):
    policies = of_type(template, kind)
    owners = of_type(template, kind.removesuffix("Policy"))
    assert len(policies) == len(owners) > 0
    for policy in policies.values():
        assert {"Bool": {"aws:SecureTransport": "false"}} in [
            statement.get("Condition") for statement in policy["PolicyDocument"]["Statement"]
        ]


def test_no_role_has_a_policy_in_it_or_one_of_aws(template):
    for role in of_type(template, "AWS::IAM::Role").values():
        assert "Policies" not in role
        assert all(arn["Ref"] in template["Resources"] for arn in role["ManagedPolicyArns"])


def test_functions_have_roles_of_their_own(template):
    roles = [said(function["Role"]) for function in of_type(template, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles) == 2


def test_no_policy_allows_actions_by_wildcard(template):
    documents = [policy["PolicyDocument"] for policy in of_type(template, "AWS::IAM::ManagedPolicy").values()]
    statements = [statement for document in documents for statement in document["Statement"]]
    allowed = [statement for _, statement in resource_policies(template) if statement["Effect"] == "Allow"]
    assert [one for one in [*statements, *allowed] if any("*" in action for action in one["Action"])] == []


def test_what_the_rule_cannot_deliver_waits_where_its_alarm_watches(template):
    (target,) = properties(template, "UploadRule")["Targets"]
    assert said(target["DeadLetterConfig"]["Arn"]) == "ProcessorDeadLetterQueue.Arn"
    allow, _ = properties(template, "ProcessorDeadLetterQueuePolicy")["PolicyDocument"]["Statement"]
    named = said(allow["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert named.endswith(f":rule/{said(properties(template, 'UploadRule')['Name'])}")
    (dimension,) = properties(template, "DeadLetterQueueAlarm")["Dimensions"]
    assert said(dimension["Value"]) == "ProcessorDeadLetterQueue.QueueName"


def test_every_queue_fails_into_another_or_says_who_may_fail_into_it(template):
    queues = of_type(template, "AWS::SQS::Queue")
    redriven = {
        title: said(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for title, queue in queues.items()
        if "RedrivePolicy" in queue
    }
    assert redriven == {"UploadQueue": "ProcessorDeadLetterQueue.Arn"}
    (source,) = queues["ProcessorDeadLetterQueue"]["RedriveAllowPolicy"]["sourceQueueArns"]
    assert said(source).endswith(f":{said(queues['UploadQueue']['QueueName'])}")


def test_everything_that_can_be_is_encrypted_with_the_one_key(template):
    where = {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::Lambda::Function": "KmsKeyArn",
        "AWS::Backup::BackupVault": "EncryptionKeyArn",
    }
    for kind, name in where.items():
        found = of_type(template, kind)
        assert found
        assert {said(one[name]) for one in found.values()} == {"DataKey.Arn"}
    assert said(properties(template, "ImageMetadataTable")["SSESpecification"]["KMSMasterKeyId"]) == "DataKey.Arn"


def test_logs_are_kept_a_year(template):
    groups = of_type(template, "AWS::Logs::LogGroup").values()
    assert min(group["RetentionInDays"] for group in groups) >= 365


def test_every_bucket_cleans_up_after_versions_and_uploads_that_were_never_completed(template):
    for bucket in of_type(template, "AWS::S3::Bucket").values():
        rules = bucket["LifecycleConfiguration"]["Rules"]
        assert [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
        assert [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_every_request_to_an_image_is_logged_and_every_caller_of_the_api_known(template):
    for title in ("SourceBucket", "ThumbnailBucket"):
        assert said(properties(template, title)["LoggingConfiguration"]["DestinationBucketName"]) == "AccessLogBucket"
    routes = of_type(template, "AWS::ApiGatewayV2::Route").values()
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}
    stage = properties(template, "ImageApiStage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert said(stage["AccessLogSettings"]["DestinationArn"]) == "ImageApiLogGroup.Arn"


def test_state_outlives_its_stack_and_its_replacement(template):
    stateful = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Backup::BackupVault"}
    kept = [one for one in template["Resources"].values() if one["Type"] in stateful]
    assert {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in kept} == {("RetainExceptOnCreate", "Retain")}
    table = properties(template, "ImageMetadataTable")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties(template, "BackupVault")["LockConfiguration"]["MinRetentionDays"] == 35
    assert "Backup" in tags(table)
