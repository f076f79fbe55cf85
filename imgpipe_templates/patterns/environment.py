"""What every stack says of its environment: two parameters, and the tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from troposphere import Ref

from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import ENVIRONMENT, ParameterSpec
from imgpipe_templates.core.stack import Scope

Environment = Literal["development", "staging", "production"]


def declare_environment(
    scope: Scope, *, environment: Environment, suffix: str, longest_suffix: int, fixed_because: str = ""
) -> None:
    """Declare the parameters that distinguish the environments of a pipeline.

    Args:
        scope: Of the stack.
        environment: The default environment.
        suffix: The default suffix.
        longest_suffix: In characters.
        fixed_because: Why CloudFormation refuses another suffix for an existing stack; empty if it does not.
    """
    later = fixed_because or "another suffix later creates new, empty buckets and a new table"
    scope.parameter(
        ParameterSpec(
            "Environment",
            ENVIRONMENT,
            "Environment",
            {
                "Type": "String",
                "Default": environment,
                "AllowedValues": ["development", "staging", "production"],
                "Description": "Kind of environment, for tags and metrics; names have EnvironmentSuffix alone",
            },
        )
    )
    scope.parameter(
        ParameterSpec(
            "EnvironmentSuffix",
            ENVIRONMENT,
            "Suffix of all names",
            {
                "Type": "String",
                "Default": suffix,
                "MaxLength": longest_suffix,
                "AllowedPattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
                "ConstraintDescription": f"must be at most {longest_suffix} lower-case letters, digits and hyphens, "
                "starting and ending with a letter or digit",
                "Description": "Ends the names of this stack's resources, so that several stacks fit into one account; "
                f"{later}",
            },
        )
    )


def standard_tags(*, project: str, purpose: str, extra: Mapping[str, str]) -> dict[str, Value]:
    """The tags of every resource: the mandatory four, then the configuration's own."""
    return {
        "Environment": Ref("Environment"),
        "Project": project,
        "Purpose": purpose,
        "iac-rlhf-amazon": "true",
        **extra,
    }
