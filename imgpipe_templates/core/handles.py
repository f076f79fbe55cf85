"""Handles: typed references to resources, usable from any stack.

A handle knows the stack that contains its resource (`home`) and the stack that reads it (`reader`).
In the home stack, its properties are `Ref` and `Fn::GetAtt`. In another stack, they go through the layout's link: an
export, or a parameter of a nested stack. The link adds the output on first use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from troposphere import AWSObject, GetAtt, Join, Ref, Split, Sub

from imgpipe_templates.arguments import checked
from imgpipe_templates.core.naming import Value, arn_text, substituted
from imgpipe_templates.core.references import HandleText, as_handle_value
from imgpipe_templates.core.stack import Scope, Stack

if TYPE_CHECKING:  # only for annotations
    from troposphere import apigatewayv2, awslambda, dynamodb, iam, kms, s3, sns, sqs

T = TypeVar("T")


@dataclass(frozen=True, eq=False)  # compared by identity: a mapping of troposphere values has no hash
class Handle:
    """The reference to one resource. Each kind of resource that another subsystem uses has its own class.

    Attributes:
        home: The stack that contains the resource.
        reader: The stack whose template uses the reference.
        title: Logical id of the resource.
        values: The readable values by name, as the home stack writes them.
    """

    home: Stack
    reader: Stack
    title: str
    values: Mapping[str, Value]

    # The name of the value that `Ref` returns, and the names of the readable `Fn::GetAtt` attributes.
    ref: ClassVar[str]
    attributes: ClassVar[tuple[str, ...]]

    @classmethod
    def _of(cls, scope: Scope, resource: AWSObject) -> Self:
        scope.add(resource)
        values: dict[str, Value] = {cls.ref: Ref(resource)}
        values.update({name: GetAtt(resource, name) for name in cls.attributes})
        return cls._with_values(scope, str(resource.title), values)

    @classmethod
    def _with_values(cls, scope: Scope, title: str, values: Mapping[str, Value]) -> Self:
        scope.stack.handle_kinds[title] = cls.__name__
        return cls(scope.stack, scope.stack, title, {name: as_handle_value(value) for name, value in values.items()})

    def _read(self, name: str) -> Value:
        value = self.values[name]
        if self.reader is self.home:
            return value
        self.reader.reads_from.add(self.home.name)
        # The output of `ProcessorDeadLetterQueue` and `QueueName` is `ProcessorDeadLetterQueueName`.
        kind = type(self).__name__
        suffix = name.removeprefix(kind) if self.title.endswith(kind) else name
        return as_handle_value(self.reader.layout.link(self.home, self.reader, self.title + suffix, value))


class ArnHandle(Handle):
    """A resource with an ARN."""

    @property
    def arn(self) -> Value:
        """The ARN; of a function without a version, of a table without its indexes."""
        return self._read("Arn")

    def below(self, path: str) -> Value:
        """Return the ARN of a sub-resource, or an ARN pattern of several.

        Args:
            path: Text after the ARN of the resource, such as `/index/UserIndex` or `/*`.
        """
        arn = self.arn
        if isinstance(arn, Sub) and isinstance(text := arn.data["Fn::Sub"], str):  # an Fn::Sub cannot contain another
            return Sub(HandleText(f"{text}{path}"))
        if isinstance(arn, GetAtt):
            return Sub(HandleText(f"${{{self.title}.Arn}}{path}"))
        variable = f"{type(self).__name__}Arn"
        return Sub(f"${{{variable}}}{path}", {variable: arn})


class NamedHandle(ArnHandle):
    """A resource with an ARN and a physical name."""

    # The key of the physical name in `values`.
    name_key: ClassVar[str] = "Name"

    @property
    def name(self) -> Value:
        """The physical name, as other resources and CloudWatch dimensions require it."""
        return self._read(self.name_key)


class Bucket(NamedHandle):
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
        """Add `resource` and return a handle that uses its fixed name and never refers to the resource.

        Use this for a bucket that depends on resources which name the bucket. A reference would be a cycle.
        """
        scope.add(resource)
        name = scope.names.text(str(resource.title))
        arn = arn_text("s3", name, region="", account="")
        return cls._with_values(scope, str(resource.title), {"Name": substituted(name), "Arn": substituted(arn)})

    def objects_arn(self, prefix: str = "") -> Value:
        """Return the ARN pattern of the objects whose keys start with `prefix`."""
        return self.below(f"/{prefix}*")


class Function(NamedHandle):
    """A Lambda function and its execution role."""

    ref = "Name"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: awslambda.Function, role: iam.Role) -> Self:
        """Add `resource` and return its handle; the template already contains `role`."""
        handle = cls._of(scope, resource)
        return dataclasses.replace(handle, values={**handle.values, "RoleName": as_handle_value(Ref(role))})

    @property
    def role_name(self) -> Value:
        """The name of the execution role, for a policy that a later subsystem attaches."""
        return self._read("RoleName")


class Table(NamedHandle):
    """A DynamoDB table."""

    ref = "Name"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: dynamodb.Table) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)

    def index_arn(self, index: str) -> Value:
        """Return the ARN of one global secondary index."""
        return self.below(f"/index/{index}")


class Topic(NamedHandle):
    """An SNS topic."""

    ref = "Arn"
    attributes = ("TopicName",)
    name_key = "TopicName"

    @classmethod
    def of(cls, scope: Scope, resource: sns.Topic) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)


class Queue(NamedHandle):
    """An SQS queue."""

    ref = "Url"
    attributes = ("Arn", "QueueName")
    name_key = "QueueName"

    @classmethod
    def of(cls, scope: Scope, resource: sqs.Queue) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)


class Key(ArnHandle):
    """A KMS key."""

    ref = "Id"
    attributes = ("Arn",)

    @classmethod
    def of(cls, scope: Scope, resource: kms.Key) -> Self:
        """Add `resource` and return its handle."""
        return cls._of(scope, resource)


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
        """The API id, as the CloudWatch dimension `ApiId` requires it."""
        return self._read("Id")

    @property
    def endpoint(self) -> Value:
        """The URL of the API without a path."""
        return self._read("ApiEndpoint")


class VpcPlacement(Handle):
    """The VPC configuration of functions: private subnets and one security group."""

    ref = "SecurityGroupId"
    attributes = ()

    @classmethod
    def of(cls, scope: Scope, title: str, *, security_group: Value, subnets: Sequence[Value] | Ref) -> Self:
        """Return the handle of subnets and a security group.

        Args:
            scope: The subsystem that adds the network.
            title: Start of the output names in layouts of several stacks.
            security_group: Id of the security group.
            subnets: Ids of the subnets, or a parameter that lists them.
        """
        listed = as_handle_value(subnets) if isinstance(subnets, Ref) else [as_handle_value(one) for one in subnets]
        values: dict[str, Any] = {"SecurityGroupId": security_group, "SubnetIds": Join(",", listed)}
        return cls._with_values(scope, title, values)

    @property
    def security_group_id(self) -> Value:
        """The id of the security group."""
        return self._read("SecurityGroupId")

    @property
    def subnet_ids(self) -> Value | Sequence[Value]:
        """The ids of the subnets. An export is text, so another stack splits the joined list again."""
        joined = self._read("SubnetIds")
        if self.reader is self.home:
            values: Value | Sequence[Value] = joined.data["Fn::Join"][1]  # type: ignore[union-attr] # a Join by `of`
            return values
        return Split(",", joined)


def handles_for(reader: Stack, value: T) -> T:
    """Return `value` with the reader of every handle set, also inside dataclasses, tuples and dicts."""
    if isinstance(value, Handle):
        return dataclasses.replace(value, reader=reader)
    if isinstance(value, tuple):
        return cast(T, tuple(handles_for(reader, item) for item in cast("tuple[object, ...]", value)))
    if isinstance(value, dict):
        return cast(T, {key: handles_for(reader, item) for key, item in cast("dict[str, object]", value).items()})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **{name: handles_for(reader, item) for name, item in fields.items()})
    return value
