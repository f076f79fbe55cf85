"""Every option on every preset: set alone, it changes what is rendered, or it is refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from imgpipe_templates.config import PRESETS, load_config, load_preset
from imgpipe_templates.configuration import Range
from imgpipe_templates.configuration.field_types import FieldType, field_type_at, field_type_of, key_paths
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.options import PipelineConfig

# Another value of each option that is neither a number nor a choice.
OTHERS: dict[str, Any] = {
    "name": "other",
    "description": "Other",
    "environment_suffix": "other",
    "project": "other",
    "purpose": "other",
    "tags.Team": "web",
    "uploads.prefix": "other/",
    "uploads.extensions": ["gif"],
    "storage.output_prefix": "other/",
    "storage.cors_origins": ["https://other.example.net"],
    "network.cidr": "10.9.0.0/16",
    "processing.output.background": "#ffffff",
    "processing.extra_thumbnail_sizes_px": [64],
}


def options() -> Iterator[tuple[tuple[str, ...], FieldType]]:
    for path in key_paths(PipelineConfig):
        shape = field_type_at(PipelineConfig, path)
        assert shape
        if not shape.section:
            yield ((*path, "Team"), field_type_of(shape.args[1])) if shape.base is dict else (path, shape)


def held(config: PipelineConfig, path: tuple[str, ...]) -> Any:
    value: Any = config
    for step in path:
        value = value.get(step) if isinstance(value, dict) else getattr(value, step)
    return value


def other_values(shape: FieldType, key: str, value: Any) -> list[Any]:
    """Values that differ from the one that is set: all choices of a few, else one at each end of what is allowed."""
    if key in OTHERS:
        return [OTHERS[key]]
    if shape.base is bool:
        return [not value]
    if shape.base is Literal:
        others = [choice for choice in shape.args if choice != value]
        return others if len(others) <= 3 else [others[0], others[-1]]
    if shape.base is tuple:
        return [[choice] for choice in field_type_of(shape.args[0]).args if (choice,) != value]
    limits = shape.find(Range)
    assert limits, f"{key}: give it another value in OTHERS"
    return [next_to for next_to in ((value or limits.low) + 1, limits.low) if limits.low <= next_to <= limits.high][:1]


def rendering(config: PipelineConfig) -> tuple[object, ...]:
    rendered = render_pipeline(config)
    return rendered.pipeline, rendered.stacks, rendered.functions, rendered.layers


@pytest.mark.parametrize("preset", PRESETS.names)
def test_every_option_changes_the_rendering_or_is_refused(preset):
    config = load_preset(preset)
    before = rendering(config)
    silent, unexplained, changed = [], [], 0
    for path, shape in options():
        key = ".".join(path)
        for value in other_values(shape, key, held(config, path)):
            try:
                other = load_preset(preset, [f"{key}={json.dumps(value)}"])
            except ConfigError as refused:
                if key not in str(refused) or "; expected " not in str(refused):
                    unexplained.append(str(refused))
                continue
            changed += 1
            if rendering(other) == before:
                silent.append((key, value))

    assert silent == []
    assert unexplained == []
    assert changed > 60


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "queue.max_receives=7",
            "--set queue.max_receives=7: queue.max_receives and trigger: 7 has no effect with trigger = 's3'; "
            "expected trigger = 'queue', or no queue.max_receives",
        ),
        (
            "backup.keep_days=9",
            "--set backup.keep_days=9: backup.keep_days and backups: 9 has no effect with backups = false; "
            "expected backups = true, or no backup.keep_days",
        ),
        (
            "processing.output.webp_quality=9",
            "--set processing.output.webp_quality=9: processing.output.webp_quality and processing.output.format and "
            "processing.output.animation: 9 has no effect with processing.output.format = 'auto' and "
            "processing.output.animation = 'first-frame'; expected processing.output.format = 'webp' or "
            "processing.output.animation = 'webp', or no processing.output.webp_quality",
        ),
    ],
)
def test_refusal_names_both_keys_and_the_way_out(override, message):
    with pytest.raises(ConfigError) as refused:
        load_preset("thumbnails", [override])

    assert str(refused.value) == message


def test_options_of_a_preset_are_dropped_where_a_file_switches_them_off(tmp_path):
    file = tmp_path / "imgpipe.toml"
    file.write_text('preset = "production"\n[retrieval]\nenabled = false\n', encoding="utf-8")

    config = load_config(file, ["metadata.encryption=aws-owned", "customer_managed_key=false"])

    assert config.retrieval.log_retention_days == 30  # 365 in the preset, which no API is left to apply to
    assert config.metadata.encryption == "aws-owned"


def test_an_option_of_the_file_that_switches_it_off_is_refused(tmp_path):
    file = tmp_path / "imgpipe.toml"
    file.write_text('preset = "production"\n[retrieval]\nenabled = false\nmemory_mb = 1024\n', encoding="utf-8")

    with pytest.raises(ConfigError, match=r"imgpipe\.toml:4: retrieval\.memory_mb and retrieval\.enabled: 1024 has no"):
        load_config(file)
