"""What the function is told by its environment: the only reader of `os.environ`.

A variable that is absent turns its feature off; one that is there and makes no sense stops the function.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from .imaging.recipe import AUTO, AVIF, ENGINES, JPEG, OUTPUT_FORMATS, PILLOW, WEBP, Animation, Limits, Recipe

FIRST_FOLDER = "first-folder"
METADATA = "metadata"
USER_ID_SOURCES = (FIRST_FOLDER, METADATA)

FAILURES = "failures"
ALWAYS = "always"
REPORT_OCCASIONS = (FAILURES, ALWAYS)

# What is about thumbnails, and makes no sense where none are made.
THUMBNAIL_VARIABLES = (
    "THUMBNAIL_BUCKET",
    "THUMBNAIL_SIZE",
    "EXTRA_THUMBNAIL_SIZES",
    "OUTPUT_PREFIX",
    "OUTPUT_FORMAT",
    "BACKGROUND",
    "JPEG_QUALITY",
    "WEBP_QUALITY",
    "AVIF_QUALITY",
    "MAX_ANIMATION_FRAMES",
    "MAX_ANIMATION_PIXELS",
)
HIGHEST_QUALITY = 100
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class SettingsError(Exception):
    """A variable of the function's environment is missing or wrong."""


class ThumbnailSettings(NamedTuple):
    """Where thumbnails go, and how large they are.

    Args:
        sizes_px: the sides of the squares they fit in, ascending, each once.
    """

    bucket: str
    prefix: str
    sizes_px: tuple[int, ...]


class ReportSettings(NamedTuple):
    """Who gets the reports, and after which events (`failures` or `always`)."""

    topic_arn: str
    occasion: str


class Settings(NamedTuple):
    """The function's variables.

    Args:
        max_source_bytes: of an upload.
        source_bucket: the only bucket whose events are worked on.
        limits: what an image may ask of the function.
        recipe: what is made of it.
        thumbnails: None where only metadata is kept.
        upload_prefix: what the key of an upload starts with; empty for every key.
        user_id_from: `first-folder` or `metadata`; None where images belong to nobody.
        reports: None where nobody wants any.
    """

    metadata_table: str
    environment: str
    environment_suffix: str
    max_source_bytes: int
    index_shards: int
    source_bucket: str
    limits: Limits
    recipe: Recipe
    thumbnails: ThumbnailSettings | None = None
    upload_prefix: str = ""
    user_id_from: str | None = None
    reports: ReportSettings | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every variable once, at cold start.

        Raises:
            SettingsError: names the variable that is missing, empty or makes no sense.
        """
        thumbnails = _thumbnails(environment)
        return cls(
            metadata_table=_text(environment, "METADATA_TABLE"),
            environment=_text(environment, "ENVIRONMENT"),
            environment_suffix=_text(environment, "ENVIRONMENT_SUFFIX"),
            max_source_bytes=_positive(environment, "MAX_SOURCE_BYTES", "bytes"),
            index_shards=_positive(environment, "INDEX_SHARDS", "shards"),
            source_bucket=_text(environment, "SOURCE_BUCKET"),
            limits=_limits(environment),
            recipe=_recipe(environment, thumbnails.sizes_px if thumbnails else ()),
            thumbnails=thumbnails,
            upload_prefix=_prefix(environment, "UPLOAD_PREFIX") if "UPLOAD_PREFIX" in environment else "",
            user_id_from=_choice(environment, "USER_ID_FROM", USER_ID_SOURCES)
            if "USER_ID_FROM" in environment
            else None,
            reports=_reports(environment),
        )


def _thumbnails(environment: Mapping[str, str]) -> ThumbnailSettings | None:
    if not any(name in environment for name in THUMBNAIL_VARIABLES):
        return None
    sizes_px = {_positive(environment, "THUMBNAIL_SIZE", "pixels")}
    if "EXTRA_THUMBNAIL_SIZES" in environment:
        for size in _text(environment, "EXTRA_THUMBNAIL_SIZES").split(","):
            sizes_px.add(_number("EXTRA_THUMBNAIL_SIZES", size.strip(), "pixels, with commas between"))
    return ThumbnailSettings(
        bucket=_text(environment, "THUMBNAIL_BUCKET"),
        prefix=_prefix(environment, "OUTPUT_PREFIX"),
        sizes_px=tuple(sorted(sizes_px)),
    )


def _limits(environment: Mapping[str, str]) -> Limits:
    return Limits(
        max_pixels=_positive(environment, "MAX_SOURCE_PIXELS", "pixels"),
        max_frames=_positive(environment, "MAX_SOURCE_FRAMES", "frames"),
        memory_bytes=_positive(environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "MB") * 2**20,
        heic="HEIC" in environment and _choice(environment, "HEIC", ("true",)) == "true",
    )


def _recipe(environment: Mapping[str, str], sizes_px: tuple[int, ...]) -> Recipe:
    """What is made of an image; a quality is asked for where something is made with it."""
    engine = _choice(environment, "ENGINE", ENGINES) if "ENGINE" in environment else PILLOW
    if not sizes_px:
        return Recipe(sizes_px, engine=engine)
    output_format = _choice(environment, "OUTPUT_FORMAT", OUTPUT_FORMATS)
    animation = _animation(environment)
    made = {JPEG if output_format == AUTO else output_format} | ({WEBP} if animation else set())
    qualities = {
        f"{name}_quality": _quality(environment, f"{name.upper()}_QUALITY")
        for name in (JPEG, WEBP, AVIF)
        if name in made
    }
    background = _colour(environment, "BACKGROUND") if "BACKGROUND" in environment else None
    return Recipe(sizes_px, output_format, background=background, animation=animation, engine=engine, **qualities)


def _animation(environment: Mapping[str, str]) -> Animation | None:
    if not {"MAX_ANIMATION_FRAMES", "MAX_ANIMATION_PIXELS"} & set(environment):
        return None
    return Animation(
        max_frames=_positive(environment, "MAX_ANIMATION_FRAMES", "frames"),
        max_pixels=_positive(environment, "MAX_ANIMATION_PIXELS", "pixels"),
    )


def _reports(environment: Mapping[str, str]) -> ReportSettings | None:
    if not {"SNS_TOPIC_ARN", "REPORTS"} & set(environment):
        return None
    return ReportSettings(_text(environment, "SNS_TOPIC_ARN"), _choice(environment, "REPORTS", REPORT_OCCASIONS))


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"environment: {name}: is missing or empty; expected text")
    return value


def _prefix(environment: Mapping[str, str], name: str) -> str:
    value = _text(environment, name)
    if not value.endswith("/"):  # `uploads` would let `uploadsX/` in
        raise SettingsError(f"environment: {name}: {value!r} is not a folder; expected a slash at its end")
    return value


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = _text(environment, name)
    if value not in choices:
        raise SettingsError(f"environment: {name}: {value!r} is unknown; expected {' or '.join(choices)}")
    return value


def _colour(environment: Mapping[str, str], name: str) -> str:
    value = _text(environment, name)
    if not COLOUR.fullmatch(value):
        raise SettingsError(f"environment: {name}: {value!r} is no colour; expected one such as #ffffff")
    return value


def _quality(environment: Mapping[str, str], name: str) -> int:
    value = _positive(environment, name, f"1..{HIGHEST_QUALITY}")
    if value > HIGHEST_QUALITY:
        raise SettingsError(f"environment: {name}: {value} is out of range; expected 1..{HIGHEST_QUALITY}")
    return value


def _positive(environment: Mapping[str, str], name: str, unit: str) -> int:
    return _number(name, _text(environment, name), unit)


def _number(name: str, value: str, unit: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise SettingsError(f"environment: {name}: {value!r} is not a positive whole number; expected {unit}")
    return int(value)
