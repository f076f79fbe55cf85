"""Selection of pipelines for a command: presets, a file, or the file in the current folder."""

from __future__ import annotations

import shlex
import shutil
import sys
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
                shell_complete=complete_preset,
                help="Preset to use; may repeat; `all` is every one.",
            ),
            click.option(
                "--config",
                "config_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Configuration to use. Default: ./imgpipe.toml if it exists, otherwise the default preset.",
            ),
            click.option(
                "--set",
                "overrides",
                multiple=True,
                metavar="KEY=VALUE",
                shell_complete=_complete_key,
                help="Override one key; may repeat.",
            ),
        ]
    ):
        command = option(command)
    return command


def complete_preset(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Names of presets for a shell."""
    from imgpipe_templates.config import PRESETS

    return [name for name in (*PRESETS.names, EVERY_PRESET) if name.startswith(begun)]


def _complete_key(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Keys of a configuration for a shell, each with its equals sign; after it, the values of a choice."""
    from typing import Literal

    from imgpipe_templates.configuration.field_types import field_type_at, key_paths
    from imgpipe_templates.options import PipelineConfig

    key, equals, _ = begun.partition("=")
    shapes = {".".join(path): field_type_at(PipelineConfig, path) for path in key_paths(PipelineConfig)}
    if not equals:
        return [f"{name}=" for name, shape in shapes.items() if shape and not shape.is_table and name.startswith(key)]
    shape = shapes.get(key)
    values = ["true", "false"] if shape and shape.base is bool else []
    if shape and shape.base is Literal:
        values = [str(choice) for choice in shape.args]
    return [text for value in values if (text := f"{key}={value}").startswith(begun)]


def known_preset(name: str, *, option: str = "--preset") -> str:
    """The name, if it is a preset's.

    Raises:
        click.BadParameter: There is no such preset.
    """
    from imgpipe_templates.config import PRESETS
    from imgpipe_templates.configuration.toml_sources import near

    if name not in PRESETS.names:
        raise click.BadParameter(f"preset {name!r} is unknown; {near(name, PRESETS.names)}", param_hint=option)
    return name


def program() -> str:
    """How this program was called, for a command to be run after this one."""
    called = Path(sys.argv[0])
    if called.resolve() == Path(__file__).parents[1] / "__main__.py":
        return f"{shlex.quote(sys.orig_argv[0])} -m imgpipe_templates"
    if called.name != "imgpipe" or (found := shutil.which("imgpipe")) is None:
        return "imgpipe"
    return "imgpipe" if Path(found).resolve() == called.resolve() else shlex.quote(sys.argv[0])


def repeated(presets: Sequence[str], config_file: Path | None, overrides: Sequence[str]) -> str:
    """Return the options of a selection in shell notation, for a following command."""
    options = [("--preset", name) for name in presets]
    options += [("--config", str(config_file))] if config_file else []
    options += [("--set", override) for override in overrides]
    return "".join(f" {name} {shlex.quote(value)}" for name, value in options)


def selected(presets: Sequence[str], config_file: Path | None, overrides: Sequence[str]) -> list[PipelineConfig]:
    """Return the selected pipelines in the order of the options.

    Raises:
        ConfigError: A configuration cannot be read or is invalid, or two pipelines have the same name.
        click.BadParameter: A preset does not exist.
    """
    from imgpipe_templates import config

    known = config.PRESETS.names
    chosen = list(
        dict.fromkeys(
            name for preset in presets for name in (known if preset == EVERY_PRESET else [known_preset(preset)])
        )
    )
    if not chosen and config_file is None:
        if CONFIG_FILE.is_file():
            config_file = CONFIG_FILE
        else:
            chosen = [config.DEFAULT_PRESET]
    pipelines = [config.load_preset(name, overrides) for name in chosen]
    if config_file is not None:
        pipelines.append(config.load_config(config_file, overrides))
    names = [pipeline.name for pipeline in pipelines]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"name: {twice[0]!r} is the name of two selected pipelines; expected different names")
    return pipelines
