"""Every failure a user can cause is an ImgpipeError; the command line prints it without a traceback."""

from __future__ import annotations


class ImgpipeError(Exception):
    """Base of all errors this package raises on purpose."""


class ConfigError(ImgpipeError):
    """One or more values of a configuration are unknown, of the wrong type, out of range or in conflict.

    Attributes:
        faults: One line each, `<file>: <key>: <what is>; <what is expected>`.
    """

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class ArgumentError(ImgpipeError, TypeError):
    """A public function was called with an argument of a wrong type, or with an unknown name."""


class TemplateConflictError(ImgpipeError):
    """Two subsystems declared the same name in one template with different meanings."""


class PackagingError(ImgpipeError):
    """A function's package cannot be built, or would not import on its runtime."""


class DeploymentError(ImgpipeError):
    """CloudFormation refused or failed a deployment."""


class LocalEngineError(ImgpipeError):
    """The embedded engine is missing, did not start, or is not the version its seams were written for."""
