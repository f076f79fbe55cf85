"""Document 002, a library of images: what can be read off the template of `media-library`, and off `production` too.

What the functions do is tested where they run; docs/requirements.md says where.
"""

from __future__ import annotations

import pytest

from tests.requirements.reading import (
    BLOCKED,
    PRESETS,
    TOPIC,
    fires,
    indexes,
    keys,
    lifecycle,
    on,
    properties,
    reached,
    runs_a_day,
    shown,
    statements,
    with_options,
)
from tests.templates import allowed, of_type, said

RETRIEVAL_READS = {
    ("s3:GetObject", "SourceBucket"),
    ("s3:GetObjectVersion", "SourceBucket"),
    ("s3:GetObject", "ThumbnailBucket"),
    ("dynamodb:GetItem", "ImageMetadataTable"),
    ("dynamodb:Query", "ImageMetadataTable"),
}

on_both = on("media-library", "production")
on_its_own = on("media-library")


@pytest.fixture
def functions(template):
    return of_type(template, "AWS::Lambda::Function")


@pytest.fixture
def rule(template):
    return properties(template, "UploadRule")


@pytest.mark.line("002-01")
@on_both
def test_the_bucket_tells_eventbridge(template):
    notification = properties(template, "SourceBucket")["NotificationConfiguration"]
    assert notification == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


@pytest.mark.line("002-02")
@on_both
def test_the_rule_heeds_new_objects_of_this_bucket(rule):
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    assert pattern["detail"]["bucket"] == {"name": [{"Ref": "SourceBucket"}]}
    assert rule["State"] == "ENABLED"


@pytest.mark.line("002-02")
@on_both
def test_no_thumbnail_starts_the_processor(template):
    """D3: what the function writes goes into another bucket than the one that the rule heeds."""
    heeds = fires(template)
    assert heeds("uploads/a.JPG")
    assert not heeds("uploads/a.gif")
    written = {on_what for action, on_what in allowed(template, "ImageProcessorRole") if action == "s3:PutObject"}
    assert written == {"${ThumbnailBucket.Arn}/thumbnails/*"}


@pytest.mark.line("002-03")
@on_its_own
def test_events_of_this_rule_may_invoke_the_processor(template, rule):
    assert [said(target["Arn"]) for target in rule["Targets"]] == ["ImageProcessorFunction.Arn"]
    permission = properties(template, "LambdaInvokePermission")
    assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    assert said(permission["FunctionName"]) == "ImageProcessorFunction"
    assert said(permission["SourceArn"]) == "UploadRule.Arn"


@pytest.mark.line("002-03")
@on("production")
def test_events_of_this_rule_may_be_put_into_the_queue(template):
    allow = statements(properties(template, "UploadQueuePolicy"))["SourceMaySend"]
    assert (allow["Principal"], allow["Action"]) == ({"Service": ["events.amazonaws.com"]}, ["sqs:SendMessage"])
    assert allow["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["UploadRule", "Arn"]}},
    }


@pytest.mark.line("002-04")
@on_both
def test_the_bucket_knows_nothing_of_functions(resources, functions):
    assert not reached(resources, "SourceBucket") & {*functions, "UploadRule", "ImageProcessorRole"}
    assert "function:" not in str(resources["SourceBucket"])


@pytest.mark.line("002-05")
@on_both
def test_one_function_processes_and_another_answers(functions):
    assert set(functions) == {"ImageProcessorFunction", "ImageRetrievalFunction"}


@pytest.mark.line("002-06")
@on_both
def test_each_function_has_its_own_role(functions):
    assert said(functions["ImageProcessorFunction"]["Role"]) == "ImageProcessorRole.Arn"
    assert said(functions["ImageRetrievalFunction"]["Role"]) == "ImageRetrievalRole.Arn"


@pytest.mark.line("002-06")
@on_both
def test_retrieval_reads_and_nothing_else(template):
    reads = {
        (action, title)
        for action, on_what in allowed(template, "ImageRetrievalRole")
        for title in ("SourceBucket", "ThumbnailBucket", "ImageMetadataTable")
        if title in on_what
    }
    assert reads == RETRIEVAL_READS
    services = {action.partition(":")[0] for action, _ in allowed(template, "ImageRetrievalRole")}
    assert services <= {"s3", "dynamodb", "logs", "kms", "xray"}


@pytest.mark.line("002-06")
@on_both
def test_the_processor_cannot_sign_links_to_thumbnails(template):
    """A link can do no more than whoever signed it."""
    read = {on_what for action, on_what in allowed(template, "ImageProcessorRole") if action.startswith("s3:Get")}
    assert all(on_what.startswith("${SourceBucket.Arn}/") for on_what in read)
    assert read


@pytest.mark.line("002-07")
@on_both
@pytest.mark.parametrize("role", ["ImageProcessorRole", "ImageRetrievalRole", "ImageApiRole"])
def test_no_right_is_wider_than_what_it_names(template, role):
    granted = allowed(template, role)
    assert granted
    assert not {action for action, _ in granted if "*" in action}
    unnamed = {action for action, on_what in granted if on_what == "*"}
    assert unnamed <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # X-Ray knows no resource


@pytest.mark.line("002-08")
@on_both
def test_processing_has_much_time_and_memory_and_retrieval_little(functions):
    processor, retrieval = functions["ImageProcessorFunction"], functions["ImageRetrievalFunction"]
    assert (processor["Timeout"], retrieval["Timeout"]) == (60, 10)
    assert retrieval["MemorySize"] < processor["MemorySize"]


@pytest.mark.line("002-08")
@pytest.mark.parametrize("name", ["processing", "retrieval"])
def test_each_has_settings_of_its_own(name):
    template = with_options("media-library", f"{name}.timeout_seconds=29", f"{name}.memory_mb=2048")
    function = properties(template, {"processing": "ImageProcessorFunction"}.get(name, "ImageRetrievalFunction"))
    assert (function["Timeout"], function["MemorySize"]) == (29, 2048)
    assert str(template).count("2048") == 1


@pytest.mark.line("002-09")
@on(*PRESETS)
def test_every_function_is_python(template):
    """D8: one language, and a runtime that is supported; Node.js 20 has not been since April 2026."""
    runtimes = {function["Runtime"] for function in of_type(template, "AWS::Lambda::Function").values()}
    assert runtimes == {"python3.13"}


@pytest.mark.line("002-10")
@on(*PRESETS)
def test_every_function_logs_json(template):
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


@pytest.mark.line("002-11")
@on_both
def test_variables_name_everything_that_a_function_uses(functions):
    for function in functions.values():
        variables = function["Environment"]["Variables"]
        assert said(variables["METADATA_TABLE"]) == "ImageMetadataTable"
        assert said(variables["THUMBNAIL_BUCKET"]) == "ThumbnailBucket"
    assert said(functions["ImageRetrievalFunction"]["Environment"]["Variables"]["SOURCE_BUCKET"]) == "SourceBucket"


@pytest.mark.line("002-14")
@on_both
def test_an_image_can_be_asked_for_by_its_id(template, table):
    assert keys(table["KeySchema"]) == ["ImageId"]
    assert properties(template, "ImageApiGetRoute")["RouteKey"] == "GET /images/{id}"
    assert ("dynamodb:GetItem", "ImageMetadataTable.Arn") in allowed(template, "ImageRetrievalRole")


@pytest.mark.line("002-15")
@on_both
def test_the_images_of_a_user_can_be_asked_for(template):
    assert properties(template, "ImageApiListRoute")["RouteKey"] == "GET /images"
    granted = allowed(template, "ImageRetrievalRole")
    assert ("dynamodb:Query", "${ImageMetadataTable.Arn}/index/UserIndex") in granted
    variables = properties(template, "ImageRetrievalFunction")["Environment"]["Variables"]
    assert "UserIndex" in variables["INDEXES"].split(",")


@pytest.mark.line("002-16")
@on_both
def test_all_are_listed_by_index_and_a_scan_is_not_even_allowed(template, table):
    """D6: newest first, day by day."""
    granted = allowed(template, "ImageRetrievalRole")
    assert ("dynamodb:Query", "${ImageMetadataTable.Arn}/index/UploadTimestampIndex") in granted
    assert "dynamodb:Scan" not in {action for action, _ in granted}
    assert keys(indexes(table)["UploadTimestampIndex"]["KeySchema"]) == ["UploadShard", "UploadTimestamp"]


@pytest.mark.line("002-16")
@on_both
def test_retrieval_looks_into_as_many_shards_as_the_processor_writes(functions):
    shards = {function["Environment"]["Variables"]["INDEX_SHARDS"] for function in functions.values()}
    assert shards == {"4"}


@pytest.mark.line("002-17")
@on_both
def test_a_page_has_a_largest_size(functions):
    assert functions["ImageRetrievalFunction"]["Environment"]["Variables"]["MAX_PAGE_SIZE"] == "50"


@pytest.mark.line("002-18")
@on_both
def test_the_api_hands_each_question_to_the_function(template):
    integration = properties(template, "ImageApiIntegration")
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert said(integration["IntegrationUri"]) == "ImageRetrievalFunction.Arn"
    for route in of_type(template, "AWS::ApiGatewayV2::Route").values():
        assert route["Target"] == {"Fn::Join": ["/", ["integrations", {"Ref": "ImageApiIntegration"}]]}
    assert said(integration["CredentialsArn"]) == "ImageApiRole.Arn"
    assert allowed(template, "ImageApiRole") == {("lambda:InvokeFunction", "ImageRetrievalFunction.Arn")}
    stage = properties(template, "ImageApiStage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    for kind in ("Integration", "Route", "Stage"):
        for part in of_type(template, f"AWS::ApiGatewayV2::{kind}").values():
            assert part["ApiId"] == {"Ref": "ImageApi"}


@pytest.mark.line("002-18")
@on_both
def test_only_callers_of_this_account_with_the_right_to_are_answered(template):
    routes = of_type(template, "AWS::ApiGatewayV2::Route").values()
    assert [route["AuthorizationType"] for route in routes] == ["AWS_IAM", "AWS_IAM"]


@pytest.mark.line("002-19")
@on_both
def test_links_end_and_nobody_reads_without_one(template, functions):
    expires = int(functions["ImageRetrievalFunction"]["Environment"]["Variables"]["URL_EXPIRES_SECONDS"])
    assert 0 < expires <= 900
    for title in ("SourceBucket", "ThumbnailBucket"):
        assert properties(template, title)["PublicAccessBlockConfiguration"] == BLOCKED
        effects = {statement["Effect"] for statement in statements(properties(template, f"{title}Policy")).values()}
        assert effects == {"Deny"}


@pytest.mark.line("002-20")
@on_both
def test_pages_of_the_named_origins_may_ask_and_follow_links(template):
    origins = {"Ref": "AllowedOrigins"}
    assert template["Parameters"]["AllowedOrigins"]["Default"] not in {"", "*"}
    cors = properties(template, "ImageApi")["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (origins, ["GET"])
    assert {"authorization", "x-amz-date", "x-amz-security-token"} <= set(cors["AllowHeaders"])
    for title, methods in (("SourceBucket", ["GET", "PUT", "POST"]), ("ThumbnailBucket", ["GET"])):
        (pages,) = properties(template, title)["CorsConfiguration"]["CorsRules"]
        assert (pages["AllowedOrigins"], pages["AllowedMethods"]) == (origins, methods)


@pytest.mark.line("002-21")
@on_both
def test_bucket_policies_restrict_access(template):
    """D43: nobody is let in by a policy; whoever comes without TLS is turned away."""
    for title in ("SourceBucket", "ThumbnailBucket"):
        policy = properties(template, f"{title}Policy")
        assert said(policy["Bucket"]) == title
        assert statements(policy)["RefusePlainHttp"]["Effect"] == "Deny"
        assert properties(template, title)["OwnershipControls"] == {
            "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
        }


@pytest.mark.line("002-22")
@on_both
def test_what_is_seldom_read_moves_to_cheaper_classes_and_old_versions_go(template):
    uploads = lifecycle(properties(template, "SourceBucket"))
    assert [move["StorageClass"] for move in uploads["ArchiveUploads"]["Transitions"]] == ["STANDARD_IA", "GLACIER_IR"]
    for rules in (uploads, lifecycle(properties(template, "ThumbnailBucket"))):
        assert rules["DeleteOldVersions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
        assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7


@pytest.mark.line("002-23")
@on_both
def test_an_index_finds_the_images_of_a_user_by_time(template, table):
    index = indexes(table)["UserIndex"]
    assert keys(index["KeySchema"]) == ["UserId", "UploadTimestamp"]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    variables = properties(template, "ImageProcessorFunction")["Environment"]["Variables"]
    assert variables["USER_ID_FROM"] == "first-folder"


@pytest.mark.line("002-24")
@on_both
def test_the_table_is_paid_by_request(table):
    assert table["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.line("002-25")
@on_both
def test_the_dashboard_shows_s3_both_functions_and_dynamodb(template):
    graphs = shown(template)
    assert {"AWS/S3", "AWS/DynamoDB"} <= {metric.namespace for metric in graphs}
    assert {"${ImageProcessorFunction}", "${ImageRetrievalFunction}"} == {
        metric.dimensions["FunctionName"] for metric in graphs if metric.namespace == "AWS/Lambda"
    }


@pytest.mark.line("002-26")
@on_both
def test_alarms_on_the_errors_of_both_functions_and_of_the_api(template):
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    monitored = {
        (alarm["MetricName"], said(alarm["Dimensions"][0]["Value"]))
        for alarm in alarms
        if alarm["AlarmActions"] == TOPIC
    }
    assert {
        ("Errors", "ImageProcessorFunction"),
        ("Errors", "ImageRetrievalFunction"),
        ("5xx", "ImageApi"),
    } <= monitored


@pytest.mark.line("002-27")
@on_both
def test_durations_and_sizes_are_watched(template):
    seen = {(metric.namespace, metric.name) for metric in shown(template)}
    assert {("ImageProcessing", name) for name in ("ProcessingDuration", "SourceBytes", "ThumbnailBytes")} <= seen
    assert ("AWS/Lambda", "Duration") in seen


@pytest.mark.line("002-32")
@on_both
def test_two_thousand_uploads_a_day_fit_even_if_each_takes_its_whole_time(template):
    assert runs_a_day(template) >= 2_000
    settings = properties(template, "ImageApiStage")["DefaultRouteSettings"]
    assert settings["ThrottlingRateLimit"] * 86_400 >= 2_000
