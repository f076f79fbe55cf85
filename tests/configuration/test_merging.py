"""Files, and the presets they start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgpipe_templates.configuration import Presets, TomlSource, load
from imgpipe_templates.errors import ConfigError
from tests.configuration.sample import Pipeline, faults, read


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Presets:
    folder = tmp_path_factory.mktemp("presets")
    texts = {
        "thumbnails": "name = 'thumbnails'\ntags.A = '1'\n[uploads]\nextensions = ['jpg', 'png']\n"
        "[processing]\nmemory_mb = 1024\nreserved_concurrency = 10\noutput.format = 'jpeg'\n[network]\nsubnets = ['s']",
        "large": "preset = 'thumbnails'\nname = 'large'\nprocessing.memory_mb = 4096",
        "faulty": "name = 'faulty'\n\nprocessing.memory_mb = 1",
        "egg": "preset = 'hen'",
        "hen": "preset = 'egg'",
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return Presets(folder)


def test_tables_are_merged_and_lists_and_scalars_replaced(presets: Presets):
    config = read("preset = 'thumbnails'\ntags.B = '2'\nuploads.extensions = ['gif']", presets=presets)
    assert (config.name, config.tags, config.uploads.extensions) == ("thumbnails", {"A": "1", "B": "2"}, ("gif",))
    assert config.processing.memory_mb == 1024


def test_tables_in_tables_are_merged_too(presets: Presets):
    config = read("preset = 'thumbnails'\n[processing.output]\nbackground = '#000000'", presets=presets)
    assert (config.processing.output.format, config.processing.output.background) == ("jpeg", "#000000")
    assert config.processing.memory_mb == 1024


def test_a_preset_may_start_from_a_preset(presets: Presets):
    config = read("preset = 'large'", presets=presets)
    assert (config.name, config.processing.memory_mb, config.tags) == ("large", 4096, {"A": "1"})


def test_later_layers_win():
    layers = [TomlSource("a", "name = 'a'\ntags.A = '1'"), TomlSource("b", "name = 'b'\ntags.B = '2'")]
    config = load(Pipeline, layers)
    assert (config.name, config.tags) == ("b", {"A": "1", "B": "2"})


def test_none_removes_the_value_of_a_preset(presets: Presets):
    assert read("preset = 'thumbnails'", presets=presets).processing.reserved_concurrency == 10
    config = read("preset = 'thumbnails'\nnetwork = 'none'\nprocessing.reserved_concurrency = 'none'", presets=presets)
    assert (config.processing.reserved_concurrency, config.network) == (None, None)


def test_the_layer_that_set_the_value_is_named(presets: Presets):
    assert faults("preset = 'faulty'\nprocessing.timeout_seconds = 0", presets=presets) == [
        "preset faulty:3: processing.memory_mb: 1 is out of range; expected 128..10240 MB",
        "imgpipe.toml:2: processing.timeout_seconds: 0 is out of range; expected 1..900 seconds",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("\npreset = 'thumbnail'", "imgpipe.toml:2: preset: 'thumbnail' is unknown; did you mean thumbnails?"),
        (
            "preset = 'zzz'",
            "imgpipe.toml:1: preset: 'zzz' is unknown; expected one of: egg, faulty, hen, large, thumbnails",
        ),
        (
            "preset = '../x'",
            "imgpipe.toml:1: preset: '../x' is unknown; expected one of: egg, faulty, hen, large, thumbnails",
        ),
        ("preset = 1", "imgpipe.toml:1: preset: expected the name of a preset, got 1"),
        (
            "preset = 'egg'",
            "preset hen:1: preset: 'egg' starts from itself (egg -> hen -> egg); expected another preset",
        ),
    ],
)
def test_a_preset_that_cannot_be(text: str, fault: str, presets: Presets):
    assert faults(text, presets=presets) == [fault]


def test_the_rest_of_the_file_is_checked_although_its_preset_is_unknown(presets: Presets):
    assert faults("preset = 'thumbnail'\nstorage.log_days = 2", presets=presets) == [
        "imgpipe.toml:1: preset: 'thumbnail' is unknown; did you mean thumbnails?",
        "imgpipe.toml:2: storage.log_days: 2 is not allowed; expected 1, 7 or 30 days",
    ]


def test_a_preset_by_name(presets: Presets):
    assert load(Pipeline, [presets.layer("large")], presets=presets).processing.memory_mb == 4096
    with pytest.raises(ConfigError, match=r"^preset: 'larg' is unknown; did you mean large\?$"):
        presets.layer("larg")


def test_a_file_is_read_with_or_without_byte_order_mark(tmp_path: Path):
    path = tmp_path / "imgpipe.toml"
    path.write_bytes(b"\xef\xbb\xbfname = '\xc3\xa9'\r\n")
    assert load(Pipeline, [TomlSource.read(path)]).name == "é"


def test_files_that_cannot_be_read(tmp_path: Path):
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"name = 'a'\n\nx = '\xe9'")
    expected = {
        tmp_path / "absent.toml": ": no such file; expected a TOML file",
        tmp_path: ": is a folder; expected a TOML file",
        latin / "inside.toml": ": cannot be read: not a directory; expected a TOML file",
        latin: ":3: is not UTF-8 text; expected a TOML file in UTF-8",
    }
    for path, words in expected.items():
        with pytest.raises(ConfigError) as caught:
            TomlSource.read(path)
        assert str(caught.value) == f"{path}{words}"
