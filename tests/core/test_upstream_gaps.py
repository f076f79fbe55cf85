"""Workarounds for the pinned troposphere, each to be deleted when its test fails."""

from __future__ import annotations

from troposphere import awslambda


def test_logging_config_still_lacks_log_format():
    """When this fails, use awslambda.LoggingConfig and delete core/upstream_gaps.FunctionLoggingConfig."""
    assert "LogFormat" not in awslambda.LoggingConfig.props


def test_scaling_config_still_lacks_maximum_concurrency():
    """When this fails, use awslambda.ScalingConfig and delete core/upstream_gaps.QueueScalingConfig."""
    assert "MaximumConcurrency" not in awslambda.ScalingConfig.props
