"""Why an image was not processed: the categories, and the errors that carry them."""

from __future__ import annotations

# Permanent: they lie in the object itself. Recorded as `failed`, never retried.
UNSUPPORTED = "unsupported"
CORRUPT = "corrupt"
TOO_LARGE = "too-large"
MISSING = "missing"
FORBIDDEN = "forbidden"

# Told after every record had its turn, so that Lambda or the queue delivers it again and its dead-letter queue fills.
TRANSIENT = "transient"  # throttles, server errors, lost connections
# A defect of this code or of the stack it runs in. Recorded as `failed` and not retried only where the bytes alone
# bring it about.
INTERNAL = "internal"

# What lay in the time rather than in the content: another upload of the same content, or a delivery that had read the
# object already, may still bring the image to its end.
OF_ITS_TIME = (MISSING, FORBIDDEN, INTERNAL)


class ImageRejectedError(Exception):
    """An object that will never be processed, however often it is tried.

    Args:
        category: one of the permanent categories above, or `internal`.
        message: is stored and logged, so it holds nothing of the image and no key.
    """

    def __init__(self, category: str, message: str) -> None:
        super().__init__(f"{category}: {message}")
        self.category = category
        self.message = message


class RecordsToRetryError(Exception):
    """Some records of the event did not come to an end; Lambda is to deliver the event again."""
