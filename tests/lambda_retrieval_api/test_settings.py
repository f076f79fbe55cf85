import pytest

from imgpipe_retrieval_api.settings import Settings, SettingsError

REQUIRED = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "INDEX_SHARDS": "4",
    "INDEXES": "UploadTimestampIndex, UserIndex",
}
OPTIONAL = {
    "THUMBNAIL_BUCKET": "thumbs",
    "SOURCE_BUCKET": "photos",
    "URL_EXPIRES_SECONDS": "60",
    "MAX_PAGE_SIZE": "20",
    "OWN_IMAGES_ONLY": "true",
}


@pytest.mark.line("002-11")
def test_the_environment_is_all_the_configuration_there_is():
    assert Settings(
        metadata_table="ImageMetadata-dev",
        index_shards=4,
        indexes=frozenset({"UploadTimestampIndex", "UserIndex"}),
        thumbnail_bucket="thumbs",
        source_bucket="photos",
        url_expires_seconds=60,
        max_page_size=20,
        own_images_only=True,
    ) == Settings.from_environment(REQUIRED | OPTIONAL)


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(OPTIONAL, " ")])
def test_what_is_optional_may_be_missing_or_empty(empty):
    assert Settings(
        metadata_table="ImageMetadata-dev",
        index_shards=4,
        indexes=frozenset({"UploadTimestampIndex", "UserIndex"}),
        thumbnail_bucket=None,
        source_bucket=None,
        url_expires_seconds=900,
        max_page_size=50,
        max_empty_days=366,
        own_images_only=False,
    ) == Settings.from_environment(REQUIRED | empty)


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", ["", " "])
def test_a_missing_variable_is_named(name, value):
    with pytest.raises(SettingsError, match=f"^environment: {name}: is missing or empty"):
        Settings.from_environment({**REQUIRED, name: value})


@pytest.mark.parametrize(
    ("name", "highest"),
    [("INDEX_SHARDS", 20), ("URL_EXPIRES_SECONDS", 900), ("MAX_PAGE_SIZE", 100)],
)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "²", None])
def test_a_number_out_of_range_is_named_with_its_range_and_unit(name, highest, value):
    value = value or str(highest + 1)
    with pytest.raises(
        SettingsError, match=rf"^environment: {name}: '.*' is out of range; expected 1\.\.{highest} \w+"
    ):
        Settings.from_environment({**REQUIRED, name: value})


def test_an_unknown_index_is_named():
    with pytest.raises(
        SettingsError, match=r"^environment: INDEXES: 'ColourIndex' is no known index; expected some of "
    ):
        Settings.from_environment({**REQUIRED, "INDEXES": "UserIndex,ColourIndex"})


@pytest.mark.parametrize("value", ["True", "yes", "1"])
def test_a_switch_is_true_or_false(value):
    with pytest.raises(
        SettingsError, match=f"^environment: OWN_IMAGES_ONLY: '{value}' is no switch; expected true or "
    ):
        Settings.from_environment({**REQUIRED, "OWN_IMAGES_ONLY": value})
