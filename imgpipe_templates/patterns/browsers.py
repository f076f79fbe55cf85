"""Web pages that may use buckets and API from a browser: one list for both."""

from __future__ import annotations

from collections.abc import Sequence

from imgpipe_templates.core.parameters import SECURITY, ParameterSpec


def allowed_origins(default: Sequence[str]) -> ParameterSpec:
    """The parameter that lists the origins; never `*`, which would let every page use a visitor's links."""
    return ParameterSpec(
        "AllowedOrigins",
        SECURITY,
        "Web pages that may use it",
        {
            "Type": "CommaDelimitedList",
            "Default": ",".join(default),
            "Description": "Origins of the web pages that may upload and read from a browser, with commas between",
        },
    )
