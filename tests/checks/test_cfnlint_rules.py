from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from imgpipe_templates.checks import check_templates
from tests.checks import samples

TEMPLATE = """\
Metadata:
  cfn-lint: {config: {ignore_checks: [E9515]}}
Resources:
  Kept:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      Tags:
        - {Key: iac-rlhf-amazon, Value: "true"}
  Ignored:
    Type: AWS::SQS::Queue
    Metadata:
      cfn-lint: {config: {ignore_checks: [E9512, E9541]}}
  Reported:
    Type: AWS::SQS::Queue
    Metadata:
      cfn-lint: {config: {ignore_checks: [E9541]}}
"""


def cfn_lint(template, folder, *settings):
    """Return the findings of the cfn-lint command with the project's rules."""
    command = ["-c", "from cfnlint.runner import main; main()", "-a", "imgpipe_templates.checks.cfnlint_rules"]
    command += [text for setting in settings for text in ("-x", setting)]
    done = subprocess.run(
        [sys.executable, *command, "--format", "json", "-t", str(template)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout)


def test_cfn_lint_loads_and_configures_the_rules(tmp_path):
    template = tmp_path / "queue.yaml"
    template.write_text(TEMPLATE)

    assert cfn_lint(template, tmp_path) == []
    found = cfn_lint(template, tmp_path, "E9512:convention=true", "E9541:tags=Environment;iac-rlhf-amazon")

    values_at = [(match["Rule"]["Id"], match["Location"]["Start"]["LineNumber"]) for match in found]
    assert values_at == [("E9541", 9), ("E9512", 15)]
    assert all(match["Rule"]["Source"].startswith("https://docs.aws.amazon.com/") for match in found)


def test_check_templates_has_the_findings_of_the_cfn_lint_command(tmp_path):
    body = json.loads(json.dumps(samples.template("pipeline/good")))
    resources = body["Resources"]
    resources["SourceBucketPolicy"]["Properties"]["Bucket"] = {"Ref": "Missing"}
    resources["ImageProcessorFunction"]["Properties"] |= {"MemorySize": 64, "Unknown": 1}
    resources["LambdaErrorAlarm"]["Properties"] |= {"Period": 7, "AlarmActions": []}
    for bucket in ("SourceBucket", "ThumbnailBucket"):
        resources[bucket]["Properties"] |= {"VersioningConfiguration": {"Status": "On"}, "Tags": []}
    body["Metadata"] = {"ImagePipeline": {"Protections": []}}
    body["Parameters"]["Unused"] = {"Type": "String"}
    template = tmp_path / "pipeline.json"
    template.write_text(json.dumps(body, indent=2))

    expected = {(match["Rule"]["Id"], tuple(match["Location"]["Path"])) for match in cfn_lint(template, tmp_path)}
    findings = check_templates({"pipeline": template.read_text()}, today=date(2026, 11, 20), use_cache=False)

    assert {(finding.rule, finding.path) for finding in findings} == expected
    assert len(expected) > 9
