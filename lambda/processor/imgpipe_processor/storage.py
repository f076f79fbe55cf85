"""The function's S3 calls: a look at the source, a bounded read of it, and the upload of a thumbnail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from . import failures
from .aws import error_code, http_status, is_transient
from .events import Upload
from .failures import ImageRejectedError

UNKNOWN_CONTENT_TYPE = "unknown"

# The key is made of the id of one version of one object, so what it holds never changes: cached for a year, the
# longest that HTTP caches are asked to honour. `private`, because the bucket is: thumbnails are read through signed
# links, and a cache that several people share must not keep somebody's photo after the link has expired.
CACHE_CONTROL = "private, max-age=31536000, immutable"

# What a GetObject is answered with for an object that is gone: no such key or version, a delete marker, or (If-Match)
# other content than the event told of; and, with status 400, for a version id that is none.
GONE_STATUSES = frozenset({404, 405, 412})
GONE_CODES = frozenset({"InvalidArgument"})
# For one that may not be read: no right to it or to its key, an archive, or encrypted with a key that only its uploader
# has (InvalidRequest).
REFUSED_CODES = frozenset({"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "InvalidRequest"})


class About(NamedTuple):
    """What is known of an object beside its bytes.

    Args:
        size: bytes; None while nobody has told.
        metadata: what the uploader stored with it, by names in lower case.
    """

    size: int | None
    content_type: str = UNKNOWN_CONTENT_TYPE
    metadata: Mapping[str, str] = MappingProxyType({})


class Source(NamedTuple):
    """An object that S3 has begun to send."""

    about: About
    body: Any

    def read(self, *, max_bytes: int) -> bytes:
        """Read it to the end, and never more than `max_bytes` and one byte.

        Raises:
            ImageRejectedError: too large.
        """
        with closing(self.body) as body:
            refuse_too_large(self.about.size, max_bytes)
            data = _read(body, max_bytes + 1)
        refuse_too_large(len(data), max_bytes)
        return data


def refuse_too_large(size: int | None, max_bytes: int) -> None:
    """Refuse an object with more bytes than the function may hold.

    Raises:
        ImageRejectedError: too large.
    """
    if size is not None and size > max_bytes:
        raise ImageRejectedError(failures.TOO_LARGE, f"the object has more than {max_bytes:,} bytes")


def look_at_source(s3: Any, upload: Upload) -> About:
    """Ask what the very version that the event names is, without its bytes.

    A refusal only leaves it unknown: the answer to a HeadObject has no body to say why, and the read that follows
    is refused with the reason.
    """
    try:
        return _about(s3.head_object(**_identified(upload)))
    except ClientError as error:
        if is_transient(error):
            raise
        return About(upload.size)


def open_source(s3: Any, upload: Upload) -> Source:
    """Ask for the very version that the event names.

    Raises:
        ImageRejectedError: gone or refused. Without s3:ListBucket, S3 also answers "access denied" for a key that
            does not exist.
    """
    try:
        answer = s3.get_object(**_identified(upload))
    except ClientError as error:
        if http_status(error) in GONE_STATUSES or error_code(error) in GONE_CODES:
            raise ImageRejectedError(failures.MISSING, f"the object is gone: {error_code(error)}") from error
        if error_code(error) in REFUSED_CODES:
            message = f"the object may not be read, or is gone: {error_code(error)}"
            raise ImageRejectedError(failures.FORBIDDEN, message) from error
        raise
    return Source(_about(answer), answer["Body"])


def write_thumbnail(s3: Any, *, bucket: str, key: str, data: bytes, content_type: str) -> None:
    """Upload a thumbnail; no ACL, because the bucket's owner owns everything in it."""
    s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type, CacheControl=CACHE_CONTROL)


def _identified(upload: Upload) -> dict[str, str]:
    which = {"VersionId": upload.version_id} if upload.version_id else {"IfMatch": f'"{upload.etag}"'}
    return {"Bucket": upload.bucket, "Key": upload.key, **which}


def _about(answer: Mapping[str, Any]) -> About:
    return About(
        size=answer.get("ContentLength"),
        content_type=answer.get("ContentType") or UNKNOWN_CONTENT_TYPE,
        metadata=answer.get("Metadata", {}),
    )


def _read(body: Any, limit_bytes: int) -> bytes:
    """Read up to the end: only there does botocore compare length and checksum with what S3 announced."""
    chunks = []
    while limit_bytes and (chunk := body.read(limit_bytes)):
        chunks.append(chunk)
        limit_bytes -= len(chunk)
    return b"".join(chunks)
