"""What Lambda takes: a function's sources and wheels, or wheels as a layer, in reproducible, verified zips."""

from __future__ import annotations

from imgpipe_templates.packaging.build import Contents, Package, build_layer, build_package
from imgpipe_templates.packaging.pipelines import build_code
from imgpipe_templates.packaging.sources import FunctionSource, function_source, lambda_sources
from imgpipe_templates.packaging.target import LAMBDA_RUNTIMES, Target
from imgpipe_templates.packaging.verify import (
    DIRECT_UPLOAD_LIMIT_BYTES,
    UNZIPPED_LIMIT_BYTES,
    verify_layer,
    verify_package,
)
from imgpipe_templates.packaging.wheels import Wheel

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
