"""Which pipelines a command works on: presets, a file, or what stands in the current folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from imgpipe_templates.options import PipelineConfig

CONFIG_FILE = Path("imgpipe.toml")
EVERY_PRESET = "all"

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def selection_options(command: CommandT) -> CommandT:
    """Give a command the options `--preset`, `--config` and `--set`."""
    for option in reversed(
        [
            click.option(
                "--preset",
                "presets",
                multiple=True,
                metavar="NAME",
                help="Preset to use; may repeat; `all` is every one.",
            ),
            click.option(
                "--config",
                "config_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Configuration to use. Without a choice: ./imgpipe.toml if it is there, else the default preset.",
            ),
            click.option(
                "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key; may repeat."
            ),
        ]
    ):
        command = option(command)
    return command


def repeated(presets: Sequence[str], config_file: Path | None, overrides: Sequence[str]) -> str:
    """The options of a choice as a shell takes them, for a command to be run after this one."""
    options = [("--preset", name) for name in presets]
    options += [("--config", str(config_file))] if config_file else []
    options += [("--set", override) for override in overrides]
    return "".join(f" {name} {shlex.quote(value)}" for name, value in options)


def selected(
    presets: Sequence[str], config_file: Path | None, overrides: Sequence[str], *, cached: bool = True
) -> list[PipelineConfig]:
    """The chosen pipelines, in the order in which they were named.

    Raises:
        ConfigError: A choice does not exist or is not valid, or two of them have one name.
    """
    from imgpipe_templates import config

    known = config.PRESETS.names
    chosen = list(dict.fromkeys(name for preset in presets for name in (known if preset == EVERY_PRESET else [preset])))
    if not chosen and config_file is None:
        if CONFIG_FILE.is_file():
            config_file = CONFIG_FILE
        else:
            chosen = [config.DEFAULT_PRESET]
    pipelines = [config.load_preset(name, overrides, cached=cached) for name in chosen]
    if config_file is not None:
        pipelines.append(config.load_config(config_file, overrides, cached=cached))
    names = [pipeline.name for pipeline in pipelines]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"name: {twice[0]!r} is the name of two chosen pipelines; expected a name of its own for each"
        )
    return pipelines
