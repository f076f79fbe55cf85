"""Errors that a user can cause. Each is an ImgpipeError; the command line prints it without a traceback."""

from __future__ import annotations


class ImgpipeError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(ImgpipeError):
    """One or more values of a configuration are unknown, of the wrong type, out of range or in conflict.

    Attributes:
        errors: One line per error, `<file>: <key>: <value>; expected <allowed values>`.
    """

    def __init__(self, *errors: str) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


class ArgumentError(ImgpipeError, TypeError):
    """An argument of a public function has a wrong type or an unknown name."""


class TemplateConflictError(ImgpipeError):
    """Two subsystems declare the same name in one template with different meanings."""


class LiteralReferenceError(ImgpipeError):
    """A subsystem refers to a resource of another subsystem by its logical id instead of its handle."""


class RenderError(ImgpipeError):
    """A template cannot be written: a value has no JSON form, a text is too long, or a file cannot be written."""


class PackagingError(ImgpipeError):
    """A package cannot be built, or the runtime could not import it."""


class DeploymentError(ImgpipeError):
    """A CloudFormation deployment was rejected or failed."""


class LocalEngineError(ImgpipeError):
    """The local engine is missing, did not start, or has another version than the engine patches require."""
