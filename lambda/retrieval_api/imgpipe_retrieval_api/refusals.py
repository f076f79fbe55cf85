"""What a caller is told when he gets no images."""

from __future__ import annotations

from http import HTTPStatus


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        code: for programs, stable.
        message: for people; holds nothing that the caller sent, and no name of a resource but an index's.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def bad_request(code: str, message: str) -> RefusedError:
    """The refusal of a request that no repetition makes better."""
    return RefusedError(HTTPStatus.BAD_REQUEST, code, message)


def no_such_image() -> RefusedError:
    """The same words for an image that never was, was deleted or is somebody else's."""
    return RefusedError(HTTPStatus.NOT_FOUND, "image-not-found", "there is no such image")
