"""Which objects are not the function's business, whatever a trigger lets through."""

from __future__ import annotations

from .events import Upload
from .settings import Settings

# What the keys of folder objects end with: a slash ("Organizing objects in the Amazon S3 console by using folders",
# Amazon S3 User Guide), or Hadoop's own suffix (AWS re:Post Knowledge Center, emr-s3-empty-files; both read 2026-11).
# A file can have such a key as well, but then it has bytes.
FOLDER_SUFFIXES = ("/", "_$folder$")


def reason_to_ignore(upload: Upload, settings: Settings) -> str | None:
    """Why an object is not worked on; None if it is.

    Another bucket's event is refused: whoever can send one must not have the function read what only it may read.
    What the function writes itself is never taken for an upload: with this no trigger can make it feed itself.
    """
    if upload.bucket != settings.source_bucket:
        return "of another bucket"
    if not upload.key.startswith(settings.upload_prefix):
        return "not below the upload prefix"
    written = settings.thumbnails
    if written is not None and upload.bucket == written.bucket and upload.key.startswith(written.prefix):
        return "an output of the function"
    if upload.size == 0 and upload.key.endswith(FOLDER_SUFFIXES):
        return "a zero-byte folder object"
    return None
