"""What the helper says no to; every text ends up in the reason that CloudFormation shows."""

from __future__ import annotations


class RequestError(Exception):
    """The request cannot be fulfilled, however often it is tried."""


class OutOfTimeError(Exception):
    """The function's time is nearly over; what is left of it is kept for the answer."""


class BucketGoneError(Exception):
    """There is no such bucket (any more)."""


class ResponseError(Exception):
    """CloudFormation could not be answered; Lambda is to deliver the request again."""
