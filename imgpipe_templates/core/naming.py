"""Physical names: one policy defines them all, and `Scope.add` applies it.

A name is an `Fn::Sub` text, so an ARN can contain it without a reference to the resource. With such an ARN, a bucket
and the function that it invokes can name each other without a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from troposphere import AWSHelperFn, AWSObject, Ref, Sub

from imgpipe_templates.errors import TemplateConflictError

Value: TypeAlias = str | AWSHelperFn

# Resource type -> the property of its physical name. IAM roles are left to CloudFormation: a role's name is unique in
# all Regions of an account, so a stack with a fixed role name cannot exist in two Regions.
NAME_PROPERTIES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


@dataclass(frozen=True)
class Names:
    """The physical names of all resources with a fixed name.

    Attributes:
        texts: `Fn::Sub` text of each name, by logical id.
        needed: Logical ids of the only resources that `apply` names; None means all.
        others: True if resources without an entry are allowed; CloudFormation names them.
    """

    texts: Mapping[str, str]
    needed: frozenset[str] | None = None
    others: bool = False

    def text(self, title: str) -> str:
        """Return the name of the resource `title` as `Fn::Sub` text.

        Raises:
            TemplateConflictError: The policy has no name for it.
        """
        if self.others and title not in self.texts:
            return f"{title}-${{EnvironmentSuffix}}"
        if title not in self.texts:
            raise TemplateConflictError(f"{title}: has no physical name; expected an entry in the naming policy")
        return self.texts[title]

    def value(self, title: str) -> Value:
        """Return the name of the resource `title` as a template value."""
        return substituted(self.text(title))

    def apply(self, resource: AWSObject) -> None:
        """Set the physical name of `resource` if its type has one."""
        title, name_property = str(resource.title), NAME_PROPERTIES.get(str(resource.resource_type))
        is_other = self.others and title not in self.texts
        if name_property and not is_other and (self.needed is None or title in self.needed):
            setattr(resource, name_property, self.value(title))


def substituted(text: str) -> Value:
    """Return an `Fn::Sub` text in its shortest form: plain text, a `Ref`, or an `Fn::Sub`."""
    if "${" not in text:
        return text
    if text.startswith("${") and text.index("}") == len(text) - 1:
        return Ref(text[2:-1])
    return Sub(text)


def arn_text(service: str, resource: str, *, region: str = "${AWS::Region}", account: str = "${AWS::AccountId}") -> str:
    """Return the ARN of `resource` in the stack's partition, as `Fn::Sub` text.

    Args:
        service: The service's ARN namespace, such as `s3`.
        resource: The last part of the ARN, as `Fn::Sub` text.
        region: Empty for services whose ARNs have no Region.
        account: Empty for services whose ARNs have no account.
    """
    return f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{resource}"
