"""The public functions of the package."""

from __future__ import annotations

import re
from datetime import date

import pytest

import imgpipe_templates
from imgpipe_templates import (
    ArgumentError,
    Bucket,
    ConfigError,
    PipelineConfig,
    grants,
    load_config,
    load_preset,
    open_pipeline,
    render_pipeline,
    to_json,
    to_yaml,
)
from imgpipe_templates.checks import check_templates
from imgpipe_templates.errors import TemplateConflictError
from tests.templates import allowed, said, tags

CONFIG = load_preset("thumbnails")


@pytest.fixture(scope="module")
def example(repository) -> str:
    text = (repository / "docs" / "library.md").read_text()
    (code,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", text, re.DOTALL)
    return code


def test_the_documented_example_adds_a_bucket_that_the_processor_may_read(example, capsys):
    names: dict[str, object] = {}
    exec(compile(example, "docs/library.md", "exec"), names)  # noqa: S102 - what the documentation says

    template = names["pipeline"].render().stacks["pipeline"]
    bucket = template["Resources"]["WatermarkBucket"]["Properties"]
    assert tags(bucket)["iac-rlhf-amazon"] == "true"
    assert "BucketName" not in bucket
    assert check_templates({"example": to_json(template)}, today=date(2026, 11, 20)) == []
    assert ("s3:GetObject", "${WatermarkBucket.Arn}/*") in allowed(template, "ImageProcessorRole")
    assert "WatermarkBucket" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["nested", "exports"])
def test_in_several_stacks_the_addition_has_its_own(example, layout, capsys):
    names: dict[str, object] = {}
    code = example.replace('load_preset("thumbnails")', f'load_preset("thumbnails"), "{layout}"')
    exec(compile(code.replace('.stacks["pipeline"]', '.stacks["watermarks"]'), "example", "exec"), names)  # noqa: S102 - our docs

    stacks = names["pipeline"].render().stacks
    policy = stacks["watermarks"]["Resources"]["ReadWatermarkBucketObjectsPolicy"]["Properties"]
    (role,) = policy["Roles"]
    assert said(role) != "ImageProcessorRole"
    assert "WatermarkBucket" in capsys.readouterr().out


def test_a_private_bucket_is_encrypted_with_the_key_of_the_pipeline():
    pipeline = open_pipeline(load_preset("production"), "exports")
    scope = pipeline.scope("watermarks")
    watermarks = pipeline.private_bucket(scope, "WatermarkBucket")
    pipeline.allow(scope, pipeline.processor, grants.read_objects(watermarks))

    resources = pipeline.render().stacks["watermarks"]["Resources"]
    (rule,) = resources["WatermarkBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = rule["ServerSideEncryptionByDefault"]
    assert key["SSEAlgorithm"] == "aws:kms"
    assert "Fn::ImportValue" in key["KMSMasterKeyID"]
    assert resources["WatermarkBucketPolicy"]["Properties"]["Bucket"] == {"Ref": "WatermarkBucket"}


def test_nothing_can_be_added_to_what_was_rendered():
    pipeline = open_pipeline(load_preset("thumbnails"))
    first = pipeline.render()

    with pytest.raises(TemplateConflictError, match="late: the pipeline is already rendered"):
        pipeline.scope("late")
    assert pipeline.render().stacks == first.stacks


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: render_pipeline(CONFIG, layout="nest"), "layout: 'nest' is unknown; expected one of: single, nested"),
        (lambda: open_pipeline("thumbnails"), "config: expected a value of type PipelineConfig, got str 'thumbnails'"),
        (lambda: load_config(3), "path: expected a value of type str or Path, got int 3"),
        (lambda: load_preset("thumbnails", "a=b"), "overrides: expected a list of texts such as ['processing."),
        (lambda: load_preset(3), "name: expected a value of type str, got int 3"),
        (lambda: open_pipeline(CONFIG).scope("my own"), "subsystem: 'my own' cannot be the name of a stack"),
        (lambda: open_pipeline(CONFIG).allow("scope", None, None), "scope: expected a value of type Scope, got str"),
        (lambda: to_yaml(render_pipeline(CONFIG)), "template: expected a value of type Mapping, got RenderedPipeline"),
        (lambda: grants.read_objects("bucket"), "bucket: expected a value of type Bucket, got str 'bucket'"),
        (lambda: Bucket.of("scope", "bucket"), "scope: expected a value of type Scope, got str 'scope'"),
    ],
)
def test_a_wrong_argument_is_refused_where_it_is_given(call, says):
    with pytest.raises(ArgumentError) as refused:
        call()

    assert says in str(refused.value)


def test_a_file_may_be_named_by_text(tmp_path):
    (tmp_path / "own.toml").write_text('preset = "thumbnails"\n', encoding="utf-8")

    assert load_config(str(tmp_path / "own.toml")) == CONFIG
    with pytest.raises(ConfigError, match=r"none\.toml: no such file; expected a TOML file"):
        load_config("none.toml")


def test_a_configuration_that_is_built_or_replaced_is_checked_like_a_file():
    with pytest.raises(ConfigError) as refused:
        CONFIG.replace(trigger="sqs", queue={"max_receives": 0})
    assert refused.value.errors == (
        "PipelineConfig: queue.max_receives: 0 is out of range; expected 1..1000 tries",
        "PipelineConfig: trigger: 'sqs' is not allowed; expected 's3', 'custom-resource', 'eventbridge' or 'queue'",
    )
    with pytest.raises(ConfigError, match=r"queue\.max_receives and trigger: 7 has no effect"):
        CONFIG.replace(queue={"max_receives": 7})
    with pytest.raises(ConfigError, match="uploads: expected a table, got 'x'"):
        PipelineConfig(name="own", description="Own", uploads="x")

    built = PipelineConfig(name="own", description="Own", uploads={"extensions": ["gif"]})
    assert built.uploads.extensions == ("gif",)


def test_every_public_name_is_importable():
    handles = {"Bucket", "Function", "HttpApi", "Key", "Queue", "Table", "Topic", "VpcPlacement"}
    functions = {"open_pipeline", "render_pipeline", "validate_pipeline", "deploy_pipeline", "delete_pipeline"}

    assert handles | functions <= set(imgpipe_templates.__all__)
    assert all(hasattr(imgpipe_templates, name) for name in imgpipe_templates.__all__)
