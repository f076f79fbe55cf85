"""Whose image it is: the user's id, out of the object's key or its metadata.

An id decides who sees an image. What is not fit to be one is therefore refused, never repaired: cutting or replacing
characters would make one user of two.
"""

from __future__ import annotations

from collections.abc import Mapping

# The name, in lower case and without `x-amz-meta-`, under which an uploader stores the id beside the object.
METADATA_NAME = "user-id"

# An e-mail address has at most 254 characters (RFC 3696, erratum 1690). In UTF-8 this stays within the 2,048 bytes of
# a partition key ("Quotas in Amazon DynamoDB", Amazon DynamoDB Developer Guide, read 2026-11).
MAX_CHARACTERS = 256


def user_of_key(key: str, upload_prefix: str) -> str | None:
    """The first folder below the prefix; None where the object lies in no folder."""
    folder, slash, _ = key.removeprefix(upload_prefix).partition("/")
    return _fit(folder) if slash else None


def user_of_metadata(metadata: Mapping[str, str]) -> str | None:
    """What the uploader stored as the user's id; None where that is nothing."""
    return _fit(metadata.get(METADATA_NAME, ""))


def _fit(candidate: str) -> str | None:
    """The id, unless it is empty, too long, or has characters that are not seen or not sent (controls, bidi marks)."""
    fits = 0 < len(candidate) <= MAX_CHARACTERS and candidate.isprintable() and candidate == candidate.strip()
    return candidate if fits else None
