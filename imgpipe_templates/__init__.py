"""Renders validated CloudFormation for an image pipeline on AWS, with the Lambda code that goes with it.

```python
from imgpipe_templates import load_preset, render_pipeline, to_yaml

config = load_preset("thumbnails", ["processing.memory_mb=1024"])
rendered = render_pipeline(config)
print(to_yaml(rendered.stacks["pipeline"]))
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgpipe_templates import grants
    from imgpipe_templates.config import load_config, load_preset
    from imgpipe_templates.core.handles import Bucket
    from imgpipe_templates.errors import ArgumentError, ConfigError, ImgpipeError
    from imgpipe_templates.library import Pipeline, open_pipeline, render_pipeline
    from imgpipe_templates.options import PipelineConfig
    from imgpipe_templates.packaging import Target, verify_layer
    from imgpipe_templates.render.manifest import RenderedPipeline
    from imgpipe_templates.render.text import to_json, to_yaml

__all__ = [
    "ArgumentError",
    "Bucket",
    "ConfigError",
    "ImgpipeError",
    "Pipeline",
    "PipelineConfig",
    "RenderedPipeline",
    "Target",
    "grants",
    "load_config",
    "load_preset",
    "open_pipeline",
    "render_pipeline",
    "to_json",
    "to_yaml",
    "verify_layer",
]

__version__ = "0.1.0"

# Public name -> its module. They are imported when they are asked for: most commands need only some of them.
_MODULES = {
    "ArgumentError": "errors",
    "ConfigError": "errors",
    "Pipeline": "library",
    "RenderedPipeline": "render.manifest",
    "Target": "packaging",
    "verify_layer": "packaging",
    "Bucket": "core.handles",
    "ImgpipeError": "errors",
    "PipelineConfig": "options",
    "open_pipeline": "library",
    "load_config": "config",
    "load_preset": "config",
    "render_pipeline": "library",
    "to_json": "render.text",
    "to_yaml": "render.text",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "grants":
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
