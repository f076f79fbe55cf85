"""Checks of the arguments of public functions at the time of the call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

from imgpipe_templates.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")


def checked(**kinds: type | tuple[type, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function reject arguments of a wrong type.

    Args:
        kinds: Name of an argument -> its allowed types.

    Returns:
        A decorator; the decorated function raises ArgumentError for a wrong type.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            for name, kind in kinds.items():
                if name in given and not isinstance(given[name], kind):
                    expected = [one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,))]
                    raise ArgumentError(
                        f"{function.__qualname__}: {name}: expected a value of type {' or '.join(expected)}, "
                        f"got {type(given[name]).__name__} {given[name]!r:.60}"
                    )
            return function(*args, **kwargs)

        return call

    return decorate


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Check that a value is one of the choices.

    Raises:
        ArgumentError: It is not.
    """
    known = list(choices)
    if value not in known:
        raise ArgumentError(f"{name}: {value!r} is unknown; expected one of: {', '.join(known)}")


def check_texts(name: str, value: Any, example: str) -> Sequence[str]:
    """Return the value if it is a list of texts. A single text is rejected, because it is a sequence of letters.

    Raises:
        ArgumentError: It is not a list of texts.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        shown = f"{value!r:.60}"
        raise ArgumentError(f"{name}: expected a list of texts such as [{example!r}], got {shown}")
    return value
