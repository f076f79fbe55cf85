"""The other two layouts on the engine: a root with nested stacks, and stacks that import from each other."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from imgpipe_templates import load_preset, render_pipeline, to_json
from imgpipe_templates.deployment.plan import Deployment, FunctionPackage
from imgpipe_templates.deployment.stacks import delete_stack, deploy, resource_ids
from imgpipe_templates.local.engine import Engine
from tests.engine import QUICK
from tests.presets.pipelines import Pipeline, package

WHOLE = ("deletion_policy=delete", "metadata.deletion_protection=false")


@dataclass
class Layered(Pipeline):
    """A preset in a layout of several stacks."""

    layout: str = "nested"

    def create(self) -> None:
        """Create every stack, in the order of the manifest."""
        rendered = render_pipeline(load_preset(self.preset, list(self.overrides)), self.layout)
        nested_templates = {f"{name}.template.json": to_json(template) for name, template in rendered.stacks.items()}
        for name in rendered.deploy_order:
            declared = rendered.stacks[name]["Parameters"]
            known = {"EnvironmentSuffix": self.suffix, "SourceBucketName": f"uploads-{self.suffix}"}
            packages = [
                FunctionPackage(one.package, one.key_parameter, package(one.package))
                for one in rendered.functions
                if one.key_parameter in declared
            ]
            deployment = Deployment(
                stack_name=f"{self.name}-{name}",
                template=to_json(rendered.stacks[name]),
                parameters={key: value for key, value in known.items() if key in declared},
                capabilities=("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
                packages=tuple(packages),
                nested_templates=nested_templates if name == "root" else {},
            )
            deploy(self.clients, deployment, artifact_bucket=self.artifacts, pace=QUICK)
        self.stacks = [f"{self.name}-{name}" for name in rendered.deploy_order]

    def ids(self) -> dict[str, str]:
        """Physical id of every resource of every stack."""
        found: dict[str, str] = {}
        for stack in self.stacks:
            found |= resource_ids(self.clients, stack)
        for nested in [one for one in found.values() if one.startswith("arn:aws:cloudformation:")]:
            found |= resource_ids(self.clients, nested)
        return found

    def remove(self) -> None:
        """Delete every stack, the readers first."""
        for stack in reversed(self.stacks):
            delete_stack(self.clients, stack, empty_buckets=True, pace=QUICK)


@pytest.mark.parametrize("layout", ["nested", "exports"])
@pytest.mark.parametrize("preset", ["single-bucket", "production"])
def test_a_pipeline_of_several_stacks_does_what_that_of_one_does(engine: Engine, preset: str, layout: str):
    pipeline = Layered(engine, preset, layout, WHOLE, layout=layout)
    pipeline.create()
    single = dataclasses.replace(pipeline).rendered().stacks["pipeline"]["Resources"]

    item = pipeline.process("layered.jpg")

    assert item["Status"] == "processed"
    made = {title for title, one in pipeline.ids().items() if not one.startswith("arn:aws:cloudformation:")}
    assert made == {title for title, one in single.items() if one.get("Condition") in {None, "RegionHasBudgets"}}
    roles = [role for title, role in pipeline.ids().items() if single.get(title, {}).get("Type") == "AWS::IAM::Role"]
    assert [call for call in engine.calls() if call.role in roles and not call.is_allowed] == []
    pipeline.remove()
    assert pipeline.clients.s3.list_buckets(Prefix=f"image-storage-bucket-{pipeline.suffix}")["Buckets"] == []
