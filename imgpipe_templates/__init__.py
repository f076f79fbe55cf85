"""Validated CloudFormation templates for an image pipeline on AWS, with the Lambda code of its functions.

```python
from imgpipe_templates import load_preset, render_pipeline, to_yaml

config = load_preset("thumbnails", ["processing.memory_mb=1024"])
rendered = render_pipeline(config)
print(to_yaml(rendered.stacks["pipeline"]))
```
"""

from imgpipe_templates import grants
from imgpipe_templates.checks import Finding
from imgpipe_templates.config import load_config, load_preset
from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Key, Queue, Table, Topic, VpcPlacement
from imgpipe_templates.core.stack import FunctionCode, LayerCode
from imgpipe_templates.deployment.clients import Clients
from imgpipe_templates.deployment.pipelines import PipelineDeployment, delete_pipeline, deploy_pipeline
from imgpipe_templates.errors import ArgumentError, ConfigError, ImgpipeError
from imgpipe_templates.library import Pipeline, open_pipeline, render_pipeline
from imgpipe_templates.options import PipelineConfig
from imgpipe_templates.packaging import Target, verify_layer
from imgpipe_templates.render.manifest import RenderedPipeline
from imgpipe_templates.render.text import to_json, to_yaml
from imgpipe_templates.validation import validate_pipeline
from imgpipe_templates.version import __version__ as __version__

__all__ = [
    "ArgumentError",
    "Bucket",
    "Clients",
    "ConfigError",
    "Finding",
    "Function",
    "FunctionCode",
    "HttpApi",
    "ImgpipeError",
    "Key",
    "LayerCode",
    "Pipeline",
    "PipelineConfig",
    "PipelineDeployment",
    "Queue",
    "RenderedPipeline",
    "Table",
    "Target",
    "Topic",
    "VpcPlacement",
    "delete_pipeline",
    "deploy_pipeline",
    "grants",
    "load_config",
    "load_preset",
    "open_pipeline",
    "render_pipeline",
    "to_json",
    "to_yaml",
    "validate_pipeline",
    "verify_layer",
]
