"""Errors while templates are written."""

from __future__ import annotations

from imgpipe_templates.errors import ImgpipeError


class RenderError(ImgpipeError):
    """A template cannot be written: a value has no JSON form, a text is too long, or a file cannot be written."""
