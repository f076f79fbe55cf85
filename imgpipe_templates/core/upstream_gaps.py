"""CloudFormation properties that the pinned troposphere lacks. Remove an entry when troposphere has the property.

tests/core/test_upstream_gaps.py fails when an entry is no longer needed.
"""

from __future__ import annotations

from troposphere import awslambda


class FunctionLoggingConfig(awslambda.LoggingConfig):
    """The logging configuration with `LogFormat`; troposphere 4.11.1 replaced the class by that of another resource."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}  # noqa: RUF012 - troposphere declares it so


class QueueScalingConfig(awslambda.ScalingConfig):
    """The scaling configuration with `MaximumConcurrency`; troposphere 4.11.1 replaced the class in the same way."""

    props = {"MaximumConcurrency": (int, True)}  # noqa: RUF012 - troposphere declares it so
