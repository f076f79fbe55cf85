"""Reproducible, verified zip files for Lambda: a function with its wheels, or wheels as a layer."""

from __future__ import annotations

from imgpipe_templates.packaging.build import Contents, Package, build_layer, build_package
from imgpipe_templates.packaging.function_sources import FunctionSource, function_source, lambda_sources
from imgpipe_templates.packaging.pipeline_code import build_code
from imgpipe_templates.packaging.target import LAMBDA_RUNTIMES, Target
from imgpipe_templates.packaging.wheels import Wheel
from imgpipe_templates.packaging.zip_verification import (
    DIRECT_UPLOAD_LIMIT_BYTES,
    UNZIPPED_LIMIT_BYTES,
    verify_layer,
    verify_package,
)

__all__ = [
    "DIRECT_UPLOAD_LIMIT_BYTES",
    "LAMBDA_RUNTIMES",
    "UNZIPPED_LIMIT_BYTES",
    "Contents",
    "FunctionSource",
    "Package",
    "Target",
    "Wheel",
    "build_code",
    "build_layer",
    "build_package",
    "function_source",
    "lambda_sources",
    "verify_layer",
    "verify_package",
]
