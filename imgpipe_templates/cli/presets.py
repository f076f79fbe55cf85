"""`imgpipe presets`: what comes with the package."""

from __future__ import annotations

import click


@click.command("presets")
def command() -> None:
    """List the presets, a line each."""
    from imgpipe_templates import config

    names = config.PRESETS.names
    width = max(map(len, names))
    for name in names:
        default = " (default)" if name == config.DEFAULT_PRESET else ""
        click.echo(f"{name:<{width}}  {config.load_preset(name).description}{default}")
