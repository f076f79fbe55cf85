"""Suppressions: how one is stated, and what the presets state."""

from __future__ import annotations

import pytest
from troposphere import GetAtt, Sub, s3

from imgpipe_templates import load_preset
from imgpipe_templates.config import PRESETS
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.suppressions import BLOCK, SHORTEST_REASON, Suppression, scanner_of, suppress
from tests.templates import rendered

REASON = "A reason that a reviewer can check"


def metadata(*suppressions):
    bucket = s3.Bucket("SourceBucket")
    suppress(bucket, *suppressions)
    return bucket.to_dict()["Metadata"]


def test_each_scanner_has_suppressions_in_its_format():
    rules = ("AwsSolutions-S1", "CKV_AWS_18", "I3011", "CT.S3.PR.2")
    stated = metadata(Suppression(rules, ("LoggingConfiguration",), REASON))

    assert stated == {
        "Suppressions": [{"rules": list(rules), "applies_to": ["LoggingConfiguration"], "reason": REASON}],
        "cdk_nag": {"rules_to_suppress": [{"id": "AwsSolutions-S1", "reason": REASON}]},
        "checkov": {"skip": [{"id": "CKV_AWS_18", "comment": REASON}]},
        "cfn-lint": {"config": {"ignore_checks": ["I3011"]}},
        "guard": {"SuppressedRules": ["CT.S3.PR.2"]},
    }


def test_only_the_findings_that_are_named_are_suppressed():
    stated = metadata(Suppression(("AwsSolutions-IAM5",), ("Resource::<SourceBucket.Arn>/*", "Statement"), REASON))

    (entry,) = stated["cdk_nag"]["rules_to_suppress"]
    assert entry["applies_to"] == ["Resource::<SourceBucket.Arn>/*"]


def test_what_is_stated_twice_adds_up():
    bucket = s3.Bucket("SourceBucket", Metadata={"Owner": "someone"})
    suppress(bucket, Suppression(("CKV_AWS_18",), ("LoggingConfiguration",), REASON))
    suppress(bucket, Suppression(("CKV_AWS_21",), ("VersioningConfiguration",), REASON))

    stated = bucket.to_dict()["Metadata"]
    assert [entry["id"] for entry in stated["checkov"]["skip"]] == ["CKV_AWS_18", "CKV_AWS_21"]
    assert (len(stated[BLOCK]), stated["Owner"]) == (2, "someone")


@pytest.mark.parametrize(
    "suppression",
    [
        Suppression((), ("LoggingConfiguration",), REASON),
        Suppression(("CKV_AWS_18",), (), REASON),
        Suppression(("CKV_AWS_18",), ("LoggingConfiguration",), "because"),
        Suppression(("made-up",), ("LoggingConfiguration",), REASON),
    ],
)
def test_what_says_too_little_is_no_suppression(suppression):
    with pytest.raises(ValueError, match="expected"):
        metadata(suppression)


@pytest.fixture(scope="module")
def production():
    return rendered(load_preset("production"))["Resources"]


def stated(resources):
    """Every suppression of a template, with the resource that states it."""
    return [(title, entry) for title, one in resources.items() for entry in one.get("Metadata", {}).get(BLOCK, ())]


def test_production_accepts_at_most_thirty_findings_each_with_rules_scope_and_reason(production):
    entries = stated(production)

    assert 0 < len(entries) <= 30
    for _, entry in entries:
        assert entry.keys() == {"rules", "applies_to", "reason"}
        assert entry["rules"]
        assert entry["applies_to"]
        assert len(entry["reason"]) >= SHORTEST_REASON
    assert len({(title, *entry["rules"], *entry["applies_to"]) for title, entry in entries}) == len(entries)


def test_every_scanner_entry_comes_from_a_suppression(production):
    for resource in production.values():
        metadata = resource.get("Metadata", {})
        listed = {rule["id"] for rule in metadata.get("cdk_nag", {}).get("rules_to_suppress", ())}
        listed |= {rule["id"] for rule in metadata.get("checkov", {}).get("skip", ())}
        listed |= set(metadata.get("cfn-lint", {}).get("config", {}).get("ignore_checks", ()))
        for scanner in ("guard", "parliament", "policy_sentry"):
            listed |= set(metadata.get(scanner, {}).get("SuppressedRules", ()))
        assert listed == {rule for entry in metadata.get(BLOCK, ()) for rule in entry["rules"]}


def test_reasons_name_only_what_production_has(production):
    named = {"UploadQueue", "ProcessorDeadLetterQueue", "DeadLetterQueueAlarm", "BackupVault"}
    reasons = " ".join(entry["reason"] for _, entry in stated(production))

    assert {title for title in named if title in reasons} == named <= production.keys()


def test_wildcards_are_accepted_by_exact_findings_of_their_own_policy(production):
    for title, entry in stated(production):
        if entry["rules"] == ["AwsSolutions-IAM5"]:
            document = production[title]["Properties"]["PolicyDocument"]
            used = {accepted_name(on) for one in document["Statement"] for on in one["Resource"]}
            assert set(entry["applies_to"]) <= used


def accepted_name(resource):
    match resource:
        case {"Fn::Sub": str(text)}:
            return "Resource::" + text.replace("${", "<").replace("}", ">")
        case {"Fn::GetAtt": [title, attribute]}:
            return f"Resource::<{title}.{attribute}>"
        case _:
            return f"Resource::{resource}"


@pytest.mark.parametrize("preset", [name for name in PRESETS.names if name != "production"])
def test_other_presets_accept_only_what_the_scanners_rank_as_grave(preset):
    entries = stated(rendered(load_preset(preset))["Resources"])

    assert {tuple(entry["rules"]) for _, entry in entries} <= {("CT.LAMBDA.PR.2",)}


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("processing.reserved_concurrency=10", "CKV_AWS_115"),
        ("vpc=true", "CKV_AWS_117"),
    ],
)
def test_what_is_done_is_not_accepted_as_missing(option, rule):
    resources = rendered(load_preset("production", [option]))["Resources"]

    rules = {one for entry in resources["ImageProcessorFunction"]["Metadata"][BLOCK] for one in entry["rules"]}
    assert rule not in rules


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("*", "Resource::*"),
        (Sub("${SourceBucket.Arn}/*"), "Resource::<SourceBucket.Arn>/*"),
        (GetAtt("ImageApiLogGroup", "Arn"), "Resource::<ImageApiLogGroup.Arn>"),
        (Sub("${BucketArn}/*", BucketArn=GetAtt("SourceBucket", "Arn")), ""),
    ],
)
def test_a_finding_is_named_as_cdk_nag_names_it(resource, name):
    assert accepted.finding(resource) == name


def test_rules_are_distinguished_by_the_prefix_of_their_id():
    assert scanner_of("PCI.DSS.321-IAMNoInlinePolicy") == "cdk_nag"
    assert scanner_of("CKV2_AWS_5") == "checkov"
    with pytest.raises(ValueError, match="no rule of a known scanner"):
        scanner_of("F1000")
