"""Packages of Lambda functions: sources and wheels for one runtime and architecture in a reproducible, verified zip."""

from __future__ import annotations

from imgpipe_templates.packaging.build import Package, build_package
from imgpipe_templates.packaging.sources import FunctionSource, function_source, lambda_sources
from imgpipe_templates.packaging.target import LAMBDA_RUNTIMES, Target
from imgpipe_templates.packaging.verify import DIRECT_UPLOAD_LIMIT_BYTES, UNZIPPED_LIMIT_BYTES, verify_package
from imgpipe_templates.packaging.wheels import Wheel

__all__ = [
    "DIRECT_UPLOAD_LIMIT_BYTES",
    "LAMBDA_RUNTIMES",
    "UNZIPPED_LIMIT_BYTES",
    "FunctionSource",
    "Package",
    "Target",
    "Wheel",
    "build_package",
    "function_source",
    "lambda_sources",
    "verify_package",
]
