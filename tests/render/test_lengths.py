"""Names, policies and descriptions are within the service limits with the longest suffix, account and Region."""

from __future__ import annotations

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from troposphere import AccountId, GetAtt, Region, Sub, awslambda, events, sqs

from imgpipe_templates import load_preset, open_pipeline, render_pipeline
from imgpipe_templates.config import PRESETS
from imgpipe_templates.errors import ConfigError, RenderError
from imgpipe_templates.render.lengths import LIMITS, check_lengths
from tests.templates import rendered

LONG = "a" * 767 + "/"
SUFFIX = {"Type": "String", "MaxLength": 20}


def template(resource, **parameters):
    return {"Description": "d", "Parameters": parameters, "Resources": {"Thing": resource}}


def queue(name):
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}


@pytest.mark.parametrize(
    ("name", "longest"),
    [
        ("{}", 80),
        ({"Fn::Sub": "{}-${{EnvironmentSuffix}}"}, 59),
        ({"Fn::Sub": "{}${{AWS::AccountId}}"}, 68),
        ({"Fn::Sub": "{}${{AWS::Region}}"}, 65),
        ({"Fn::Join": ["-", ["{}", {"Ref": "EnvironmentSuffix"}, "x"]]}, 57),
        ({"Fn::If": ["Some", "{}", {"Ref": "EnvironmentSuffix"}]}, 80),
    ],
    ids=["plain", "suffix", "account", "Region", "joined", "conditional"],
)
def test_maximum_length_of_a_name_is_compared_with_its_limit(name, longest):
    def named(value, text):
        if isinstance(value, str):
            return value.format(text)
        if isinstance(value, list):
            return [named(each, text) for each in value]
        return {key: named(each, text) for key, each in value.items()}

    check_lengths({"stack": template(queue(named(name, "q" * longest)), EnvironmentSuffix=SUFFIX)})
    with pytest.raises(
        RenderError, match=r"^stack: Thing: QueueName: has up to 81 characters at deployment; expected at most 80$"
    ):
        check_lengths({"stack": template(queue(named(name, "q" * (longest + 1))), EnvironmentSuffix=SUFFIX)})


def test_policy_is_measured_as_json_with_its_references():
    """The account counts as 12 characters, the Region as 15, and `"` as two."""
    document = {"Statement": [{"Sid": 'a"', "Resource": {"Fn::Sub": "${AWS::AccountId}${AWS::Region}"}}]}
    resource = {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": document}}
    as_json = '{"Statement":[{"Sid":"a\\"","Resource":"123456789012us-isof-south-1"}]}'

    document["Statement"][0]["Sid"] += "s" * (8_192 - len(as_json))
    check_lengths({"stack": template(resource)})
    document["Statement"][0]["Sid"] += "ss"
    with pytest.raises(RenderError, match=r"Thing: PolicyDocument: has up to 8,19\d characters"):
        check_lengths({"stack": template(resource)})


def test_resource_of_an_added_subsystem_is_measured():
    pipeline = open_pipeline(load_preset("thumbnails"))
    scope = pipeline.scope("mine")
    queue = scope.add(sqs.Queue("Mine", QueueName=Sub("q" * 60 + "-${EnvironmentSuffix}")))
    scope.add(
        events.Rule("MyRule", Description="d", EventPattern={"account": [AccountId], "region": [Region, "r" * 2_048]})
    )
    scope.add(
        awslambda.Permission(
            "MyPermission",
            Action="lambda:InvokeFunction",
            FunctionName=pipeline.processor.name,
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(queue, "Arn"),
        )
    )

    with pytest.raises(RenderError) as rejected:
        pipeline.render()
    assert [line.split(" has up to ")[0] for line in str(rejected.value).splitlines()] == [
        "pipeline: Mine: QueueName:",
        "pipeline: MyRule: EventPattern:",
    ]


@pytest.mark.parametrize("layout", ["single", "nested", "exports"])
def test_longest_value_of_every_option_is_within_the_limits(layout):
    options = [
        f"uploads.prefix={LONG}",
        f"storage.output_prefix=b{LONG[1:]}",
        "storage.buckets=one",
        "queue.fed_by=s3",
        f"project={'p' * 256}",
        f"purpose={'p' * 256}",
        f"description={'d' * 500}",
        f"name={'n' * 40}",
        "vpc=true",
        "processing.memory_mb=3008",
        "processing.output.animation=webp",
        "processing.output.background=#ffffff",
        "processing.extra_thumbnail_sizes_px=[2048, 2047, 2046, 2045, 2044]",
    ]
    for policies in ("inline", "managed"):
        config = load_preset("production", [*options, f"security.policies={policies}"])
        assert render_pipeline(config, layout).stacks


NINE = 'uploads.extensions=["jpg", "jpeg", "png", "gif", "webp", "avif", "tif", "tiff", "bmp"]'


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("production", [f"uploads.prefix={'a' * 320}/"], "EventBridge accepts 2,048"),
        ("production", [f"uploads.prefix={'a' * 100}/", NINE], "EventBridge accepts 2,048"),
        ("media-library", [f"uploads.prefix={'a' * 320}/"], "EventBridge accepts 2,048"),
        ("thumbnails", [f"uploads.prefix={'a' * 1_024}/"], "uploads.prefix: 'aaa"),
        ("single-bucket", [f"storage.output_prefix={'a' * 1_024}/"], "storage.output_prefix: 'aaa"),
        ("thumbnails", ["description=" + "€" * 400], "description: has 1,200 bytes in UTF-8; expected at most 1,024"),
        ("thumbnails", [f"storage.cors_origins=['https://{'a' * 254}']"], "storage.cors_origins"),
        (
            "thumbnails",
            [f"storage.cors_origins={['https://' + 'a' * 240 + chr(98 + n) for n in range(20)]}"],
            "have 4,999 characters together; expected at most 4,096",
        ),
    ],
)
def test_option_that_becomes_too_long_is_rejected(preset, options, message):
    with pytest.raises(ConfigError) as rejected:
        load_preset(preset, options)
    assert message in str(rejected.value)


@pytest.mark.parametrize(
    ("preset", "options"),
    [
        ("production", [f"uploads.prefix={'a' * 60}/", NINE]),
        ("production", [f"uploads.prefix={'a' * 320}/", "queue.fed_by=s3"]),
        ("thumbnails", [f"uploads.prefix={'a' * 767}/", NINE]),
    ],
)
def test_option_within_the_limits_is_accepted(preset, options):
    assert render_pipeline(load_preset(preset, options)).stacks


def test_code_key_in_a_version_description_has_the_limit_of_the_description():
    provisioned = rendered(load_preset("media-library", ["retrieval.provisioned_concurrency=1"]))
    unpublished = rendered(load_preset("media-library"))

    assert provisioned["Parameters"]["ImageRetrievalCodeKey"]["MaxLength"] == 256
    assert unpublished["Parameters"]["ImageRetrievalCodeKey"]["MaxLength"] == 1024


def schema_of(kind):
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_composed_text_with_a_limit_is_measured(preset):
    """cfn-lint measures plain text only; LIMITS contains every composed text with a limit in the registry schema."""
    unmeasured = set()
    for resource in rendered(load_preset(preset, ["vpc=true"]))["Resources"].values():
        kind = resource["Type"]
        for name, value in resource["Properties"].items() if not kind.startswith("Custom::") else ():
            known = schema_of(kind)["properties"][name]
            composed = isinstance(value, dict) and ("Fn::Sub" in value or "Fn::Join" in value)
            if composed and "maxLength" in known and name not in {limit.property for limit in LIMITS.get(kind, ())}:
                unmeasured.add((kind, name, known["maxLength"]))
    assert unmeasured == set()


@pytest.mark.parametrize("kind", LIMITS)
def test_limits_are_not_above_those_of_the_registry(kind):
    properties = schema_of(kind)["properties"]
    for limit in LIMITS[kind]:
        known = properties[limit.property.split(".")[0]]
        if "." not in limit.property and "maxLength" in known:
            assert limit.characters <= known["maxLength"]
