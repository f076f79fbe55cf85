"""The API behind its HTTP: a question in, what the caller gets out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .images import described
from .links import Links
from .listing import QUERIES_PER_REQUEST, read_page
from .places import token_of
from .questions import Listing, OneImage
from .refusals import no_such_image
from .settings import Settings
from .table import DELETED, Table, text


@dataclass(frozen=True)
class Api:
    """What questions are answered with; made once, at cold start.

    Args:
        settings: the function's variables.
        dynamodb: a client.
        s3: a client that signs links, and sends nothing.
        clock: tells the time, with its zone.
    """

    settings: Settings
    dynamodb: Any
    s3: Any
    clock: Callable[[], datetime]

    def answer(self, question: OneImage | Listing) -> dict[str, Any]:
        """Answer a question.

        Raises:
            RefusedError: no such image for this caller, or a wrong token.
        """
        table = Table(self.dynamodb, self.settings.metadata_table, queries_left=QUERIES_PER_REQUEST)
        links = Links(self.s3, self.settings.url_expires_seconds)
        if isinstance(question, OneImage):
            item = table.image(question.image_id)
            if item is None or text(item, "Status") == DELETED or question.owner not in {None, text(item, "UserId")}:
                raise no_such_image()
            return described(item, self.settings, links)
        page = read_page(question, table, self.settings, today=self.clock().astimezone(UTC).date())
        answer: dict[str, Any] = {"images": [described(item, self.settings, links) for item in page.images]}
        if page.next is not None:
            answer["next"] = token_of(page.next, question)
        return answer
