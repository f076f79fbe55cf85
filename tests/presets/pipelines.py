"""Presets on the engine of the test process: deployed with their real packages, fed, asked and changed."""

from __future__ import annotations

import atexit
import functools
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from imgpipe_templates import load_preset, render_pipeline
from imgpipe_templates.deployment.artifacts import ensure_bucket
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.plan import DeployedStack, Deployment, FunctionPackage, Retained
from imgpipe_templates.deployment.stacks import delete_stack, deploy, resource_ids
from imgpipe_templates.local.deliveries import ObjectVersion
from imgpipe_templates.local.engine import Engine
from imgpipe_templates.local.inputs import SourceFile
from imgpipe_templates.local.interpreters import find_interpreter
from imgpipe_templates.local.results import Item, plain_item
from imgpipe_templates.local.settling import Settled, Upload, settle
from imgpipe_templates.packaging import Target, build_package
from imgpipe_templates.render.manifest import RenderedPipeline
from tests.engine import QUICK, RUNTIME

ACCOUNT, REGION = "123456789012", "us-east-1"
USER = "ada"  # the first folder of every key
Template = dict[str, Any]
Change = Callable[[Template], None]


@functools.cache
def package(function: str) -> Path:
    """A function's package for this machine, built once in a test process."""
    folder = Path(tempfile.mkdtemp(prefix="packages-of-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build_package(function, Target.of_interpreter(str(find_interpreter(RUNTIME).path)), folder).path


@functools.cache
def image(kind: str = "JPEG", size: tuple[int, int] = (120, 80)) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def unchanged(_template: Template) -> None:
    """Deploy what is rendered."""


@dataclass
class Pipeline:
    """A preset, deployed under a suffix of its own.

    Attributes:
        stage: What tells several deployments of the preset apart.
        overrides: Of the preset, as `--set` takes them.
        template: As last deployed.
    """

    engine: Engine
    preset: str
    stage: str
    overrides: tuple[str, ...] = ()
    account: str = ACCOUNT
    region: str = REGION
    template: Template = field(default_factory=dict)

    @functools.cached_property
    def clients(self) -> Clients:
        """Of the root of the pipeline's account."""
        clients = Clients(self.engine.session(self.account, region=self.region), self.engine.endpoint_url)
        ensure_bucket(clients, self.artifacts)
        return clients

    @property
    def name(self) -> str:
        """Of the stack."""
        return f"{self.preset}-{self.stage}"

    @property
    def suffix(self) -> str:
        """Ends every name; another for every preset."""
        return f"{self.stage}-{self.preset[0]}"

    @property
    def artifacts(self) -> str:
        """The bucket of the packages."""
        return f"artifacts-{self.account}-{self.region}"

    def client(self, service: str) -> Any:
        """A boto3 client of the root of the pipeline's account."""
        return self.clients.session.client(service, endpoint_url=self.engine.endpoint_url)

    def rendered(self, *overrides: str) -> RenderedPipeline:
        """What is rendered of the preset."""
        return render_pipeline(load_preset(self.preset, [*self.overrides, *overrides]))

    def deploy(self, *overrides: str, change: Change = unchanged, **parameters: str) -> DeployedStack:
        """Create the stack, or update it to other overrides, a changed template or other parameters."""
        rendered = self.rendered(*overrides)
        template = json.loads(json.dumps(dict(rendered.stacks["pipeline"])))
        change(template)
        known = {"EnvironmentSuffix": self.suffix, "SourceBucketName": f"uploads-{self.suffix}-{self.account}"}
        deployment = Deployment(
            stack_name=self.name,
            template=json.dumps(template),
            parameters={key: value for key, value in known.items() if key in template["Parameters"]} | parameters,
            capabilities=("CAPABILITY_NAMED_IAM",),
            packages=tuple(
                FunctionPackage(one.package, one.key_parameter, package(one.package)) for one in rendered.functions
            ),
        )
        stack = deploy(self.clients, deployment, artifact_bucket=self.artifacts, pace=QUICK)
        self.template = template
        return stack

    def delete(self, *, empty_buckets: bool) -> tuple[Retained, ...]:
        """Delete the stack."""
        return delete_stack(self.clients, self.name, empty_buckets=empty_buckets, pace=QUICK)

    def status(self) -> str:
        """Of the stack."""
        return str(self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

    def ids(self) -> dict[str, str]:
        """Physical id of every resource by its logical id."""
        return resource_ids(self.clients, self.name)

    def id_of(self, logical_id: str) -> str:
        """Physical id of a resource."""
        return self.ids()[logical_id]

    def key_of(self, name: str) -> str:
        """The object key under which the pipeline expects a file."""
        return f"{load_preset(self.preset, list(self.overrides)).uploads.prefix}{USER}/{name}"

    def upload(self, name: str, content: bytes) -> Upload:
        """Put a file where the pipeline expects it."""
        bucket, key = self.id_of("SourceBucket"), self.key_of(name)
        answer = self.clients.s3.put_object(Bucket=bucket, Key=key, Body=content)
        return Upload(SourceFile(Path(name), name), ObjectVersion.of(bucket, key, answer.get("VersionId")))

    def end_of(self, *uploads: Upload) -> dict[str, Settled]:
        """How uploads ended, by the names of their files."""
        return {
            end.upload.file.key: end for end in settle(uploads, self.engine.deliveries, self.items, event_seconds=5)
        }

    def process(self, name: str, content: bytes | None = None) -> Item:
        """Upload a file and wait for its item."""
        end = self.end_of(self.upload(name, image() if content is None else content))[name]
        assert end.item is not None, f"{end.reason}\n{end.log}"
        return end.item

    def lose(self, name: str) -> Settled:
        """Upload a file and wait until it is lost."""
        end = self.end_of(self.upload(name, image()))[name]
        assert end.item is None, end.item
        return end

    def items(self) -> dict[ObjectVersion, Item]:
        """Every item of the metadata table by the object that it describes."""
        found = {}
        for typed in self.client("dynamodb").scan(TableName=self.id_of("ImageMetadataTable"))["Items"]:
            item = plain_item(typed)
            found[ObjectVersion.of(item["BucketName"], item["ObjectKey"], item.get("VersionId"))] = item
        return found

    def download(self, bucket: str, key: str) -> bytes:
        """An object, read as root."""
        content: bytes = self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def denied(self) -> set[tuple[str, str]]:
        """Role (by logical id) and action of every call that was denied to a role of the stack."""
        roles = self.roles()
        return {
            (roles[call.role], call.action)
            for call in self.engine.calls()
            if call.role in roles and not call.is_allowed
        }

    def roles(self) -> dict[str, str]:
        """Logical id of every role by its name."""
        kinds = {title for title, one in self.template["Resources"].items() if one["Type"] == "AWS::IAM::Role"}
        return {name: title for title, name in self.ids().items() if title in kinds}
