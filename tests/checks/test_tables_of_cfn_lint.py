"""Tables of the checks compared with the data of the pinned cfn-lint; a new version shows its changes here."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import cfnlint
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import REGIONS, get_cache_dir, load_resource
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from imgpipe_templates.checks.cfnlint_runner import DATED_RULES
from imgpipe_templates.checks.facts import template
from imgpipe_templates.checks.facts.lambda_runtimes import DEPRECATED_ON
from imgpipe_templates.checks.facts.tag_properties import TAGGABLE
from imgpipe_templates.checks.rules import hard_coded_values
from imgpipe_templates.checks.rules.physical_names import NAMES
from imgpipe_templates.checks.rules.stored_data import STATEFUL_TYPES
from imgpipe_templates.checks.rules.wildcard_permissions import CONDITION_KEYS, OPTIONAL_RESOURCES
from imgpipe_templates.checks.template_validation import _downloaded_schemas

SPELLING = {"array": "list", "object": "map"}


def test_taggable_types_are_those_of_the_resource_schemas():
    services = {name.split("::")[1] for name in TAGGABLE}
    found = {}
    for name in PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1"):
        owner, service, *_ = name.split("::")
        if owner == "AWS" and service in services:
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name).schema
            path = schema.get("tagging", {}).get("tagProperty", "").split("/")[2:]
            if schema.get("tagging", {}).get("taggable") and len(path) == 1:  # EC2 reservations tag another resource
                found[name] = (path[0], SPELLING[type_of(schema, schema["properties"][path[0]])])

    assert found == TAGGABLE


def type_of(schema, definition):
    while "$ref" in definition:
        target = schema
        for key in definition["$ref"].split("/")[1:]:
            target = target[key]
        definition = target
    return definition["type"]


def test_stateful_types_are_those_of_cfn_lint_except_nested_stacks():
    expected = set(load_resource(AdditionalSpecs, "StatefulResources.json")["ResourceTypes"])

    assert expected - {"AWS::CloudFormation::Stack"} == STATEFUL_TYPES


def test_deprecation_dates_are_those_of_cfn_lint():
    expected = load_resource(AdditionalSpecs, "LmbdRuntimeLifecycle.json")

    assert {name: date.fromisoformat(dates["deprecated"]) for name, dates in expected.items()} == DEPRECATED_ON


def test_actions_with_a_wildcard_resource_are_in_the_reference():
    services = load_resource(AdditionalSpecs, "Policies.json")

    for action in (*CONDITION_KEYS, *OPTIONAL_RESOURCES):
        service, _, name = action.partition(":")
        assert name.lower() in services[service]["Actions"]
    # Review OPTIONAL_RESOURCES if the reference removes the dataset or lists other resources.
    assert services["cloudwatch"]["Actions"]["getmetricdata"] == {"Resources": ["dataset"]}


def test_dated_rules_are_those_of_cfn_lint_that_read_the_date():
    dated = set()
    for path in (Path(cfnlint.__file__).parent / "rules").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\b(today|now|utcnow|time)\(\)", text) and path.name != "_rule.py":
            dated |= set(re.findall(r'^    id = "(\w+)"', text, re.MULTILINE))

    assert set(DATED_RULES) == dated


def test_base_class_of_cfn_lint_uses_the_clock_for_logging_only():
    text = (Path(cfnlint.__file__).parent / "rules" / "_rule.py").read_text(encoding="utf-8")

    assert {"start = datetime.now()", "datetime.now(),", "datetime.now() - start,"} == {
        line.strip() for line in text.splitlines() if "datetime.now()" in line
    }


def test_folder_of_downloaded_schemas_is_that_of_cfn_lint(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _downloaded_schemas() == ""

    folder = Path(get_cache_dir())
    folder.mkdir(parents=True)
    (folder / "version.json").write_text("{}")

    assert _downloaded_schemas() != ""


def test_maximum_name_lengths_are_those_of_the_resource_schemas():
    for kind, (key, maximum) in NAMES.items():
        length = (
            PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["properties"][key].get("maxLength")
        )
        if maximum is not None and length is not None and kind != "AWS::DynamoDB::Table":
            assert maximum == length, kind


def test_every_region_is_recognised():
    assert [region for region in REGIONS if not hard_coded_values._REGION.fullmatch(region)] == []


def test_arns_have_the_formats_of_the_service_authorization_reference():
    services = load_resource(AdditionalSpecs, "Policies.json")

    for kind, naming in template._NAMING.items():
        arn = naming.arn.replace("AWS::AccountId", "Account").replace("AWS::", "") % "name"
        service = arn.split(":")[2]
        forms = [form for entry in services[service]["Resources"].values() for form in entry["ARNFormats"]]
        patterns = [re.escape(form).replace(re.escape(".*"), ".*") for form in forms]
        assert any(re.fullmatch(pattern, arn) for pattern in patterns), kind
