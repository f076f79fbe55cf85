"""Validation of rendered pipelines through the library."""

from __future__ import annotations

import datetime

import pytest

from imgpipe_templates import ArgumentError, load_preset, render_pipeline, validate_pipeline


@pytest.mark.parametrize("layout", ["single", "exports"])
def test_rendered_pipeline_has_no_findings(layout):
    assert validate_pipeline(render_pipeline(load_preset("thumbnails"), layout)) == []


def test_changed_template_has_findings_with_rule_and_path():
    rendered = render_pipeline(load_preset("thumbnails"))
    del rendered.stacks["pipeline"]["Resources"]["ProcessorDeadLetterQueuePolicy"]

    (finding,) = validate_pipeline(rendered)

    assert (finding.rule, finding.path) == ("E9515", ("Resources", "ProcessorDeadLetterQueue"))
    assert finding.template == "thumbnails/single/pipeline.template.json"


def test_missing_output_of_another_stack_is_a_finding():
    rendered = render_pipeline(load_preset("thumbnails"), "exports")
    del rendered.stacks["metadata"]["Outputs"]["ImageMetadataTableArn"]

    assert "E9571" in {finding.rule for finding in validate_pipeline(rendered)}


def test_runtime_is_compared_with_the_given_date():
    rendered = render_pipeline(load_preset("thumbnails"))

    assert {finding.rule for finding in validate_pipeline(rendered, today=datetime.date(2040, 1, 1))} == {"E9522"}


def test_template_instead_of_a_pipeline_is_rejected():
    with pytest.raises(ArgumentError, match="rendered: expected a value of type RenderedPipeline, got dict"):
        validate_pipeline({})
