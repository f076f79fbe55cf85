"""The JSON Schema that editors read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator

from imgpipe_templates.configuration import Presets
from imgpipe_templates.configuration.json_schema import json_schema
from tests.configuration.sample import Pipeline


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("presets")
    for name in ("thumbnails", "production"):
        (folder / f"{name}.toml").touch()
    return json_schema(Pipeline, presets=Presets(folder))


@pytest.mark.parametrize(
    "text",
    [
        "preset = 'thumbnails'",
        "name = 'a'",
        "preset = 'production'\n[processing]\nmemory_mb = 128\nreserved_concurrency = 'none'\nsampling = 1\nbatch = 3",
        "name = 'a'\n[processing.output]\nformat = 'jpeg'\nbackground = 'none'",
        "name = 'a'\nnetwork = 'none'\n[storage]\nlog_days = 7\n[tags]\n'a b' = 'c'",
    ],
)
def test_good_files_pass(schema: dict[str, Any], text: str):
    assert list(StandardValidator(schema).iter_errors(tomllib.loads(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "preset = 'other'",
        "name = 1",
        "name = 'a'\nnme = 'b'",
        "name = 'a'\nprocessing.memory_mb = 127",
        "name = 'a'\nprocessing.memory_mb = '128'",
        "name = 'a'\nprocessing.memory = 128",
        "name = 'a'\nprocessing.reserved_concurrency = 0",
        "name = 'a'\nprocessing.runtime = 'node'",
        "name = 'a'\nprocessing.output.format = 'gif'",
        "name = 'a'\nprocessing.output.quality = 1",
        "name = 'a'\nuploads.extensions = []",
        "name = 'a'\nuploads.extensions = ['JPG']",
        "name = 'a'\nstorage.log_days = 2",
        "name = 'a'\ntags.A = 1",
        "name = 'a'\ntags.'a:b' = 'c'",
    ],
)
def test_bad_files_are_refused(schema: dict[str, Any], text: str):
    assert not StandardValidator(schema).is_valid(tomllib.loads(text))


def test_a_key_reads_well_in_an_editor(schema: dict[str, Any]):
    assert schema["$defs"]["Processing"]["properties"]["memory_mb"] == {
        "type": "integer",
        "minimum": 128,
        "maximum": 10240,
        "default": 512,
        "description": "Memory of the function. 128..10240 MB.",
    }
    assert schema["$defs"]["Processing"]["description"] == "The function that makes thumbnails."
    assert schema["$defs"]["Storage"]["properties"]["delete_after_days"] == {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 3650}, {"const": "none"}],
        "description": "When an upload is deleted. 1..3650 days.",
    }
    assert schema["$defs"]["Storage"]["properties"]["log_days"]["description"] == "How long logs are kept. In days."
    assert schema["properties"]["processing"] == {"$ref": "#/$defs/Processing"}
    assert schema["$defs"]["Processing"]["properties"]["output"] == {"$ref": "#/$defs/Output"}
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["preset"]["enum"] == ["production", "thumbnails"]
