"""Handles: typed addresses of resources, readable from any stack.

A handle knows the stack its resource lives in (`home`) and the stack that is reading it (`viewer`).
At home its properties are what the template says there; elsewhere they go through the viewer's link (an export, a
parameter of a nested stack), which makes the output only when somebody really reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from troposphere import AWSObject, GetAtt, Join, Ref, Split, Sub

from imgpipe_templates.arguments import checked
from imgpipe_templates.core.naming import Value, arn_text, substituted
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.records import record

if TYPE_CHECKING:  # a handle takes resources of these, and makes none
    from troposphere import apigatewayv2, awslambda, dynamodb, iam, kms, s3, sns, sqs

T = TypeVar("T")


@record
class Handle:
    """The address of one resource. Each kind of resource that crosses a subsystem border has its own class."""

    home: Stack
    viewer: Stack
    title: str
    local: Mapping[str, Value]

    # What `Ref` and which attributes the kind offers, by the name under which they are read.
    ref: ClassVar[str]
    attributes: ClassVar[tuple[str, ...]]

    @classmethod
    def _of(cls, scope: Scope, resource: AWSObject) -> Self:
        scope.add(resource)
        local: dict[str, Value] = {cls.ref: Ref(resource)}
        local.update({name: GetAtt(resource, name) for name in cls.attributes})
        return cls(scope.stack, scope.stack, str(resource.title), local)

    def _read(self, attribute: str) -> Value:
        value = self.local[attribute]
        if self.viewer is self.home:
            return value
        self.viewer.reads_from.add(self.home.name)
        # `ProcessorDeadLetterQueue` and `QueueName`: once is enough.
        kind = type(self).__name__
        told = attribute.removeprefix(kind) if self.title.endswith(kind) else attribute
        return self.viewer.layout.link(self.home, self.viewer, self.title + told, value)


class _Addressed(Handle):
    """What has an ARN and a name of its own."""

    # Under which of its values the name is kept.
    named_by: ClassVar[str] = "Name"

    @property
    def arn(self) -> Value:
        """Its ARN; of a function without a version, of a table without its indexes."""
        return self._read("Arn")

    @property
    def name(self) -> Value:
        """Its name, as other resources and CloudWatch's dimensions want it."""
        return self._read(self.named_by)


class Bucket(_Addressed):
    """An S3 bucket."""

    ref = "Name"
    attributes = ("Arn",)

    @classmethod
    @checked(scope=Scope, resource=AWSObject)
    def of(cls, scope: Scope, resource: s3.Bucket) -> Self:
        """Add `resource` and return its handle.

        Raises:
            ArgumentError: An argument has a wrong type.
        """
        return cls._of(scope, resource)

    @classmethod
    def by_name(cls, scope: Scope, resource: s3.Bucket) -> Self:
        """Add `resource` and return a handle that reads its known name and never the resource itself.

        For a bucket that waits for resources which name it: a reference back to it would be a cycle.
        """
        scope.add(resource)
        name = scope.names.text(str(resource.title))
        arn = arn_text("s3", name, region="", account="")
        local = {"Name": substituted(name), "Arn": substituted(arn)}
        return cls(scope.stack, scope.stack, str(resource.title), local)

    def objects_arn(self, prefix: str = "") -> Value:
        """The ARN pattern of the objects whose keys start with `prefix`."""
        arn = self.arn
        if isinstance(arn, Sub):  # a Sub cannot stand inside another: continue its text
            return Sub(f"{arn.data['Fn::Sub']}/{prefix}*")
        if isinstance(arn, GetAtt) and self.viewer is self.home:
            return Sub(f"${{{self.title}.Arn}}/{prefix}*")
        return Sub(f"${{BucketArn}}/{prefix}*", BucketArn=arn)


class Function(_Addressed):
    """A Lambda function, with the role that it runs with."""

    ref = "Name"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: awslambda.Function, role: iam.Role) -> Self:
        """Add `resource` and return its handle; `role` is in the template already."""
        handle = cls._of(scope, resource)
        return dataclasses.replace(handle, local={**handle.local, "RoleName": Ref(role)})

    @property
    def role_name(self) -> Value:
        """The name of its role, for a permission that only somebody downstream can name."""
        return self._read("RoleName")


class Table(_Addressed):
    """A DynamoDB table."""

    ref = "Name"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: dynamodb.Table) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)

    def index_arn(self, index: str) -> Value:
        """The ARN of one of its indexes."""
        if self.viewer is self.home:
            return Sub(f"${{{self.title}.Arn}}/index/{index}")
        return Sub(f"${{TableArn}}/index/{index}", TableArn=self.arn)


class Topic(_Addressed):
    """An SNS topic."""

    ref = "Arn"
    attributes = ("TopicName",)
    named_by = "TopicName"

    @classmethod
    def of(cls, scope: Scope, resource: sns.Topic) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)


class Queue(_Addressed):
    """An SQS queue."""

    ref = "Url"
    attributes = ("Arn", "QueueName")
    named_by = "QueueName"

    @classmethod
    def of(cls, scope: Scope, resource: sqs.Queue) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)


class Key(Handle):
    """A KMS key."""

    ref = "Id"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: kms.Key) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)

    @property
    def arn(self) -> Value:
        """The key's ARN."""
        return self._read("Arn")


class HttpApi(Handle):
    """An API Gateway HTTP API."""

    ref = "Id"
    attributes = ("ApiEndpoint",)

    @classmethod
    def of(cls, scope: Scope, resource: apigatewayv2.Api) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)

    @property
    def id(self) -> Value:
        """The API's id, as CloudWatch's dimension `ApiId` wants it."""
        return self._read("Id")

    @property
    def endpoint(self) -> Value:
        """The API's address, without a path."""
        return self._read("ApiEndpoint")


class NetworkPlace(Handle):
    """Where functions stand in a VPC: private subnets and one security group."""

    ref = "SecurityGroupId"
    attributes = ()

    @classmethod
    def of(cls, scope: Scope, title: str, *, security_group: Value, subnets: Sequence[Value] | Ref) -> Self:
        """The place made of subnets, which may be a parameter that lists them, and a security group."""
        listed = subnets if isinstance(subnets, Ref) else list(subnets)
        local: dict[str, Any] = {"SecurityGroupId": security_group, "SubnetIds": Join(",", listed)}
        return cls(scope.stack, scope.stack, title, local)

    @property
    def security_group_id(self) -> Value:
        """The security group's id."""
        return self._read("SecurityGroupId")

    @property
    def subnet_ids(self) -> Value | Sequence[Value]:
        """The ids of the subnets. An export is text, so that from afar the list is joined and split again."""
        joined = self._read("SubnetIds")
        if self.viewer is self.home:
            values: Value | Sequence[Value] = joined.data["Fn::Join"][1]  # type: ignore[union-attr] # a Join by `of`
            return values
        return Split(",", joined)


def seen_from(viewer: Stack, value: T) -> T:
    """`value` with every handle in it (also inside dataclasses, tuples and dicts) read from `viewer`."""
    if isinstance(value, Handle):
        return dataclasses.replace(value, viewer=viewer)
    if isinstance(value, tuple):
        return cast(T, tuple(seen_from(viewer, item) for item in cast("tuple[object, ...]", value)))
    if isinstance(value, dict):
        return cast(T, {key: seen_from(viewer, item) for key, item in cast("dict[str, object]", value).items()})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes: dict[str, Any] = {f.name: seen_from(viewer, getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    return value
