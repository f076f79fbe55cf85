from __future__ import annotations

import json
import time
from datetime import date

import pytest

from imgpipe_templates import limits
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.template import Template
from tests.checks import samples

BY_ID = {rule.id: rule for rule in RULES}
TODAY = {"W9522": date(2027, 4, 1)}  # 90 days before python3.11 is deprecated

NOTIFICATIONS = "Resources.Bucket.Properties.NotificationConfiguration"
LIFECYCLE = "Resources.Bucket.Properties.LifecycleConfiguration.Rules"
STATEMENTS = "Resources.Role.Properties.Policies.0.PolicyDocument.Statement"
VARIABLES = "Resources.Function.Properties.Environment.Variables"


def alarm(number, *place):
    return ".".join(["Resources", f"Alarm{number}", "Properties", *place])


EXPECTED = {
    "E9501/bad_no_filter": [f"{NOTIFICATIONS}.QueueConfigurations.1"],
    "E9501/bad_parameter_default": [f"{NOTIFICATIONS}.LambdaConfigurations.1"],
    "E9501/bad_suffix": [f"{NOTIFICATIONS}.TopicConfigurations.0"],
    "E9502/bad_by_name": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9502/bad_eventbridge_alternatives": ["Resources.Rule.Properties.EventPattern"],
    "E9502/bad_eventbridge_case": ["Resources.Rule.Properties.EventPattern"],
    "E9502/bad_eventbridge_no_key": ["Resources.Rule.Properties.EventPattern"],
    "E9502/bad_every_bucket": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9502/bad_full_access": [f"{NOTIFICATIONS}.TopicConfigurations.0"],
    "E9502/bad_managed_policy": [f"{NOTIFICATIONS}.QueueConfigurations.0"],
    "E9502/bad_same_prefix": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9502/bad_short_key": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9502/bad_unknown_prefix": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9503/bad_missing": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9503/bad_no_account": ["Resources.Permission"],
    "E9503/bad_no_order": ["Resources.Bucket"],
    "E9503/bad_other_bucket": [f"{NOTIFICATIONS}.LambdaConfigurations.0"],
    "E9511/bad_early": [
        f"{LIFECYCLE}.0.Transitions.0",
        f"{LIFECYCLE}.1.Transition",
        f"{LIFECYCLE}.2.NoncurrentVersionTransition",
    ],
    "E9511/bad_expiry": [
        f"{LIFECYCLE}.0.ExpirationInDays",
        f"{LIFECYCLE}.1.NoncurrentVersionExpiration.NoncurrentDays",
        f"{LIFECYCLE}.2.NoncurrentVersionExpirationInDays",
    ],
    "E9511/bad_glacier": [f"{LIFECYCLE}.0.Transitions.0", f"{LIFECYCLE}.1.Transitions.1"],
    "E9511/bad_unsupported": [f"{LIFECYCLE}.0.Transitions.1"],
    "E9512/bad": ["Resources.Bucket", "Resources.Table", "Resources.Key"],
    "E9521/bad": ["Resources.None", "Resources.WrongName", "Resources.ForEverLogs"],
    "E9522/bad": ["Resources.Old.Properties.Runtime", "Resources.ByDefault.Properties.Runtime"],
    "W9522/bad": ["Resources.Soon.Properties.Runtime"],
    "E9531/bad_aws": [
        alarm(0, "MetricName"),
        alarm(1, "Dimensions"),
        alarm(2, "Dimensions.0.Value"),
        alarm(3, "Dimensions.0.Value"),
        alarm(4, "Dimensions.0.Value"),
        alarm(5, "Dimensions"),
        alarm(6, "Dimensions.1.Value"),
        alarm(7, "Metrics.0.MetricStat.Metric.MetricName"),
    ],
    "E9531/bad_own": [alarm(0, "MetricName"), alarm(1, "Dimensions"), alarm(2, "Dimensions.0.Value"), alarm(3)],
    "E9532/bad_bound": [alarm(number, "Threshold") for number in range(8)],
    "E9532/bad_periods": [
        alarm(0, "DatapointsToAlarm"),
        alarm(1, "EvaluationPeriods"),
        alarm(2, "EvaluationPeriods"),
    ],
    "E9532/bad_zero": [alarm(number, "Threshold") for number in range(3)],
    "E9533/bad": ["Resources.Alarm0", "Resources.Alarm1", alarm(2, "ActionsEnabled"), "Resources.Both"],
    "W9534/bad": ["Resources.Alarm0"],
    "E9541/bad": [
        "Resources.Bucket",
        "Resources.Role.Properties.Tags",
        "Resources.Api.Properties.Tags",
        "Resources.Vault",
        "Resources.Budget.Properties.ResourceTags",
        "Resources.Child",
        "Resources.Topic.Properties.Tags",
    ],
    "E9542/bad": [
        f"{STATEMENTS}.0.Resource.0.Fn::Sub",
        f"{STATEMENTS}.0.Resource.1.Fn::Sub",  # the account
        f"{STATEMENTS}.0.Resource.1.Fn::Sub",  # and the Region
        f"{STATEMENTS}.0.Principal.AWS",
        f"{VARIABLES}.REGION",
        f"{VARIABLES}.URL",
        "Resources.Subnet.Properties.AvailabilityZone",
        "Outputs.Console.Value.Fn::Sub",
        "Parameters.Home.Default",
    ],
    "E9551/bad": [
        f"{STATEMENTS}.0.Action.1",
        f"{STATEMENTS}.1.Resource",
        f"{STATEMENTS}.2.Resource.0",
        f"{STATEMENTS}.3.Resource",
        f"{STATEMENTS}.4.NotAction",
        f"{STATEMENTS}.4.NotResource",
        "Resources.Policy.Properties.PolicyDocument.Statement.0.Principal",
        "Resources.Key.Properties.KeyPolicy.Statement.0.Action",
    ],
    "E9561/bad": ["Description", "Resources", "Parameters.Long.Default", f"Parameters.{'P' * 256}", "Mappings.Wide"],
}


def faults(name):
    rule_id = name.partition("/")[0]
    view = Template(samples.template(name), today=TODAY.get(rule_id, date(2026, 11, 20)))
    return list(BY_ID[rule_id].find(view))


@pytest.mark.parametrize("name", samples.names("good*"))
def test_good_templates_pass(name):
    assert faults(name) == []


@pytest.mark.parametrize("name", samples.names("bad*"))
def test_bad_templates_are_found_where_they_are_bad(name):
    assert EXPECTED[name] == [".".join(str(part) for part in fault.path) for fault in faults(name)]


def test_every_rule_has_a_good_and_a_bad_template():
    assert set(BY_ID) == {name.partition("/")[0] for name in samples.names("good*")}
    assert set(BY_ID) == {name.partition("/")[0] for name in samples.names("bad*")}


def test_rules_are_numbered_where_nobody_else_numbers_and_name_their_source():
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.id[:3] in ("E95", "W95")
        assert rule.source.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize("name", samples.names("bad*"))
def test_messages_are_in_the_form_of_the_projects_errors(name):
    for fault in faults(name):
        assert not fault.message.endswith(".")
        assert "\n" not in fault.message
        assert ";" in fault.message  # what is; what to do


def test_deprecation_is_an_error_from_its_day_on_and_a_warning_ninety_days_before():
    body = {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13"}}}}

    def found(year, month, day):
        view = Template(body, today=date(year, month, day))
        return [rule.id for rule in RULES if rule.dated and list(rule.find(view))]

    assert found(2029, 3, 31) == []
    assert found(2029, 4, 1) == ["W9522"]
    assert found(2029, 6, 29) == ["W9522"]
    assert found(2029, 6, 30) == ["E9522"]


def test_a_minified_body_over_a_megabyte_is_found():
    body = {"Resources": {}, "Metadata": {"Text": "x" * limits.MAX_S3_BYTES}}

    assert [fault.path for fault in BY_ID["E9561"].find(Template(body, today=date.min))] == [()]


def test_malformed_templates_are_left_to_cfn_lint():
    for body in (
        {},
        {"Resources": []},
        {"Resources": {"A": None, "B": {"Type": "AWS::S3::Bucket", "Properties": "x"}}},
    ):
        for rule in RULES:
            list(rule.find(Template(body, today=date.min)))


def test_all_rules_together_cost_less_than_ten_milliseconds_on_a_pipeline():
    body = json.loads(json.dumps(samples.template("pipeline/good")))

    def seconds():
        start = time.process_time()
        for rule in RULES:
            list(rule.find(Template(body, today=date.min)))
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.010
