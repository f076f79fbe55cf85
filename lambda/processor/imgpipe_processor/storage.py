"""The function's two S3 calls: a bounded read of the source, and the upload of the thumbnail."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from . import failures
from .aws import error_code, http_status
from .events import Upload
from .failures import ImageRejectedError

UNKNOWN_CONTENT_TYPE = "unknown"

# The key is made of the id of one version of one object, so what it holds never changes: cached for a year, the
# longest that HTTP caches are asked to honour. `private`, because the bucket is: thumbnails are read through signed
# links, and a cache that several people share must not keep somebody's photo after the link has expired.
CACHE_CONTROL = "private, max-age=31536000, immutable"

# What a GetObject is answered with for an object that is gone: no such key or version, a delete marker, or (If-Match)
# other content than the event told of.
GONE_STATUSES = frozenset({404, 405, 412})
REFUSED_CODES = frozenset({"AccessDenied", "AllAccessDisabled", "InvalidObjectState"})


@dataclass(frozen=True)
class Source:
    """An object as it was read."""

    data: bytes
    content_type: str


def too_large(limit_bytes: int) -> ImageRejectedError:
    """The refusal of an object with more bytes than the function may hold."""
    return ImageRejectedError(failures.TOO_LARGE, f"the object has more than {limit_bytes} bytes")


def read_source(s3: Any, upload: Upload, *, max_bytes: int) -> Source:
    """Read the very version that the event names, and never more than `max_bytes` and one byte.

    Raises:
        ImageRejectedError: gone, refused or too large. Without s3:ListBucket, S3 also answers "access denied" for a
            key that does not exist.
    """
    which = {"VersionId": upload.version_id} if upload.version_id else {"IfMatch": f'"{upload.etag}"'}
    try:
        answer = s3.get_object(Bucket=upload.bucket, Key=upload.key, **which)
    except ClientError as error:
        if http_status(error) in GONE_STATUSES:
            raise ImageRejectedError(failures.MISSING, f"the object is gone: {error_code(error)}") from error
        if error_code(error) in REFUSED_CODES:
            message = f"the object may not be read, or is gone: {error_code(error)}"
            raise ImageRejectedError(failures.FORBIDDEN, message) from error
        raise
    with closing(answer["Body"]) as body:
        if answer.get("ContentLength", 0) > max_bytes:
            raise too_large(max_bytes)
        data = _read(body, max_bytes + 1)
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    return Source(data, answer.get("ContentType") or UNKNOWN_CONTENT_TYPE)


def _read(body: Any, limit_bytes: int) -> bytes:
    """Read up to the end: only there does botocore compare length and checksum with what S3 announced."""
    chunks = []
    while limit_bytes and (chunk := body.read(limit_bytes)):
        chunks.append(chunk)
        limit_bytes -= len(chunk)
    return b"".join(chunks)


def write_thumbnail(s3: Any, *, bucket: str, key: str, data: bytes, content_type: str) -> None:
    """Upload a thumbnail; no ACL, because the bucket's owner owns everything in it."""
    s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type, CacheControl=CACHE_CONTROL)
