"""Renders validated CloudFormation for an image pipeline on AWS, with the Lambda code that goes with it."""

from __future__ import annotations

__version__ = "0.1.0"
