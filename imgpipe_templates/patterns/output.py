"""Encoding of thumbnails: formats, qualities, animations, and the function's variables for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from imgpipe_templates.configuration import Conflict, OnlyWith, Pattern, Range, Section

Quality = Annotated[int, Range(1, 100)]

ANIMATED = "webp"
ANIMATIONS = OnlyWith({"processing.output.animation": (ANIMATED,)})


class OutputConfig(Section):
    """What thumbnails are encoded as."""

    format: Annotated[
        Literal["auto", "jpeg", "png", "webp", "avif"],
        Field(
            description="Format of the thumbnails. `auto` means PNG for images with transparency and JPEG for all "
            "others."
        ),
    ] = "auto"
    background: Annotated[
        str | None,
        Pattern("^#[0-9A-Fa-f]{6}$", "a colour such as #ffffff"),
        Field(
            description="Fill transparent areas with this colour. If it is not set, transparency is kept, except in "
            "JPEG, where it becomes white."
        ),
    ] = None
    jpeg_quality: Annotated[
        Quality,
        Field(description="Quality of JPEG thumbnails."),
        OnlyWith({"processing.output.format": ("auto", "jpeg")}),
    ] = 80
    webp_quality: Annotated[
        Quality,
        Field(description="Quality of WebP thumbnails, including animated ones."),
        OnlyWith({"processing.output.format": (ANIMATED,), "processing.output.animation": (ANIMATED,)}),
    ] = 80
    avif_quality: Annotated[
        Quality, Field(description="Quality of AVIF thumbnails."), OnlyWith({"processing.output.format": ("avif",)})
    ] = 60
    animation: Annotated[
        Literal["first-frame", "webp"],
        Field(
            description="Thumbnail of an animated image: its first frame, or an animated WebP if the image is within "
            "the two limits below."
        ),
    ] = "first-frame"
    max_animation_frames: Annotated[
        int,
        Range(2, 10_000, "frames"),
        Field(description="Make a thumbnail of only the first frame of animations with more frames."),
        ANIMATIONS,
    ] = 100
    max_animation_pixels: Annotated[
        int,
        Range(4_096, 500_000_000, "pixels"),
        Field(
            description="Make a thumbnail of only the first frame of animations with more pixels (width times height "
            "times frames)."
        ),
        ANIMATIONS,
    ] = 25_000_000

    def conflicts(self) -> Iterator[Conflict]:
        """A format that animations do not have."""
        animated = self.animation == ANIMATED
        if animated and self.format not in {"auto", ANIMATED}:
            yield Conflict(
                ("format", "animation"),
                f"{self.format!r} says that every thumbnail is of this format, and an animated one is WebP; "
                "expected format = 'auto' or 'webp', or animation = 'first-frame'",
            )

    @property
    def lossy_formats(self) -> tuple[str, ...]:
        """The formats with a quality that thumbnails may have."""
        still = "jpeg" if self.format == "auto" else self.format
        made = {still, ANIMATED} if self.animation == ANIMATED else {still}
        return tuple(name for name in ("jpeg", "webp", "avif") if name in made)

    def variables(self) -> dict[str, str]:
        """Return the function's variables: only those that it needs."""
        variables: dict[str, str] = {"OUTPUT_FORMAT": self.format}
        variables |= {f"{name.upper()}_QUALITY": str(getattr(self, f"{name}_quality")) for name in self.lossy_formats}
        if self.background:
            variables["BACKGROUND"] = self.background
        if self.animation == ANIMATED:
            variables["MAX_ANIMATION_FRAMES"] = str(self.max_animation_frames)
            variables["MAX_ANIMATION_PIXELS"] = str(self.max_animation_pixels)
        return variables
