"""The failure of turning templates into files."""

from __future__ import annotations

from imgpipe_templates.errors import ImgpipeError


class RenderError(ImgpipeError):
    """A template cannot be written: a value has no place in JSON, or a file or folder refuses."""
