"""What the engine leaves out and this package puts back, seen through the services' own APIs."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import Deployment
from imgpipe_templates.deployment.stacks import deploy
from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.local.engine import Engine
from tests.engine import (
    ARTIFACTS,
    HANDLER,
    QUICK,
    bucket_template,
    client,
    deploy_pipeline,
    ended_delivery,
    pipeline_template,
)


def upload(engine: Engine, bucket: str, key: str) -> None:
    client(engine, "s3").put_object(Bucket=bucket, Key=key, Body=b"12345")


def series(engine: Engine, namespace: str, name: str, **dimensions: str) -> float:
    """Sum of a metric of the last minutes."""
    wanted = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    data = client(engine, "cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=wanted,
        StartTime="2020-01-01",
        EndTime="2100-01-01",
        Period=3600 * 24 * 365,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in data["Datapoints"])


def alarm(engine: Engine, name: str, namespace: str, metric: str, **dimensions: str) -> None:
    client(engine, "cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )


def state(engine: Engine, name: str) -> str:
    alarms = client(engine, "cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarms[0]["StateValue"])


@pytest.mark.line("004-20", "004-21")
def test_an_upload_runs_the_function_with_its_roles_rights_and_leaves_log_and_metrics(engine, tmp_path: Path):
    deploy_pipeline(engine, pipeline_template("whole"), "whole", tmp_path, HANDLER)
    alarm(engine, "whole-same", "Tests", "Objects", Stage="test")
    alarm(engine, "whole-other", "Tests", "Objects", Stage="production")

    upload(engine, "whole-uploads", "a b+ü.jpg")

    delivery = ended_delivery(engine, "a b+ü.jpg")
    assert (delivery.state, delivery.attempts, delivery.error) == ("succeeded", 1, "")
    logged = client(engine, "logs").filter_log_events(logGroupName="/aws/lambda/whole-copy")["events"]
    assert [event["message"].split()[0] for event in logged] == ["START", '{"_aws":', "END", "REPORT"]
    assert series(engine, "Tests", "Objects", Stage="test") == 1
    assert series(engine, "AWS/Lambda", "Invocations", FunctionName="whole-copy") == 1
    assert state(engine, "whole-same") == "ALARM"
    assert state(engine, "whole-other") == "INSUFFICIENT_DATA"


@pytest.mark.line("004-23")
def test_a_right_that_the_role_lacks_is_denied_and_the_event_ends_in_the_dead_letter_queue(engine, tmp_path: Path):
    template = pipeline_template("denied")
    statements = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements[:] = [one for one in statements if one["Action"] != "dynamodb:PutItem"]
    deploy_pipeline(engine, template, "denied", tmp_path, HANDLER)
    alarm(engine, "denied-dead", "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName="denied-dead")

    upload(engine, "denied-uploads", "denied.jpg")

    delivery = ended_delivery(engine, "denied.jpg")
    assert (delivery.state, delivery.attempts) == ("failed", 3)
    assert "ClientError: An error occurred (AccessDeniedException)" in delivery.error
    assert "not authorized to perform: dynamodb:PutItem" in delivery.error
    assert delivery.dead_letter.endswith(":denied-dead")
    queue = f"{engine.endpoint_url}/123456789012/denied-dead"
    answer = client(engine, "sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])
    message = answer["Messages"][0]
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == "denied.jpg"
    assert "dynamodb:PutItem" in message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert state(engine, "denied-dead") == "ALARM"
    assert series(engine, "AWS/Lambda", "Errors", FunctionName="denied-copy") == 3


def test_a_role_that_may_no_longer_write_to_the_dead_letter_queue_loses_the_event(engine, tmp_path: Path):
    template = pipeline_template("mute")
    deploy_pipeline(engine, template, "mute", tmp_path, HANDLER)
    statements = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements[:] = [one for one in statements if one["Action"] == "s3:GetObject"]
    deploy_pipeline(engine, template, "mute", tmp_path, HANDLER)

    upload(engine, "mute-uploads", "mute.jpg")

    delivery = ended_delivery(engine, "mute.jpg")
    assert delivery.dead_letter == ""
    assert "not sent to the dead-letter queue" in delivery.error
    assert "sqs:sendmessage" in delivery.error.lower()
    assert series(engine, "AWS/Lambda", "DeadLetterErrors", FunctionName="mute-copy") == 1


def test_a_function_whose_role_may_not_write_to_its_dead_letter_queue_is_not_created(engine, tmp_path: Path):
    template = pipeline_template("unable")
    statements = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements[:] = [one for one in statements if one["Action"] != "sqs:SendMessage"]

    with pytest.raises(DeploymentError, match=r"Copy: CREATE_FAILED: .* permissions to call SendMessage on SQS"):
        deploy_pipeline(engine, template, "unable", tmp_path, HANDLER)


@pytest.mark.parametrize("other", [{"SourceAccount": "210987654321"}, {"SourceArn": "arn:aws:s3:::another-bucket"}])
def test_a_bucket_without_permission_does_not_invoke(engine, tmp_path: Path, other: dict[str, str]):
    prefix = f"stranger{next(iter(other))}".lower()
    template = pipeline_template(prefix)
    template["Resources"]["Permission"]["Properties"] |= other
    deploy_pipeline(engine, template, prefix, tmp_path, HANDLER)

    upload(engine, f"{prefix}-uploads", f"{prefix}.jpg")

    delivery = ended_delivery(engine, f"{prefix}.jpg")
    assert (delivery.state, delivery.attempts) == ("refused", 0)
    assert delivery.error == f"no permission lets bucket {prefix}-uploads invoke {prefix}-copy"


def test_reserved_concurrency_slows_events_down_and_loses_none(engine, tmp_path: Path):
    template = pipeline_template("narrow")
    template["Resources"]["Copy"]["Properties"]["ReservedConcurrentExecutions"] = 1
    slow = HANDLER.replace('    return "done"', '    __import__("time").sleep(0.5)')
    deploy_pipeline(engine, template, "narrow", tmp_path, slow)
    s3, keys = client(engine, "s3"), [f"narrow-{number}.jpg" for number in range(3)]

    for key in keys:
        s3.put_object(Bucket="narrow-uploads", Key=key, Body=b"12345")

    assert [ended_delivery(engine, key).state for key in keys] == ["succeeded"] * 3
    assert series(engine, "AWS/Lambda", "Throttles", FunctionName="narrow-copy") > 0


def test_bucket_properties_are_kept_and_follow_updates(clients: Clients):
    rule = {
        "Id": "old",
        "Status": "Enabled",
        "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": "30"}],
        "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 60}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 2},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "ObjectSizeGreaterThan": "131072",
        "Prefix": "in/",
    }
    encryption = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "true"}]
    owner = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    kept = {
        "LifecycleConfiguration": {"Rules": [rule]},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "OwnershipControls": owner,
    }
    s3 = clients.s3

    def put(**properties: Any) -> None:
        template = json.dumps(bucket_template("kept-bucket", **properties))
        deploy(clients, Deployment("kept", template), artifact_bucket=ARTIFACTS, pace=QUICK)

    put(**kept)

    spoken = s3.get_bucket_lifecycle_configuration(Bucket="kept-bucket")["Rules"][0]
    assert spoken["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    assert spoken["NoncurrentVersionTransitions"] == [{"NoncurrentDays": 60, "StorageClass": "GLACIER"}]
    assert spoken["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90, "NewerNoncurrentVersions": 2}
    assert spoken["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert spoken["Filter"] == {"And": {"Prefix": "in/", "ObjectSizeGreaterThan": 131072}}
    rules = s3.get_bucket_encryption(Bucket="kept-bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_ownership_controls(Bucket="kept-bucket")["OwnershipControls"] == owner

    put()

    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="kept-bucket")


def test_table_function_and_topic_properties_are_kept(engine, tmp_path: Path):
    template = pipeline_template("props")
    resources = template["Resources"]
    resources["Table"]["Properties"] |= {
        "TableName": "props-table",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "TimeToLiveSpecification": {"AttributeName": "Expires", "Enabled": True},
    }
    topic = {"TopicName": "props-topic", "KmsMasterKeyId": "alias/aws/sns"}
    resources["Topic"] = {"Type": "AWS::SNS::Topic", "Properties": topic}
    deploy_pipeline(engine, template, "props", tmp_path, HANDLER)

    dynamodb, name = client(engine, "dynamodb"), {"TableName": "props-table"}
    backups = dynamodb.describe_continuous_backups(**name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_table(**name)["Table"]["SSEDescription"]["Status"] == "ENABLED"
    assert dynamodb.describe_time_to_live(**name)["TimeToLiveDescription"]["AttributeName"] == "Expires"
    function = client(engine, "lambda").get_function_configuration(FunctionName="props-copy")
    assert function["DeadLetterConfig"]["TargetArn"].endswith(":props-dead")
    arn = "arn:aws:sns:us-east-1:123456789012:props-topic"
    attributes = client(engine, "sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["KmsMasterKeyId"] == "alias/aws/sns"


def test_access_logging_is_kept_and_follows_updates(clients: Clients):
    def put(**properties: Any) -> Any:
        template = bucket_template("logged-bucket", **properties)
        template["Resources"]["Logs"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs-of-logged"}}
        deploy(clients, Deployment("logged", json.dumps(template)), artifact_bucket=ARTIFACTS, pace=QUICK)
        return clients.s3.get_bucket_logging(Bucket="logged-bucket").get("LoggingEnabled")

    logging = {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "in/"}

    assert put(LoggingConfiguration=logging) == {"TargetBucket": "logs-of-logged", "TargetPrefix": "in/"}
    assert put() is None


@pytest.mark.parametrize("source", ["/*/GET/hello", "/*/POST/hello"])
def test_an_api_invokes_with_a_permission_that_names_its_route(engine, tmp_path: Path, source: str):
    prefix = f"api{source[3:6].strip('/').lower()}"
    template = pipeline_template(prefix)
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": "60"}
    arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}{source}"
    uri = {"Fn::GetAtt": ["Copy", "Arn"]}
    integration = {"IntegrationType": "AWS_PROXY", "IntegrationUri": uri, "PayloadFormatVersion": "2.0"}
    target = {"Fn::Sub": "integrations/${Integration}"}
    settings = {"ThrottlingRateLimit": "5", "ThrottlingBurstLimit": "10", "DetailedMetricsEnabled": "true"}
    of_api = {"ApiId": {"Ref": "Api"}}
    for name, kind, properties in (
        ("Api", "ApiGatewayV2::Api", {"Name": prefix, "ProtocolType": "HTTP", "CorsConfiguration": cors}),
        ("Integration", "ApiGatewayV2::Integration", of_api | integration),
        ("Route", "ApiGatewayV2::Route", of_api | {"RouteKey": "GET /hello", "Target": target}),
        (
            "Stage",
            "ApiGatewayV2::Stage",
            of_api | {"StageName": "$default", "AutoDeploy": True, "DefaultRouteSettings": settings},
        ),
        (
            "MayInvoke",
            "Lambda::Permission",
            {
                "FunctionName": {"Ref": "Copy"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": arn},
            },
        ),
    ):
        template["Resources"][name] = {"Type": f"AWS::{kind}", "Properties": properties}
    deploy_pipeline(engine, template, prefix, tmp_path, "def lambda_handler(event, context): return {'body': 'hello'}")

    api = next(one for one in client(engine, "apigatewayv2").get_apis()["Items"] if one["Name"] == prefix)
    address = f"{engine.endpoint_url}/_aws/execute-api/{api['ApiId']}/$default/hello"
    try:
        with urllib.request.urlopen(address) as response:  # noqa: S310 - the engine's own address
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    assert status == (200 if "GET" in source else 500)
    assert (api["CorsConfiguration"]["AllowOrigins"], api["CorsConfiguration"]["MaxAge"]) == (["https://a.example"], 60)
    (stage,) = client(engine, "apigatewayv2").get_stages(ApiId=api["ApiId"])["Items"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 5.0


@pytest.mark.parametrize(("denied", "allowed"), [("false", True), ("true", False)])
def test_requests_count_as_encrypted_where_policies_ask(engine, clients: Clients, denied: str, *, allowed: bool):
    bucket = f"deny-{denied}"
    clients.s3.create_bucket(Bucket=bucket)
    condition = {"Bool": {"aws:SecureTransport": denied}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}"}
    policy = {"Version": "2012-10-17", "Statement": [deny | {"Condition": condition}]}
    clients.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    iam = client(engine, "iam")
    iam.create_user(UserName=bucket)
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=bucket, PolicyName="read", PolicyDocument=document)
    key = iam.create_access_key(UserName=bucket)["AccessKey"]
    reader = engine.session(key["AccessKeyId"], key["SecretAccessKey"]).client("s3", endpoint_url=engine.endpoint_url)

    with contextlib.nullcontext() if allowed else pytest.raises(ClientError, match="AccessDenied"):
        assert reader.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
