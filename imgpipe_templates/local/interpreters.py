"""Which Python of this machine runs a function."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.packaging.installed_pythons import installed

Version = tuple[int, int]

_SUPPORTED: tuple[Version, ...] = ((3, 14), (3, 13), (3, 12))  # Lambda's Python runtimes that are not deprecated
_OLDEST: Version = (3, 11)


@dataclass(frozen=True)
class Interpreter:
    """A Python that really runs.

    Attributes:
        is_exact: Whether it is of the version that the function's runtime names.
    """

    path: Path
    version: tuple[int, int, int]
    is_exact: bool

    def explain(self, runtime: str) -> str:
        """Say in one sentence what runs functions of `runtime`, and why."""
        number = ".".join(map(str, self.version))
        if self.is_exact:
            return f"functions of {runtime} run under Python {number} ({self.path})"
        return (
            f"functions of {runtime} run under Python {number} ({self.path}), the nearest version found:"
            f" {runtime} itself is not on this machine, so version differences stay unseen"
        )


def find_interpreter(runtime: str) -> Interpreter:
    """The interpreter for a Lambda runtime: the version it names if that is here, otherwise the nearest.

    Raises:
        LocalEngineError: The runtime is not a Python runtime, or no usable interpreter is here.
    """
    match = re.fullmatch(r"python(\d+)\.(\d+)", runtime)
    if not match:
        message = f"local engine: runtime: {runtime!r} cannot be run here; expected a Python runtime such as python3.13"
        raise LocalEngineError(message)
    wanted = (int(match[1]), int(match[2]))
    # Newer before older at equal distance: what the function's runtime has, a newer Python mostly has too.
    others = sorted(set(_SUPPORTED) - {wanted}, key=lambda version: (abs(version[1] - wanted[1]), -version[1]))
    for version in (wanted, *others):
        if found := installed(version):
            return Interpreter(found.path, found.version, is_exact=version == wanted)
    own = sys.version_info[:3]
    if own[:2] < _OLDEST:
        number = ".".join(map(str, own))
        raise LocalEngineError(f"local engine: python: is {number}; expected 3.11 or later, best {runtime}")
    return Interpreter(Path(sys.executable), own, is_exact=own[:2] == wanted)
