"""Pipelines, environments and Regions of one account have different names."""

from __future__ import annotations

import re

import pytest

from imgpipe_templates import load_config, load_preset
from imgpipe_templates.config import PRESETS
from imgpipe_templates.errors import ConfigError
from imgpipe_templates.names import PRESET_NAMES
from tests.templates import of_type, rendered, said

SUFFIX = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")


def suffix_of(preset: str, *options: str) -> str:
    default: str = rendered(load_preset(preset, options))["Parameters"]["EnvironmentSuffix"]["Default"]
    return default


@pytest.mark.parametrize("preset", PRESETS.names)
def test_suffix_of_a_preset_is_dev(preset):
    assert suffix_of(preset) == "dev"


def test_presets_are_known_by_their_names():
    assert set(PRESETS.names) == PRESET_NAMES


@pytest.mark.parametrize(
    ("options", "suffix"),
    [
        (["name=pics"], "pics-prod"),
        (["name=pics", "environment=staging"], "pics-stage"),
        (["name=pics", "environment=development"], "pics-dev"),
        (["name=holiday-photos2"], "holiday-photos2-prod"),
        (["name=holiday-photos20"], "holiday-264378-prod"),
        (["name=pics", "environment_suffix=mine"], "mine"),
        (["environment_suffix=mine"], "mine"),
    ],
)
def test_suffix_is_made_of_name_and_environment(options, suffix):
    assert suffix_of("thumbnails", *options) == suffix


def test_long_names_have_different_suffixes_that_fit():
    suffixes = {suffix_of("thumbnails", f"name={'a' * 30}{end}") for end in ("b", "c", "-d")}

    assert len(suffixes) == 3
    assert all(len(suffix) <= 20 and SUFFIX.match(suffix) for suffix in suffixes)


def test_name_in_a_file_reaches_the_suffix(tmp_path):
    file = tmp_path / "imgpipe.toml"
    file.write_text('preset = "media-library"\nname = "pics"\n')

    assert rendered(load_config(file))["Parameters"]["EnvironmentSuffix"]["Default"] == "pics-dev"


@pytest.mark.parametrize("preset", PRESETS.names)
def test_regional_names_of_buckets_contain_the_region(preset):
    template = rendered(load_preset(preset, ["names=regional", "storage.source_bucket_name=derived"]))

    names = [said(bucket["BucketName"]) for bucket in of_type(template, "AWS::S3::Bucket").values()]
    assert all(name.endswith("-${EnvironmentSuffix}-${AWS::AccountId}-${AWS::Region}") for name in names)
    at_longest = {"EnvironmentSuffix": "s" * 20, "AWS::AccountId": "1" * 12, "AWS::Region": "us-isof-south-1"}
    assert all(len(re.sub(r"\$\{([^}]+)\}", lambda found: at_longest[found[1]], name)) <= 63 for name in names)
    # What a bucket says of itself elsewhere, such as in a role or a variable, is the same name.
    assert "image-storage-bucket" not in str(template)


def test_regional_names_leave_a_named_source_bucket_alone():
    buckets = of_type(rendered(load_preset("thumbnails", ["names=regional"])), "AWS::S3::Bucket")

    assert said(buckets["SourceBucket"]["BucketName"]) == "SourceBucketName"


def test_page_without_tls_is_refused_in_production():
    with pytest.raises(ConfigError, match=r"storage\.cors_origins and environment: 'http://localhost:3000' is"):
        load_preset("production", ['storage.cors_origins=["https://a.example", "http://localhost:3000"]'])
    assert load_preset("media-library").storage.cors_origins == ("http://localhost:3000",)
