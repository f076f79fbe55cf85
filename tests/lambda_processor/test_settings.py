import pytest

from imgpipe_processor.settings import Settings, SettingsError

VARIABLES = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "THUMBNAIL_BUCKET": "thumbs",
    "THUMBNAIL_SIZE": "128",
    "ENVIRONMENT": "production",
    "ENVIRONMENT_SUFFIX": "dev",
    "MAX_SOURCE_BYTES": "1000",
    "MAX_SOURCE_PIXELS": "2000",
    "INDEX_SHARDS": "4",
}


def test_003_27_the_environment_is_all_the_configuration_there_is():
    assert Settings(
        metadata_table="ImageMetadata-dev",
        thumbnail_bucket="thumbs",
        thumbnail_size_px=128,
        environment="production",
        environment_suffix="dev",
        max_source_bytes=1000,
        max_source_pixels=2000,
        index_shards=4,
    ) == Settings.from_environment(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_variable_is_named(name, value):
    variables = {**VARIABLES, name: value} if value is not None else {k: v for k, v in VARIABLES.items() if k != name}

    with pytest.raises(SettingsError, match=f"^environment: {name}: is missing or empty"):
        Settings.from_environment(variables)


@pytest.mark.parametrize("name", ["THUMBNAIL_SIZE", "MAX_SOURCE_BYTES", "MAX_SOURCE_PIXELS", "INDEX_SHARDS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "²", "1e3"])
def test_a_wrong_number_is_named_with_its_value_and_unit(name, value):
    with pytest.raises(SettingsError, match=f"^environment: {name}: '.*' is not a positive whole number; expected "):
        Settings.from_environment({**VARIABLES, name: value})
