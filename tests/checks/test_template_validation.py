from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from imgpipe_templates import limits
from imgpipe_templates.checks import Finding, check_templates
from tests.checks import samples

TODAY = date(2026, 11, 20)
THUMBNAIL_BUCKET = "image-thumbnail-bucket-${EnvironmentSuffix}-${AWS::AccountId}"


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def pipeline():
    return copy.deepcopy(json.loads(json.dumps(samples.template("pipeline/good"))))


def check(body, *, today=TODAY, use_cache=False):
    return check_templates({"pipeline": json.dumps(body)}, today=today, use_cache=use_cache)


def rules(findings):
    return [finding.rule for finding in findings]


def ignore(*rule_ids):
    return {"cfn-lint": {"config": {"ignore_checks": list(rule_ids)}}}


def remove_policies(resource):
    del resource["DeletionPolicy"], resource["UpdateReplacePolicy"]


def test_complete_pipeline_has_no_findings(pipeline):
    assert check(pipeline) == []


def test_finding_contains_rule_template_path_and_source(pipeline):
    remove_policies(pipeline["Resources"]["ThumbnailBucket"])
    pipeline["Resources"]["ImageProcessorFunction"]["Properties"]["MemorySize"] = 64

    cfn_lint, project = sorted(check(pipeline), key=lambda finding: finding.rule)

    assert (cfn_lint.rule, cfn_lint.severity, cfn_lint.template) == ("E3034", "error", "pipeline")
    assert cfn_lint.path == ("Resources", "ImageProcessorFunction", "Properties", "MemorySize")
    assert (project.rule, project.severity, project.path) == ("E9512", "error", ("Resources", "ThumbnailBucket"))
    assert project.source.startswith("https://docs.aws.amazon.com/")


def test_finding_is_one_line_of_text():
    finding = Finding("E9512", "error", "pipeline", ("Resources", "Table", 0), "is wrong; do right", "https://a.b")

    assert finding.text() == "pipeline: Resources.Table.0: is wrong; do right [E9512]"
    assert finding.text(with_source=True) == "pipeline: Resources.Table.0: is wrong; do right [E9512] https://a.b"
    assert Finding("E1", "error", "pipeline", (), "too big", "").text() == "pipeline: template: too big [E1]"


@pytest.mark.parametrize(
    ("resource", "change", "rule"),
    [
        (
            "SourceBucket",
            {"BucketName": {"Fn::Sub": THUMBNAIL_BUCKET}},
            "E9502",
        ),
        ("ProcessingErrorAlarm", {"Dimensions": [{"Name": "Environment", "Value": {"Ref": "Environment"}}]}, "E9531"),
        ("LambdaDurationAlarm", {"Threshold": 240_000}, "E9532"),
        ("LambdaErrorAlarm", {"AlarmActions": []}, "E9533"),
        ("AlarmTopic", {"Tags": []}, "E9541"),
    ],
)
def test_error_in_a_pipeline_is_found(pipeline, resource, change, rule):
    pipeline["Resources"][resource]["Properties"] |= change

    assert rule in rules(check(pipeline))


def test_same_error_in_two_resources_is_two_findings(pipeline):
    for name in ("ThumbnailBucket", "SourceBucket"):
        pipeline["Resources"][name]["Properties"]["Tags"] = []
        pipeline["Resources"][name]["Properties"]["VersioningConfiguration"] = {"Status": "On"}

    values_at = {(finding.rule, finding.path[1]) for finding in check(pipeline)}

    assert values_at >= {(rule, name) for rule in ("E3030", "E9541") for name in ("ThumbnailBucket", "SourceBucket")}


def test_metadata_of_a_resource_disables_a_rule(pipeline):
    for name in ("ThumbnailBucket", "SourceBucket"):
        remove_policies(pipeline["Resources"][name])
    pipeline["Resources"]["SourceBucket"]["Metadata"] = ignore("E9512")

    assert [finding.path for finding in check(pipeline)] == [("Resources", "ThumbnailBucket")]


def test_metadata_of_a_template_disables_a_rule(pipeline):
    remove_policies(pipeline["Resources"]["ThumbnailBucket"])
    pipeline["Metadata"] = ignore("E9512")

    assert check(pipeline) == []


@pytest.mark.parametrize("place", ["template", "resource"])
def test_metadata_disables_dated_rules_separately(pipeline, place):
    owner = pipeline if place == "template" else pipeline["Resources"]["ImageProcessorFunction"]
    owner["Metadata"] = ignore("W9522")

    assert check(pipeline, today=date(2029, 6, 1)) == []
    assert rules(check(pipeline, today=date(2029, 7, 1))) == ["E9522"]


def test_cached_result_is_compared_with_the_given_date(pipeline):
    assert check(pipeline, use_cache=True) == []

    (finding,) = check(pipeline, use_cache=True, today=date(2029, 7, 1))

    assert (finding.rule, finding.path) == ("E9522", ("Resources", "ImageProcessorFunction", "Properties", "Runtime"))
    assert check(pipeline, use_cache=True) == []


def test_cached_result_equals_the_first_result(pipeline):
    remove_policies(pipeline["Resources"]["ThumbnailBucket"])
    text = json.dumps(pipeline)

    first = check_templates({"one": text}, today=TODAY)
    again = check_templates({"other": text}, today=TODAY)

    assert [finding.template for finding in first] == ["one"]
    assert [finding.template for finding in again] == ["other"]
    assert [replace(finding, template="other") for finding in first] == again


def test_damaged_cache_entry_is_ignored(pipeline, tmp_path):
    check(pipeline, use_cache=True)
    (kept,) = (tmp_path / "cache").rglob("*/*")
    kept.write_text('{"findings": 1}')

    assert check(pipeline, use_cache=True) == []


def test_use_cache_false_writes_no_cache(pipeline, tmp_path):
    check(pipeline, use_cache=False)

    assert not (tmp_path / "cache").exists()


def test_settings_files_of_folder_and_user_are_ignored(pipeline, tmp_path, monkeypatch):
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E, W]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "nowhere-1")
    remove_policies(pipeline["Resources"]["ThumbnailBucket"])

    assert rules(check(pipeline)) == ["E9512"]


def test_size_limit_applies_to_the_text_itself(pipeline):
    text = json.dumps(pipeline) + " " * limits.MAX_S3_BYTES

    (finding,) = check_templates({"pipeline": text}, today=TODAY, use_cache=False)

    assert (finding.rule, finding.path) == ("E9561", ())


def test_cached_result_needs_no_import_of_cfn_lint(pipeline, tmp_path):
    """Two runs in separate processes: the first imports cfn-lint, the second must not."""
    template = tmp_path / "pipeline.json"
    template.write_text(json.dumps(pipeline))
    program = (
        "import datetime, pathlib, sys\n"
        "from imgpipe_templates.checks import check_templates\n"
        f"text = pathlib.Path({str(template)!r}).read_text()\n"
        "print(check_templates({'pipeline': text}, today=datetime.date(2026, 11, 20)))\n"
        "print('cfnlint' in sys.modules)\n"
    )

    def run():
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert run() == ["[]", "True"]
    assert run() == ["[]", "False"]
