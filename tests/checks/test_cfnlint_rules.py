from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TEMPLATE = """\
Resources:
  Kept:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      Tags:
        - {Key: iac-rlhf-amazon, Value: "true"}
  Excused:
    Type: AWS::SQS::Queue
    Metadata:
      cfn-lint: {config: {ignore_checks: [E9512, E9541]}}
  Lost:
    Type: AWS::SQS::Queue
    Metadata:
      cfn-lint: {config: {ignore_checks: [E9541]}}
"""


def test_anyone_can_load_the_rules_into_their_own_cfn_lint(tmp_path):
    template = tmp_path / "queue.yaml"
    template.write_text(TEMPLATE)
    command = ["-c", "from cfnlint.runner import main; main()", "-a", "imgpipe_templates.checks.cfnlint_rules"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    done = subprocess.run(
        [sys.executable, *command, "--format", "json", "-t", str(template)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    found = json.loads(done.stdout)
    places = [(match["Rule"]["Id"], match["Location"]["Start"]["LineNumber"]) for match in found]
    assert places == [("E9541", 7), ("E9512", 13)]
    assert all(match["Rule"]["Source"].startswith("https://docs.aws.amazon.com/") for match in found)
