"""Properties that CloudFormation has and the pinned troposphere lacks. Each entry goes when its gap closes.

tests/core/test_upstream_gaps.py fails as soon as an entry is no longer needed.
"""

from __future__ import annotations

from troposphere import awslambda


class FunctionLoggingConfig(awslambda.LoggingConfig):
    """`LogFormat` was lost in troposphere 4.11.1: a class of the same name of another resource replaced this one."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}  # noqa: RUF012 - troposphere declares it so


class QueueScalingConfig(awslambda.ScalingConfig):
    """`MaximumConcurrency` was lost in troposphere 4.11.1 in the same way."""

    props = {"MaximumConcurrency": (int, True)}  # noqa: RUF012 - troposphere declares it so
