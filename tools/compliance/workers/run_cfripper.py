"""Runs CFRipper over a template with its references resolved, in CFRipper's own environment; prints JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pycfmodel
from cfripper.config.config import Config
from cfripper.config.pluggy.utils import get_all_rules
from cfripper.rule_processor import RuleProcessor

logging.disable(logging.CRITICAL)

ACCOUNT = "123456789012"
template, parameters = (json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:3])
rules = get_all_rules()
config = Config(rules=list(rules), aws_account_id=ACCOUNT, aws_principals=[])
model = pycfmodel.parse(template).resolve({**parameters, "AWS::AccountId": ACCOUNT})
result = RuleProcessor(*(rules[rule](config) for rule in config.rules)).process_cf_template(model, config)
findings = [
    {"rule": one.rule, "severity": str(one.risk_value.value), "resources": sorted(one.resource_ids or {"-"})}
    for one in result.failures
]
crashes = [str(crash) for crash in result.exceptions]
sys.stdout.write(json.dumps({"rules": sorted(rules), "findings": findings, "crashes": crashes}))
