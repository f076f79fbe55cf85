import pytest

from imgpipe_processor.settings import ReportSettings, Settings, SettingsError, ThumbnailSettings

ALWAYS_NEEDED = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "ENVIRONMENT": "production",
    "ENVIRONMENT_SUFFIX": "dev",
    "MAX_SOURCE_BYTES": "1000000",
    "MAX_SOURCE_PIXELS": "2000000",
    "INDEX_SHARDS": "4",
    "SOURCE_BUCKET": "photos-in",
}
THUMBNAILS = {"THUMBNAIL_BUCKET": "thumbs", "THUMBNAIL_SIZE": "128", "OUTPUT_PREFIX": "thumbnails/"}
REPORTS = {"SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:reports", "REPORTS": "failures"}
VARIABLES = ALWAYS_NEEDED | THUMBNAILS | REPORTS
EVERYTHING = VARIABLES | {
    "EXTRA_THUMBNAIL_SIZES": "512, 256,128",
    "UPLOAD_PREFIX": "uploads/",
    "USER_ID_FROM": "first-folder",
}


def without(name):
    return {other: value for other, value in EVERYTHING.items() if other != name}


def test_003_27_the_environment_is_all_the_configuration_there_is():
    assert Settings(
        metadata_table="ImageMetadata-dev",
        environment="production",
        environment_suffix="dev",
        max_source_bytes=1_000_000,
        max_source_pixels=2_000_000,
        index_shards=4,
        source_bucket="photos-in",
        thumbnails=ThumbnailSettings("thumbs", "thumbnails/", (128, 256, 512)),
        upload_prefix="uploads/",
        user_id_from="first-folder",
        reports=ReportSettings("arn:aws:sns:eu-west-1:111122223333:reports", "failures"),
    ) == Settings.from_environment(EVERYTHING)


def test_what_is_absent_is_off():
    settings = Settings.from_environment(ALWAYS_NEEDED)

    assert (settings.thumbnails, settings.upload_prefix, settings.user_id_from, settings.reports) == (
        None,
        "",
        None,
        None,
    )


def test_there_is_one_thumbnail_unless_more_are_asked_for():
    assert Settings.from_environment(VARIABLES).thumbnails == ThumbnailSettings("thumbs", "thumbnails/", (128,))


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_variable_changes_something_or_is_needed(name):
    try:
        changed = Settings.from_environment(without(name))
    except SettingsError as error:
        assert str(error).startswith(f"environment: {name}: is missing or empty")  # noqa: PT017  either is right
    else:
        assert changed != Settings.from_environment(EVERYTHING)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_is_named(name):
    with pytest.raises(SettingsError, match=f"^environment: {name}: is missing or empty"):
        Settings.from_environment(without(name))


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_named(name, value):
    with pytest.raises(SettingsError, match=f"^environment: {name}: is missing or empty"):
        Settings.from_environment({**EVERYTHING, name: value})


@pytest.mark.parametrize(
    "name", ["THUMBNAIL_SIZE", "EXTRA_THUMBNAIL_SIZES", "MAX_SOURCE_BYTES", "MAX_SOURCE_PIXELS", "INDEX_SHARDS"]
)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "²", "1e3"])
def test_a_wrong_number_is_named_with_its_value_and_unit(name, value):
    with pytest.raises(SettingsError, match=f"^environment: {name}: '.*' is not a positive whole number; expected "):
        Settings.from_environment({**EVERYTHING, name: value})


@pytest.mark.parametrize("value", ["256,", ",", "256;512", "256 512"])
def test_a_wrong_list_of_sizes_is_named(value):
    with pytest.raises(SettingsError, match=r"^environment: EXTRA_THUMBNAIL_SIZES: .*expected pixels, with commas"):
        Settings.from_environment({**EVERYTHING, "EXTRA_THUMBNAIL_SIZES": value})


@pytest.mark.parametrize("name", ["UPLOAD_PREFIX", "OUTPUT_PREFIX"])
def test_a_prefix_that_would_let_its_neighbours_in_is_refused(name):
    with pytest.raises(SettingsError, match=f"^environment: {name}: 'uploads' is not a folder; expected a slash"):
        Settings.from_environment({**EVERYTHING, name: "uploads"})


@pytest.mark.parametrize(
    ("name", "expected"), [("USER_ID_FROM", "first-folder or metadata"), ("REPORTS", "failures or always")]
)
def test_an_unknown_choice_is_named_with_the_known_ones(name, expected):
    with pytest.raises(SettingsError, match=f"^environment: {name}: 'Often' is unknown; expected {expected}$"):
        Settings.from_environment({**EVERYTHING, name: "Often"})
