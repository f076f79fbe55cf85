"""`imgpipe schema`: what editors need to complete and check a configuration file."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a configuration file."""
    import json

    from imgpipe_templates.config import PRESETS
    from imgpipe_templates.configuration.schema import json_schema
    from imgpipe_templates.options import PipelineConfig

    click.echo(json.dumps(json_schema(PipelineConfig, presets=PRESETS), indent=2))
