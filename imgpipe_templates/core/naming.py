"""Physical names: one policy decides them all, and `Scope.add` applies it.

A name is kept as the text of an `Fn::Sub`, so that an ARN can be made of it without a reference to the resource.
That is what lets a bucket and the function it starts name each other without a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from troposphere import AWSHelperFn, AWSObject, Ref, Sub

from imgpipe_templates.errors import TemplateConflictError
from imgpipe_templates.records import record

Value: TypeAlias = str | AWSHelperFn

# Resource type -> the property that holds its physical name. IAM roles are missing on purpose: a role's name is
# unique over all Regions of an account, so a fixed one would keep the same stack out of a second Region.
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


@record
class Names:
    """The physical name of every named thing.

    Attributes:
        texts: The names as `Fn::Sub` text, by logical id.
        needed: The only things that `apply` names; None means all.
        others: Whether there may be things without an entry, which CloudFormation names, but for their suffix.
    """

    texts: Mapping[str, str]
    needed: frozenset[str] | None = None
    others: bool = False

    def text(self, title: str) -> str:
        """The name of `title` as `Fn::Sub` text.

        Raises:
            TemplateConflictError: The table has no name for it.
        """
        if self.others and title not in self.texts:
            return f"{title}-${{EnvironmentSuffix}}"
        if title not in self.texts:
            raise TemplateConflictError(f"{title}: has no physical name; expected an entry in the naming policy")
        return self.texts[title]

    def value(self, title: str) -> Value:
        """The name of `title` as a template says it."""
        return substituted(self.text(title))

    def apply(self, resource: AWSObject) -> None:
        """Set the physical name of `resource`, if its type has one."""
        title, name_property = str(resource.title), NAME_PROPERTIES.get(str(resource.resource_type))
        left_out = self.others and title not in self.texts
        if name_property and not left_out and (self.needed is None or title in self.needed):
            setattr(resource, name_property, self.value(title))


def substituted(text: str) -> Value:
    """`text` as a template says it: plain, a `Ref` where it is just one name, or an `Fn::Sub`."""
    if "${" not in text:
        return text
    if text.startswith("${") and text.index("}") == len(text) - 1:
        return Ref(text[2:-1])
    return Sub(text)


def arn_text(service: str, resource: str, *, region: str = "${AWS::Region}", account: str = "${AWS::AccountId}") -> str:
    """The ARN of `resource` in this stack's own partition, as `Fn::Sub` text.

    Args:
        service: The service's ARN namespace, such as `s3`.
        resource: The last part of the ARN, as `Fn::Sub` text.
        region: Empty for services whose ARNs name no Region.
        account: Empty for services whose ARNs name no account.
    """
    return f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{resource}"
