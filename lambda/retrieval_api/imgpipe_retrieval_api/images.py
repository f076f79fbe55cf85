"""An image as callers see it, made from its item; attributes that are missing there are missing here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .links import Links
from .settings import Settings
from .table import Item, number, text

TEXTS = (
    "ImageId",
    "Status",
    "ObjectKey",
    "ContentType",
    "Format",
    "Placeholder",
    "DominantColor",
    "UserId",
    "UploadTimestamp",
    "UploadDate",
    "ProcessedAt",
    "ErrorCategory",
    "ErrorMessage",
)
NUMBERS = ("FileSize", "Width", "Height", "FrameCount")
THUMBNAIL_NUMBERS = ("Width", "Height", "Bytes")
UNKNOWN_STATUS = "unknown"


def described(item: Item, settings: Settings, links: Links) -> dict[str, Any]:
    """Describe an image, with links to its thumbnails and, where the API offers them, to its original.

    Only objects of the pipeline's own buckets are linked to, whatever the item says.
    """
    image = {"Status": UNKNOWN_STATUS} | _known(item, TEXTS, NUMBERS)
    image["Thumbnails"] = [_thumbnail(entry, settings, links) for entry in _thumbnails(item)]
    bucket, key = text(item, "BucketName"), text(item, "ObjectKey")
    if bucket is not None and bucket == settings.source_bucket and key is not None:
        image["Original"] = links.to_original(bucket, key, text(item, "VersionId"), text(item, "Format"))
    return image


def _thumbnails(item: Item) -> list[Item]:
    value = item.get("Thumbnails")
    entries = value.get("L") if isinstance(value, Mapping) else None
    if not isinstance(entries, list):
        return []
    maps = [entry.get("M") for entry in entries if isinstance(entry, Mapping)]
    return [entry for entry in maps if isinstance(entry, Mapping)]


def _thumbnail(entry: Item, settings: Settings, links: Links) -> dict[str, Any]:
    thumbnail = _known(entry, ("Format",), THUMBNAIL_NUMBERS)
    bucket, key = text(entry, "Bucket"), text(entry, "Key")
    if bucket is not None and bucket == settings.thumbnail_bucket and key is not None:
        thumbnail |= links.to_thumbnail(bucket, key, text(entry, "Format"))
    return thumbnail


def _known(item: Item, texts: tuple[str, ...], numbers: tuple[str, ...]) -> dict[str, Any]:
    found = {name: text(item, name) for name in texts} | {name: number(item, name) for name in numbers}
    return {name: value for name, value in found.items() if value is not None}
