"""Lists of images, newest first: partitions of an index merged by time, and the list of all images day by day.

A burst of uploads is spread over shards, and a day is a partition of its own in each of them; so a page may need many
queries. One request makes a bounded number of them and answers with what it found, and with the place to go on from.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from .places import FIRST_DAY, Place, place_of
from .questions import Listing
from .settings import STATUS_INDEX, UPLOAD_TIMESTAMP_INDEX, USER_INDEX, Settings
from .table import DELETED, BudgetSpentError, Item, Table, text

HASH_NAMES = {UPLOAD_TIMESTAMP_INDEX: "UploadShard", STATUS_INDEX: "StatusShard", USER_INDEX: "UserId"}

# Of about 5 ms each: half a second of the 30 that an HTTP API waits. More than there can be shards, or the list of
# all images would never get past an empty day.
QUERIES_PER_REQUEST = 100
# What is deleted or of another status is read and not shown: a page of one image should not need a query for each.
FEWEST_AT_ONCE = 10
END_OF_TIME = "9999-12-31T23:59:59.999Z"


@dataclass
class Page:
    """One page, and while it is being filled how far that is.

    Args:
        next: where the next page starts; None at the end of the list.
        images: items, newest first.
    """

    next: Place | None
    images: list[Item] = field(default_factory=list)


def read_page(listing: Listing, table: Table, settings: Settings, *, today: date) -> Page:
    """Read the page that a caller asks for.

    Raises:
        RefusedError: his token is of another list, or none.
    """
    by_day = listing.index == UPLOAD_TIMESTAMP_INDEX
    shards = 1 if listing.index == USER_INDEX else settings.index_shards
    start = Place(day=today, found=today) if by_day else Place()
    if listing.token is not None:
        start = place_of(listing.token, listing, partitions=shards, by_day=by_day)
    page = Page(start)
    if by_day:
        _fill_by_days(page, listing, table, settings)
    elif _fill(page, start, listing, table, _partitions(listing, shards), until=END_OF_TIME):
        page.next = None
    return page


def _partitions(listing: Listing, shards: int) -> list[str]:
    if listing.index == USER_INDEX:
        return [str(listing.user)]
    return [f"{listing.status}#{shard}" for shard in range(shards)]


def _fill_by_days(page: Page, listing: Listing, table: Table, settings: Settings) -> None:
    """Go back day by day, until the page is full, the request's queries are spent or the list ends."""
    while page.next is not None and page.next.day is not None:
        place, day = page.next, page.next.day
        partitions = [f"{day.isoformat()}#{shard}" for shard in range(settings.index_shards)]
        if not _fill(page, place, listing, table, partitions, until=f"{day.isoformat()}T23:59:59.999Z"):
            return
        page.next = _day_before(page.next, max_empty_days=settings.max_empty_days)


def _day_before(place: Place, *, max_empty_days: int) -> Place | None:
    """The start of the day before; None where the list of all images ends."""
    if place.day is None or place.found is None or place.day <= FIRST_DAY:
        return None
    day = place.day - timedelta(days=1)
    return Place(day=day, found=place.found) if (place.found - day).days <= max_empty_days else None


def _fill(page: Page, place: Place, listing: Listing, table: Table, partitions: Sequence[str], *, until: str) -> bool:
    """Add the images of some partitions, merged by time; whether that came to the partitions' end.

    An index may hold several images of one time, and in which order it gives them is not said anywhere. So a
    partition that has told some of them goes on behind the last of these, and the others at that time.
    """
    wanted_at_once = 2 * (listing.limit - len(page.images)) // len(partitions)  # twice a fair share of the page
    streams = [
        _numbered(
            number,
            table.newest_first(
                listing.index,
                HASH_NAMES[listing.index],
                partition,
                until=place.until or until,
                after=place.seen.get(number),
                at_once=max(FEWEST_AT_ONCE, min(listing.limit, wanted_at_once)),
            ),
        )
        for number, partition in enumerate(partitions)
    ]
    try:
        for uploaded, number, item in heapq.merge(*streams, key=lambda entry: entry[0], reverse=True):
            place = place.after(number, image_id=item["ImageId"]["S"], uploaded=uploaded)
            page.next = place
            if _is_wanted(item, listing):
                page.images.append(item)
                if len(page.images) == listing.limit:
                    return False
    except BudgetSpentError:
        return False
    return True


def _numbered(number: int, items: Iterator[Item]) -> Iterator[tuple[str, int, Item]]:
    # The index's range key: an item without it is not in the index.
    return ((item["UploadTimestamp"]["S"], number, item) for item in items)


def _is_wanted(item: Item, listing: Listing) -> bool:
    """Whether an image belongs into the list, which its partition alone does not say."""
    status = text(item, "Status")
    return status != DELETED and listing.status in {None, status} and listing.user in {None, text(item, "UserId")}
