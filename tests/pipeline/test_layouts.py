"""Every preset in every layout: the same pipeline in different stacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from imgpipe_templates import load_preset, render_pipeline
from imgpipe_templates.config import PRESETS
from imgpipe_templates.core.layouts import SingleStack
from imgpipe_templates.core.stack import Stack
from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.library import _deploy_order
from tests.templates import of_type, tags, waits_for

APART = ["nested", "exports"]


@pytest.fixture(scope="module", params=PRESETS.names)
def preset(request) -> str:
    return request.param


def rendered(preset: str, layout: str):
    return render_pipeline(load_preset(preset), layout)


def imports(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "Fn::ImportValue" in value:
            yield value["Fn::ImportValue"]["Fn::Sub"]
        for item in value.values():
            yield from imports(item)
    elif isinstance(value, list):
        for item in value:
            yield from imports(item)


@pytest.mark.parametrize("layout", APART)
def test_the_same_resources_under_the_same_ids_of_the_same_types(preset, layout):
    single = rendered(preset, "single").stacks["pipeline"]["Resources"]
    apart = rendered(preset, layout).stacks

    found = [
        (title, resource["Type"])
        for name, template in apart.items()
        if name != "root"
        for title, resource in template["Resources"].items()
    ]
    assert sorted(found) == sorted((title, resource["Type"]) for title, resource in single.items())


@pytest.mark.parametrize("layout", APART)
def test_properties_differ_in_references_only(preset, layout):
    """With every reference taken for the same, the resources are equal; an earlier stack is no DependsOn."""
    single = rendered(preset, "single").stacks["pipeline"]["Resources"]
    for name, template in rendered(preset, layout).stacks.items():
        for title, resource in template["Resources"].items() if name != "root" else ():
            alone = dict(single[title])
            if "DependsOn" in alone:
                alone["DependsOn"] = [each for each in alone["DependsOn"] if each in template["Resources"]]
            assert blurred(resource) == blurred(alone), f"{name}: {title}"


def blurred(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::Sub", "Fn::Split"}:
            return "a reference"
        # Metadata says scopes of suppressed findings as text, in which references look like other text.
        return {key: blurred(item) for key, item in value.items() if key != "Metadata"}
    return [blurred(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("layout", APART)
def test_no_stack_refers_to_what_it_does_not_have(preset, layout):
    for name, template in rendered(preset, layout).stacks.items():
        known = {*template["Resources"], *template.get("Parameters", {}), *template.get("Conditions", {})}
        for title, resource in template["Resources"].items():
            strangers = {each for each in waits_for(resource) if "::" not in each} - known
            # A Sub with own values names them, and a dashboard's text has local names.
            assert not {each for each in strangers if f"${{{each}" not in str(resource)}, f"{name}: {title}"


def test_every_import_has_its_export_and_is_deployed_later(preset):
    pipeline = rendered(preset, "exports")
    exported: set[str] = set()
    for name in pipeline.deploy_order:
        template = pipeline.stacks[name]
        assert set(imports(template["Resources"])) <= exported, name
        exported |= {output["Export"]["Name"]["Fn::Sub"] for output in template.get("Outputs", {}).values()}
    assert exported


@pytest.mark.parametrize("layout", APART)
def test_every_output_is_used(preset, layout):
    """An output is for an operator, and then described, or it is read by another stack."""
    stacks = rendered(preset, layout).stacks
    read = {text for template in stacks.values() for text in imports(template["Resources"])}
    root = str(stacks.get("root", {}).get("Resources"))
    for name, template in stacks.items():
        for title, output in template.get("Outputs", {}).items():
            by_import = "Export" in output and output["Export"]["Name"].get("Fn::Sub") in read
            assert "Description" in output or by_import or f"Outputs.{title}'" in root, f"{name}: {title}"


def test_the_root_fills_every_parameter_of_its_children_and_is_tagged(preset):
    stacks = rendered(preset, "nested").stacks
    children = of_type(stacks["root"], "AWS::CloudFormation::Stack")
    assert len(children) == len(stacks) - 1
    for properties in children.values():
        child = properties["TemplateURL"].removesuffix(".template.json")
        assert set(properties["Parameters"]) == set(stacks[child]["Parameters"])
        assert tags(properties)["iac-rlhf-amazon"] == "true"


def test_the_root_has_the_outputs_and_exports_of_the_single_stack(preset):
    single = rendered(preset, "single").stacks["pipeline"]["Outputs"]
    root = rendered(preset, "nested").stacks["root"]["Outputs"]

    assert {title: output["Export"] for title, output in root.items()} == {
        title: output["Export"] for title, output in single.items()
    }


def test_the_root_asks_an_operator_for_the_same_values(preset):
    single = rendered(preset, "single").stacks["pipeline"]["Parameters"]

    assert rendered(preset, "nested").stacks["root"]["Parameters"] == single


def test_exports_of_two_suffixes_and_of_two_pipelines_never_meet(preset):
    for template in rendered(preset, "exports").stacks.values():
        for output in template.get("Outputs", {}).values():
            assert re.match(rf"{preset}-\$\{{EnvironmentSuffix\}}-", output["Export"]["Name"]["Fn::Sub"])


def test_stacks_that_wait_for_each_other_are_refused_with_the_path():
    first, second = Stack("first", SingleStack()), Stack("second", SingleStack())
    first.reads_from.add("second")
    second.reads_from.add("first")

    with pytest.raises(TemplateConflictError, match=r"-> .* -> .*: stacks wait for each other"):
        _deploy_order({"first": first, "second": second})
