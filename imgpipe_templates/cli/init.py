"""`imgpipe init`: a configuration file to start from."""

from __future__ import annotations

from pathlib import Path

import click

from imgpipe_templates.cli.schema import SCHEMA_FILE, schema_text
from imgpipe_templates.cli.selection import CONFIG_FILE, complete_preset, known_preset, program, repeated
from imgpipe_templates.errors import ConfigError


@click.command("init")
@click.option(
    "--preset",
    metavar="NAME",
    shell_complete=complete_preset,
    help="Preset to start from. Without it: the default one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=CONFIG_FILE,
    metavar="FILE",
    show_default=True,
    help="File to write; it must not exist yet.",
)
def command(preset: str | None, out: Path) -> None:
    """Write a commented configuration file with every key at the preset's value, and the JSON Schema for editors."""
    from imgpipe_templates.config import DEFAULT_PRESET, load_preset
    from imgpipe_templates.configuration.starter_file import starter_text

    name = known_preset(preset or DEFAULT_PRESET)
    config = load_preset(name)
    header = f"An image pipeline for imgpipe, started from the preset {name}: {config.description}."
    text = starter_text(config, preset=name, header=header, schema=SCHEMA_FILE)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
        schema = out.with_name(SCHEMA_FILE)
        schema.write_text(schema_text(), encoding="utf-8")
    except FileExistsError:
        raise ConfigError(f"{out}: exists already; expected a new file, see --out") from None
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    click.echo(out)
    click.echo(schema)
    selection = "" if out == CONFIG_FILE else repeated((), out, ())
    click.echo(f"Next: change what you like in it, then run `{program()} render{selection}`.", err=True)
