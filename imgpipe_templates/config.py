"""Loading of a pipeline's configuration: from a preset of this package, or from a TOML file that may start from one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imgpipe_templates.arguments import check_texts, checked
from imgpipe_templates.configuration import Presets, TomlSource, load
from imgpipe_templates.options import PipelineConfig

PRESETS = Presets(Path(__file__).parent / "presets")

# Rendered if the user selects no preset and no file.
DEFAULT_PRESET = "production"


@checked(name=str)
def load_preset(name: str, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Load a preset.

    Args:
        name: One of `PRESETS.names`.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.

    Raises:
        ArgumentError: An argument has a wrong type.
        ConfigError: The preset does not exist, or overrides are invalid. The message lists every error.
    """
    return load(PipelineConfig, [PRESETS.layer(name)], _overrides(overrides))


@checked(path=(str, Path))
def load_config(path: str | Path, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Load the configuration in a TOML file, which may start from a preset with `preset = "<name>"`.

    Args:
        path: The file.
        overrides: `KEY=VALUE` each, with a dotted key and a TOML value or plain text.

    Raises:
        ArgumentError: An argument has a wrong type.
        ConfigError: The file cannot be read, or the file or overrides are invalid. The message lists every error.
    """
    return load(PipelineConfig, [TomlSource.read(Path(path))], _overrides(overrides), presets=PRESETS)


def _overrides(given: Sequence[str]) -> Sequence[str]:
    return check_texts("overrides", given, "processing.memory_mb=1024")
