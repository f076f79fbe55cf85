"""Resource types and properties that some Regions lack, and the condition that leaves them out there.

A Region in none of the lists lacks everything in them. A stack without its budget can be created; a stack with a
resource type that its Region lacks cannot.
"""

from __future__ import annotations

from troposphere import AWSHelperFn, Equals, Or, Ref

from imgpipe_templates.core.stack import Scope

# Regions whose CloudFormation registry has AWS::Budgets::Budget (schemas of cfn-lint 1.58.0).
BUDGETS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("cn-north-1", "cn-northwest-1", "eu-central-1", "eu-isoe-west-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("eusc-de-east-1", "me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-iso-east-1", "us-iso-west-1"),
    *("us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1", "us-west-1", "us-west-2"),
)

# Regions where Lambda accepts SnapStart (rule E2530 of cfn-lint 1.58.0).
SNAP_START = (
    *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"),
    *("ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)

# "Condition functions", AWS CloudFormation User Guide, read 2026-12: Fn::Or has 2 to 10 conditions.
MAX_ALTERNATIVES = 10


def in_regions(scope: Scope, title: str, regions: tuple[str, ...]) -> str:
    """Add the condition `title`, which is true in `regions`, to the stack; return its name.

    Args:
        scope: Where it goes.
        title: Name of the condition.
        regions: At least two Regions.

    Raises:
        TemplateConflictError: The stack has a condition of that name.
    """
    return scope.condition(title, _any_of([Equals(Ref("AWS::Region"), region) for region in regions]))


def _any_of(facts: list[AWSHelperFn]) -> AWSHelperFn:
    """Nest Fn::Or until each has as few conditions as CloudFormation allows."""
    while len(facts) > MAX_ALTERNATIVES:
        groups = -(-len(facts) // MAX_ALTERNATIVES)
        facts = [Or(*facts[start::groups]) for start in range(groups)]
    return Or(*facts)
