"""Document 004, first half: portability, tags, reliability and security in the templates of every preset."""

from __future__ import annotations

import copy

import pytest

from imgpipe_templates.checks.facts.tag_properties import TAGGABLE
from tests.requirements.places import CHINA, EUROPE, GOVERNMENT, PLACES, VIRGINIA, fixed_places, resolved, texts
from tests.requirements.reading import PRESETS, TOPIC, on, properties, with_options
from tests.templates import allowed, of_type, references, said

# Options that bring in resources which no preset has.
RICHER = (
    ("thumbnails", "vpc=true", "customer_managed_key=true", "backups=true", "budget=true", "monitoring.dashboard=true"),
    ("production", "vpc=true", "retrieval.authorization=jwt", "retrieval.provisioned_concurrency=2"),
    ("reporting", "storage.access_logs=true", "security.policies=managed", "customer_managed_key=true"),
    ("thumbnails", "trigger=queue", "queue.fed_by=s3", "storage.source_bucket_name=derived"),
)
POLICIES = {"AWS::S3::BucketPolicy": "Bucket", "AWS::SNS::TopicPolicy": "Topics", "AWS::SQS::QueuePolicy": "Queues"}
# CloudFormation refuses longer ones (resource reference of each type, read 2026-11).
LONGEST = {"BucketName": 63, "FunctionName": 64, "QueueName": 80, "AlarmName": 255, "TableName": 255, "TopicName": 256}

on_all = on(*PRESETS)
on_production = on("production")


@pytest.fixture(scope="module", params=RICHER, ids=" ".join)
def richer(request):
    preset, *overrides = request.param
    return with_options(preset, *overrides)


def untagged(template):
    """Resources that could carry the mandatory tags and do not."""
    for title, resource in template["Resources"].items():
        if resource["Type"] in TAGGABLE:
            name, shape = TAGGABLE[resource["Type"]]
            value = resource["Properties"].get(name, [])
            carried = value if shape == "map" else {tag["Key"]: tag["Value"] for tag in value}
            known = (carried.get("iac-rlhf-amazon"), carried.get("Environment")) == ("true", {"Ref": "Environment"})
            if not (known and carried.get("Purpose") and carried.get("Project")):
                yield title


def documents(template):
    """Every policy document with its place."""
    ahead = [(title, resource["Properties"]) for title, resource in template["Resources"].items()]
    while ahead:
        path, value = ahead.pop()
        if isinstance(value, list):
            ahead += [(path, item) for item in value]
        elif isinstance(value, dict) and "Statement" in value:
            yield path, value
        elif isinstance(value, dict):
            ahead += [(f"{path}.{name}", item) for name, item in value.items()]


@pytest.mark.line("004-01", "004-41")
@on_all
def test_nothing_says_account_region_or_partition(template):
    assert fixed_places(template) == []


@pytest.mark.line("004-01", "004-41")
def test_not_with_other_options_either(richer):
    assert fixed_places(richer) == []


@pytest.mark.line("004-01", "004-03", "004-41")
@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:s3:::photos",
        "111122223333",
        "eu-central-1",
        "s3.amazonaws.com.cn",
        "${AWS::Region}-lambda-layers",
        "layers/pillow-layer.zip",
    ],
)
def test_what_is_fixed_would_be_found(text):
    template = copy.deepcopy(with_options("thumbnails"))
    template["Resources"]["ImageProcessorFunction"]["Properties"]["Description"] = text
    assert len(fixed_places(template)) == 1


@pytest.mark.line("004-02")
@on_all
def test_pillow_is_in_the_package_by_default(template):
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert "Layers" not in function
    assert not of_type(template, "AWS::Lambda::LayerVersion")


@pytest.mark.line("004-02")
@pytest.mark.parametrize("preset", ["single-bucket", "thumbnails", "production"])
def test_a_layer_that_exists_is_an_option(preset):
    template = with_options(preset, "processing.pillow=existing-layer")
    (layer,) = properties(template, "ImageProcessorFunction")["Layers"]
    assert template["Parameters"][layer["Ref"]]["Type"] == "String"
    assert "Default" not in template["Parameters"][layer["Ref"]]
    assert not of_type(template, "AWS::Lambda::LayerVersion")


@pytest.mark.line("004-02")
@pytest.mark.parametrize("preset", ["single-bucket", "thumbnails", "production"])
def test_a_layer_that_the_project_builds_is_an_option(preset):
    template = with_options(preset, "processing.pillow=layer", "processing.runtime=python3.12")
    ((title, layer),) = of_type(template, "AWS::Lambda::LayerVersion").items()
    assert properties(template, "ImageProcessorFunction")["Layers"] == [{"Ref": title}]
    assert layer["CompatibleRuntimes"] == ["python3.12"]
    assert layer["CompatibleArchitectures"] == ["arm64"]
    assert layer["Content"]["S3Bucket"] == {"Ref": "CodeBucket"}


@pytest.mark.line("004-03")
@on_all
def test_no_bucket_of_layers_is_supposed_to_exist(template):
    written = [text for _, text in texts(template)]
    assert not [text for text in written if "lambda-layers" in text or "pillow-layer.zip" in text]
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["Code"]["S3Bucket"] == {"Ref": "CodeBucket"}
        assert function["Code"]["S3Key"]["Ref"].endswith("CodeKey")
    assert "Default" not in template["Parameters"]["CodeBucket"]


@pytest.mark.line("004-04", "004-25", "004-40")
@on_all
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
def test_every_arn_is_of_the_place_where_the_stack_is(template, place):
    for path, text in texts(resolved(template, place)):
        assert "${" not in text, path
        if text.startswith("arn:"):
            _, partition, _, region, account, *_ = text.split(":", 5)
            assert partition == place.partition, path
            assert region in {"", place.region}, path
            assert account in {"", place.account, "aws"}, path


@pytest.mark.line("004-04", "004-40")
@on("single-bucket", "reporting", "media-library", "production")
@pytest.mark.parametrize(
    ("place", "domain"),
    [(EUROPE, "aws.amazon.com"), (CHINA, "amazonaws.cn"), (GOVERNMENT, "amazonaws-us-gov.com")],
    ids=["aws", "aws-cn", "aws-us-gov"],
)
def test_the_dashboard_is_in_the_console_of_the_partition(template, place, domain):
    address = resolved(template, place)["Outputs"]["DashboardUrl"]["Value"]
    assert address.startswith(f"https://{place.region}.console.{domain}/cloudwatch/home?region={place.region}#")


@pytest.mark.line("004-25", "004-40")
@on_all
def test_names_that_are_known_everywhere_tell_accounts_and_environments_apart(template):
    """Bucket names are known all over the world; every other name only in its account and Region."""
    made = [
        {
            bucket["BucketName"]
            for bucket in of_type({"Resources": resolved(template, place)["Resources"]}, "AWS::S3::Bucket").values()
        }
        for place in (EUROPE, VIRGINIA, CHINA)
    ]
    given = {"given"} if "SourceBucketName" in template["Parameters"] else set()
    assert all(one & other <= given for one, other in [(made[0], made[1]), (made[1], made[2]), (made[0], made[2])])


@pytest.mark.line("004-04")
@on_all
def test_no_name_becomes_too_long(template):
    suffix = "s" * template["Parameters"]["EnvironmentSuffix"]["MaxLength"]
    place = type(EUROPE)("aws", "ap-southeast-1", "amazonaws.com", "1" * 12, {"EnvironmentSuffix": suffix})
    named = [(path[-1], text) for path, text in texts(resolved(template, place)["Resources"]) if path[-1] in LONGEST]
    assert {"BucketName", "FunctionName", "QueueName", "AlarmName", "TableName", "TopicName"} == {
        name for name, _ in named
    }
    assert [(name, text) for name, text in named if len(text) > LONGEST[name]] == []


@pytest.mark.line("004-05", "004-06", "004-42")
@on_all
def test_everything_that_can_be_tagged_is(template):
    assert list(untagged(template)) == []
    taggable = {resource["Type"] for resource in template["Resources"].values()} & set(TAGGABLE)
    assert {"AWS::CloudWatch::Alarm", "AWS::IAM::Role", "AWS::S3::Bucket", "AWS::Logs::LogGroup"} <= taggable


@pytest.mark.line("004-05", "004-06", "004-42")
def test_with_other_options_too(richer):
    assert list(untagged(richer)) == []


@pytest.mark.line("004-05", "004-42")
def test_tags_of_ones_own_reach_everything_as_well():
    template = with_options("production", "tags.Team=photos")
    for title, resource in template["Resources"].items():
        if resource["Type"] in TAGGABLE:
            assert "photos" in str(resource["Properties"][TAGGABLE[resource["Type"]][0]]), title


@pytest.mark.line("004-07")
@on_production
def test_what_fails_is_tried_again(template):
    queue = properties(template, "UploadQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["VisibilityTimeout"] >= 6 * properties(template, "ImageProcessorFunction")["Timeout"]
    mapping = properties(template, "UploadQueueMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.line("004-07")
@on_all
def test_nobody_has_switched_lambdas_own_retries_off(template):
    """Lambda tries an asynchronous event twice more, unless it is told otherwise."""
    assert not of_type(template, "AWS::Lambda::EventInvokeConfig")


@pytest.mark.line("004-08")
@on_all
def test_what_fails_every_time_is_kept_and_told(template):
    function = properties(template, "ImageProcessorFunction")
    assert said(function["DeadLetterConfig"]["TargetArn"]) == "ProcessorDeadLetterQueue.Arn"
    assert ("sqs:SendMessage", "ProcessorDeadLetterQueue.Arn") in allowed(template, "ImageProcessorRole")
    assert properties(template, "ProcessorDeadLetterQueue")["MessageRetentionPeriod"] == 1_209_600
    alarm = properties(template, "DeadLetterQueueAlarm")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert said(alarm["Dimensions"][0]["Value"]) == "ProcessorDeadLetterQueue.QueueName"
    assert alarm["AlarmActions"] == TOPIC


@pytest.mark.line("004-08")
@on_production
def test_the_upload_queue_ends_in_the_same_queue(template):
    redrive = properties(template, "UploadQueue")["RedrivePolicy"]
    assert said(redrive["deadLetterTargetArn"]) == "ProcessorDeadLetterQueue.Arn"
    assert properties(template, "UploadQueueAgeAlarm")["AlarmActions"] == TOPIC


@pytest.mark.line("004-10")
@on_all
def test_no_vpc_unless_it_is_asked_for(template):
    assert not [resource for resource in template["Resources"].values() if resource["Type"].startswith("AWS::EC2::")]
    assert all("VpcConfig" not in function for function in of_type(template, "AWS::Lambda::Function").values())


@pytest.mark.line("004-10")
@pytest.mark.parametrize("preset", ["single-bucket", "media-library", "thumbnails", "production"])
def test_in_a_vpc_functions_reach_what_they_call_and_nothing_else(preset):
    """D35: without its endpoint, a call hangs until the function's timeout."""
    template = with_options(preset, "vpc=true")
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["VpcConfig"]["SubnetIds"]
        assert [said(group) for group in function["VpcConfig"]["SecurityGroupIds"]] == ["FunctionSecurityGroup"]
    services = {
        said(endpoint["ServiceName"]).rpartition(".")[2]: endpoint["VpcEndpointType"]
        for endpoint in of_type(template, "AWS::EC2::VPCEndpoint").values()
    }
    reports = {"sns": "Interface"} if preset == "production" else {}
    assert services == {"s3": "Gateway", "dynamodb": "Gateway", **reports}
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"}


@pytest.mark.line("004-10")
def test_existing_subnets_are_an_option():
    template = with_options("production", "vpc=true", "network.subnets=existing")
    assert not of_type(template, "AWS::EC2::VPC")
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["VpcConfig"]["SubnetIds"] == {"Ref": "ExistingSubnetIds"}
        assert function["VpcConfig"]["SecurityGroupIds"] == [{"Ref": "ExistingSecurityGroupId"}]


@pytest.mark.line("004-10")
def test_the_helper_stands_outside_of_the_vpc_so_that_its_answer_reaches_cloudformation():
    """It answers to a bucket of AWS's, which endpoints that serve this account only do not lead to."""
    template = with_options("reporting", "vpc=true")
    assert "VpcConfig" in properties(template, "ImageProcessorFunction")
    assert "VpcConfig" not in properties(template, "S3NotificationLambda")


@pytest.mark.line("004-11")
@on_all
def test_bucket_topic_queue_and_key_have_policies_of_their_own(template):
    covered = {
        said(target)
        for kind, name in POLICIES.items()
        for policy in of_type(template, kind).values()
        for target in (policy[name] if isinstance(policy[name], list) else [policy[name]])
    }
    guarded = {"AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}
    assert covered == {title for title, resource in template["Resources"].items() if resource["Type"] in guarded}
    for key in of_type(template, "AWS::KMS::Key").values():
        assert key["KeyPolicy"]["Statement"]


@pytest.mark.line("004-11")
@on_all
def test_policies_are_complete_and_let_nobody_in_who_is_not_named(template):
    for path, document in documents(template):
        assert document["Version"] == "2012-10-17", path
        for statement in document["Statement"]:
            assert statement["Effect"] == "Deny" or statement.get("Principal") not in ("*", {"AWS": "*"}), path
            assert statement["Action"], path


@pytest.mark.line("004-11")
@on_all
def test_only_the_service_that_works_with_a_role_takes_it(template):
    takers = {"ImageApiRole": "apigateway.amazonaws.com", "BackupRole": "backup.amazonaws.com"}
    for title, role in of_type(template, "AWS::IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": [takers.get(title, "lambda.amazonaws.com")]}, title
        assert (trust["Effect"], trust["Action"]) == ("Allow", ["sts:AssumeRole"]), title


@pytest.mark.line("004-11")
@on_all
def test_roles_are_given_rights_and_nothing_is_hidden_in_refusals(template):
    kinds = {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}
    given = {"Resources": {t: r for t, r in template["Resources"].items() if r["Type"] in kinds}}
    for path, document in documents(given):
        assert {statement["Effect"] for statement in document["Statement"]} == {"Allow"}, path


@pytest.mark.line("004-11")
@on("single-bucket", "reporting", "media-library", "thumbnails")
def test_only_the_named_source_of_this_account_may_invoke_the_processor(template):
    (permission,) = of_type(template, "AWS::Lambda::Permission").values()
    assert permission["SourceArn"]
    # EventBridge cannot invoke a function whose permission has SourceAccount; the rule's ARN has the account.
    account = None if permission["Principal"] == "events.amazonaws.com" else {"Ref": "AWS::AccountId"}
    assert permission.get("SourceAccount") == account


@pytest.mark.line("004-12")
@pytest.mark.parametrize("preset", PRESETS)
def test_one_key_of_ones_own_is_an_option_that_encrypts_everything(preset):
    template = with_options(preset, "customer_managed_key=true")
    assert properties(template, "DataKey")["EnableKeyRotation"] is True
    for title, bucket in of_type(template, "AWS::S3::Bucket").items():
        if title != "AccessLogBucket":  # S3 writes its logs itself
            assert "DataKey" in set(references(bucket["BucketEncryption"])), title
    for kind, name in (
        ("DynamoDB::Table", "SSESpecification"),
        ("SNS::Topic", "KmsMasterKeyId"),
        ("SQS::Queue", "KmsMasterKeyId"),
        ("Logs::LogGroup", "KmsKeyId"),
        ("Lambda::Function", "KmsKeyArn"),
    ):
        for title, resource in of_type(template, f"AWS::{kind}").items():
            assert "DataKey" in set(references(resource[name])), title


@pytest.mark.line("004-12")
@on_production
def test_whoever_writes_to_topic_and_queue_may_use_the_key(template):
    """D36: otherwise alarms are lost in silence."""
    key = properties(template, "DataKey")
    users = {
        service
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
        for service in statement["Principal"]["Service"]
        if isinstance(service, str) and {"kms:Decrypt", "kms:GenerateDataKey"} <= set(statement["Action"])
    }
    assert {"cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"} <= users


@pytest.mark.line("004-12")
@on("single-bucket", "reporting", "media-library", "thumbnails")
def test_no_key_is_paid_for_unasked(template):
    assert not of_type(template, "AWS::KMS::Key")
