"""Where a pipeline's configuration comes from: a preset of this package, or a TOML file that may start from one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imgpipe_templates.configuration import Layer, Presets, load
from imgpipe_templates.options import PipelineConfig

PRESETS = Presets(Path(__file__).parent / "presets")

# What is rendered where nothing is chosen.
DEFAULT_PRESET = "production"


def load_preset(name: str, overrides: Sequence[str] = (), *, cached: bool = True) -> PipelineConfig:
    """The preset `name`.

    Args:
        name: One of `PRESETS.names`.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.
        cached: Whether what was found valid before is taken to be so.

    Raises:
        ConfigError: There is no such preset, or an override is wrong; every fault is named.
    """
    return load(PipelineConfig, [PRESETS.layer(name)], overrides, cached=cached)


def load_config(path: Path, overrides: Sequence[str] = (), *, cached: bool = True) -> PipelineConfig:
    """The configuration in the TOML file `path`, which may start from a preset with `preset = "<name>"`.

    Args:
        path: The file.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.
        cached: Whether what was found valid before is taken to be so.

    Raises:
        ConfigError: The file cannot be read, or it or an override is wrong; every fault is named.
    """
    return load(PipelineConfig, [Layer.read(path)], overrides, presets=PRESETS, cached=cached)
