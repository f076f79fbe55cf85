"""How findings and suppressions are held against each other; the scanners themselves run in `tools.compliance` only."""

from __future__ import annotations

import dataclasses

import pytest

from tools.compliance.findings import Accepted, Finding, Scan, accepted_in, judge, without_suppressions
from tools.compliance.report import report
from tools.compliance.scanners import nag_finding, reported_resources

LOGS = Accepted(
    "LogBucket", ("CKV_AWS_18", "CT.S3.PR.2"), ("LoggingConfiguration",), "It stores the logs of the others"
)
WILDCARD = Accepted("Policy", ("AwsSolutions-IAM5",), ("Resource::<Bucket.Arn>/*",), "Keys are made at run time")
TEMPLATE = {
    "Resources": {
        "LogBucket": {
            "Type": "AWS::S3::Bucket",
            "Metadata": {
                "Suppressions": [{key: value for key, value in dataclasses.asdict(LOGS).items() if key != "resource"}]
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Metadata": {"Owner": "someone"}},
    }
}


def scan(*findings, pack="checkov"):
    return Scan(pack, f"{pack} 1.0", frozenset({"PASSES"}), frozenset({"IDLE"}), findings)


def test_suppressions_are_read_off_the_template_and_taken_out_of_what_is_scanned():
    assert accepted_in(TEMPLATE) == (LOGS,)
    assert accepted_in(without_suppressions(TEMPLATE)) == ()
    assert "Metadata" in TEMPLATE["Resources"]["LogBucket"]


def test_one_suppression_answers_all_its_rules_on_its_own_resource_only():
    answered = [Finding("checkov", "CKV_AWS_18", "LogBucket"), Finding("Control Tower", "CT.S3.PR.2", "LogBucket")]
    elsewhere = Finding("checkov", "CKV_AWS_18", "OtherBucket")
    verdict = judge([scan(*answered, elsewhere)], (LOGS,))

    assert {finding for finding, _ in verdict.covered} == set(answered)
    assert (verdict.open, verdict.superfluous) == ((elsewhere,), ())


def test_a_rule_with_several_findings_is_answered_finding_by_finding():
    exact = Finding("nag", "AwsSolutions-IAM5", "Policy", "Resource::<Bucket.Arn>/*")
    more = Finding("nag", "AwsSolutions-IAM5", "Policy", "Resource::*")
    verdict = judge([scan(exact, more)], (WILDCARD,))

    assert verdict.open == (more,)
    assert judge([scan(more)], (dataclasses.replace(WILDCARD, applies_to=("Statement",)),)).open == (more,)


@pytest.mark.parametrize(
    ("accepted", "findings"),
    [
        (LOGS, [Finding("checkov", "CKV_AWS_18", "LogBucket")]),
        (WILDCARD, []),
        (
            dataclasses.replace(WILDCARD, applies_to=("Resource::<Bucket.Arn>/*", "Resource::*")),
            [Finding("nag", "AwsSolutions-IAM5", "Policy", "Resource::*")],
        ),
    ],
)
def test_what_covers_nothing_is_a_fault(accepted, findings):
    (fault,) = judge([scan(*findings)], (accepted,)).superfluous
    assert fault.endswith("covers nothing; remove it")


def test_only_what_nothing_answers_is_grave():
    critical = Finding("Control Tower", "CT.S3.PR.2", "LogBucket", severity="critical")
    assert judge([scan(critical)], (LOGS,)).grave == ()
    assert judge([scan(critical)], ()).grave == (critical,)
    assert judge([scan(dataclasses.replace(critical, severity="medium"))], ()).grave == ()


def test_the_report_gives_each_rule_its_outcome_and_says_the_same_each_time():
    verdict = judge(
        [scan(Finding("checkov", "CKV_AWS_18", "LogBucket"))], (dataclasses.replace(LOGS, rules=("CKV_AWS_18",)),)
    )
    pages = {report({"held": verdict, "other": verdict}, "held", {"checkov": 0}) for _ in range(2)}

    (page,) = pages
    assert "| checkov | checkov 1.0 | 3 | 1 | 1 | 1 | 1 | 0 | 0 |" in page
    assert "- CKV_AWS_18: suppressed on LogBucket (no. 1)" in page
    assert "Pass (1): PASSES" in page
    assert "Not applicable (1): IDLE" in page


@pytest.mark.parametrize(
    ("said", "rule", "detail"),
    [
        ("Serverless-LambdaDLQ", "Serverless-LambdaDLQ", ""),
        ("AwsSolutions-IAM5[Resource::*]", "AwsSolutions-IAM5", "Resource::*"),
        ('AwsSolutions-IAM5[Resource::["${A}/*",{"A":[1]}]]', "AwsSolutions-IAM5", 'Resource::["${A}/*",{"A":[1]}]'),
    ],
)
def test_finding_of_cdk_nag_is_distinguished_from_its_rule(said, rule, detail):
    assert nag_finding("nag", {"rule": said, "resource": "Policy"}) == Finding("nag", rule, "Policy", detail)


def test_the_resources_that_cfn_guard_points_at_are_found_at_any_depth():
    check = {"value": {"traversed_to": {"path": "/Resources/LogBucket/Properties", "value": {"path": "not this"}}}}
    report_of_rule = {"Rule": {"checks": [{"Clause": check}, {"from": {"path": "/Resources/Topic"}}, {"path": ""}]}}
    assert sorted(reported_resources(report_of_rule)) == ["LogBucket", "Topic"]
