"""What somebody can do who imports the package."""

from __future__ import annotations

import re

import pytest

import imgpipe_templates
from imgpipe_templates import load_preset, open_pipeline
from imgpipe_templates.errors import TemplateConflictError
from tests.templates import allowed, said, tags


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


def test_nothing_can_be_added_to_what_was_rendered():
    pipeline = open_pipeline(load_preset("thumbnails"))
    first = pipeline.render()

    with pytest.raises(TemplateConflictError, match="late: comes after the pipeline was rendered"):
        pipeline.scope("late")
    assert pipeline.render().stacks == first.stacks


def test_every_public_name_is_there():
    for name in imgpipe_templates.__all__:
        assert getattr(imgpipe_templates, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        imgpipe_templates.nonsense  # noqa: B018 - the access is what is tested
