"""Faults that are nobody's image's: what is to be tried again, and what the log may tell of it."""

from __future__ import annotations

import re
import traceback

from botocore.exceptions import ClientError

from . import failures
from .aws import is_transient

ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def category_of(error: BaseException) -> str:
    """`transient` or `internal`."""
    return failures.TRANSIENT if is_transient(error) else failures.INTERNAL


def detail_of(error: BaseException) -> str:
    """What AWS said, without account numbers; for any other error, its type and where in the code it was raised.

    AWS names the action and the resource that it refused, which is what somebody has to know to put it right. The text
    of another error is left out: it may quote the image.
    """
    if isinstance(error, ClientError):
        return ACCOUNT.sub("*" * 12, str(error))
    return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])
