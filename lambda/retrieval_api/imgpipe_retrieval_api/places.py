"""The place in a list where a page ends and the next begins, and the token that carries it.

A token is a place, and no right: whose images are listed, and from which partitions, is read from the request that
brings it. So there is nothing to be won by forging one, and one of another list is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from .questions import IMAGE_ID, Listing
from .refusals import RefusedError, bad_request

MAX_TOKEN_CHARACTERS = 2048  # with the most partitions there may be, half of it is used
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}Z")
FIRST_DAY = date(2006, 3, 14)  # Amazon S3 began: nothing was uploaded before


@dataclass(frozen=True)
class Place:
    """How far a list was read.

    Args:
        until: the upload time of the last image read; None if none was, in this list or on this day.
        seen: for the partitions with images read of just that time (by their number), the last such image's id.
        day: of the list of all images: the day that is being read.
        found: of the list of all images: the last day that had an image.
    """

    until: str | None = None
    seen: Mapping[int, str] = field(default_factory=dict)
    day: date | None = None
    found: date | None = None

    def after(self, partition: int, *, image_id: str, uploaded: str) -> Place:
        """The place behind one more image, which is the next newest of all partitions."""
        others = self.seen if uploaded == self.until else {}
        return replace(self, until=uploaded, seen={**others, partition: image_id}, found=self.day)


def token_of(place: Place, listing: Listing) -> str:
    """Pack a place for the caller to bring back."""
    fields = {
        "l": listing.fingerprint,
        "u": place.until,
        "s": [[partition, image_id] for partition, image_id in sorted(place.seen.items())],
        "d": place.day and place.day.isoformat(),
        "f": place.found and place.found.isoformat(),
    }
    text = json.dumps(fields, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(token: str, listing: Listing, *, partitions: int, by_day: bool) -> Place:
    """Unpack what `token_of` packed for the same list.

    Args:
        token: as the caller sent it.
        listing: what he asks now.
        partitions: how many the list is merged from.
        by_day: whether the list is read day by day.

    Raises:
        RefusedError: anything else than a token of this very list.
    """
    try:
        fields = _unpacked(token)
        place = Place(
            until=fields["u"],
            seen=dict(fields["s"]),
            day=fields["d"] and date.fromisoformat(fields["d"]),
            found=fields["f"] and date.fromisoformat(fields["f"]),
        )
        if token_of(place, listing) == token and _is_sound(place, partitions, by_day=by_day):
            return place
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass
    raise _refusal()


def _unpacked(token: str) -> Any:
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise _refusal()
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except binascii.Error as error:
        raise _refusal() from error


def _is_sound(place: Place, partitions: int, *, by_day: bool) -> bool:
    """Whether a page could have ended here."""
    if not all(
        type(partition) is int and 0 <= partition < partitions and IMAGE_ID.fullmatch(image_id)
        for partition, image_id in place.seen.items()
    ):
        return False
    if bool(place.seen) != (place.until is not None):
        return False
    if place.until is not None and not TIMESTAMP.fullmatch(place.until):
        return False
    if not by_day:
        return place.day is None and place.found is None
    if place.day is None or place.found is None or not FIRST_DAY <= place.day <= place.found:
        return False
    return place.until is None or (place.until.startswith(place.day.isoformat()) and place.found == place.day)


def _refusal() -> RefusedError:
    return bad_request("invalid-token", "next is a token of another list, or none; ask for the first page again")
