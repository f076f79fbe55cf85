"""`imgpipe init`: a configuration file to start from."""

from __future__ import annotations

from pathlib import Path

import click

from imgpipe_templates.cli.selection import CONFIG_FILE
from imgpipe_templates.errors import ConfigError


@click.command("init")
@click.option("--preset", metavar="NAME", help="Preset to start from. Without it: the default one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=CONFIG_FILE,
    metavar="FILE",
    show_default=True,
    help="File to write; it must not exist yet.",
)
def command(preset: str | None, out: Path) -> None:
    """Write a commented configuration file with every key at the preset's value."""
    from imgpipe_templates.config import DEFAULT_PRESET, load_preset
    from imgpipe_templates.configuration.starter import starter_text

    name = preset or DEFAULT_PRESET
    config = load_preset(name)
    header = f"An image pipeline for imgpipe, started from the preset {name}: {config.description}."
    text = starter_text(config, preset=name, header=header)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{out}: is there already; expected a file that is not there yet, see --out") from None
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    click.echo(out)
    click.echo("Next: change what you like in it, then run `imgpipe render`.", err=True)
