"""Frozen dataclasses that cost next to nothing to define.

`dataclass` writes and compiles up to six methods for each class, at every import: half a millisecond for a class of
ten fields, a third of a render for all of ours. These share two functions instead.
"""

from __future__ import annotations

import functools
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, TypeVar, cast, dataclass_transform

ClassT = TypeVar("ClassT")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def record(cls: type[ClassT]) -> type[ClassT]:
    """A frozen dataclass, compared by identity unless its base says otherwise."""
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__ = _fill
    made.__setattr__ = made.__delattr__ = _refuse
    return cls


def _fill(self: Any, *args: Any, **kwargs: Any) -> None:
    """Set every field, as the `__init__` of a dataclass does."""
    known = _known(cast(Any, type(self)))
    if len(args) > len(known):
        raise TypeError(f"{type(self).__name__} takes {len(known)} values, got {len(args)}")
    given = dict(zip(known, args, strict=False))
    for name, value in kwargs.items():
        if name not in known or name in given:
            raise TypeError(f"{type(self).__name__} got an unexpected or repeated value {name!r}")
        given[name] = value
    for name, one in known.items():
        if name not in given:
            if one.default is not MISSING:
                given[name] = one.default
            elif one.default_factory is not MISSING:
                given[name] = one.default_factory()
            else:
                raise TypeError(f"{type(self).__name__} misses a value for {name!r}")
    self.__dict__.update(given)
    if hook := getattr(self, "_when_built", None):
        hook()


@functools.cache
def _known(cls: Any) -> dict[str, Field[Any]]:
    return {one.name: one for one in fields(cls)}


def _refuse(self: Any, name: str, *_value: Any) -> NoReturn:
    """Refuse to change what is frozen."""
    raise FrozenInstanceError(f"cannot change {name!r} of {type(self).__name__}")
