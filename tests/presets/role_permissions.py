"""That no statement of a role can be left out: each is taken away, and a call that needs it is denied by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from imgpipe_templates.errors import DeploymentError
from tests.presets.api import Asker, fetch
from tests.presets.pipelines import Pipeline, Template, image, unchanged
from tests.templates import allowed

BROKEN = b"no image"
_LONGEST_SECONDS = 30  # that a delivery may take

# What no call on the engine can show, and why.
NOT_SHOWN = {
    "WriteOwnLogs": "the engine writes logs itself, not with the function's role",
    "UseDataKey": "the engine encrypts nothing, so nothing asks for the key",
    "SendTraces": "the engine traces nothing",
    "AttachToNetwork": "the engine makes no network interfaces",
}
SERVICES_NOT_SHOWN = {"ec2", "kms", "logs", "xray"}
ROLES_NOT_SHOWN = {"BackupRole"}
NOT_SHOWN_OF = {"BackupPolicy": "the engine makes no backups, so nobody takes on the role"}
# A policy may not be empty; everybody may call this anyway.
_HARMLESS = {"Effect": "Allow", "Action": ["sts:GetCallerIdentity"], "Resource": ["*"]}


def statements(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Holder (the logical id of a role or a policy) and Sid of every statement that gives a role a right."""
    for holder, resource in template["Resources"].items():
        for document in _documents(resource):
            yield from ((holder, one["Sid"]) for one in document["Statement"])


def without(holder: str, sid: str) -> Callable[[Template], None]:
    """Take one statement away."""

    def change(template: Template) -> None:
        for document in _documents(template["Resources"][holder]):
            kept = [one for one in document["Statement"] if one["Sid"] != sid]
            assert len(kept) == len(document["Statement"]) - 1
            document["Statement"] = kept or [_HARMLESS]

    return change


def _documents(resource: Template) -> list[Template]:
    if resource["Type"] == "AWS::IAM::Role":
        return [policy["PolicyDocument"] for policy in resource["Properties"].get("Policies", [])]
    if resource["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}:
        return [resource["Properties"]["PolicyDocument"]]
    return []


@dataclass(frozen=True)
class Uploading:
    """An upload makes the call.

    Attributes:
        content: A picture or not.
        is_lost: Whether the image does not come to its end without the right; what cannot be read, or not be reported,
            comes to one.
    """

    role: str
    action: str
    content: bytes
    is_lost: bool = True

    def is_denied(self, pipeline: Pipeline, change: Callable[[Template], None]) -> None:
        before = pipeline.denied()
        pipeline.deploy(change=change)
        name = f"without-{self.action.replace(':', '-')}.jpg"
        end = pipeline.end_of(pipeline.upload(name, self.content))[name]
        assert (end.item is None) == self.is_lost, end
        assert not self.is_lost or f"not authorized to perform: {self.action} " in end.log, end.log
        assert pipeline.denied() - before == {(self.role, self.action)}


@dataclass(frozen=True)
class Creating:
    """The creation of the stack makes the call.

    Attributes:
        fails: Logical id of what cannot be created.
        says: In the reason.
        more: What is changed besides.
    """

    fails: str
    says: str
    more: Callable[[Template], None] = unchanged

    def is_denied(self, pipeline: Pipeline, change: Callable[[Template], None]) -> None:
        other = Pipeline(pipeline.engine, pipeline.preset, "rights-new", ("metadata.deletion_protection=false",))
        with pytest.raises(DeploymentError, match=rf"{self.fails}: CREATE_FAILED: .*{self.says}"):
            other.deploy(change=lambda template: (change(template), self.more(template))[0])


@dataclass(frozen=True)
class Asking:
    """A request to the API makes the call."""

    role: str
    action: str
    path: str

    def is_denied(self, pipeline: Pipeline, change: Callable[[Template], None]) -> None:
        before = pipeline.denied()
        pipeline.deploy(change=change)
        answer = asker_of(pipeline).get(self.path.format(id=some_image(pipeline)))
        assert answer.status == 500
        assert pipeline.denied() - before == {(self.role, self.action)}


@dataclass(frozen=True)
class Following:
    """Whoever follows a link makes the call, with the rights of the role that signed it.

    Attributes:
        link: "thumbnail" or "original".
    """

    role: str
    action: str
    link: str

    def is_denied(self, pipeline: Pipeline, change: Callable[[Template], None]) -> None:
        before = pipeline.denied()
        pipeline.deploy(change=change)
        found = asker_of(pipeline).get(f"/images/{some_image(pipeline)}").body
        link = found["Original"] if self.link == "original" else found["Thumbnails"][0]
        assert fetch(link["Url"]).status == 403
        assert pipeline.denied() - before == {(self.role, self.action)}


Way = Uploading | Creating | Asking | Following
Ways = Mapping[tuple[str, str], Way]
_ASKERS: dict[str, Asker] = {}


def asker_of(pipeline: Pipeline) -> Asker:
    """One asker per pipeline."""
    if pipeline.name not in _ASKERS:
        _ASKERS[pipeline.name] = Asker.of(pipeline)
    return _ASKERS[pipeline.name]


def some_image(pipeline: Pipeline) -> str:
    """The id of an image that is processed."""
    return next(str(item["ImageId"]) for item in pipeline.items().values() if item["Status"] == "processed")


def processors_ways(holder: str, thumbnails: str | None) -> dict[tuple[str, str], Way]:
    """What every processor does.

    Args:
        holder: Where its rights stand.
        thumbnails: Logical id of the bucket that takes thumbnails.
    """
    role = "ImageProcessorRole"
    ways: dict[tuple[str, str], Way] = {
        (holder, "ReadSourceBucketObjects"): Uploading(role, "s3:GetObjectVersion", image(), is_lost=False),
        (holder, "KeepItemsInImageMetadataTable"): Uploading(role, "dynamodb:PutItem", image()),
        (holder, "SendToProcessorDeadLetterQueue"): Creating("ImageProcessorFunction", "SendMessage on SQS"),
    }
    if thumbnails:
        ways[holder, f"Write{thumbnails}Objects"] = Uploading(role, "s3:PutObject", image())
    return ways


def retrievals_ways(holder: str, callers: str) -> dict[tuple[str, str], Way]:
    """What the API and its function do.

    Args:
        holder: Where the function's rights stand.
        callers: Where those of the API stand.
    """
    role = "ImageRetrievalRole"
    return {
        (holder, "GetItemsOfImageMetadataTable"): Asking(role, "dynamodb:GetItem", "/images/{id}"),
        (holder, "QueryImageMetadataTable"): Asking(role, "dynamodb:Query", "/images"),
        (holder, "ShowThumbnailBucketObjects"): Following(role, "s3:GetObject", "thumbnail"),
        (holder, "ShowSourceBucketVersions"): Following(role, "s3:GetObjectVersion", "original"),
        (callers, "InvokeFunction"): Asking("ImageApiRole", "lambda:InvokeFunction", "/images"),
    }


def reporters_way(holder: str) -> dict[tuple[str, str], Way]:
    """What a processor that reports does besides."""
    way = Uploading("ImageProcessorRole", "sns:Publish", BROKEN, is_lost=False)
    return {(holder, "PublishToProcessingNotificationTopic"): way}


def not_covered(pipeline: Pipeline, ways: Ways) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Statements that have neither a way nor a reason, and ways without a statement."""
    present = set(statements(pipeline.rendered().stacks["pipeline"]))
    excused = {(holder, sid) for holder, sid in present if sid in NOT_SHOWN or holder in NOT_SHOWN_OF}
    return present - excused - set(ways), set(ways) - present


def _upload_again(pipeline: Pipeline, name: str) -> None:
    """Upload the same content once more, and wait until the function has found the item that is there."""
    version = pipeline.upload(name, image()).version
    latest = time.monotonic() + _LONGEST_SECONDS
    while [one.state for one in pipeline.engine.deliveries() if version in one.objects] != ["succeeded"] * 2:
        assert time.monotonic() < latest, "no second delivery"
        time.sleep(0.05)


def never_called(pipeline: Pipeline) -> set[tuple[str, str]]:
    """Role and action of every right that is granted and, when all that there is to do has been done, was not used.

    What no call on the engine can show is left out.
    """
    pipeline.deploy()
    pipeline.process("used.jpg")
    pipeline.process("unused.jpg", BROKEN)
    suspended = {"Status": "Suspended"}
    pipeline.clients.s3.put_bucket_versioning(Bucket=pipeline.id_of("SourceBucket"), VersioningConfiguration=suspended)
    pipeline.process("without-version.jpg")
    _upload_again(pipeline, "without-version.jpg")
    if "ImageApi" in pipeline.template["Resources"]:
        asker = asker_of(pipeline)
        shown = [asker.get(f"/images/{some_image(pipeline)}").body, *asker.get("/images").body["images"]]
        links = [link["Url"] for one in shown for link in (one["Original"], *one["Thumbnails"])]
        assert {fetch(link).status for link in links} == {200}
    names = pipeline.roles()
    called = {(names[call.role], call.action) for call in pipeline.engine.calls() if call.role in names}
    granted = {
        (role, action)
        for role in names.values()
        if role not in ROLES_NOT_SHOWN
        for action, _resource in allowed(pipeline.template, role)
        if action.partition(":")[0] not in SERVICES_NOT_SHOWN
    }
    return granted - called
