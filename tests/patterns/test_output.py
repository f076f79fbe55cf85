"""Encoding of thumbnails: conflicting options, and the function's variables."""

from __future__ import annotations

import pytest

from imgpipe_templates import ConfigError, load_preset
from imgpipe_templates.patterns.output import OutputConfig


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, {"OUTPUT_FORMAT": "auto", "JPEG_QUALITY": "80"}),
        ({"format": "jpeg", "jpeg_quality": 7}, {"OUTPUT_FORMAT": "jpeg", "JPEG_QUALITY": "7"}),
        ({"format": "png"}, {"OUTPUT_FORMAT": "png"}),
        ({"format": "webp"}, {"OUTPUT_FORMAT": "webp", "WEBP_QUALITY": "80"}),
        ({"format": "avif"}, {"OUTPUT_FORMAT": "avif", "AVIF_QUALITY": "60"}),
        (
            {"format": "png", "background": "#a0B1c2"},
            {"OUTPUT_FORMAT": "png", "BACKGROUND": "#a0B1c2"},
        ),
        (
            {"animation": "webp", "max_animation_frames": 5},
            {
                "OUTPUT_FORMAT": "auto",
                "JPEG_QUALITY": "80",
                "WEBP_QUALITY": "80",
                "MAX_ANIMATION_FRAMES": "5",
                "MAX_ANIMATION_PIXELS": "25000000",
            },
        ),
    ],
)
def test_function_has_only_the_variables_that_its_formats_need(options, variables):
    assert OutputConfig(**options).variables() == variables


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"jpeg_quality": 1},
        {"format": "jpeg", "jpeg_quality": 1, "background": "#ffffff"},
        {"format": "webp", "webp_quality": 1},
        {"format": "avif", "avif_quality": 1},
        {"animation": "webp", "webp_quality": 1, "jpeg_quality": 2, "max_animation_frames": 3},
        {"format": "webp", "animation": "webp", "max_animation_pixels": 5000},
        # What an option is by itself may be written down.
        {"format": "png", "jpeg_quality": 80, "max_animation_frames": 100},
    ],
)
def test_what_goes_together(options):
    assert list(OutputConfig(**options).conflicts()) == []


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"format": "jpeg", "animation": "webp"}, ("format", "animation")),
        ({"format": "png", "animation": "webp"}, ("format", "animation")),
        ({"format": "avif", "animation": "webp"}, ("format", "animation")),
    ],
)
def test_an_animation_that_its_format_cannot_hold_is_refused(options, keys):
    (conflict,) = OutputConfig(**options).conflicts()

    assert conflict.keys == keys
    assert "; expected " in conflict.message


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"format": "png", "jpeg_quality": 81}, "jpeg_quality"),
        ({"webp_quality": 81}, "webp_quality"),
        ({"format": "webp", "avif_quality": 61}, "avif_quality"),
        ({"format": "webp", "animation": "webp", "jpeg_quality": 1}, "jpeg_quality"),
        ({"max_animation_frames": 99}, "max_animation_frames"),
        ({"max_animation_pixels": 99_999}, "max_animation_pixels"),
    ],
)
def test_what_does_nothing_is_refused_with_what_would_make_it_do_something(options, key):
    with pytest.raises(ConfigError) as refused:
        load_preset("thumbnails", [f"processing.output.{name}={value}" for name, value in options.items()])

    assert f"--set processing.output.{key}={options[key]}: " in str(refused.value)
    assert "has no effect with processing.output." in str(refused.value)
    assert "; expected processing.output." in str(refused.value)
