"""What the function is told by its environment: the only reader of `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable of the function's environment is missing or wrong."""


@dataclass(frozen=True)
class Settings:
    """The function's variables; each is called like its field, in capitals, without the unit."""

    metadata_table: str
    thumbnail_bucket: str
    thumbnail_size_px: int
    environment: str
    environment_suffix: str
    max_source_bytes: int
    max_source_pixels: int
    index_shards: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every variable once, at cold start.

        Raises:
            SettingsError: names the variable that is missing, empty or not a positive whole number.
        """
        return cls(
            metadata_table=_text(environment, "METADATA_TABLE"),
            thumbnail_bucket=_text(environment, "THUMBNAIL_BUCKET"),
            thumbnail_size_px=_positive(environment, "THUMBNAIL_SIZE", "pixels"),
            environment=_text(environment, "ENVIRONMENT"),
            environment_suffix=_text(environment, "ENVIRONMENT_SUFFIX"),
            max_source_bytes=_positive(environment, "MAX_SOURCE_BYTES", "bytes"),
            max_source_pixels=_positive(environment, "MAX_SOURCE_PIXELS", "pixels"),
            index_shards=_positive(environment, "INDEX_SHARDS", "shards"),
        )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"environment: {name}: is missing or empty; expected text")
    return value


def _positive(environment: Mapping[str, str], name: str, unit: str) -> int:
    value = _text(environment, name)
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise SettingsError(f"environment: {name}: {value!r} is not a positive whole number; expected {unit}")
    return int(value)
