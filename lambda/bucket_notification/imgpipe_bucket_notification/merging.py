"""What becomes of a bucket's configuration: one owner's entries are replaced, everybody else's are left as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .entries import DESTINATIONS, FUNCTIONS, Entry
from .errors import RequestError

Configuration = Mapping[str, Any]

MAX_ID_CHARACTERS = 255  # "PutBucketNotificationConfiguration", Amazon S3 API Reference, read 2026-11
NAME_CHARACTERS = 64  # enough of each name to recognise it in the console
DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class Owner:
    """One custom resource: whose entries are whose is told by how their ids begin.

    The ids begin with readable names and a digest of the whole stack id, so that a stack of the same name that is
    created after this one was deleted, or one in another Region, is somebody else.
    """

    stack_id: str
    stack_name: str
    logical_id: str

    @property
    def prefix(self) -> str:
        """What the ids of this owner's entries begin with, and nobody else's."""
        digest = hashlib.sha256(f"{self.stack_id} {self.logical_id}".encode()).hexdigest()[:DIGEST_CHARACTERS]
        return f"{self.stack_name[:NAME_CHARACTERS]}.{self.logical_id[:NAME_CHARACTERS]}.{digest}."

    def owns(self, entry: Mapping[str, Any]) -> bool:
        """Whether the entry is one of this owner's."""
        return str(entry.get("Id", "")).startswith(self.prefix)

    def sign(self, entry: Entry) -> Entry:
        """The entry with an id that tells whose it is.

        Raises:
            RequestError: the entry's own id leaves no room for that.
        """
        room = MAX_ID_CHARACTERS - len(self.prefix)
        if len(entry.id) > room:
            raise RequestError(f"Id: {entry.id!r} has {len(entry.id)} characters; expected at most {room}")
        return replace(entry, id=self.prefix + entry.id)


def with_entries(configuration: Configuration, owner: Owner, wanted: Sequence[Entry]) -> Configuration:
    """The configuration with just these entries of the owner: itself, if that is what it is.

    Raises:
        RequestError: an entry overlaps one of somebody else's.
    """
    _refuse_overlap(configuration, owner, wanted)
    signed = [owner.sign(entry) for entry in wanted]
    present = [Entry.of(FUNCTIONS, entry).meaning() for entry in configuration.get(FUNCTIONS, []) if owner.owns(entry)]
    if sorted(present, key=repr) == sorted((entry.meaning() for entry in signed), key=repr):
        return configuration
    others = without_entries(configuration, owner)
    return {**others, FUNCTIONS: [*others.get(FUNCTIONS, []), *(entry.for_function() for entry in signed)]}


def without_entries(configuration: Configuration, owner: Owner) -> Configuration:
    """The configuration without any entry of the owner: itself, if there is none."""
    entries = configuration.get(FUNCTIONS, [])
    others = [entry for entry in entries if not owner.owns(entry)]
    if len(others) == len(entries):
        return configuration
    left = {name: value for name, value in configuration.items() if name != FUNCTIONS}
    return {**left, FUNCTIONS: others} if others else left


def _refuse_overlap(configuration: Configuration, owner: Owner, wanted: Sequence[Entry]) -> None:
    for kind in DESTINATIONS:
        for raw in configuration.get(kind, []):
            if owner.owns(raw):
                continue
            theirs = Entry.of(kind, raw)
            for mine in wanted:
                if mine.overlaps(theirs):
                    raise RequestError(
                        f"{kind}: {theirs.id!r} is already on the bucket, for {theirs}, to {theirs.destination}; "
                        f"expected no overlap with {mine.id!r}, for {mine}: remove or narrow one of them"
                    )
