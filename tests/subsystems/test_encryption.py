"""Encryption: who may use the key, and through what."""

from __future__ import annotations

from datetime import date

import pytest

from imgpipe_templates.checks import check_templates
from imgpipe_templates.config import load_preset
from imgpipe_templates.core.layouts import SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.render.text import to_json
from imgpipe_templates.subsystems.encryption import add_encryption
from tests.templates import resources, said, tags

PRODUCERS = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "s3.amazonaws.com", "events.amazonaws.com"]
NAMES = Names({"DataKeyAlias": "alias/imgpipe-${EnvironmentSuffix}"})
USE = {
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}
OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.fixture
def scope():
    stack = Stack("subject", SingleStack())
    scope = Scope(stack, "encryption", NAMES, standard_tags(project="test", purpose="test", extra={}))
    declare_environment(scope, environment="production", suffix="dev", longest_suffix=20)
    return scope


@pytest.fixture
def key(scope):
    add_encryption(scope, deletion_policy="retain", producers=PRODUCERS)
    return resources(scope)["DataKey"]


@pytest.fixture
def statements(key):
    return {statement["Sid"]: statement for statement in key["Properties"]["KeyPolicy"]["Statement"]}


def test_key_rotates_and_is_kept_with_the_data_it_encrypts(key):
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_a_key_that_is_to_go_goes_after_the_longest_wait(scope):
    add_encryption(scope, deletion_policy="delete", producers=[])

    key = resources(scope)["DataKey"]
    assert (key["DeletionPolicy"], key["Properties"]["PendingWindowInDays"]) == ("Delete", 30)


def test_alias_names_the_environment_and_the_key(scope, key):
    alias = resources(scope)["DataKeyAlias"]["Properties"]
    assert said(alias["AliasName"]) == "alias/imgpipe-${EnvironmentSuffix}"
    assert alias["TargetKeyId"] == {"Ref": "DataKey"}
    assert tags(key["Properties"])["iac-rlhf-amazon"] == "true"


def test_iam_of_this_account_alone_decides_over_the_key(statements):
    decide = statements["LetIamDecide"]
    assert said(decide["Principal"]["AWS"][0]) == "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
    may_change = {sid for sid, statement in statements.items() if "kms:PutKeyPolicy" in statement["Action"]}
    assert may_change == {"LetIamDecide"}


def test_no_principal_is_allowed_more_than_this_kind_of_key_can_do(statements):
    allowed = {action for statement in statements.values() for action in statement["Action"]}
    assert not [action for action in allowed if "*" in action]
    other_keys = {"kms:GenerateMac", "kms:ImportKeyMaterial", "kms:ReplicateKey", "kms:Sign"}
    assert not allowed & other_keys
    locked_out_without = {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"}
    assert locked_out_without < set(statements["LetIamDecide"]["Action"])


def test_no_role_is_named(statements):
    """A role that names the key and is named by it closes a cycle."""
    root = {said(value) for statement in statements.values() for value in statement["Principal"].get("AWS", [])}
    assert root == {"arn:${AWS::Partition}:iam::${AWS::AccountId}:root", "*"}
    assert [sid for sid, statement in statements.items() if "*" in statement["Principal"].get("AWS", [])] == [
        "RefuseGrantsToOthers"
    ]


def test_users_and_roles_decrypt_through_services_only(statements):
    refuse = statements["RefuseUseOutsideOfServices"]
    assert (refuse["Effect"], set(refuse["Action"])) == ("Deny", USE)
    assert refuse["Principal"] == statements["LetIamDecide"]["Principal"]
    assert refuse["Condition"] == {"Null": {"kms:ViaService": "true"}}


def test_grants_are_for_aws_resources_only(statements):
    refuse = statements["RefuseGrantsToOthers"]
    assert (refuse["Effect"], refuse["Action"]) == ("Deny", ["kms:CreateGrant"])
    assert refuse["Condition"] == {
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "kms:GrantIsForAWSResource": "false"}
    }


@pytest.mark.parametrize(
    ("sid", "service"),
    [
        ("AlarmsMayWriteEncrypted", "cloudwatch.amazonaws.com"),
        ("BudgetsMayWriteEncrypted", "budgets.amazonaws.com"),
        ("BucketNotificationsMayWriteEncrypted", "s3.amazonaws.com"),
        ("RulesMayWriteEncrypted", "events.amazonaws.com"),
    ],
)
def test_a_service_that_writes_in_its_own_name_may_do_just_that_for_this_account(statements, sid, service):
    allow = statements[sid]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": [service]})
    assert set(allow["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert allow["Condition"] == OWN_ACCOUNT


def test_logs_of_this_region_use_it_for_log_groups_of_this_account(statements):
    allow = statements["LogsMayUse"]
    assert [said(value) for value in allow["Principal"]["Service"]] == ["logs.${AWS::Region}.${AWS::URLSuffix}"]
    assert set(allow["Action"]) == USE
    ((operator, test),) = allow["Condition"].items()
    assert operator == "StringLike"
    assert {key: said(value) for key, value in test.items()} == {
        "kms:EncryptionContext:aws:logs:arn": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"
    }


def test_every_service_is_held_to_this_account(statements):
    services = [statement for statement in statements.values() if "Service" in statement["Principal"]]
    assert len(services) == 5
    assert all("${AWS::AccountId}" in str(s["Condition"]) or s["Condition"] == OWN_ACCOUNT for s in services)


def test_the_checks_find_nothing(scope):
    add_encryption(scope, deletion_policy="retain", producers=PRODUCERS)

    text = to_json(scope.stack.to_dict("encryption alone"))
    assert check_templates({"encryption": text}, today=date(2026, 11, 20)) == []


@pytest.mark.parametrize(
    ("options", "producers"),
    [
        (["trigger=s3"], {"cloudwatch.amazonaws.com"}),
        (["trigger=s3", "budget=true"], {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}),
        (["trigger=eventbridge"], {"cloudwatch.amazonaws.com", "events.amazonaws.com"}),
        (["trigger=queue", "queue.fed_by=eventbridge"], {"cloudwatch.amazonaws.com", "events.amazonaws.com"}),
        (["trigger=queue", "queue.fed_by=s3"], {"cloudwatch.amazonaws.com", "s3.amazonaws.com"}),
    ],
)
def test_key_lets_in_only_services_that_the_pipeline_makes_write(options, producers):
    config = load_preset("single-bucket", ["customer_managed_key=true", *options])
    key = render_pipeline(config).stacks["pipeline"]["Resources"]["DataKey"]

    services = {
        said(service)
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        for service in statement["Principal"].get("Service", [])
    }
    assert services - {"logs.${AWS::Region}.${AWS::URLSuffix}"} == producers
