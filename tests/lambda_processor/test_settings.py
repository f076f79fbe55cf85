import pytest

from imgpipe_processor.imaging.recipe import Animation, Limits, Recipe
from imgpipe_processor.settings import ReportSettings, Settings, SettingsError, ThumbnailSettings

ALWAYS_NEEDED = {
    "METADATA_TABLE": "ImageMetadata-dev",
    "ENVIRONMENT": "production",
    "ENVIRONMENT_SUFFIX": "dev",
    "MAX_SOURCE_BYTES": "1000000",
    "MAX_SOURCE_PIXELS": "2000000",
    "MAX_SOURCE_FRAMES": "1000",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "INDEX_SHARDS": "4",
    "SOURCE_BUCKET": "photos-in",
}
THUMBNAILS = {
    "THUMBNAIL_BUCKET": "thumbs",
    "THUMBNAIL_SIZE": "128",
    "OUTPUT_PREFIX": "thumbnails/",
    "OUTPUT_FORMAT": "auto",
    "JPEG_QUALITY": "85",
}
ANIMATION = {"MAX_ANIMATION_FRAMES": "100", "MAX_ANIMATION_PIXELS": "25000000", "WEBP_QUALITY": "75"}
REPORTS = {"SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:reports", "REPORTS": "failures"}
VARIABLES = ALWAYS_NEEDED | THUMBNAILS | ANIMATION | REPORTS
EVERYTHING = VARIABLES | {
    "BACKGROUND": "#ffeedd",
    "ENGINE": "libvips",
    "HEIC": "true",
    "EXTRA_THUMBNAIL_SIZES": "512, 256,128",
    "UPLOAD_PREFIX": "uploads/",
    "USER_ID_FROM": "first-folder",
}


def without(name):
    return {other: value for other, value in EVERYTHING.items() if other != name}


@pytest.mark.line("003-27")
def test_the_environment_is_all_the_configuration_there_is():
    assert Settings(
        metadata_table="ImageMetadata-dev",
        environment="production",
        environment_suffix="dev",
        max_source_bytes=1_000_000,
        index_shards=4,
        source_bucket="photos-in",
        limits=Limits(2_000_000, max_frames=1000, memory_bytes=512 * 2**20, heic=True),
        recipe=Recipe(
            (128, 256, 512),
            jpeg_quality=85,
            webp_quality=75,
            background="#ffeedd",
            animation=Animation(max_frames=100, max_pixels=25_000_000),
            engine="libvips",
        ),
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
    assert settings.recipe == Recipe(())
    assert not settings.limits.heic


def test_there_is_one_thumbnail_unless_more_are_asked_for():
    settings = Settings.from_environment(VARIABLES)

    assert settings.thumbnails == ThumbnailSettings("thumbs", "thumbnails/", (128,))
    assert settings.recipe.sizes_px == (128,)


@pytest.mark.parametrize(
    ("variables", "recipe"),
    [
        ({"OUTPUT_FORMAT": "auto", "JPEG_QUALITY": "1"}, Recipe((128,), "auto", jpeg_quality=1)),
        ({"OUTPUT_FORMAT": "jpeg", "JPEG_QUALITY": "100"}, Recipe((128,), "jpeg", jpeg_quality=100)),
        ({"OUTPUT_FORMAT": "png"}, Recipe((128,), "png")),
        ({"OUTPUT_FORMAT": "webp", "WEBP_QUALITY": "30"}, Recipe((128,), "webp", webp_quality=30)),
        ({"OUTPUT_FORMAT": "avif", "AVIF_QUALITY": "31"}, Recipe((128,), "avif", avif_quality=31)),
        (
            {"OUTPUT_FORMAT": "webp", **ANIMATION},
            Recipe((128,), "webp", webp_quality=75, animation=Animation(100, 25_000_000)),
        ),
    ],
)
def test_a_format_needs_its_own_quality_and_no_other(variables, recipe):
    place = {name: THUMBNAILS[name] for name in ("THUMBNAIL_BUCKET", "THUMBNAIL_SIZE", "OUTPUT_PREFIX")}
    environment = ALWAYS_NEEDED | place | variables

    assert Settings.from_environment(environment).recipe == recipe
    for name in variables:
        with pytest.raises(SettingsError, match=f"^environment: {name}: is missing or empty"):
            Settings.from_environment({other: value for other, value in environment.items() if other != name})


@pytest.mark.parametrize(
    "name",
    [
        *("THUMBNAIL_BUCKET", "EXTRA_THUMBNAIL_SIZES", "OUTPUT_PREFIX", "OUTPUT_FORMAT", "BACKGROUND"),
        *("JPEG_QUALITY", "WEBP_QUALITY", "AVIF_QUALITY", "MAX_ANIMATION_FRAMES", "MAX_ANIMATION_PIXELS"),
    ],
)
def test_an_output_without_a_bucket_for_it_is_refused(name):
    with pytest.raises(SettingsError, match=r"^environment: THUMBNAIL_SIZE: is missing or empty"):
        Settings.from_environment(ALWAYS_NEEDED | {name: "1"})


def test_metadata_alone_is_read_with_the_configured_engine():
    assert Settings.from_environment(ALWAYS_NEEDED | {"ENGINE": "libvips"}).recipe == Recipe((), engine="libvips")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MAX_SOURCE_BYTES", "bytes"),
        ("INDEX_SHARDS", "shards"),
        ("MAX_SOURCE_PIXELS", "pixels"),
        ("MAX_SOURCE_FRAMES", "frames"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "MB"),
        ("THUMBNAIL_SIZE", "pixels"),
        ("EXTRA_THUMBNAIL_SIZES", "pixels, with commas between"),
        ("MAX_ANIMATION_FRAMES", "frames"),
        ("MAX_ANIMATION_PIXELS", "pixels"),
        ("JPEG_QUALITY", "1..100"),
    ],
)
def test_number_that_is_none_is_refused_with_its_unit(name, expected):
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(EVERYTHING | {name: "x"})

    assert str(refused.value) == f"environment: {name}: 'x' is not a positive whole number; expected {expected}"


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
    "name",
    [
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "EXTRA_THUMBNAIL_SIZES",
        "INDEX_SHARDS",
        "JPEG_QUALITY",
        "MAX_ANIMATION_FRAMES",
        "MAX_ANIMATION_PIXELS",
        "MAX_SOURCE_BYTES",
        "MAX_SOURCE_FRAMES",
        "MAX_SOURCE_PIXELS",
        "THUMBNAIL_SIZE",
        "WEBP_QUALITY",
    ],
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
    ("name", "expected"),
    [
        ("ENGINE", "pillow or libvips"),
        ("HEIC", "true"),
        ("OUTPUT_FORMAT", "auto or jpeg or png or webp or avif"),
        ("REPORTS", "failures or always"),
        ("USER_ID_FROM", "first-folder or metadata"),
    ],
)
def test_an_unknown_choice_is_named_with_the_known_ones(name, expected):
    with pytest.raises(SettingsError, match=f"^environment: {name}: 'Often' is unknown; expected {expected}$"):
        Settings.from_environment({**EVERYTHING, name: "Often"})


@pytest.mark.parametrize("name", ["JPEG_QUALITY", "WEBP_QUALITY"])
def test_a_quality_has_an_upper_end(name):
    with pytest.raises(SettingsError, match=rf"^environment: {name}: 101 is out of range; expected 1\.\.100$"):
        Settings.from_environment({**EVERYTHING, name: "101"})


@pytest.mark.parametrize("value", ["white", "#fff", "#gggggg", "ffffff", "#ffffff00", "#fffff\n"])
def test_a_wrong_colour_is_named_with_a_right_one(value):
    with pytest.raises(SettingsError, match=r"^environment: BACKGROUND: '.*' is no colour; expected one such as #ff"):
        Settings.from_environment({**EVERYTHING, "BACKGROUND": value})
