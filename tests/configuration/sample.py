"""A configuration with every kind of key, in the manner of a pipeline's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import pytest
from pydantic import Field

from imgpipe_templates.configuration import Conflict, Length, Pattern, Presets, Range, Section, TomlSource, Unit, load
from imgpipe_templates.errors import ConfigError


class Uploads(Section):
    """Which objects are uploads."""

    prefix: Annotated[str, Field(description="Keys that start with it.")] = ""
    extensions: Annotated[
        tuple[Annotated[str, Pattern("^[a-z]+$", "lower-case letters")], ...], Length(1, 3, "extensions")
    ] = ("jpg", "png")


class Storage(Section):
    """How long objects stay."""

    archive_after_days: Annotated[int, Range(30, 3650, "days"), Field(description="When an upload is archived.")] = 90
    delete_after_days: Annotated[
        int | None, Range(1, 3650, "days"), Field(description="When an upload is deleted.")
    ] = None
    log_days: Annotated[Literal[1, 7, 30], Unit("days"), Field(description="How long logs are kept.")] = 30

    def conflicts(self) -> Iterator[Conflict]:
        if self.delete_after_days is not None and self.delete_after_days <= self.archive_after_days:
            yield Conflict(
                ("delete_after_days", "archive_after_days"),
                f"{self.delete_after_days} is not after {self.archive_after_days}; "
                f"expected at least {self.archive_after_days + 1} days",
            )


class Output(Section):
    """What thumbnails are encoded as."""

    format: Annotated[Literal["auto", "jpeg"], Field(description="Format of the thumbnails.")] = "auto"
    background: Annotated[
        str | None,
        Pattern("^#[0-9a-f]{6}$", "a colour such as #ffffff"),
        Field(description="Colour of transparent areas."),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        if self.background and self.format == "auto":
            yield Conflict(("background", "format"), f"{self.background!r} cannot be; expected format = 'jpeg'")


class Processing(Section):
    """The function that makes thumbnails."""

    thumbnail_size_px: Annotated[int, Range(16, 2048, "pixels"), Field(description="Longest side of a thumbnail.")] = (
        128
    )
    timeout_seconds: Annotated[
        int, Range(1, 900, "seconds"), Field(description="How long one invocation may take.")
    ] = 60
    memory_mb: Annotated[int, Range(128, 10_240, "MB"), Field(description="Memory of the function.")] = 512
    reserved_concurrency: Annotated[int, Range(1, 1000, "invocations")] | None = None
    runtime: Annotated[Literal["python3.12", "python3.13"], Field(description="Its runtime.")] = "python3.13"
    tracing: Annotated[bool, Field(description="Whether calls are traced.")] = False
    sampling: Annotated[float, Range(0, 1), Field(description="Share of calls that is traced.")] = 0.05
    batch: int | Literal["auto"] = "auto"
    output: Output = Field(default_factory=Output)

    def conflicts(self) -> Iterator[Conflict]:
        if self.tracing and self.output.format == "jpeg":
            yield Conflict(("tracing", "output.format"), "JPEG cannot be traced; expected one of both")


class Network(Section):
    """Where the function runs."""

    subnets: tuple[str, ...] = ()


class Pipeline(Section):
    """The whole."""

    name: Annotated[str, Field(description="Name of the pipeline.")]
    deletion_policy: Annotated[Literal["retain", "delete"], Field(description="What becomes of images.")] = "retain"
    tags: Annotated[
        dict[Annotated[str, Pattern("^[^:]+$", "text without a colon")], str], Field(description="More tags.")
    ] = Field(default_factory=dict[str, str])
    uploads: Uploads = Field(default_factory=Uploads)
    storage: Storage = Field(default_factory=Storage)
    processing: Processing = Field(default_factory=Processing)
    network: Annotated[Network | None, Field(description="A separate network.")] = None

    def conflicts(self) -> Iterator[Conflict]:
        if self.processing.tracing and self.deletion_policy == "delete":
            yield Conflict(
                ("processing.tracing", "deletion_policy"), "cannot be traced when deleted; expected one of both"
            )


def read(text: str, *overrides: str, presets: Presets | None = None) -> Pipeline:
    """The configuration in a file with this text."""
    return load(Pipeline, [TomlSource("imgpipe.toml", text)], overrides, presets=presets)


def faults(text: str, *overrides: str, presets: Presets | None = None) -> Sequence[str]:
    """What is wrong with a file with this text."""
    with pytest.raises(ConfigError) as caught:
        read(text, *overrides, presets=presets)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return list(caught.value.errors)
