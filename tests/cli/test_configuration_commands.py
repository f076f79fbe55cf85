"""`imgpipe presets`, `init` and `schema`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from imgpipe_templates import load_config, load_preset
from imgpipe_templates.config import DEFAULT_PRESET, PRESETS


def test_presets_are_listed_a_line_each(imgpipe):
    listed = imgpipe("presets")

    lines = listed.out.splitlines()
    assert listed.status == 0
    assert [line.split()[0] for line in lines] == PRESETS.names
    (default,) = [line for line in lines if line.endswith("(default)")]
    assert default.startswith(DEFAULT_PRESET)


def test_a_starter_file_is_the_preset_until_it_is_changed(imgpipe):
    assert imgpipe("init").out == "imgpipe.toml\nimgpipe.schema.json\n"

    assert load_config(Path("imgpipe.toml")) == load_preset(DEFAULT_PRESET)
    text = Path("imgpipe.toml").read_text()
    Path("changed.toml").write_text(text.replace("# memory_mb = 512", "memory_mb = 1024"))
    assert load_config(Path("changed.toml")).processing.memory_mb == 1024


@pytest.mark.parametrize("name", PRESETS.names)
def test_a_starter_file_with_every_key_uncommented_is_the_preset(imgpipe, name):
    imgpipe("init", "--preset", name)
    text = Path("imgpipe.toml").read_text()

    Path("all.toml").write_text("\n".join(line.removeprefix("# ") for line in text.splitlines()))

    assert load_config(Path("all.toml")) == load_preset(name)


def test_an_editor_finds_the_schema_next_to_the_file(imgpipe):
    done = imgpipe("init", "--preset", "thumbnails", "--out", "my own.toml")

    first, *_ = Path("my own.toml").read_text().splitlines()
    assert first == "#:schema imgpipe.schema.json"
    assert Path("imgpipe.schema.json").read_text() == imgpipe("schema").out
    assert "run `imgpipe render --config 'my own.toml'`" in done.err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("imgpipe render --preset thu", ["plain,thumbnails"]),
        ("imgpipe init --preset thu", ["plain,thumbnails"]),
        ("imgpipe package --set processing.mem", ["plain,processing.memory_mb="]),
        ("imgpipe render --set trigger=q", ["plain,trigger=queue"]),
        ("imgpipe local run --set backups=", ["plain,backups=true", "plain,backups=false"]),
    ],
)
def test_a_shell_completes_presets_and_keys(words, offered):
    environment = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    environment |= {"_IMGPIPE_COMPLETE": "bash_complete"}

    done = subprocess.run(
        [sys.executable, "-m", "imgpipe_templates"], check=True, capture_output=True, text=True, env=environment
    )

    assert done.stdout.splitlines() == offered


def test_a_file_that_is_there_is_not_overwritten(imgpipe):
    Path("imgpipe.toml").write_text("mine")

    refused = imgpipe("init")
    assert refused.status == 1
    assert "imgpipe.toml: exists already" in refused.err
    assert Path("imgpipe.toml").read_text() == "mine"


def test_a_starter_file_in_a_missing_folder_is_refused(imgpipe):
    refused = imgpipe("init", "--out", "no/such/imgpipe.toml")
    assert refused.status == 1
    assert "no/such/imgpipe.toml: cannot be written" in refused.err


@pytest.mark.parametrize("name", PRESETS.names)
def test_the_schema_accepts_every_preset(imgpipe, name):
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - comes with cfn-lint; only this test wants it

    schema = json.loads(imgpipe("schema").out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    data = tomllib.loads((PRESETS.folder / f"{name}.toml").read_text())
    assert list(validator.iter_errors(data)) == []
    assert list(validator.iter_errors({**data, "processing": {"memory_mb": 64}}))
    assert list(validator.iter_errors({**data, "procesing": {}}))
