"""`imgpipe validate`: findings in any template, in the formats of cfn-lint."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from imgpipe_templates.config import load_preset
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.render.text import to_json

BUILD = Path(__file__).parents[2] / "build"

# cfn-lint has one finding, on line 8; the project's rules have two, on lines 3 and 9.
FAULTY = """\
Resources:
  # This queue has no policy about plain HTTP.
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      VisibilityTimeout: forever
      RedriveAllowPolicy: {redrivePermission: allowAll}
      Tags: &tags
        - {Key: Environment, Value: test}
        - {Key: Project, Value: imgpipe}
        - {Key: Purpose, Value: test}
        - {Key: iac-rlhf-amazon, Value: "true"}
"""
FOUND = [("E9515", 3), ("E3012", 8), ("E9510", 9)]


@pytest.fixture
def faulty(tmp_path):
    Path(tmp_path / "queue.yaml").write_text(FAULTY)
    return "queue.yaml"


def test_findings_in_a_foreign_template_have_line_numbers(imgpipe, faulty):
    found = imgpipe("validate", faulty)

    assert found.status == 1
    assert [line for line in found.out.splitlines() if line.startswith("queue.yaml:")] == [
        "queue.yaml:3:3 (Queue, AWS::SQS::Queue)",
        "queue.yaml:8:7 (Queue, AWS::SQS::Queue)",
        "queue.yaml:9:7 (Queue, AWS::SQS::Queue)",
    ]
    assert "E9515 accepts requests over plain HTTP; add a statement to its AWS::SQS::QueuePolicy" in found.out
    assert found.err == "1 template: 3 findings\n"


def test_rendered_templates_have_no_findings_in_json_and_yaml(imgpipe):
    folder = BUILD / "production" / "single"

    found = imgpipe("validate", folder / "pipeline.template.json", folder / "pipeline.template.yaml")

    assert found == (0, "", "2 templates: no findings\n")


def test_json_report_lists_rule_location_and_source(imgpipe, faulty):
    found = json.loads(imgpipe("validate", faulty, "--format", "json").out)

    assert [(match["Rule"]["Id"], match["Location"]["Start"]["LineNumber"]) for match in found] == FOUND
    assert all(match["Filename"] == "queue.yaml" and match["Rule"]["Source"] for match in found)


def test_sarif_report_has_the_fields_of_code_scanning(imgpipe, faulty):
    (run,) = json.loads(imgpipe("validate", faulty, "--format", "sarif").out)["runs"]

    assert {result["ruleId"] for result in run["results"]} == {"E9515", "E3012", "E9510"}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"E9515", "E3012", "E9510"}
    locations = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {location["artifactLocation"]["uri"] for location in locations} == {"queue.yaml"}
    assert {
        name["fullyQualifiedName"] for result in run["results"] for name in result["locations"][0]["logicalLocations"]
    } == {"Resources.Queue"}
    assert all(rule["help"]["text"].endswith(rule["helpUri"]) for rule in run["tool"]["driver"]["rules"])


def test_sarif_report_has_no_absolute_path(imgpipe, faulty):
    report = imgpipe("validate", Path(faulty).absolute(), "--format", "sarif").out

    assert str(Path.cwd()) not in report
    assert '"uri": "queue.yaml"' in report


def test_junit_report_has_a_case_per_rule_and_a_failure_per_finding(imgpipe, faulty):
    suites = ElementTree.fromstring(imgpipe("validate", faulty, "--format", "junit").out)  # noqa: S314 - output of this project

    failed = {case.get("name", "").split()[0] for case in suites.iter("testcase") if case.find("failure") is not None}
    passed = {case.get("name", "").split()[0] for case in suites.iter("testcase") if len(case) == 0}
    assert failed == {"E9515", "E3012", "E9510"}
    assert {"E9501", "E3001"} <= passed
    (suite,) = ElementTree.fromstring(imgpipe("validate", faulty, "--format", "junit").out)  # noqa: S314 - output of this project
    assert (suite.get("name"), suite.get("failures")) == ("queue.yaml", "3")
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    assert {case.get("classname") for case in cases} == {"queue.yaml"}
    assert all(float(case.get("time", "")) >= 0 for case in cases)
    failures = [failure for case in cases for failure in case.findall("failure")]
    assert any((failure.text or "").startswith("queue.yaml:8:7 (Queue, AWS::SQS::Queue): ") for failure in failures)


def test_pretty_report_counts_by_severity(imgpipe, faulty):
    found = imgpipe("validate", faulty, "--format", "pretty")

    assert "found 3 errors, 0 warnings" in found.out


def test_metadata_excludes_a_rule(imgpipe, faulty):
    settings = "Metadata: {cfn-lint: {config: {ignore_checks: [E9515, E9510, E3012]}}}\n"
    Path("excluded.yaml").write_text(settings + FAULTY)

    found = imgpipe("validate", "excluded.yaml", faulty)

    assert found.status == 1
    assert "excluded.yaml" not in found.out
    assert found.err == "2 templates: 3 findings\n"


def test_settings_files_of_cfn_lint_are_ignored(imgpipe, faulty):
    Path(".cfnlintrc").write_text("ignore_checks: [E, W]\n")

    assert imgpipe("validate", faulty).status == 1


def test_runtimes_are_compared_with_the_current_date(imgpipe):
    Path("old.yaml").write_text(
        "Resources: {Old: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.8, Handler: a.b, Role: x}}}"
    )

    assert "E9522 python3.8 was deprecated on 2024-10-14" in imgpipe("validate", "old.yaml").out


def test_repeated_file_is_checked_once(imgpipe, faulty):
    assert imgpipe("validate", faulty, faulty).err == "1 template: 3 findings\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read (No such file or directory); expected a CloudFormation template in JSON or YAML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"", "has no Resources"),
        (b"[1, 2]", "has no Resources"),
        (b'{"name": "a package"}', "has no Resources"),
        (b"Resources: []", "Resources: is not a mapping"),
        (b"Resources: {A: {Metadata: {cfn-lint: 1}}}", "Resources.A.Metadata.cfn-lint: is not a mapping"),
        (b"Metadata: []\nResources: {}", "Metadata: is not a mapping"),
    ],
)
def test_file_that_is_not_a_template_is_reported(imgpipe, text, message):
    if text is not None:
        Path("it.yaml").write_bytes(text)

    rejected = imgpipe("validate", "it.yaml")

    assert (rejected.status, rejected.out) == (1, "")
    assert rejected.err.startswith(f"error: it.yaml: {message}")


def test_syntax_errors_of_all_files_are_reported_with_their_lines(imgpipe, faulty):
    Path("a.yaml").write_text("Resources:\n  A: {Type: [}\n")
    Path("b.json").write_text('{"Resources": {"A": {}, "A": {}}}')

    rejected = imgpipe("validate", "a.yaml", faulty, "b.json")

    assert rejected.status == 1
    assert "E9515 accepts requests over plain HTTP" in rejected.out  # of the valid file between the two
    first, second, counted = rejected.err.splitlines()
    assert counted == "1 template: 3 findings"
    assert first.startswith("error: a.yaml:2:14: is neither JSON nor YAML (")
    assert second.startswith("error: b.json:1:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate"], "Missing argument 'FILE...'"),
        (["validate", "a.yaml", "--format", "xml"], "'xml' is not one of 'text', 'json', 'sarif', 'junit', 'pretty'"),
    ],
)
def test_wrong_command_line_has_status_2(imgpipe, arguments, message):
    rejected = imgpipe(*arguments)

    assert rejected.status == 2
    assert message in rejected.err


def test_template_is_read_from_standard_input(imgpipe, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FAULTY.encode())))

    found = imgpipe("validate", "-")

    assert found.status == 1
    assert "-:3:3 (Queue, AWS::SQS::Queue)" in found.out


FOREIGN = """\
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: images
      Tags: [{Key: Owner, Value: web}]
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: "sqs:*"
            Resource: "*"
            Condition: {Bool: {"aws:SecureTransport": "false"}}
"""


def rules_of(found):
    return [match["Rule"]["Id"] for match in json.loads(found.out or "[]")]


def test_foreign_template_is_not_checked_for_conventions_of_this_project(imgpipe):
    Path("foreign.yaml").write_text(FOREIGN)

    assert rules_of(imgpipe("validate", "foreign.yaml", "--format", "json")) == []
    found = imgpipe("validate", "foreign.yaml", "--format", "json", "--profile", "project")
    assert rules_of(found) == ["E9512", "W9563", "E9541"]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["Owner"], None),
        (["Owner=web"], None),
        (["Team", "Owner"], "AWS::SQS::Queue lacks the tags Team; add them to Tags (a list)"),
        (["Owner=mobile"], "tag Owner is 'web'; set it to 'mobile'"),
    ],
)
def test_required_tags_are_an_option(imgpipe, tags, message):
    Path("foreign.yaml").write_text(FOREIGN)
    arguments = [text for tag in tags for text in ("--tag", tag)]

    found = json.loads(imgpipe("validate", "foreign.yaml", "--format", "json", *arguments).out or "[]")

    assert [match["Message"] for match in found] == ([message] if message else [])


def test_required_tag_without_a_key_is_rejected(imgpipe):
    Path("foreign.yaml").write_text(FOREIGN)

    rejected = imgpipe("validate", "foreign.yaml", "--tag", "=x")

    assert rejected.status == 2
    assert "--tag: '=x' has no key; write KEY or KEY=VALUE" in rejected.err


def test_rendered_template_is_checked_for_conventions_of_this_project(imgpipe):
    body = json.loads((BUILD / "thumbnails" / "single" / "pipeline.template.json").read_text())
    body["Resources"]["ImageProcessorRole"]["Properties"]["Tags"].pop()
    Path("edited.json").write_text(json.dumps(body))

    assert rules_of(imgpipe("validate", "edited.json", "--format", "json")) == ["E9541"]
    assert rules_of(imgpipe("validate", "edited.json", "--format", "json", "--profile", "aws")) == []


@pytest.fixture(scope="module")
def exported():
    """The stacks of a pipeline in the layout `exports`, by file name."""
    rendered = render_pipeline(load_preset("thumbnails"), "exports")
    return {f"{name}.template.json": to_json(template) for name, template in rendered.stacks.items()}


def written(files):
    for name, text in files.items():
        Path(name).write_text(text)
    return list(files)


def test_references_between_stacks_of_a_layout_are_checked(imgpipe, exported):
    assert imgpipe("validate", *written(exported)).status == 0

    name, text = next((name, text) for name, text in exported.items() if "Fn::ImportValue" in text)
    renamed = re.sub(r'("Fn::ImportValue": {\s*"Fn::Sub": "[^"]+)', r"\1Renamed", text, count=1)
    found = imgpipe("validate", *written(exported | {name: renamed}), "--format", "json")

    assert renamed != text
    assert "E9571" in rules_of(found)


def test_export_name_of_two_foreign_templates_is_a_finding(imgpipe):
    body = "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {Arn: {Value: !Ref T, Export: {Name: %s}}}\n"
    policy = "Metadata: {cfn-lint: {config: {ignore_checks: [E9515]}}}\n"
    names = written({name: policy + body % name[0] for name in ("a.yaml", "b.yaml")})
    Path("c.yaml").write_text(policy + body % "a")

    assert rules_of(imgpipe("validate", *names, "--format", "json")) == []
    assert rules_of(imgpipe("validate", *names, "c.yaml", "--format", "json")) == ["E9574"]
    assert "<failure" in imgpipe("validate", *names, "c.yaml", "--format", "junit").out.partition("E9574")[2]
