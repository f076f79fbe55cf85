"""Settings from the function's environment variables. No other module reads `os.environ`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

UPLOAD_TIMESTAMP_INDEX = "UploadTimestampIndex"
USER_INDEX = "UserIndex"
STATUS_INDEX = "StatusIndex"
KNOWN_INDEXES = frozenset({UPLOAD_TIMESTAMP_INDEX, USER_INDEX, STATUS_INDEX})

MAX_INDEX_SHARDS = 20  # each is a query per day; the table's own configuration allows no more
# A signed link lives no longer than what signed it, and a role's credentials are renewed a quarter of an hour before
# their end (botocore's RefreshableCredentials).
MAX_URL_EXPIRES_SECONDS = 900
# An image with nine links of 2.5 kB each, times this, stays below half of the 6 MB that a function may answer
# ("Lambda quotas", AWS Lambda Developer Guide, read 2026-11).
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 50
MAX_EMPTY_DAYS = 366


class SettingsError(Exception):
    """A variable of the function's environment is missing or wrong."""


@dataclass(frozen=True)
class Settings:
    """The function's settings. Each variable has the name of its field in capitals.

    Args:
        indexes: The indexes of the table.
        source_bucket: None if the API returns no links to originals.
        thumbnail_bucket: None if there are no thumbnails.
        max_empty_days: The list of all images ends after this number of consecutive days without images. It has no
            variable.
        own_images_only: True if callers see only their own uploads.
    """

    metadata_table: str
    index_shards: int
    indexes: frozenset[str]
    thumbnail_bucket: str | None = None
    source_bucket: str | None = None
    url_expires_seconds: int = MAX_URL_EXPIRES_SECONDS
    max_page_size: int = DEFAULT_PAGE_SIZE
    max_empty_days: int = MAX_EMPTY_DAYS
    own_images_only: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every variable once, at cold start.

        Raises:
            SettingsError: A variable is missing or invalid. The message names it and the expected value.
        """
        return cls(
            metadata_table=_text(environment, "METADATA_TABLE"),
            index_shards=_number(environment, "INDEX_SHARDS", high=MAX_INDEX_SHARDS, unit="shards"),
            indexes=_indexes(environment),
            thumbnail_bucket=_optional(environment, "THUMBNAIL_BUCKET"),
            source_bucket=_optional(environment, "SOURCE_BUCKET"),
            url_expires_seconds=_number(
                environment,
                "URL_EXPIRES_SECONDS",
                high=MAX_URL_EXPIRES_SECONDS,
                unit="seconds",
                default=MAX_URL_EXPIRES_SECONDS,
            ),
            max_page_size=_number(
                environment, "MAX_PAGE_SIZE", high=MAX_PAGE_SIZE, unit="images", default=DEFAULT_PAGE_SIZE
            ),
            own_images_only=_switch(environment, "OWN_IMAGES_ONLY"),
        )


def _optional(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(name, "").strip() or None


def _text(environment: Mapping[str, str], name: str) -> str:
    value = _optional(environment, name)
    if value is None:
        raise SettingsError(f"environment: {name}: is missing or empty; expected text")
    return value


def _number(environment: Mapping[str, str], name: str, *, high: int, unit: str, default: int | None = None) -> int:
    if default is not None and _optional(environment, name) is None:
        return default
    value = _text(environment, name)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= high):
        raise SettingsError(f"environment: {name}: {value!r} is out of range; expected 1..{high} {unit}")
    return int(value)


def _indexes(environment: Mapping[str, str]) -> frozenset[str]:
    names = frozenset(name.strip() for name in _text(environment, "INDEXES").split(","))
    if not names <= KNOWN_INDEXES:
        expected = ", ".join(sorted(KNOWN_INDEXES))
        raise SettingsError(
            f"environment: INDEXES: {min(names - KNOWN_INDEXES)!r} is no known index; expected some of {expected}"
        )
    return names


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = _optional(environment, name) or "false"
    if value not in {"true", "false"}:
        raise SettingsError(f"environment: {name}: {value!r} is no switch; expected true or false")
    return value == "true"
