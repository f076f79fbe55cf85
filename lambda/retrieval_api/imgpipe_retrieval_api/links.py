"""Links to the bytes of an object: GetObject requests, signed here and sent by whoever holds the link."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

Link = dict[str, str]

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}
UNKNOWN_MEDIA_TYPE = "application/octet-stream"
MAX_FILE_NAME_CHARACTERS = 100  # enough for people, and it is in the link up to fifteen times as long
# What may stand in a filename* unencoded, beyond letters, digits and "-._~" (RFC 8187, "attr-char").
SAFE_IN_FILE_NAME = "!#$&+^`|"


@dataclass(frozen=True)
class Links:
    """Signs links.

    Args:
        s3: a client that signs with version 4 for its Region's own host.
        expires_seconds: how long a link lives.
    """

    s3: Any
    expires_seconds: int

    def to_thumbnail(self, bucket: str, key: str, image_format: str | None) -> Link:
        """Link to an image that the processor encoded, shown as the type it encoded it to."""
        media_type = MEDIA_TYPES.get(image_format or "")
        typed = {"ResponseContentType": media_type} if media_type else {}
        return self._signed(Bucket=bucket, Key=key, **typed)

    def to_original(self, bucket: str, key: str, version_id: str | None, image_format: str | None) -> Link:
        """Link to what somebody uploaded, under its own name: to be stored, never shown as a page of the bucket's host.

        Args:
            bucket: the bucket.
            key: the key.
            version_id: None in a bucket without versions; elsewhere the key alone may mean a later upload.
            image_format: None if it is not known to be an image.
        """
        return self._signed(
            Bucket=bucket,
            Key=key,
            ResponseContentDisposition=attachment(key),
            ResponseContentType=MEDIA_TYPES.get(image_format or "", UNKNOWN_MEDIA_TYPE),
            **({"VersionId": version_id} if version_id else {}),
        )

    def _signed(self, **request: str) -> Link:
        url = self.s3.generate_presigned_url("get_object", Params=request, ExpiresIn=self.expires_seconds)
        (signed_at,) = parse_qs(urlsplit(url).query)["X-Amz-Date"]
        expires_at = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ") + timedelta(seconds=self.expires_seconds)  # noqa: DTZ007  "Z" is in the text
        return {"Url": url, "ExpiresAt": expires_at.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def attachment(key: str) -> str:
    """A Content-Disposition that stores a file under the last part of its key (RFC 6266).

    Characters that could end the header or disguise the name's end (quotes, controls, turns of the writing direction)
    become "_"; a program that does not know `filename*` gets the name in ASCII.
    """
    name = key.rstrip("/").rpartition("/")[2][-MAX_FILE_NAME_CHARACTERS:] or "image"
    name = "".join("_" if unicodedata.category(one)[0] == "C" or one in '"\\/' else one for one in name)
    plain = "".join(one if one.isascii() and one != "%" else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=SAFE_IN_FILE_NAME)}"
