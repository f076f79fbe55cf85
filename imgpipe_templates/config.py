"""Where a pipeline's configuration comes from: a preset of this package, or a TOML file that may start from one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imgpipe_templates.arguments import check_texts, checked
from imgpipe_templates.configuration import Layer, Presets, load
from imgpipe_templates.options import PipelineConfig

PRESETS = Presets(Path(__file__).parent / "presets")

# What is rendered where nothing is chosen.
DEFAULT_PRESET = "production"


@checked(name=str)
def load_preset(name: str, overrides: Sequence[str] = (), *, cached: bool = True) -> PipelineConfig:
    """The preset `name`.

    Args:
        name: One of `PRESETS.names`.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.
        cached: Whether what was found valid before is taken to be so.

    Raises:
        ArgumentError: An argument has a wrong type.
        ConfigError: There is no such preset, or an override is wrong; every fault is named.
    """
    return load(PipelineConfig, [PRESETS.layer(name)], _overrides(overrides), cached=cached)


@checked(path=(str, Path))
def load_config(path: str | Path, overrides: Sequence[str] = (), *, cached: bool = True) -> PipelineConfig:
    """The configuration in the TOML file `path`, which may start from a preset with `preset = "<name>"`.

    Args:
        path: The file.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.
        cached: Whether what was found valid before is taken to be so.

    Raises:
        ArgumentError: An argument has a wrong type.
        ConfigError: The file cannot be read, or it or an override is wrong; every fault is named.
    """
    return load(PipelineConfig, [Layer.read(Path(path))], _overrides(overrides), presets=PRESETS, cached=cached)


def _overrides(given: Sequence[str]) -> Sequence[str]:
    return check_texts("overrides", given, "processing.memory_mb=1024")
