"""The file that `init` writes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from imgpipe_templates.configuration import Presets, load
from imgpipe_templates.configuration.starter_file import starter_text
from tests.configuration.sample import Pipeline, read

PRESET = """
name = "quote \\" back \\\\ é \U0001f600 \\u007F"
tags = { Team = "x", "a b" = "y" }
[uploads]
extensions = ["jpg", "gif"]
[processing]
memory_mb = 1024
sampling = 1e-7
[processing.output]
format = "jpeg"
[network]
subnets = ["s"]
"""


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Presets:
    folder: Path = tmp_path_factory.mktemp("presets")
    (folder / "mine.toml").write_text(PRESET, encoding="utf-8")
    (folder / "plain.toml").write_text("name = 'plain'", encoding="utf-8")
    return Presets(folder)


def started(presets: Presets, name: str) -> tuple[Pipeline, str]:
    config = load(Pipeline, [presets.layer(name)])
    return config, starter_text(config, preset=name, header="Configuration of a pipeline.\nRead on.")


@pytest.mark.parametrize("name", ["mine", "plain"])
def test_it_is_the_preset_as_written_and_with_every_key_uncommented(presets: Presets, name: str):
    config, text = started(presets, name)
    assert tomllib.loads(text)["preset"] == name
    assert read(text, presets=presets) == config

    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines())
    assert read(uncommented, presets=presets) == config
    alone = uncommented.replace(f'preset = "{name}"\n', "")
    assert read(alone) == config


def test_every_key_is_shown_with_its_meaning_and_what_is_allowed(presets: Presets):
    _, text = started(presets, "plain")
    assert (
        text
        == """\
## Configuration of a pipeline.
## Read on.
## Every key is shown with the value it has in the preset.
## To change a key, remove the "# " at the start of its line. Other keys follow the preset.

preset = "plain"

## Name of the pipeline.
# name = "plain"

## What becomes of images. Allowed: 'retain' or 'delete'.
# deletion_policy = "retain"

## A separate network. Allowed: a table, or "none".
# network = "none"

[tags]
## More tags.

[uploads]
## Which objects are uploads.

## Keys that start with it.
# prefix = ""

## Allowed: 1..3 extensions, each lower-case letters.
# extensions = ["jpg", "png"]

[storage]
## How long objects stay.

## When an upload is archived. Allowed: 30..3650 days.
# archive_after_days = 90

## When an upload is deleted. Allowed: 1..3650 days, or "none".
# delete_after_days = "none"

## How long logs are kept. Allowed: 1, 7 or 30 days.
# log_days = 30

[processing]
## The function that makes thumbnails.

## Longest side of a thumbnail. Allowed: 16..2048 pixels.
# thumbnail_size_px = 128

## How long one invocation may take. Allowed: 1..900 seconds.
# timeout_seconds = 60

## Memory of the function. Allowed: 128..10240 MB.
# memory_mb = 512

## Allowed: 1..1000 invocations, or "none".
# reserved_concurrency = "none"

## Its runtime. Allowed: 'python3.12' or 'python3.13'.
# runtime = "python3.13"

## Whether calls are traced. Allowed: true or false.
# tracing = false

## Share of calls that is traced. Allowed: 0..1.
# sampling = 0.05

## Allowed: a whole number or 'auto'.
# batch = "auto"

[processing.output]
## What thumbnails are encoded as.

## Format of the thumbnails. Allowed: 'auto' or 'jpeg'.
# format = "auto"

## Colour of transparent areas. Allowed: a colour such as #ffffff, or "none".
# background = "none"
"""
    )
