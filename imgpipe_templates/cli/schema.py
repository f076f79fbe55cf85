"""`imgpipe schema`: what editors need to complete and check a configuration file."""

from __future__ import annotations

import click

SCHEMA_FILE = "imgpipe.schema.json"  # `init` writes it next to a configuration, which names it


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a configuration file."""
    click.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The JSON Schema as it is printed and written."""
    import json

    from imgpipe_templates.config import PRESETS
    from imgpipe_templates.configuration.json_schema import json_schema
    from imgpipe_templates.options import PipelineConfig

    return json.dumps(json_schema(PipelineConfig, presets=PRESETS), indent=2) + "\n"
