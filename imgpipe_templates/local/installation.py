"""Whether the engine is installed, and which one."""

from __future__ import annotations

import importlib.metadata

from imgpipe_templates.errors import LocalEngineError

VERSION = "1.5.33"  # seams.py is written for it


def check_installed(distribution: str = "ministack", expected: str = VERSION) -> None:
    """Make sure that the engine of the right version is installed.

    Raises:
        LocalEngineError: It is not; the text says what to install.
    """
    try:
        found = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        message = f"local engine: {distribution}: is not installed; run pip install 'imgpipe-templates[local]'"
        raise LocalEngineError(message) from None
    if found != expected:
        raise LocalEngineError(
            f"local engine: {distribution}: is version {found}; expected {expected},"
            f" run pip install {distribution}=={expected}"
        )
