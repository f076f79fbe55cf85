"""`imgpipe presets`: the presets of this package."""

from __future__ import annotations

import click

from imgpipe_templates.config import DEFAULT_PRESET, PRESETS, load_preset


@click.command("presets")
def command() -> None:
    """List the presets, one per line."""
    width = max(map(len, PRESETS.names))
    for name in PRESETS.names:
        default = " (default)" if name == DEFAULT_PRESET else ""
        click.echo(f"{name:<{width}}  {load_preset(name).description}{default}")
